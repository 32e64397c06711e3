"""Contrast by WCAG, and repairs held against every colour there is on a coarse grid."""

from __future__ import annotations

import numpy as np
import pytest

from studio.palette import colours, contrast


def test_ratios_are_wcag_s() -> None:
    assert contrast.ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast.ratio("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert contrast.ratio("#ffffff", "#777777") == contrast.ratio("#777777", "#ffffff")
    assert contrast.ratio("#123456", "#123456") == 1


def test_a_ratio_never_looks_better_than_it_is() -> None:
    """#777777 on white is the well-known one that fails by a hair."""
    pair = contrast.judge("#777777", "#ffffff")
    assert (pair.ratio, pair.text, pair.large, pair.interface) == (4.47, "fail", "AA", "AA")
    pair = contrast.judge("#767676", "#ffffff")
    assert (pair.ratio, pair.text, pair.large, pair.interface) == (4.54, "AA", "AAA", "AA")
    assert contrast.judge("#595959", "#ffffff").text == "AAA"
    pair = contrast.judge("#ffff00", "#ffffff")
    assert (pair.text, pair.large, pair.interface) == ("fail", "fail", "fail")


def test_every_pair_is_judged_once() -> None:
    found = contrast.pairs(["#000000", "#ffffff", "#808080", "#ff0000"])
    assert [each.one + each.other for each in found[:2]] == ["#000000#ffffff", "#000000#808080"] and len(found) == 6
    assert found[0].ratio == 21.0 and found[-1].one == "#808080" and found[-1].other == "#ff0000"


def test_nothing_is_repaired_that_passes_and_nothing_promised_that_cannot_be() -> None:
    assert contrast.repair("#000000", "#ffffff") is None
    assert contrast.repair("#777777", "#808080", 7) is None, "from a middle grey neither black nor white is 7 away"
    assert contrast.repairs([]) == []


@pytest.fixture(scope="module")
def grid() -> tuple[colours.Colours, colours.Colours]:
    """Every sixth code value of each channel, 0 and 255 among them, as sRGB and L*a*b*."""
    codes = np.append(np.arange(0, 256, 6), 255) / 255
    srgb = np.stack(np.meshgrid(codes, codes, codes, indexing="ij"), -1).reshape(-1, 3)
    return srgb, colours.srgb_to_lab(srgb)


PAIRS = [
    ("#c5d70f", "#0fd7c1"),
    ("#37a3cd", "#f6267b"),
    ("#0930ac", "#9128f3"),
    ("#dda1cf", "#578b32"),
    ("#ffffff", "#ffff00"),
    ("#000000", "#0000ff"),
    ("#777777", "#ffffff"),
]


@pytest.mark.parametrize("target", [3.0, 4.5, 7.0])
@pytest.mark.parametrize("pair", PAIRS)
def test_no_colour_repairs_it_with_a_smaller_change(
    pair: tuple[str, str], target: float, grid: tuple[colours.Colours, colours.Colours]
) -> None:
    found = contrast.repair(*pair, target)
    if contrast.ratio(*pair) >= target:
        assert found is None
        return
    assert found is not None
    assert {found.colour, found.against} == set(pair) and contrast.ratio(found.becomes, found.against) >= target
    first, second = colours.to_lab([found.colour, found.becomes])
    assert float(colours.differences(first, second)) == pytest.approx(found.distance)
    srgb, lab = grid
    lights = contrast.luminance(srgb) + 0.05
    for colour, against in (pair, pair[::-1]):
        fixed = contrast.luminance(colours.to_srgb([against])) + 0.05
        passing = np.maximum(lights, fixed) / np.minimum(lights, fixed) >= target
        gaps = colours.differences(lab[passing], colours.to_lab([colour]))
        assert found.distance <= gaps.min(initial=np.inf) + 0.02


def test_many_repairs_are_what_each_is_alone() -> None:
    assert contrast.repairs(PAIRS) == [contrast.repair(*pair) for pair in PAIRS]
