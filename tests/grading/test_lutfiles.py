"""LUT files of other programs open whole, as their own readers read them; a broken one's sentence names its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch
from PIL import Image

from studio import deep
from studio.errors import StudioError
from studio.grading import lutfiles
from studio.grading.lut import apply, identity
from studio.grading.lutfiles import LUT
from tests.grading.lutsamples import (
    BENT,
    CSP,
    MESH,
    ROWS,
    SPI3D,
    THREEDL,
    Colours,
    by_opencolorio,
    colours,
    trained,
)

PRELUT = CSP.replace("2\n0.0 1.0\n0.0 1.0\n", "3\n0.0 0.5 2.0\n0.0 0.7 1.0\n", 1)
SHAPED = {
    "domain.cube": "DOMAIN_MIN -1 0 0\nDOMAIN_MAX 2 1 4\nLUT_3D_SIZE 2\n" + ROWS,
    "range.cube": "LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.25 0.75\n" + ROWS,
    "shaper.cube": "LUT_1D_SIZE 3\nLUT_1D_INPUT_RANGE 0.0 1.5\nLUT_3D_SIZE 2\n" + BENT + ROWS,
    "prelut.csp": PRELUT,
    "bent.3dl": THREEDL.replace(
        MESH, MESH.replace("512", "700").replace("576", "720").replace("640", "740").replace("704", "760")
    ),
}


def ours(lut: LUT, rgb: Colours) -> Colours:
    graded = rgb.copy()
    lut.processor().apply(ocio.PackedImageDesc(graded, rgb.shape[1], rgb.shape[0], 3))
    return graded


@pytest.mark.parametrize(("name", "text"), SHAPED.items())
def test_what_comes_before_the_table_is_applied_exactly(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    lut, rgb = lutfiles.read(tmp_path / name), colours() * 1.2 - 0.1
    assert not lut.exact
    assert np.abs(ours(lut, rgb) - by_opencolorio(tmp_path / name, rgb)).max() <= 1e-6
    assert np.abs(ours(lut, rgb) - rgb.clip(0, 1)).max() > 0.05  # it does something


def test_resolve_s_range_beside_a_title_is_read_though_opencolorio_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "a.cube").write_text(SHAPED["range.cube"])
    (tmp_path / "b.cube").write_text('TITLE "from Resolve"\n' + SHAPED["range.cube"])
    with pytest.raises(ocio.Exception):
        by_opencolorio(tmp_path / "b.cube", colours())
    lut = lutfiles.read(tmp_path / "b.cube")
    assert lut.title == "from Resolve"
    assert np.array_equal(ours(lut, colours()), ours(lutfiles.read(tmp_path / "a.cube"), colours()))


def test_a_sampled_table_is_right_at_its_points_and_bounded_between_them(tmp_path: Path) -> None:
    root = "".join(f"{value:.8f} {value:.8f} {value:.8f}\n" for value in np.sqrt(np.linspace(0, 1, 4096)))
    (tmp_path / "root.cube").write_text("LUT_1D_SIZE 4096\nLUT_3D_SIZE 2\n" + root + ROWS)
    lut = lutfiles.read(tmp_path / "root.cube")
    table = lut.table()
    assert table.shape == (3, 65, 65, 65) and lut.table(17).shape == (3, 17, 17, 17)
    assert (table - identity(65).sqrt()).abs().max() <= 4e-3  # the shaper's own points end it near black
    assert (table - identity(65).sqrt())[:, 4:, 4:, 4:].abs().max() <= 1e-5
    rgb = colours()
    apart = np.abs(ours(LUT.of(table), rgb) - ours(lut, rgb))
    assert apart.max() <= 0.032 and apart[rgb > 0.05].max() <= 0.001


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.csp", CSP, "a"),
        ("b.csp", CSP.replace("3D\n", "3D\nBEGIN METADATA\nmy look\nby me\nEND METADATA\n"), "my look"),
        ("c.csp", CSP.replace("3D\n", "3D\nBEGIN METADATA\nEND METADATA\n"), "c"),
        ("a.spi3d", SPI3D + '# TITLE "my look"\n', "my look"),
        ("a.3dl", THREEDL, "a"),
        ("B.3DL", '# TITLE "my look"\n3DMESH\nMesh 4 12\n' + THREEDL + "\nLUT8\ngamma 1.0\n", "my look"),
    ],
)
def test_tables_and_titles_of_other_formats(name: str, text: str, title: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    lut = lutfiles.read(tmp_path / name)
    assert lut.exact and lut.title == title
    assert (lut.table() - identity(lut.size)).abs().max() <= 1 / 4095


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_hald_pictures_of_either_depth(channels: int, tmp_path: Path) -> None:
    table = trained(9)
    pixels = table.permute(1, 2, 3, 0).reshape(27, 27, 3).numpy()
    pixels = np.concatenate((pixels, pixels[..., :1]), 2)[..., :channels]
    deep.write(tmp_path / "deep.png", np.rint(pixels * 65535).astype(np.uint16), "png", DocumentName="my look")
    shallow = np.rint(pixels * 255).astype(np.uint8)
    Image.fromarray(shallow[..., 0] if channels == 1 else shallow).save(tmp_path / "shallow.png")
    wanted = table if channels > 1 else table[:1].expand(3, -1, -1, -1)
    read = [lutfiles.read(tmp_path / f"{name}.png") for name in ("deep", "shallow")]
    assert (read[0].table() - wanted).abs().max() <= 0.51 / 65535 and read[0].title == "my look"
    assert (read[1].table() - wanted).abs().max() <= 0.51 / 255 and read[1].title == "shallow"


def test_a_hald_picture_of_level_12_is_sampled(tmp_path: Path) -> None:
    def bend(rgb: torch.Tensor) -> torch.Tensor:
        return (rgb * rgb[[1, 2, 0]]).clamp(0, 1)

    pixels = bend(identity(144)).permute(1, 2, 3, 0).reshape(1728, 1728, 3).numpy()
    deep.write(tmp_path / "large.png", np.rint(pixels * 65535).astype(np.uint16), "png")
    lut = lutfiles.read(tmp_path / "large.png")
    assert lut.size == 129 and (lut.table() - bend(identity(129))).abs().max() <= 1e-4


def test_a_changed_file_is_read_afresh(tmp_path: Path) -> None:
    path = tmp_path / "look.csp"
    path.write_text(CSP)
    lutfiles.read(path)
    path.write_text(CSP.replace("0.0 0.0 0.0", "0.5 0.0 0.0"))
    assert lutfiles.read(path).table()[0, 0, 0, 0] == 0.5


def spoilt(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("x.csp", spoilt(CSP, "1.0 1.0 0.0", "1.0 nan 0.0"), "line 18: '1.0 nan 0.0'"),
        ("x.csp", spoilt(CSP, "1.0 1.0 0.0", "1.0 inf 0.0"), "line 18: .*no finite number"),
        ("x.csp", spoilt(CSP, "1.0 1.0 0.0", "1.0 word 0.0"), "line 18: '1.0 word 0.0'"),
        ("x.csp", CSP[:-20], "ends with line 21: .*cube row"),
        ("x.csp", spoilt(CSP, "2 2 2", "2 2 3"), "nonuniform"),
        ("x.csp", spoilt(CSP, "2 2 2", "100000 100000 100000"), "line 14: '100000 100000 100000'"),
        ("x.csp", spoilt(CSP, "2\n0.0", "2000000000\n0.0"), "Prelut"),
        ("x.csp", spoilt(CSP, "3D", "1D"), "1D LUT"),
        ("x.csp", "some\nwords\n", "line 1: 'some'"),
        ("x.spi3d", spoilt(SPI3D, "0 1 1 0.0 1.0 1.0", "0 1 1 0.0 nan 1.0"), "line 7: '0 1 1 0.0 nan 1.0'"),
        ("x.spi3d", spoilt(SPI3D, "0 1 1 0.0 1.0 1.0", "0 1 1 0.0 word 1.0"), "line 7: '0 1 1 0.0 word 1.0'"),
        ("x.spi3d", spoilt(SPI3D, "0 1 1 0.0", "9 1 1 0.0"), "line 7: .*falls outside"),
        ("x.spi3d", spoilt(SPI3D, "0 1 1 0.0", "0 1 0 0.0"), "line 7: .*multiple times"),
        ("x.spi3d", SPI3D[:-20], "Not enough entries"),
        ("x.spi3d", spoilt(SPI3D, "2 2 2", "1000 1000 1000"), "line 3: '1000 1000 1000': .*129"),
        ("x.3dl", spoilt(THREEDL, "\n0 0 255\n", "\n0 nan 255\n"), "line 3: '0 nan 255'"),
        ("x.3dl", spoilt(THREEDL, "\n0 0 255\n", "\n0 255\n"), "line 3"),
        ("x.3dl", THREEDL[: len(THREEDL) // 2].rpartition("\n")[0], "ends with line .* 3D LUT size"),
        ("x.3dl", "hello\n", "line 1: 'hello'"),
        ("x.cube", "", "empty"),
        ("x.csp", " \n", "empty"),
        ("x.spi3d", "\0\1\2" * 2000, "no lines of numbers"),
        ("x.3dl", '<?xml version="1.0"?><ProcessList/>', "no lines of numbers"),
        ("x.png", "no picture", "no PNG"),
        ("x.txt", ROWS, "no LUT that can be read"),
    ],
)
def test_a_broken_file_gets_a_sentence_with_its_line(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(StudioError, match=complaint) as caught:
        lutfiles.read(tmp_path / name)
    assert name in caught.value.what and caught.value.todo
    assert str(tmp_path) not in caught.value.what and "\n" not in caught.value.what


@pytest.mark.parametrize("suffix", [".cube", ".csp", ".spi3d", ".3dl", ".png"])
def test_binary_junk_gets_a_sentence(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(bytes(np.random.default_rng(0).integers(1, 256, 9000).astype(np.uint8)))
    with pytest.raises(StudioError, match="junk"):
        lutfiles.read(path)


def test_a_picture_that_is_no_hald_is_told_so(tmp_path: Path) -> None:
    Image.new("RGB", (64, 63)).save(tmp_path / "photo.png")
    with pytest.raises(StudioError, match="64 × 63"):
        lutfiles.read(tmp_path / "photo.png")
    Image.new("RGB", (2197, 2197)).save(tmp_path / "level-13.png")
    with pytest.raises(StudioError, match="levels 2 to 12"):
        lutfiles.read(tmp_path / "level-13.png")


def test_a_missing_file_and_one_too_large_are_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"nowhere\.cube"):
        lutfiles.read(tmp_path / "nowhere.cube")
    with (tmp_path / "large.cube").open("wb") as file:
        file.truncate(lutfiles.LARGEST_FILE + 1)
    with pytest.raises(StudioError, match="256 MiB"):
        lutfiles.read(tmp_path / "large.cube")


def test_both_interpolations_are_those_they_are_called() -> None:
    table, rgb = trained(5), colours()
    lut = LUT.of(table)
    exact = apply(table, torch.from_numpy(rgb).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    assert np.abs(ours(lut, rgb) - exact).max() <= 1e-6
    linear = rgb.copy()
    lut.processor("trilinear").apply(ocio.PackedImageDesc(linear, 32, 24, 3))
    cube = table[None].permute(0, 1, 4, 3, 2)  # grid_sample wants blue, green, red as x, y, z
    grid = torch.from_numpy(rgb)[None, None, ..., [2, 1, 0]] * 2 - 1
    sampled = torch.nn.functional.grid_sample(cube, grid, align_corners=True)[0, :, 0].permute(1, 2, 0).numpy()
    assert np.abs(linear - sampled).max() <= 1e-6 and np.abs(linear - exact).max() > 1e-3
