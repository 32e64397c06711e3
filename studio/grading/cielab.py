"""Colours as the eye measures them, through colour-science: CIE L*a*b* of sRGB code values, and CIEDE2000."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.grading import colourscience

Colours = NDArray[np.float64]
"""[n, 3]: sRGB code values, nominally in [0, 1], or L* in [0, 100], a* and b*."""
Spread = dict[str, float]
"""``mean``, ``p95`` and ``max`` of many differences."""

CHART = "ColorChecker24 - After November 2014"
DARK_SKIN, LIGHT_SKIN = 0, 1
"""Where the chart's skin patches stand."""


def lab(rgb: Colours) -> Colours:
    """Convert sRGB code values, clipped to what a display shows, to CIE L*a*b* under D65."""
    colour = colourscience.load()
    xyz = colour.RGB_to_XYZ(np.clip(rgb, 0, 1), "sRGB", apply_cctf_decoding=True)
    converted: Colours = colour.XYZ_to_Lab(xyz, colour.RGB_COLOURSPACES["sRGB"].whitepoint)
    return converted


def delta_e(one: Colours, other: Colours) -> NDArray[np.float64]:
    """Return the CIEDE2000 differences [n] between L*a*b* colours; 1 is about what an eye just sees."""
    differences: NDArray[np.float64] = colourscience.load().delta_E(one, other, method="CIE 2000")
    return differences


def spread(differences: NDArray[np.float64]) -> Spread:
    """Return mean, 95th percentile and maximum of differences [n], n >= 1."""
    return {
        "mean": float(differences.mean()),
        "p95": float(np.percentile(differences, 95)),
        "max": float(differences.max()),
    }


def colorchecker() -> Colours:
    """Return the 24 patches of X-Rite's chart in sRGB code values; cyan, which sRGB cannot show, is clipped."""
    colour = colourscience.load()
    chart = colour.CCS_COLOURCHECKERS[CHART]
    xyz = colour.xyY_to_XYZ(np.array(list(chart.data.values())))
    encoded: Colours = colour.XYZ_to_RGB(xyz, "sRGB", chart.illuminant, apply_cctf_encoding=True)
    return np.clip(encoded, 0, 1)


def vectorscope(rgb: Colours) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where code values stand on a BT.709 vectorscope: angles in degrees from Cb to Cr, and radii."""
    colour = colourscience.load()
    weights = colour.WEIGHTS_YCBCR["ITU-R BT.709"]
    ycbcr = colour.RGB_to_YCbCr(np.clip(rgb, 0, 1), K=weights, in_legal=False, out_legal=False)
    return np.degrees(np.arctan2(ycbcr[:, 2], ycbcr[:, 1])), np.hypot(ycbcr[:, 1], ycbcr[:, 2])
