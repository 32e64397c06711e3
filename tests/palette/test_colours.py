"""Colours as text and as numbers, held against colour-science."""

from __future__ import annotations

import os

import numpy as np
import pytest

from studio.errors import StudioError
from studio.palette import colours

os.environ.setdefault("COLOUR_SCIENCE__FILTER_USAGE_WARNINGS", "True")
colour = pytest.importorskip("colour")

SEED = ["#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1"]
GREYS = ["#000000", "#010101", "#808080", "#fefefe", "#ffffff"]


@pytest.fixture(scope="module")
def srgb() -> colours.Colours:
    some = np.random.default_rng(0).integers(0, 256, (400, 3)) / 255
    return np.concatenate([some, colours.to_srgb([*SEED, *GREYS, "#ff0000", "#00ff00", "#0000ff"])])


@pytest.mark.parametrize("written", ["#AABBCC", "aabbcc", "#abc", "ABC", " #AbC\n"])
def test_every_spelling_of_a_colour_is_read(written: str) -> None:
    assert colours.parse_colour(written) == "#aabbcc"


@pytest.mark.parametrize(
    "wrong", ["", "#", "#ab", "#abcd", "#aabbccdd", "red", "##abc", "#aabbcg", "#１２３", None, 12]
)
def test_what_is_no_colour_gets_one_sentence(wrong: object) -> None:
    with pytest.raises(StudioError, match=r"^'[^']*' is not a hex colour\. Write it as #4dd70f, or short as #4d0\.$"):
        colours.parse_colour(wrong)


def test_a_long_wrong_colour_is_not_repeated_whole() -> None:
    with pytest.raises(StudioError) as caught:
        colours.parse_colour("f" * 5000)
    assert len(str(caught.value)) < 120


def test_hex_survives_numbers() -> None:
    assert colours.to_hex(colours.to_srgb(SEED)) == SEED
    assert colours.to_hex(np.array([[-0.1, 0.5, 1.2]])) == ["#0080ff"]
    assert colours.to_srgb([]).shape == (0, 3)


def test_lab_is_colour_science_s(srgb: colours.Colours) -> None:
    xyz = colour.RGB_to_XYZ(srgb, "sRGB", apply_cctf_decoding=True)
    theirs = colour.XYZ_to_Lab(xyz, colour.RGB_COLOURSPACES["sRGB"].whitepoint)
    np.testing.assert_allclose(colours.srgb_to_lab(srgb), theirs, atol=0.02)
    np.testing.assert_allclose(colours.lab_to_srgb(colours.srgb_to_lab(srgb)), srgb, atol=1e-9)


def test_greys_have_no_colour() -> None:
    np.testing.assert_allclose(colours.to_lab(GREYS)[:, 1:], 0, atol=1e-9)
    assert (colours.to_oklch(GREYS)[:, 1] < 1e-6).all()
    assert (colours.to_oklch(GREYS)[:, 2] == 0).all()


def test_oklch_is_colour_science_s(srgb: colours.Colours) -> None:
    oklab = colour.XYZ_to_Oklab(colour.RGB_to_XYZ(srgb, "sRGB", apply_cctf_decoding=True))
    ours = colours.srgb_to_oklch(srgb)
    hue = np.radians(ours[:, 2])
    ours_ab = ours[:, 1, None] * np.stack([np.cos(hue), np.sin(hue)], 1)
    np.testing.assert_allclose(np.column_stack([ours[:, 0], ours_ab]), oklab, atol=5e-4)
    np.testing.assert_allclose(colours.oklch_to_srgb(ours), srgb, atol=1e-5)


def test_too_colourful_keeps_lightness_and_hue() -> None:
    wanted = np.array([[lightness, 0.4, hue] for lightness in (0.3, 0.6, 0.9) for hue in range(0, 360, 15)], float)
    shown = colours.oklch_to_srgb(wanted)
    assert shown.min() >= 0 and shown.max() <= 1
    got = colours.srgb_to_oklch(shown)
    np.testing.assert_allclose(got[:, 0], wanted[:, 0], atol=1e-3)
    turn = (got[:, 2] - wanted[:, 2] + 180) % 360 - 180
    assert np.abs(turn).max() < 0.5
    more = wanted.copy()
    more[:, 1] = got[:, 1] * 1.02
    lightness, chroma, hue = more.T
    assert not colours.in_gamut(colours._from_oklch(lightness, chroma, np.radians(hue))).any(), "as much as there is"


def test_distances_are_colour_science_s(srgb: colours.Colours) -> None:
    lab = colours.srgb_to_lab(srgb)
    got = colours.distances(lab[:60], lab)
    theirs = colour.delta_E(lab[:60, None], lab[None], method="CIE 2000")
    np.testing.assert_allclose(got, theirs, atol=1e-6)


def test_distances_are_the_published_ones() -> None:
    """From the table of Sharma, Wu and Dalal: the pairs that trip over the hue's seam and the blue's bend."""
    one = np.array([[50, 2.6772, -79.7751], [50, -1, 2], [50, 2.49, -0.001], [50, 2.5, 0], [2.0776, 0.0795, -1.135]])
    other = np.array([[50, 0, -82.7485], [50, 0, 0], [50, -2.49, 0.0011], [73, 25, -18], [0.9033, -0.0636, -0.5514]])
    np.testing.assert_allclose(colours.differences(one, other), [2.0425, 2.3669, 7.2195, 27.1492, 0.9082], atol=6e-5)


def test_near_pairs_are_found() -> None:
    lab = colours.to_lab(["#ff0000", "#00ff00", "#fe0101", "#01ff02"])
    assert colours.near_pairs(lab) == [(0, 2), (1, 3)]
    assert colours.near_pairs(lab[:2]) == []
