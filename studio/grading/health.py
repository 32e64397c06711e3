"""Measure what a LUT does to colours: no opinion, only figures; `studio.grading.verdicts` puts them into words.

Every measure compares a LUT with a ``base``, the LUT of "no grade": the identity for one that takes sRGB in, the bare
conversion for one that takes a log encoding in. Both give sRGB code values, so that colours are compared as a display
shows them; those of Rec.709 are read as if they were sRGB's. Figures are plain numbers; shares are 0 to 1, L*, a*, b*
and chroma those of CIE L*a*b*, differences ΔE2000.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.grading.cielab import (
    DARK_SKIN,
    LIGHT_SKIN,
    Colours,
    Spread,
    colorchecker,
    delta_e,
    lab,
    spread,
    vectorscope,
)
from studio.grading.losses import jacobians
from studio.grading.lut import identity
from studio.grading.parity import round_trip, through
from studio.grading.samples import Samples

UNIFORM = 17
"""Points along an edge of the uniform cube that differences are measured on."""
RAMP, CODES = 1024, 256
"""Greys of the fine ramp, and of the ramp of an 8-bit picture."""
NOISE = 1e-6
"""Code values less apart than this are equal: a .cube holds no finer ones."""
LEAST_FALL = 1e-4
"""L* less than this is rounding."""
FLAT = 0.03
"""Cells that keep less of their volume are flat, not folded: a look with a sixth of the chroma left is all flat."""
SEEN = 10 / 255
"""Code values; nearer to 0 or 1 a channel holds nothing that an eye would miss when it clips."""
FULLEST = 0.13
"""Share of the cells that 90 % of the pixels of thirty mixed photographs lie in."""


def measure(table: Tensor, samples: Samples, base: Tensor | None = None) -> dict[str, Any]:
    """Measure a LUT.

    Args:
        table: [3, N, N, N], as in `studio.grading.lut`.
        samples: Photographs in the encoding the LUT takes; may hold none.
        base: [3, M, M, M], what no grade would be; the identity when None.

    Returns:
        Figures by measure; ``coverage`` is None without photographs, as are the figures of photographs in others.
    """
    base = identity(2) if base is None else base
    pixels = samples.pixels
    return {
        "shift": shift(table, base, pixels),
        "neutrals": neutrals(table, base),
        "banding": banding(table, base),
        "folding": folding(table),
        "clipping": clipping(table, base, pixels),
        "points": points(table, base, pixels),
        "skin": skin(table, base),
        "coverage": coverage(samples.filled),
        "round_trip": round_trip(table),
    }


def difference(one: Tensor, other: Tensor, pixels: Colours) -> dict[str, Spread | None]:
    """Return how far two tables send colours apart, ΔE2000, on pixels [n, 3] (None for n = 0) and a uniform cube."""
    lattice = _nodes(UNIFORM)
    return {
        "photographs": _apart(one, other, pixels) if len(pixels) else None,
        "cube": _apart(one, other, lattice),
    }


def shift(table: Tensor, base: Tensor, pixels: Colours) -> dict[str, Spread | None]:
    """Return how far colours move, ΔE2000, on photographs, a uniform cube and a colour chart."""
    return {**difference(base, table, pixels), "colorchecker": _apart(base, table, _found(base, colorchecker()))}


def neutrals(table: Tensor, base: Tensor) -> dict[str, Any]:
    """Return what becomes of greys: whether they keep their order, and how they are tinted.

    Returns:
        ``falls``, steps of 1023 in which L* falls, and ``drop``, the most it falls below a darker grey;
        ``channel_falls`` by red, green and blue; ``tint``, the greatest chroma beside the base, and ``tint_bend``, the
        sharpest second difference of (a*, b*) between 8-bit greys, where nothing clips.
    """
    ramp, codes = _greys(RAMP), _greys(CODES)
    rgb, graded = through(table, ramp), through(table, codes)
    lightness, tint = lab(rgb)[:, 0], (lab(graded) - lab(through(base, codes)))[:, 1:]
    falls = (np.diff(rgb, axis=0) < -NOISE).sum(0)
    return {
        "falls": int((np.diff(lightness) < -LEAST_FALL).sum()),
        "drop": float((np.maximum.accumulate(lightness) - lightness).max()),
        "channel_falls": dict(zip(("red", "green", "blue"), falls.tolist(), strict=True)),
        "tint": float(np.hypot(*tint.T).max()),
        "tint_bend": _sharpest(np.hypot(*np.diff(tint, n=2, axis=0).T), graded),
    }


def banding(table: Tensor, base: Tensor) -> dict[str, float]:
    """Return how evenly the 256 greys of an 8-bit picture are spread.

    Returns:
        ``distinct``, 8-bit colours they become; ``step``, the greatest ΔE2000 between neighbours, and ``base_step``,
        0.4 for the identity; ``bend``, the sharpest second difference of L* beyond the base's, where nothing clips.
    """
    ramp = _greys(CODES)
    rgb = through(table, ramp)
    before, after = lab(through(base, ramp)), lab(rgb)
    bends = np.abs(np.diff(after[:, 0], n=2)) - np.abs(np.diff(before[:, 0], n=2))
    return {
        "distinct": len(np.unique(np.rint(np.clip(rgb, 0, 1) * 255), axis=0)),
        "step": float(delta_e(after[:-1], after[1:]).max()),
        "base_step": float(delta_e(before[:-1], before[1:]).max()),
        "bend": _sharpest(bends, rgb),
    }


def folding(table: Tensor) -> dict[str, Any]:
    """Return how far colour space turns inside out, by the determinant of each cell's Jacobian.

    Returns:
        ``folded``, share of cells turned against the others; ``flat``, share that keeps less than `FLAT` of its volume,
        which is all of a black and white look; ``mirrored``, whether most of the rest is turned, as swapped or inverted
        channels do; ``backward``, share of steps along red, green and blue in which that very channel falls.
    """
    determinants = torch.linalg.det(jacobians(table.double()))
    forward, turned = float((determinants > FLAT).double().mean()), float((determinants < -FLAT).double().mean())
    falls = [(table[channel].diff(dim=2 - channel) < -NOISE).double().mean() for channel in range(3)]
    return {
        "folded": min(forward, turned),
        "flat": 1 - forward - turned,
        "mirrored": turned > forward,
        "backward": float(torch.stack(falls).mean()),
    }


def clipping(table: Tensor, base: Tensor, pixels: Colours) -> dict[str, Any]:
    """Return the shares of nodes and of pixels newly clipped: a channel at 0 (``black``), at 1 (``white``), or either.

    Newly means that the base keeps every channel at least `SEEN` away from both ends, so that a change of hue at the
    cube's surface is no clipping.
    """
    return {
        "nodes": _clipped(table, base, _nodes(table.shape[-1])),
        "pixels": _clipped(table, base, pixels) if len(pixels) else None,
    }


def points(table: Tensor, base: Tensor, pixels: Colours) -> dict[str, Any]:
    """Return where black and white go, RGB and L*, and the rise in L* of the photographs' darkest hundredth."""
    ends = through(table, np.array([[0.0] * 3, [1.0] * 3]))
    named = zip(("black", "white"), ends, lab(ends), strict=True)
    result: dict[str, Any] = {name: {"rgb": rgb.tolist(), "lightness": float(one[0])} for name, rgb, one in named}
    if not len(pixels):
        return result | {"shadow_lift": None}
    before, after = (float(np.percentile(lab(through(one, pixels))[:, 0], 1)) for one in (base, table))
    return result | {"shadow_lift": after - before}


