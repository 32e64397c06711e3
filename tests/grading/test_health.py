"""What is measured is so: the identity gives known values, colour-science the same figures, a planted fault its own."""

from __future__ import annotations

from pathlib import Path

import colour
import numpy as np
import pytest
import torch
from PIL import Image

from studio.grading import health, verdicts
from studio.grading.cielab import colorchecker, vectorscope
from studio.grading.lut import identity
from studio.grading.parity import through
from studio.grading.samples import Samples
from tests.grading.faults import SIZE, luts

NONE = np.empty((0, 3))


@pytest.fixture(scope="module")
def samples(photographs: Path) -> Samples:
    found = Samples()
    for path in sorted(photographs.glob("*.jpg")):
        found.add(path, np.asarray(Image.open(path)))
    return found


def levels(table: torch.Tensor, base: torch.Tensor | None = None) -> dict[str, str]:
    """The measures that deserve a look, and how much."""
    return {
        one.measure: one.level for one in verdicts.judge(health.measure(table, Samples(), base)) if one.level != "good"
    }


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("identity", {}),
        ("crushed", {"clipping": "poor"}),
        ("clipped", {"clipping": "poor"}),
        ("banded", {"banding": "poor", "skin": "fair"}),  # sixteen levels are too few for a skin's hue as well
        ("folded", {"folding": "poor"}),
        ("tinted", {"neutrals": "fair", "skin": "fair"}),  # what tints grey tints skin
        ("inverted", {"neutrals": "poor", "folding": "poor", "points": "poor", "skin": "poor"}),
        ("lifted", {"points": "fair"}),
        ("swapped", {"folding": "poor", "skin": "poor"}),
        ("black and white", {}),
        ("veil", {"points": "poor"}),
    ],
)
def test_a_planted_fault_is_found_and_no_other(name: str, found: dict[str, str]) -> None:
    assert levels(luts()[name]) == found


@pytest.mark.parametrize("size", [2, 17, 33])
def test_the_identity_changes_nothing(size: int, samples: Samples) -> None:
    found = health.measure(identity(size), samples)
    nothing = {"mean": 0, "p95": 0, "max": 0}
    assert found["shift"] == {"photographs": nothing, "cube": nothing, "colorchecker": nothing}
    assert found["neutrals"] == {
        "falls": 0, "drop": 0, "channel_falls": {"red": 0, "green": 0, "blue": 0}, "tint": 0, "tint_bend": 0
    }  # fmt: skip
    assert (found["banding"]["distinct"], found["banding"]["bend"]) == (256, 0)
    assert found["banding"]["step"] == found["banding"]["base_step"] == pytest.approx(0.3976, abs=1e-4)
    assert found["folding"] == {"folded": 0, "flat": 0, "mirrored": False, "backward": 0}
    assert found["clipping"]["pixels"] == found["clipping"]["nodes"] == {"black": 0, "white": 0, "either": 0}
    assert found["points"]["shadow_lift"] == 0
    assert [found["points"][end]["lightness"] for end in ("black", "white")] == pytest.approx([0, 100])
    for name, angle in (("dark", 120.7), ("light", 117.8)):  # research measured them with colour-science alone
        assert found["skin"][name] == {
            "angle": pytest.approx(angle, abs=0.06), "turn": pytest.approx(0), "chroma": pytest.approx(1)
        }  # fmt: skip
    assert max(found["round_trip"].values()) <= 5e-7


def test_figures_agree_with_colour_science_alone(samples: Samples) -> None:
    table = luts()["tinted"]
    lut = colour.LUT3D(table.double().permute(3, 2, 1, 0).numpy())
    whitepoint = colour.RGB_COLOURSPACES["sRGB"].whitepoint

    def lab(rgb: np.ndarray) -> np.ndarray:
        return colour.XYZ_to_Lab(colour.RGB_to_XYZ(rgb, "sRGB", apply_cctf_decoding=True), whitepoint)

    def graded(rgb: np.ndarray) -> np.ndarray:
        return lut.apply(rgb, interpolator=colour.algebra.table_interpolation_tetrahedral)

    found = health.measure(table, samples)
    moved = colour.delta_E(lab(samples.pixels), lab(graded(samples.pixels)), method="CIE 2000")
    wanted = {"mean": moved.mean(), "p95": np.percentile(moved, 95), "max": moved.max()}
    assert found["shift"]["photographs"] == pytest.approx(wanted, rel=1e-5)
    ramp = np.repeat(np.linspace(0, 1, 256)[:, None], 3, axis=1)
    steps = colour.delta_E(lab(graded(ramp))[1:], lab(graded(ramp))[:-1], method="CIE 2000")
    assert found["banding"]["step"] == pytest.approx(steps.max(), rel=1e-5)
    chroma = np.hypot(*(lab(graded(ramp)) - lab(ramp))[:, 1:].T)
    assert found["neutrals"]["tint"] == pytest.approx(chroma.max(), rel=1e-5) and chroma.max() > 5
    patches = colorchecker()[:2]
    angles, _ = vectorscope(graded(patches))
    assert [found["skin"][name]["angle"] for name in ("dark", "light")] == pytest.approx(angles.tolist(), abs=1e-4)


