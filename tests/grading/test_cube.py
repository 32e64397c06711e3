"""Files other programs open, and sentences for files the studio cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from studio.errors import StudioError
from studio.grading import cube
from studio.grading.lut import identity


def test_header_is_adobe_s_and_red_varies_fastest(tmp_path: Path) -> None:
    path = tmp_path / "look.cube"
    cube.write(path, identity(2), 'café "noir"\nline two', ("a comment",))
    lines = path.read_text("ascii").splitlines()
    assert lines[0] == "TITLE \"cafe 'noir' line two\""
    assert "# a comment" in lines and "LUT_3D_SIZE 2" in lines
    assert [float(value) for value in lines[-7].split()] == [1, 0, 0]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["look.cube"]


def test_a_table_survives_the_file(tmp_path: Path) -> None:
    table = torch.rand(3, 5, 5, 5, generator=torch.Generator().manual_seed(0))
    cube.write(tmp_path / "look.cube", table, "look")
    assert (cube.read(tmp_path / "look.cube") - table).abs().max() <= 6e-8


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "readable"),
        ("LUT_3D_SIZE 2\n0 0 0\n", "needs 8 rows, it holds 1"),
        ("0 0 0\n" * 8, "no LUT_3D_SIZE"),
        ("LUT_3D_SIZE 1\n0 0 0\n", "2 to 129"),
        ("LUT_3D_SIZE 130\n0 0 0\n", "2 to 129"),
        ("LUT_3D_SIZE 2\n" + "0 0 0\n" * 9, "needs 8 rows, it holds 9"),
        ("LUT_3D_SIZE 2\n0 0 0\n0 0\n", "line 3"),
        ("LUT_3D_SIZE 2\n\n# one\n0 0 nan\n", "line 4: '0 0 nan', but a row takes 3 finite numbers"),
        ("LUT_3D_SIZE 2\n0 0 1e39\n", "line 2"),
        ("LUT_3D_SIZE 2\nFOO 1\n", "line 2: 'FOO 1'"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 0 0\n", "line 2: .*DOMAIN_MIN takes 3"),
        ("LUT_3D_SIZE 2\nlut_out_video_range\n", "line 2: LUT_OUT_VIDEO_RANGE"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n" + "0 0 0\n" * 10, "shaper"),
        ("LUT_3D_SIZE 2\nLUT_IN_VIDEO_RANGE\n" + "0 0 0\n" * 8, "video range"),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0 4\n" + "0 0 0\n" * 8, "domain"),
        ("LUT_3D_SIZE two\n0 0 0\n", "readable"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n", "1D"),
        ("LUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n" + "0 0 0\n" * 8, "domain"),
        ("LUT_3D_SIZE 2\n" + "0 0 nan\n" * 8, "readable"),
        ("\x00\x01", "readable"),
    ],
)
def test_a_broken_file_gets_a_sentence(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "broken.cube").write_text(text)
    with pytest.raises(StudioError, match=complaint) as caught:
        cube.read(tmp_path / "broken.cube")
    assert "broken.cube" in caught.value.what and caught.value.todo


@pytest.mark.parametrize(
    "text",
    [
        "LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.0 1.0\n{rows}",
        "title untitled\nlut_3d_size 2\ndomain_min 0 0 0\ndomain_max 1.0 1.0 1.0\n{rows}",
        '\ufeffTITLE "with a mark"\r\nLUT_3D_SIZE\t2\r\n{rows}',
        "# before\nLUT_3D_SIZE 2 # beside\n\n{rows}# caf\xe9, after",
    ],
    ids=["resolve", "lower case", "byte order mark, tabs, CRLF", "comments in latin-1"],
)
def test_files_of_other_programs_are_read(text: str, tmp_path: Path) -> None:
    rows = "".join(f"{r:.1e} {g} +{b}.\n" for b in (0, 1) for g in (0, 1) for r in (0.0, 1.0))
    encoding = "utf-8" if "\ufeff" in text else "latin-1"
    (tmp_path / "other.cube").write_bytes(text.format(rows=rows).encode(encoding))
    assert torch.equal(cube.read(tmp_path / "other.cube"), identity(2))


def test_words_without_ascii_letters_leave_a_title_that_every_reader_takes(tmp_path: Path) -> None:
    cube.write(tmp_path / "look.cube", identity(2), "🌅 暖かい")
    assert (tmp_path / "look.cube").read_text("ascii").startswith('TITLE "untitled look"\n')


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"nowhere\.cube"):
        cube.read(tmp_path / "nowhere.cube")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "look.cube"
    path.write_text("old")
    cube.write(path, identity(3), "new")
    assert "LUT_3D_SIZE 3" in path.read_text()


def test_nothing_is_left_where_a_file_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "look.cube").mkdir()
    with pytest.raises(OSError):
        cube.write(tmp_path / "look.cube", identity(2), "look")
    assert [each.name for each in tmp_path.iterdir()] == ["look.cube"]


def test_a_long_title_fits_a_line(tmp_path: Path) -> None:
    cube.write(tmp_path / "look.cube", identity(2), "warm " * 60)
    assert max(map(len, (tmp_path / "look.cube").read_bytes().splitlines())) <= 250


def test_values_beyond_0_to_1_are_kept(tmp_path: Path) -> None:
    (tmp_path / "look.cube").write_text("LUT_3D_SIZE 2\n" + "-0.25 1.5 0\n" * 8)
    assert cube.read(tmp_path / "look.cube")[:, 0, 0, 0].tolist() == [-0.25, 1.5, 0]
