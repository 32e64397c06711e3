"""Lines a colourist reads: what is meant is not called a fault, and every threshold decides."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.grading import health, verdicts
from studio.grading.lut import identity
from studio.grading.samples import Samples
from tests.grading.faults import luts


def lines(name: str) -> dict[str, str]:
    return {one.measure: one.sentence for one in verdicts.judge(health.measure(luts()[name], Samples()))}


def test_the_identity_is_sound() -> None:
    told = verdicts.judge(health.measure(identity(9), Samples()))
    assert verdicts.summary(told) == "Sound in every measure."
    assert [one.measure for one in told] == [
        "shift", "neutrals", "banding", "folding", "clipping", "points", "skin", "round_trip"
    ]  # fmt: skip
    sentences = {one.measure: one.sentence for one in told}
    assert sentences["shift"] == "The LUT changes nothing."
    assert sentences["neutrals"] == "Greys stay in order; grey stays grey."
    assert sentences["points"] == "Black stays black, at L* 0; white stays white, at L* 100."
    assert verdicts.told(told)[0] == "good  Colour shift: The LUT changes nothing."


@pytest.mark.parametrize(
    ("name", "measure", "words"),
    [
        ("tinted", "neutrals", r"in order; the tint on grey is at most \d+\.\d C\*, smooth, fine where it is meant\."),
        ("lifted", "points", r"Black is lifted to L\* 9; white stays white, at L\* 100: a faded look, fine"),
        ("black and white", "skin", "Skin loses its colour, as in black and white."),
        ("black and white", "folding", r"not folded; 100% of it is flat"),
        ("inverted", "neutrals", r"Greys change order, by up to 100\.0 L\*"),
        ("inverted", "points", r"Black comes out lighter \(L\* 100\) than white \(L\* 0\)"),
        ("inverted", "folding", "mirrored"),
        ("swapped", "folding", "mirrored, as when channels are swapped"),
        ("swapped", "skin", r"turns 1\d\d° towards magenta .* no longer a skin's colour"),
        ("banded", "banding", r"Banding will show: .* 0\.8 apart \(0\.4 ungraded\).* make 128 colours"),
        ("folded", "folding", r"\d\.\d% of colour space is folded"),
        ("crushed", "clipping", r"to 0 in \d\d\.\d% and to 1 in 0\.0% of the LUT; what clips cannot be brought back"),
        ("veil", "points", "hardly any contrast is left"),
    ],
)  # fmt: skip
def test_a_line_says_what_it_is(name: str, measure: str, words: str) -> None:
    assert re.search(words, lines(name)[measure])


@pytest.mark.parametrize("name", [name for name, limit in verdicts.LIMITS.items() if limit.good < verdicts.NEVER])
def test_every_limit_decides(name: str) -> None:
    limit = verdicts.LIMITS[name]
    assert verdicts.level(**{name: limit.good}) == "good"
    above = verdicts.level(**{name: limit.good + 1e-9})
    assert above == ("poor" if limit.good == limit.fair else "fair")
    if limit.fair < verdicts.NEVER:
        assert verdicts.level(**{name: limit.fair + 1e-9}) == "poor"


def test_the_worst_figure_decides() -> None:
    assert verdicts.level(drop=0, tint=50) == "fair" and verdicts.level(drop=2, tint=50) == "poor"


def test_the_summary_names_the_worst_only() -> None:
    def one(measure: str, level: verdicts.Level) -> verdicts.Verdict:
        return verdicts.Verdict(measure, level, "")

    assert verdicts.summary([one("skin", "fair"), one("shift", "good")]) == "Sound, if meant: skin."
    three = [one("skin", "poor"), one("neutrals", "poor"), one("points", "poor"), one("shift", "fair")]
    assert verdicts.summary(three) == "Look at skin, greys and black and white points before you use this LUT."


def test_every_measure_has_a_title_and_words() -> None:
    assert verdicts.TOLD.keys() == verdicts.TITLES.keys()
    assert health.measure(identity(2), Samples()).keys() < verdicts.TOLD.keys()


@pytest.mark.parametrize(("score", "level"), [(0.95, "good"), (0.5, "fair"), (0.1, "poor")])
def test_a_held_out_score_is_told_beside_the_untouched(score: float, level: str) -> None:
    found = {"prompt": "noir", "score": score, "untouched": 0.03, "held_out": True}
    (one,) = verdicts.judge({"score": found})
    assert one.level == level and f"“noir” at {score:.0%} (untouched: 3%), on photographs held out" in one.sentence


def test_photographs_are_named_when_there_are_any(photographs: Path) -> None:
    samples = Samples()
    for path in sorted(photographs.glob("*.jpg")):
        samples.add(path, np.asarray(Image.open(path)))
    told = {one.measure: one for one in verdicts.judge(health.measure(luts()["clipped"], samples))}
    assert "the photographs move by ΔE" in told["shift"].sentence
    assert "of the photographs' pixels" in told["clipping"].sentence and told["clipping"].level == "poor"
    assert told["coverage"].sentence.startswith("The photographs reach ")