def test_half_of_a_cube_that_clips_is_counted() -> None:
    """With 1.25 x, white clips what has a channel from 0.8 on; of inputs kept off both ends that is a known share."""
    pixels = np.random.default_rng(0).random((200_000, 3))
    found = health.clipping((1.25 * identity(SIZE)).clamp(0, 1), identity(2), pixels)["pixels"]
    inside = 1 - 2 * health.SEEN
    cut = 26 / 32 - health.SEEN  # the table's cell that holds 0.8 bends up to its next node
    assert found["black"] == 0 and found["white"] == found["either"]
    assert found["white"] == pytest.approx(inside**3 - cut**3, abs=0.01)


def test_a_step_back_on_greys_is_measured() -> None:
    """Greys that fall from L* 60 to 50 and rise again."""
    table = identity(SIZE).clone()
    middle = torch.arange(14, 20)
    for index, value in zip(middle.tolist(), (0.566, 0.54, 0.51, 0.466, 0.5, 0.6), strict=True):
        table[:, index, index, index] = value
    found = health.neutrals(table, identity(2))
    assert found["drop"] == pytest.approx(10, abs=1) and found["falls"] > 50
    assert all(count >= found["falls"] for count in found["channel_falls"].values())


def test_a_mirrored_half_is_the_folded_share() -> None:
    """Red runs up to the middle and back: half of the cells are turned, and half of red's steps fall."""
    table = identity(SIZE).clone()
    table[0] = 1 - (2 * table[0] - 1).abs()
    found = health.folding(table)
    assert found["folded"] == 0.5 and not found["mirrored"]
    assert found["backward"] == pytest.approx(0.5 / 3)


def log_like(size: int) -> torch.Tensor:
    """A conversion that a log encoding would need: steep in the middle, flat at both ends, bent toward green."""
    table = identity(size).double()
    bent = 1 / (1 + torch.exp(-7 * (table - 0.5)))
    ends = [1 / (1 + np.exp(3.5)), 1 / (1 + np.exp(-3.5))]
    return (((bent - ends[0]) / (ends[1] - ends[0])) * 0.97 + 0.03 * table).float()


def test_a_bare_conversion_is_no_grade() -> None:
    """Against the identity a conversion of log footage is a strong grade; against itself it is none, skins included."""
    base = log_like(SIZE)
    assert levels(base, base) == {}
    found = health.measure(base, Samples(), base)
    assert found["shift"]["cube"]["max"] == found["neutrals"]["tint"] == 0
    assert found["skin"]["dark"]["angle"] == pytest.approx(120.7, abs=0.06)
    assert found["skin"]["light"]["angle"] == pytest.approx(117.8, abs=0.06)
    assert health.shift(base, identity(2), NONE)["cube"]["mean"] > 5


def test_a_tint_after_a_conversion_is_measured_on_what_is_shown() -> None:
    """The same tint behind a log conversion measures as it does on sRGB."""
    tint, base = luts()["tinted"], log_like(65)
    nodes = through(tint, through(base, identity(65).double().reshape(3, -1).t().numpy()))
    graded = torch.from_numpy(nodes.T.copy()).view(3, 65, 65, 65)
    direct, behind = health.measure(tint, Samples()), health.measure(graded, Samples(), base)
    assert behind["neutrals"]["tint"] == pytest.approx(direct["neutrals"]["tint"], rel=0.02)
    for skin in ("dark", "light"):
        assert behind["skin"][skin]["turn"] == pytest.approx(direct["skin"][skin]["turn"], abs=0.5)
    chart = behind["shift"]["colorchecker"]
    assert chart == pytest.approx(direct["shift"]["colorchecker"], rel=0.05)


def test_coverage_counts_cells_nodes_and_the_fullest() -> None:
    filled = np.zeros((32, 32, 32), np.int64)
    assert health.coverage(filled) is None
    filled[0, 0, 0], filled[31, 31, 31] = 30, 10
    found = health.coverage(filled)
    assert found == {"nodes": 16 / 33**3, "cells": 2 / 32**3, "fullest": 1.0}
    even = health.coverage(np.ones((32, 32, 32), np.int64))
    assert even == {"nodes": 1.0, "cells": 1.0, "fullest": pytest.approx(0.13, abs=1e-4)}


def test_difference_is_symmetric_and_none_without_pixels(samples: Samples) -> None:
    one, other = luts()["lifted"], luts()["clipped"]
    there, back = health.difference(one, other, samples.pixels), health.difference(other, one, samples.pixels)
    for where in ("photographs", "cube"):
        assert there[where] == pytest.approx(back[where], rel=1e-9)
    assert health.difference(one, other, NONE)["photographs"] is None
    assert health.difference(one, one, samples.pixels)["photographs"] == {"mean": 0, "p95": 0, "max": 0}
