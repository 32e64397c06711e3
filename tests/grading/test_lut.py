"""One transform: what training sees is what OpenColorIO, ffmpeg and colour-science do with the file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import colour
import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.grading import lutexport, lutfiles
from studio.grading.encodings import conversion_table
from studio.grading.lut import LUMA, ResidualLUT, apply, identity

SIZES = (2, 3, 16, 17, 33, 65)


def trained(size: int, seed: int = 0) -> Tensor:
    """A table as training leaves one, far enough from the identity to clip at both ends."""
    torch.manual_seed(seed)
    lut = ResidualLUT(size)
    for grid in lut.grids:
        torch.nn.init.normal_(grid, std=0.15)
    return lut.table().detach()


def colours(height: int = 64, width: int = 96) -> Tensor:
    """Random colours with every corner and the grey axis among them, [1, 3, H, W]."""
    rgb = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))
    rgb[0, :, 0, :8] = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3).t()[:, :width]
    rgb[0, :, 1] = torch.linspace(0, 1, width)
    return rgb


def rows(rgb: Tensor) -> NDArray[np.float32]:
    return rgb[0].permute(1, 2, 0).contiguous().numpy().copy()


@pytest.mark.parametrize("size", SIZES)
def test_an_untrained_lut_changes_nothing_at_all(size: int, tmp_path: Path) -> None:
    rgb = colours()
    assert torch.equal(apply(ResidualLUT(size).table(), rgb), rgb)
    lutexport.write(tmp_path / "identity.cube", ResidualLUT(size).table(), "identity")
    assert (lutfiles.read(tmp_path / "identity.cube").table() - identity(size)).abs().max() <= 6e-8


@pytest.mark.parametrize("size", SIZES)
def test_training_agrees_with_opencolorio_reading_the_file(size: int, tmp_path: Path) -> None:
    table, rgb = trained(size), colours()
    lutexport.write(tmp_path / "look.cube", table, "look")
    transform = ocio.FileTransform(str(tmp_path / "look.cube"), interpolation=ocio.INTERP_TETRAHEDRAL)
    pixels = rows(rgb)
    ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor().apply(
        ocio.PackedImageDesc(pixels, pixels.shape[1], pixels.shape[0], 3)
    )
    assert np.abs(pixels - rows(apply(table, rgb))).max() <= 1e-6


@pytest.mark.parametrize("size", [17, 33, 65])
def test_training_agrees_with_ffmpeg_reading_the_file(size: int, tmp_path: Path) -> None:
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg, "ffmpeg is installed by make test"
    table, rgb = trained(size), colours()
    lutexport.write(tmp_path / "look.cube", table, "look")
    planes = rgb[0][[1, 2, 0]].contiguous().numpy()  # gbrpf32 stores green, blue, red
    height, width = planes.shape[1:]
    raw = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le"]
    command = [ffmpeg, "-v", "error", *raw, "-s", f"{width}x{height}", "-i", "-", "-vf"]
    command += [f"lut3d=file={tmp_path / 'look.cube'}:interp=tetrahedral", *raw, "-"]
    done = subprocess.run(command, input=planes.tobytes(), capture_output=True, check=True)
    graded = np.frombuffer(done.stdout, np.float32).reshape(planes.shape)[[2, 0, 1]].transpose(1, 2, 0)
    assert np.abs(graded - rows(apply(table, rgb))).max() <= 1e-6


def test_training_agrees_with_colour_science_reading_the_file(tmp_path: Path) -> None:
    table, rgb = trained(17), colours()
    lutexport.write(tmp_path / "look.cube", table, "look")
    lut = colour.read_LUT(str(tmp_path / "look.cube"))
    assert isinstance(lut, colour.LUT3D)
    graded = lut.apply(rows(rgb), interpolator=colour.algebra.table_interpolation_tetrahedral)
    assert np.abs(graded - rows(apply(table, rgb))).max() <= 1e-6


def test_coarse_grids_reach_colours_no_picture_held() -> None:
    """A change learnt on reds alone also moves what lies between red and the rest, falling off smoothly."""
    lut = ResidualLUT(33)
    red = torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1)
    optimizer = torch.optim.Adam(lut.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        (-apply(lut.table(), red)[:, 2]).mean().backward()
        optimizer.step()
    probe = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.3], [0.1, 0.9, 0.9]]).t().view(1, 3, 1, 3)
    moved = (apply(lut.table().detach(), probe) - probe)[0, 2, 0]
    assert moved[0] > moved[1] > 0.05


def test_gradients_match_finite_differences() -> None:
    table = trained(3).double().requires_grad_()
    rgb = colours(2, 5).double()
    assert torch.autograd.gradcheck(lambda values: apply(values, rgb), (table,), atol=1e-5)


@pytest.mark.parametrize("monochrome", [False, True])
def test_an_untrained_lut_on_a_base_is_its_base_and_a_trained_one_the_grade_of_it(monochrome: bool) -> None:
    base = torch.from_numpy(conversion_table("slog3", "srgb", 33))
    lut = ResidualLUT(33, base, monochrome=monochrome)
    wanted = (base * torch.tensor(LUMA)[:, None, None, None]).sum(0).expand_as(base) if monochrome else base
    assert torch.equal(lut.table(), wanted)
    for number, grid in enumerate(lut.grids):
        torch.nn.init.normal_(grid, std=0.05, generator=torch.Generator().manual_seed(number))
    graded = apply(lut.shape(65).clamp(0, 1), base.flatten(2)[None]).view_as(base)
    assert (lut.table() - graded).abs().max() < 0.02  # the grade is read at the base's colours


def test_a_monochrome_lut_has_no_colour_whatever_it_learnt() -> None:
    lut = ResidualLUT(17, monochrome=True)
    for grid in lut.grids:
        torch.nn.init.normal_(grid, std=0.2)
    table = lut.table()
    assert torch.equal(table[0], table[1]) and torch.equal(table[0], table[2])
    table.sum().backward()
    assert all(grid.grad is not None and grid.grad.abs().sum() > 0 for grid in lut.grids)
