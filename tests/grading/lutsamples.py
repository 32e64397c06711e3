"""Small LUT files as other programs write them, and how each reader at hand applies one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.grading.lut import ResidualLUT

Colours = NDArray[np.float32]

ROWS = "".join(f"{r}.0 {g}.0 {b}.0\n" for b in (0, 1) for g in (0, 1) for r in (0, 1))
"""The identity of two points, red fastest."""
BENT = "0 0 0\n0.5 0.6 0.7\n1 1 1\n"
"""A shaper of three points."""
CSP = "CSPLUTV100\n3D\n\n" + "2\n0.0 1.0\n0.0 1.0\n" * 3 + "\n2 2 2\n" + ROWS
SPI3D = "SPILUT 1.0\n3 3\n2 2 2\n" + "".join(
    f"{r} {g} {b} {r}.0 {g}.0 {b}.0\n" for r in (0, 1) for g in (0, 1) for b in (0, 1)
)
MESH = "0 64 128 192 256 320 384 448 512 576 640 704 768 832 896 960 1023\n"
THREEDL = MESH + "".join(
    f"{r * 4095 // 16} {g * 4095 // 16} {b * 4095 // 16}\n" for r in range(17) for g in range(17) for b in range(17)
)


def trained(size: int, seed: int = 0) -> Tensor:
    """A table as training leaves one, far enough from the identity to clip at both ends."""
    torch.manual_seed(seed)
    lut = ResidualLUT(size)
    for grid in lut.grids:
        torch.nn.init.normal_(grid, std=0.15)
    return lut.table().detach()


def colours() -> Colours:
    """Random colours with the corners and the grey axis among them, [24, 32, 3]."""
    rgb = np.random.default_rng(0).random((24, 32, 3), np.float32)
    rgb[0, :8] = np.indices((2, 2, 2)).reshape(3, 8).T
    rgb[1] = np.linspace(0, 1, 32, dtype=np.float32)[:, None]
    return rgb


def by_opencolorio(path: Path, rgb: Colours) -> Colours:
    ocio.ClearAllCaches()
    transform = ocio.FileTransform(str(path), interpolation=ocio.INTERP_TETRAHEDRAL)
    graded = rgb.copy()
    processor = ocio.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
    processor.apply(ocio.PackedImageDesc(graded, rgb.shape[1], rgb.shape[0], 3))
    return graded


def by_ociochecklut(path: Path, rgb: Colours) -> Colours:
    """OpenColorIO's own program, one process a colour: give few."""
    program = shutil.which("ociochecklut")
    assert program, "ociochecklut comes with the opencolorio wheel"
    rows = []
    for colour in rgb.reshape(-1, 3):
        done = subprocess.run([program, str(path), *map(str, colour)], capture_output=True, text=True, check=True)
        rows.append([float(word) for word in done.stdout.split()[-3:]])
    return np.array(rows, np.float32).reshape(rgb.shape)


def by_ffmpeg(filters: str, rgb: Colours, *inputs: str) -> Colours:
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg, "ffmpeg is installed by make test"
    height, width, _ = rgb.shape
    planes = np.ascontiguousarray(rgb[..., [1, 2, 0]].transpose(2, 0, 1))  # gbrpf32 stores green, blue, red
    raw = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le"]
    command = [ffmpeg, "-v", "error", *raw, "-s", f"{width}x{height}", "-i", "-", *inputs, "-lavfi", filters, *raw, "-"]
    done = subprocess.run(command, input=planes.tobytes(), capture_output=True, check=True)
    graded = np.frombuffer(done.stdout, np.float32).reshape(3, height, width)
    return np.ascontiguousarray(graded[[2, 0, 1]].transpose(1, 2, 0))