def skin(table: Tensor, base: Tensor) -> dict[str, dict[str, float]]:
    """Return what becomes of the chart's two skins on a vectorscope.

    Returns:
        For ``dark`` and ``light``: ``angle`` in degrees, ``turn`` from the base's in degrees, positive towards yellow,
        and ``chroma`` as a ratio to the base's.
    """
    patches = _found(base, colorchecker()[[DARK_SKIN, LIGHT_SKIN]])
    (before, base_radius), (after, radius) = (vectorscope(through(one, patches)) for one in (base, table))
    turn, ratio = (after - before + 180) % 360 - 180, radius / base_radius
    rows = zip(("dark", "light"), after, turn, ratio, strict=True)
    return {name: {"angle": float(a), "turn": float(t), "chroma": float(c)} for name, a, t, c in rows}


def coverage(filled: NDArray[np.int64]) -> dict[str, float] | None:
    """Return how much of the cube photographs reach.

    Args:
        filled: How many pixels lie in each cell of the lattice.

    Returns:
        ``nodes``, share of the lattice's points at a corner of a cell with a pixel in it, ``cells``, share of those
        cells, and ``fullest``, share of the pixels in the fullest `FULLEST` of the cells; None without any pixel.
    """
    if not filled.any():
        return None
    size = len(filled) + 1
    touched = np.zeros((size,) * 3, bool)
    for blue, green, red in np.ndindex(2, 2, 2):
        touched[blue : size - 1 + blue, green : size - 1 + green, red : size - 1 + red] |= filled > 0
    counts = np.sort(filled.ravel())[::-1]
    return {
        "nodes": float(touched.mean()),
        "cells": float((filled > 0).mean()),
        "fullest": float(counts[: round(FULLEST * len(counts))].sum() / counts.sum()),
    }


