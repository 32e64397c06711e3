"""A LUT on pixels, through OpenColorIO, in the whole numbers they come in and on every core."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray
from torch import Tensor

from studio.deep import Pixels
from studio.grading.lut import strengthen
from studio.grading.lutfiles import LUT

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

_STRIP = 1 << 18  # pixels: work enough that handing it over costs nothing
_DEPTHS = {"uint8": ocio.BIT_DEPTH_UINT8, "uint16": ocio.BIT_DEPTH_UINT16}

Grader = Callable[[Pixels], Pixels]


def grader(
    lut: LUT | Tensor,
    strength: float = 1.0,
    interpolation: str = "tetrahedral",
    base: Tensor | None = None,
    threads: int = CORES,
) -> Grader:
    """Return what grades pictures; made once for many.

    It takes and returns [H, W, 3] or [H, W, 4] of uint8 or uint16, code values; a fourth channel is left as it is.
    Results are the exact values rounded: within half a level for 8 bits, and 0.52 for 16, where float32 shows.

    Args:
        lut: A LUT, or a table [3, N, N, N].
        strength: Share of the change, 0 to 1.
        interpolation: ``tetrahedral``, as in training, or ``trilinear``.
        base: What strength 0 gives, as in `studio.grading.lut.strengthen`; of a LUT that is one table.
        threads: Strips of a picture that are worked on at once.

    Raises:
        StudioError: OpenColorIO refuses the table.
    """
    whole = lut if isinstance(lut, LUT) else LUT.of(lut)
    if strength < 1 and whole.exact:
        whole, strength = LUT.of(strengthen(whole.table(), strength, base)), 1.0
    if strength < 1:
        mixed = _mixer(whole, strength, interpolation)
        return lambda pixels: _in_strips(mixed, pixels, threads)
    processors = {kind: whole.processor(interpolation, kind) for kind in _DEPTHS}

    def apply(before: Pixels, after: Pixels) -> None:
        processors[before.dtype.name].apply(_described(before), _described(after))

    return lambda pixels: _in_strips(apply, pixels, threads)


def grade(pixels: Pixels, lut: LUT | Tensor, strength: float = 1.0, interpolation: str = "tetrahedral") -> Pixels:
    """Grade one picture, as `grader` does."""
    return grader(lut, strength, interpolation)(pixels)


def _mixer(lut: LUT, strength: float, interpolation: str) -> Callable[[Pixels, Pixels], None]:
    """Mix in floating point what no one table holds: a share of a LUT with a shaper."""
    processor = lut.processor(interpolation)

    def apply(before: Pixels, after: Pixels) -> None:
        top = np.iinfo(before.dtype).max
        start = before[..., :3].astype(np.float32) / top
        graded = start.copy()
        processor.apply(ocio.PackedImageDesc(graded, graded.shape[1], graded.shape[0], 3))
        after[..., 3:] = before[..., 3:]
        after[..., :3] = np.rint(np.clip(start + strength * (graded - start), 0, 1) * top)

    return apply


def _in_strips(apply: Callable[[Pixels, Pixels], None], pixels: Pixels, threads: int) -> Pixels:
    """Apply to strips of rows at once; OpenColorIO lets go of the interpreter meanwhile."""
    before: Pixels = np.ascontiguousarray(pixels)
    after: Pixels = np.empty_like(before)
    height, width, _ = before.shape
    rows = max(1, _STRIP // width)
    strips = [slice(top, top + rows) for top in range(0, height, rows)]
    if threads == 1 or len(strips) == 1:
        for strip in strips:
            apply(before[strip], after[strip])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda strip: apply(before[strip], after[strip]), strips))
    return after


def _described(pixels: NDArray[np.generic]) -> ocio.PackedImageDesc:
    # Without the true height, OpenColorIO takes the frame as one row, six times as slow.
    height, width, channels = pixels.shape
    step = pixels.itemsize
    depth = _DEPTHS[pixels.dtype.name]
    return ocio.PackedImageDesc(pixels, width, height, channels, depth, step, step * channels, step * channels * width)
