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
        ("LUT_3D_SIZE 2\n0 0 0\n", "readable"),
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


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"nowhere\.cube"):
        cube.read(tmp_path / "nowhere.cube")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_an_existing_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "look.cube"
    path.write_text("old")
    cube.write(path, identity(3), "new")
    assert "LUT_3D_SIZE 3" in path.read_text()
