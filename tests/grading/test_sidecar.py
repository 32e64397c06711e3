"""A LUT for footage says so: in the .json beside it, and in its title where that file got lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from studio.grading import lutexport
from studio.grading.encodings import conversion_table, described
from studio.grading.lut import identity
from studio.grading.sidecar import base_of

LOG = torch.from_numpy(conversion_table("slog3", "srgb", 17))


@pytest.mark.parametrize("flavour", ["cube", "cube-resolve", "csp"])
def test_the_title_tells_the_encodings(tmp_path: Path, flavour: str) -> None:
    path = tmp_path / f"look{lutexport.SUFFIXES[flavour]}"
    lutexport.write(path, identity(17), f"warm ({described('slog3', 'srgb')})", flavour=flavour)
    assert torch.equal(base_of(path, 17), LOG)


def test_the_json_counts_before_the_title(tmp_path: Path) -> None:
    path = tmp_path / "look.cube"
    lutexport.write(path, identity(17), f"warm ({described('vlog', 'srgb')})")
    path.with_suffix(".json").write_text(json.dumps({"encoding": {"input": "slog3", "output": "srgb"}}))
    assert torch.equal(base_of(path, 17), LOG)
    path.with_suffix(".json").write_text(json.dumps({"encoding": {"input": "film", "output": "srgb"}}))
    assert torch.equal(base_of(path, 17), identity(17))


def test_a_lut_that_says_nothing_is_for_pictures(tmp_path: Path) -> None:
    path = tmp_path / "look.cube"
    lutexport.write(path, identity(5), "S-Log3 to the moon")
    assert torch.equal(base_of(path, 5), identity(5)) and torch.equal(base_of(tmp_path / "gone.cube"), identity(2))
