"""A LUT leaves as another kind of file, at any strength, and is applied as it would have been."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.grading import lutexport, lutfiles
from studio.grading.config import ExportConfig
from studio.grading.encodings import conversion_table
from studio.grading.export import run
from studio.grading.lut import identity, strengthen
from studio.grading.lutfiles import LUT
from studio.grading.sidecar import base_of
from tests.grading.lutsamples import ROWS, Colours, colours, trained

House = Callable[[str], Context]


@pytest.fixture
def look(tmp_path: Path) -> Path:
    lutexport.write(tmp_path / "look.cube", trained(9), "My Look")
    return tmp_path / "look.cube"


def export(house: House, look: Path, **values: object) -> Event:
    (event,) = run(ExportConfig(lut=look, **values), house("job"))  # type: ignore[arg-type]
    return event


def graded(lut: LUT) -> Colours:
    rgb = colours()
    lut.processor().apply(ocio.PackedImageDesc(rgb, rgb.shape[1], rgb.shape[0], 3))
    return rgb


@pytest.mark.parametrize(
    ("output", "flavour", "name"),
    [
        ("new/out.3dl", "auto", "new/out.3dl"),
        ("out.PNG", "auto", "out.PNG"),
        ("out.cube", "cube-resolve", "out.cube"),
        ("out.v2", "spi3d", "out.v2.spi3d"),
        ("folder", "auto", "folder/my-look.cube"),
        ("folder", "hald", "folder/my-look.png"),
    ],
)
def test_the_extension_or_the_format_decides(
    output: str, flavour: str, name: str, look: Path, house: House, tmp_path: Path
) -> None:
    event = export(house, look, output_path=tmp_path / output, format=flavour)
    assert event.artifacts == {"lut": str(tmp_path / name)} and event.done == event.total == 1
    assert lutfiles.read(tmp_path / name).title == "My Look"


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_a_re_baked_strength_is_the_strength(strength: float, look: Path, house: House, tmp_path: Path) -> None:
    export(house, look, output_path=tmp_path / "less.cube", strength=strength)
    before, after = colours(), graded(lutfiles.read(look))
    baked = graded(lutfiles.read(tmp_path / "less.cube"))
    assert np.abs(baked - (before + strength * (after - before))).max() <= 1e-6
    if strength == 0:
        assert (lutfiles.read(tmp_path / "less.cube").table() - identity(9)).abs().max() <= 6e-8


def test_a_strength_may_start_from_another_base() -> None:
    table, base = trained(9), trained(9, seed=1)
    wanted = 0.75 * graded(LUT.of(base)) + 0.25 * graded(LUT.of(table))
    assert np.abs(graded(LUT.of(strengthen(table, 0.25, base))) - wanted).max() <= 1e-6


def test_a_trained_lut_for_footage_starts_from_its_conversion(look: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "look.json").write_text('{"encoding": {"input": "slog3", "output": "srgb"}}')
    export(house, look, output_path=tmp_path / "none.cube", strength=0.0)
    pure = torch.from_numpy(conversion_table("slog3", "srgb", 9))
    assert (lutfiles.read(tmp_path / "none.cube").table() - pure).abs().max() <= 6e-8
    for told in ('{"encoding": {"input": "srgb", "output": "srgb"}}', "[]", '{"encoding": {"input": 3}}', "junk"):
        (tmp_path / "look.json").write_text(told)
        assert torch.equal(base_of(look, 9), identity(9))


def test_what_a_format_changed_is_said(look: Path, house: House, tmp_path: Path) -> None:
    assert export(house, look, output_path=tmp_path / "a.csp").note.endswith("a.csp")
    note = export(house, look, output_path=tmp_path / "a.3dl").note
    assert note.endswith("(9 points sampled with 17, rounded to 12 bits)")
    shaped = tmp_path / "shaped.cube"
    shaped.write_text("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n0 0 0\n0.5 0.5 0.5\n" + ROWS)
    note = export(house, shaped, output_path=tmp_path / "flat.cube", size=33).note
    assert note.endswith("(its shaper or domain sampled with 33 points)")
    assert (lutfiles.read(tmp_path / "flat.cube").table() - identity(33) / 2).abs().max() <= 1e-6


def test_nothing_is_written_over_itself_or_without_a_kind(look: Path, house: House, tmp_path: Path) -> None:
    kept = look.read_bytes()
    with pytest.raises(StudioError, match="over itself"):
        export(house, look, output_path=look, strength=0.5)
    assert look.read_bytes() == kept
    with pytest.raises(StudioError, match="no extension"):
        export(house, look, output_path=tmp_path / "look.txt")
    (tmp_path / "taken.cube").mkdir()
    with pytest.raises(StudioError, match="cannot be written"):
        export(house, look, output_path=look / "x.cube")
