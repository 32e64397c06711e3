"""The .cube files of any program are read whole, and sentences for those that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.errors import StudioError
from studio.grading import cube, lutfiles
from studio.grading.lut import identity
from tests.grading.lutsamples import BENT, ROWS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("LUT_3D_SIZE 2\n0 0 0\n", "LUT_3D_SIZE 2 needs 8 rows, it holds 1"),
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
        ("LUT_1D_SIZE 3\nLUT_3D_SIZE 2\n" + ROWS, "LUT_1D_SIZE 3 and LUT_3D_SIZE 2 need 11 rows, it holds 8"),
        ("LUT_1D_SIZE 99999999\nLUT_3D_SIZE 2\n" + ROWS, "LUT_1D_SIZE 1e[+]08, and 2 to 65536"),
        ("LUT_3D_SIZE 2\nLUT_IN_VIDEO_RANGE\n" + ROWS, "video range"),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 1 0\n" + ROWS, "domain that does not rise: 1 1 1 to 0 0 0"),
        ("LUT_3D_SIZE two\n0 0 0\n", "readable"),
        ("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n", "1D"),
        ("LUT_3D_SIZE 2\n" + "0 0 nan\n" * 8, "readable"),
        ("some words\n", "readable"),
    ],
)
def test_a_broken_file_gets_a_sentence(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "broken.cube").write_text(text)
    with pytest.raises(StudioError, match=complaint) as caught:
        cube.read(tmp_path / "broken.cube")
    assert "broken.cube" in caught.value.what and caught.value.todo


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.0 1.0\n{rows}", ""),
        ("title untitled\nlut_3d_size 2\ndomain_min 0 0 0\ndomain_max 1.0 1.0 1.0\n{rows}", "untitled"),
        ('\ufeffTITLE "with a mark"\r\nLUT_3D_SIZE\t2\r\n{rows}', "with a mark"),
        ('# TITLE "in a comment"\nLUT_3D_SIZE 2 # beside\n\n{rows}# caf\xe9, after', "in a comment"),
    ],
    ids=["resolve", "lower case", "byte order mark, tabs, CRLF", "comments in latin-1"],
)
def test_files_of_other_programs_are_read(text: str, title: str, tmp_path: Path) -> None:
    rows = "".join(f"{r:.1e} {g} +{b}.\n" for b in (0, 1) for g in (0, 1) for r in (0.0, 1.0))
    encoding = "utf-8" if "\ufeff" in text else "latin-1"
    (tmp_path / "other.cube").write_bytes(text.format(rows=rows).encode(encoding))
    found = cube.read(tmp_path / "other.cube")
    assert torch.equal(found.table, identity(2)) and found.title == title
    lut = lutfiles.read(tmp_path / "other.cube")
    assert lut.exact and torch.equal(lut.table(), identity(2)) and lut.title == (title or "other")


def test_a_shaper_and_the_domains_are_kept(tmp_path: Path) -> None:
    head = 'TITLE "both"\nLUT_1D_SIZE 3\nLUT_1D_INPUT_RANGE -1 2\nLUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0 1.5\n'
    (tmp_path / "both.cube").write_text(head + BENT + ROWS)
    found = cube.read(tmp_path / "both.cube")
    assert (
        found.shaper is not None and found.shaper.tolist() == np.float32([[0] * 3, [0.5, 0.6, 0.7], [1] * 3]).tolist()
    )
    assert found.shaper_domain.tolist() == [[-1] * 3, [2] * 3] and found.domain.tolist() == [[0] * 3, [1.5] * 3]
    assert torch.equal(found.table, identity(2))
