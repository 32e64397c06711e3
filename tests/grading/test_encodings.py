"""Encodings: colour-science's curves where a display can show them, OpenColorIO's as a second source."""

from __future__ import annotations

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch

from studio.grading.config import LOG_SIZE
from studio.grading.encodings import ENCODINGS, KNEE, conversion_table, convert, shoot
from studio.grading.lut import apply
from tests.grading.test_lut import rows

LOGS = [name for name, each in ENCODINGS.items() if each.is_log]
STYLES = {
    "slog3": "SONY_SLOG3-SGAMUT3.CINE_to_ACES2065-1",
    "logc3": "ARRI_ALEXA-LOGC-EI800-AWG_to_ACES2065-1",
    "logc4": "ARRI_LOGC4_to_ACES2065-1",
    "vlog": "PANASONIC_VLOG-VGAMUT_to_ACES2065-1",
    "clog3": "CANON_CLOG3-CGAMUT_to_ACES2065-1",
    "acescct": "ACEScct_to_ACES2065-1",
}


def through_opencolorio(codes: np.ndarray, name: str) -> np.ndarray:
    """Code values [N, 3] to linear light of the sRGB primaries, by OpenColorIO's own transforms of a camera's log."""
    group = ocio.GroupTransform()
    group.appendTransform(ocio.BuiltinTransform(STYLES[name]))
    group.appendTransform(ocio.BuiltinTransform("UTILITY - ACES-AP0_to_CIE-XYZ-D65_BFD"))
    pixels = codes[None].astype(np.float32)
    processor = ocio.Config.CreateRaw().getProcessor(group).getDefaultCPUProcessor()
    processor.apply(ocio.PackedImageDesc(pixels, pixels.shape[1], 1, 3))
    matrix = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    return np.asarray(pixels[0] @ matrix.T)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_is_decoded_as_opencolorio_does(name: str) -> None:
    shown = np.random.default_rng(0).uniform(0.05, 0.7, (400, 3))
    codes = shoot(shown, name)
    assert np.abs(ENCODINGS[name].decode(codes) - through_opencolorio(codes, name)).max() < 0.006


@pytest.mark.parametrize("name", LOGS)
def test_mid_grey_is_shown_as_mid_grey_and_the_top_as_white(name: str) -> None:
    grey = ENCODINGS[name].encode(np.full(3, 0.18))
    assert convert(grey, name, "srgb") == pytest.approx(0.4614, abs=2e-3)
    assert convert(np.ones(3), name, "srgb") == pytest.approx(1, abs=1e-3)
    ramp = convert(np.linspace(0, 1, 1024)[:, None].repeat(3, 1), name, "srgb")
    assert np.diff(ramp, axis=0).min() >= -1e-6 and np.ptp(ramp, axis=1).max() < 2e-3


@pytest.mark.parametrize("name", list(ENCODINGS))
def test_footage_made_of_a_picture_shows_that_picture(name: str) -> None:
    shown = np.random.default_rng(1).uniform(0, 0.85, (500, 3))
    assert np.abs(convert(shoot(shown, name), name, "srgb") - shown).max() < 2e-3


@pytest.mark.parametrize("name", LOGS)
def test_the_roll_off_begins_without_a_kink_and_can_be_undone(name: str) -> None:
    encoding, step = ENCODINGS[name], 1e-4
    around = encoding.roll_off(np.array([KNEE - step, KNEE, KNEE + step]))
    assert np.diff(around) == pytest.approx(step, rel=0.01)
    light = np.geomspace(0.01, 10, 50)
    assert encoding.roll_on(encoding.roll_off(light)) == pytest.approx(light, rel=1e-9)


@pytest.mark.parametrize("name", LOGS)
def test_shadows_in_log_are_not_banded_with_the_points_a_log_gets(name: str) -> None:
    """Between its points a LUT follows the conversion within two code values of 255, and never falls or jumps."""
    ramp = np.linspace(0, 1, 4096)[:, None].repeat(3, 1)
    table = torch.from_numpy(conversion_table(name, "srgb", LOG_SIZE))
    through = rows(apply(table, torch.from_numpy(ramp.T[None, :, None]).float()))[0]
    exact = convert(ramp, name, "srgb")
    assert np.abs(through - exact).max() * 255 < 2
    assert np.diff(through, axis=0).min() >= -1e-6
    assert np.diff(through, axis=0).max() < 2 * np.diff(exact, axis=0).max()


def test_rec709_is_a_display_of_gamma_two_point_four() -> None:
    assert convert(np.full(3, 0.5), "rec709", "srgb") == pytest.approx(1.055 * 0.5 - 0.055, abs=1e-3)
    assert convert(np.full(3, 0.5), "srgb", "rec709") == pytest.approx(0.2140 ** (1 / 2.4), abs=1e-3)
    same = np.random.default_rng(2).random((5, 3))
    assert convert(same, "rec709", "rec709") is same
