"""The held-out style shares no font and no colour with training; seeds do not depend on the machine."""

from __future__ import annotations

import shutil
import string
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from studio.scienceqa.diagrams.chance import Chance
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.fonts import FOLDER, bundled, found
from studio.scienceqa.diagrams.style import APART, DARK, NAMED, PALE, STRONG, apart, legible, light, look


def test_the_styles_share_no_font_and_every_font_has_its_licence() -> None:
    training, held_out = bundled("training"), bundled("held-out")
    files = {*training.plain, *training.other}, {*held_out.plain, *held_out.other}
    assert not files[0] & files[1]
    assert {path for path in FOLDER.iterdir() if path.suffix in (".ttf", ".otf")} == files[0] | files[1]
    notes = (FOLDER / "LICENCES.md").read_text("utf-8")
    assert all(path.stem.split("-")[0] in notes for path in files[0] | files[1])
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 400_000


@pytest.mark.parametrize("role", ["strong", "pale", "dark", "liquid", *NAMED])
def test_training_never_takes_a_colour_near_a_held_out_one(role: str) -> None:
    training = look("training", Chance(np.random.default_rng(1)), bundled("training"))
    held_out = look("held-out", Chance(np.random.default_rng(1)), bundled("held-out"))
    theirs = [*STRONG, *PALE, *DARK, *(row[2] for row in NAMED.values())]
    for _ in range(100):
        colour = training.named(role) if role in NAMED else getattr(training, role)()
        assert min(apart(colour, other) for other in theirs) >= APART
        assert (held_out.named(role) if role in NAMED else getattr(held_out, role)()) in theirs


def test_text_reads_well_on_any_ground() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        ground, wish = (tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2))
        colour = legible(ground, wish)  # type: ignore[arg-type]
        assert abs(light(colour) - light(ground)) > 0.38  # type: ignore[arg-type]


def _capitals_only(source: Path, target: Path) -> None:
    """A font whose small letters look like its capitals; with it nobody could tell Aa from AA."""
    font = TTFont(source)
    for table in font["cmap"].tables:
        table.cmap |= {ord(letter.lower()): table.cmap[ord(letter)] for letter in string.ascii_uppercase}
    font.save(target)


def test_fonts_of_the_machine_come_in_only_when_asked_for(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "Arimo-Regular.ttf", tmp_path / "Nimbus Sans.ttf")
    shutil.copy(FOLDER / "OpenSans-Bold.ttf", tmp_path / "OpenSans-Semibold.ttf")
    shutil.copy(FOLDER / "Tinos-Bold.ttf", tmp_path / "FreeSerif.ttf")
    shutil.copy(FOLDER / "Tinos-Bold.ttf", tmp_path / "FreeMono.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    _capitals_only(FOLDER / "Arimo-Bold.ttf", tmp_path / "Capital Sans.ttf")
    training, held_out = found("training", [tmp_path]), found("held-out", [tmp_path])
    assert set(training.plain) - set(bundled("training").plain) == {tmp_path / "Nimbus Sans.ttf"}
    assert set(training.other) - set(bundled("training").other) == {tmp_path / "FreeSerif.ttf"}
    assert set(held_out.plain + held_out.other) - set(bundled("held-out").plain) == {tmp_path / "OpenSans-Semibold.ttf"}
    drawn = draw("attract", np.random.default_rng(0), "training", training)
    assert len([glyph for glyph in drawn.glyphs if glyph.kind == "pole"]) == 4