def _apart(one: Tensor, other: Tensor, rgb: Colours) -> Spread:
    return spread(delta_e(lab(through(one, rgb)), lab(through(other, rgb))))


def _sharpest(bends: NDArray[np.float64], rgb: Colours) -> float:
    """Return the greatest of the bends [n - 2] of a ramp that became `rgb` [n, 3], except where a channel clips."""
    inside: NDArray[np.bool_] = np.all((rgb > NOISE) & (rgb < 1 - NOISE), axis=1)
    return float(bends[inside[:-2] & inside[1:-1] & inside[2:]].max(initial=0.0))


def _greys(count: int) -> Colours:
    return np.repeat(np.linspace(0, 1, count)[:, None], 3, axis=1)


def _nodes(size: int) -> Colours:
    return identity(size).double().reshape(3, -1).t().numpy()


def _clipped(table: Tensor, base: Tensor, rgb: Colours) -> dict[str, float]:
    before, after = through(base, rgb), through(table, rgb)
    inside = ((before > SEEN) & (before < 1 - SEEN)).all(1)
    black, white = inside & (after <= NOISE).any(1), inside & (after >= 1 - NOISE).any(1)
    shares = {"black": black, "white": white, "either": black | white}
    return {name: float(share.mean()) for name, share in shares.items()}


def _found(base: Tensor, display: Colours) -> Colours:
    """Find the inputs [n, 3] that a base shows as these colours, by damped Gauss-Newton from the nearest of 33³."""
    start = _nodes(33)
    shown = through(base, start)
    inputs = np.array([start[((shown - one) ** 2).sum(1).argmin()] for one in display])
    step = 1e-4
    for _ in range(12):
        wrong = through(base, inputs) - display
        slopes = [(through(base, inputs + d) - through(base, inputs - d)) / (2 * step) for d in step * np.eye(3)]
        jacobian = np.stack(slopes, axis=-1)
        normal = jacobian.swapaxes(1, 2) @ jacobian + 1e-9 * np.eye(3)
        move = np.linalg.solve(normal, jacobian.swapaxes(1, 2) @ wrong[..., None])[..., 0]
        tried = np.clip(inputs - move, 0, 1)
        better = ((through(base, tried) - display) ** 2).sum(1) < (wrong**2).sum(1)
        inputs[better] = tried[better]
    return inputs
