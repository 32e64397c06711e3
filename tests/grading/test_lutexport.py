"""Exported files hold the table, and every reader at hand reads it back from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import colour
import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch
from PIL import Image, ImageFilter

from studio.errors import StudioError
from studio.grading import lutexport, lutfiles
from studio.grading.lut import apply, identity, resized
from studio.grading.lutfiles import LUT
from tests.grading.lutsamples import Colours, by_ffmpeg, by_ociochecklut, by_opencolorio, colours, trained

FLAVOURS = list(lutexport.SUFFIXES)
ROUNDING = dict.fromkeys(FLAVOURS, 6e-8) | {"3dl": 0.501 * lutexport.STEP_3DL, "hald": 0.502 / 65535 + 6e-8}


def export(folder: Path, flavour: str, size: int, title: str = "my look") -> Path:
    path = folder / f"look{lutexport.SUFFIXES[flavour]}"
    lutexport.write(path, trained(size), title, ("a comment", "another"), flavour)
    return path


def graded(size: int) -> Colours:
    rgb = torch.from_numpy(colours()).permute(2, 0, 1)[None]
    return apply(trained(size), rgb)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("size", "points"), [(17, {"3dl": 17, "hald": 25}), (33, {"3dl": 33, "hald": 36})])
def test_a_table_and_its_title_survive_the_file(
    flavour: str, size: int, points: dict[str, int], tmp_path: Path
) -> None:
    lut = lutfiles.read(export(tmp_path, flavour, size))
    wanted = resized(trained(size), points.get(flavour, size))
    assert lut.exact and lut.title == "my look" and lut.table().shape == wanted.shape
    assert (lut.table() - wanted).abs().max() <= ROUNDING[flavour]
    assert [each.name for each in tmp_path.iterdir()] == [f"look{lutexport.SUFFIXES[flavour]}"]


@pytest.mark.parametrize("flavour", [flavour for flavour in FLAVOURS if flavour != "hald"])
def test_opencolorio_reads_it(flavour: str, tmp_path: Path) -> None:
    path = export(tmp_path, flavour, 17)
    assert np.abs(by_opencolorio(path, colours()) - graded(17)).max() <= ROUNDING[flavour] + 1e-6
    few = colours()[:1, :4]
    # The program prints seven digits, and may have been built without the sample's last bits.
    assert np.abs(by_ociochecklut(path, few) - graded(17)[:1, :4]).max() <= ROUNDING[flavour] + 2e-6


@pytest.mark.parametrize(("flavour", "error"), [("cube", 1e-6), ("csp", 1e-6), ("3dl", 4e-4)])
def test_ffmpeg_reads_it(flavour: str, error: float, tmp_path: Path) -> None:
    """Of a .3dl it takes 4095 for 4095/4096, its own reader's error; and it refuses Resolve's LUT_3D_INPUT_RANGE."""
    path = export(tmp_path, flavour, 17)
    assert np.abs(by_ffmpeg(f"lut3d=file={path}:interp=tetrahedral", colours()) - graded(17)).max() <= error


def test_ffmpeg_reads_a_hald_picture(tmp_path: Path) -> None:
    path = export(tmp_path, "hald", 16)
    filters = "[1]format=gbrpf32le[clut];[0][clut]haldclut=interp=tetrahedral"
    error = 6e-4  # of its way from 16 bits to float, not of the file
    assert np.abs(by_ffmpeg(filters, colours(), "-i", str(path)) - graded(16)).max() <= error


@pytest.mark.parametrize("flavour", ["cube", "cube-resolve", "csp", "spi3d"])
def test_colour_science_reads_it(flavour: str, tmp_path: Path) -> None:
    readers: dict[str, Callable[[str], colour.LUT3D]] = {"cube-resolve": colour.io.read_LUT_ResolveCube}
    lut = readers.get(flavour, colour.read_LUT)(str(export(tmp_path, flavour, 17)))
    assert isinstance(lut, colour.LUT3D)
    read = lut.apply(colours(), interpolator=colour.algebra.table_interpolation_tetrahedral)
    assert np.abs(read - graded(17)).max() <= 1e-6


def test_pillow_applies_what_a_hald_picture_holds(tmp_path: Path) -> None:
    table = lutfiles.read(export(tmp_path, "hald", 16)).table()
    flat = table.permute(1, 2, 3, 0).reshape(-1).tolist()
    eight = np.rint(colours() * 255).astype(np.uint8)
    pillow = np.asarray(Image.fromarray(eight).filter(ImageFilter.Color3DLUT(table.shape[-1], flat)))
    trilinear = eight.copy()
    LUT.of(trained(16)).processor("trilinear", "uint8").apply(
        ocio.PackedImageDesc(trilinear, 32, 24, 3, ocio.BIT_DEPTH_UINT8, 1, 3, 3 * 32)
    )
    assert np.abs(pillow.astype(int) - trilinear).max() <= 1


def test_a_size_that_a_format_does_not_take_is_sampled_within_bounds(tmp_path: Path) -> None:
    table = trained(10)
    for flavour, points in (("3dl", 17), ("hald", 16)):
        path = tmp_path / f"look{lutexport.SUFFIXES[flavour]}"
        lutexport.write(path, table, "look", flavour=flavour)
        read = lutfiles.read(path).table()
        assert read.shape[-1] == points
        # At the new points it is the old LUT, so only the format's rounding is left there.
        assert (read - resized(table, points)).abs().max() <= ROUNDING[flavour]
        bend = (
            (table[..., 2:] - 2 * table[..., 1:-1] + table[..., :-2]).abs().max()
        )  # between them, a share of its bends
        assert (resized(read, 97) - resized(table, 97)).abs().max() <= bend
    lutexport.write(tmp_path / "fine.3dl", identity(66), "look", flavour="3dl")
    assert lutfiles.read(tmp_path / "fine.3dl").size == 65


def test_headers_are_those_each_program_wants(tmp_path: Path) -> None:
    adobe = export(tmp_path, "cube", 2).read_text("ascii").splitlines()
    assert adobe[:3] == ['TITLE "my look"', "# a comment", "# another"]
    assert adobe[3:6] == ["DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0", "LUT_3D_SIZE 2"]
    resolve = export(tmp_path, "cube-resolve", 2).read_text("ascii").splitlines()
    assert resolve[:3] == ['# TITLE "my look"', "# a comment", "# another"]
    assert resolve[3:5] == ["LUT_3D_SIZE 2", "LUT_3D_INPUT_RANGE 0.0 1.0"]
    lutexport.write(tmp_path / "red.cube", identity(2), "red varies fastest")
    assert (tmp_path / "red.cube").read_text("ascii").splitlines()[5].split() == [
        "1.00000000",
        "0.00000000",
        "0.00000000",
    ]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    ("title", "kept"),
    [('café "noir"\nline two', "cafe 'noir' line two"), ("🌅 暖かい", "untitled look"), ("x" * 999, "x" * 240)],
)
def test_a_title_of_any_words_leaves_a_file_that_is_read(flavour: str, title: str, kept: str, tmp_path: Path) -> None:
    assert lutfiles.read(export(tmp_path, flavour, 4, title)).title == kept


def test_extensions_mean_formats() -> None:
    wanted = {"a.CUBE": "cube", "a.3dl": "3dl", "a.csp": "csp", "a.spi3d": "spi3d", "a.png": "hald"}
    assert {name: lutexport.flavour_of(Path(name)) for name in wanted} == wanted
    with pytest.raises(StudioError, match="no extension"):
        lutexport.flavour_of(Path("look.txt"))


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("flavour", ["cube", "hald"])
def test_an_existing_file_is_replaced_whole(flavour: str, tmp_path: Path) -> None:
    path = tmp_path / f"look{lutexport.SUFFIXES[flavour]}"
    path.write_text("old")
    assert lutfiles.read(export(tmp_path, flavour, 3)).title == "my look"


@pytest.mark.parametrize("flavour", ["cube", "hald"])
def test_nothing_is_left_where_a_file_cannot_be(flavour: str, tmp_path: Path) -> None:
    (tmp_path / f"look{lutexport.SUFFIXES[flavour]}").mkdir()
    with pytest.raises(OSError):
        export(tmp_path, flavour, 2)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_draft_is_the_same_table_in_six_digits(tmp_path: Path) -> None:
    table = torch.rand(3, 9, 9, 9, generator=torch.Generator().manual_seed(0))
    lutexport.write_draft(tmp_path / "draft.cube", table, 'a "quoted" look')
    read = lutfiles.read(tmp_path / "draft.cube")
    assert read.title == "a 'quoted' look" and (read.table() - table).abs().max() <= 6e-7
