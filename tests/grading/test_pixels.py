"""Pixels graded in whole numbers are the exact values rounded, whatever the strips, and alpha is nobody's business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from studio.grading import lut, lutfiles, pixels
from studio.grading.lutfiles import LUT
from studio.grading.pixels import grade, grader
from tests.grading.lutsamples import BENT, ROWS, trained


def noise(kind: Any, channels: int = 3) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (40, 30, channels)).astype(kind)


def exact(before: NDArray[Any], table: torch.Tensor, strength: float = 1.0) -> NDArray[Any]:
    """Code values in float64, not rounded."""
    top = np.iinfo(before.dtype).max
    rgb = torch.from_numpy(before[..., :3].astype(np.float64) / top).permute(2, 0, 1)[None]
    after = lut.apply(table.double(), rgb)
    return (rgb + strength * (after - rgb))[0].permute(1, 2, 0).numpy() * top


@pytest.mark.parametrize("strength", [0.0, 0.35, 1.0])
@pytest.mark.parametrize(("kind", "error"), [(np.uint8, 0.501), (np.uint16, 0.53)])
def test_results_are_rounded_not_cut_off(kind: Any, error: float, strength: float) -> None:
    before, table = noise(kind), trained(17)
    after = grade(before, table, strength)
    assert after.dtype == kind and np.abs(after - exact(before, table, strength)).max() <= error
    if strength == 0:
        assert np.array_equal(after, before)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_alpha_is_left_alone(kind: Any) -> None:
    before = noise(kind, 4)
    after = grade(before, trained(9))
    assert np.array_equal(after[..., 3], before[..., 3])
    assert np.array_equal(after[..., :3], grade(before[..., :3], trained(9)))


def test_strips_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = grade(noise(np.uint8), trained(9))
    monkeypatch.setattr(pixels, "_STRIP", 7 * 30)  # 40 rows in strips of 7
    for threads in (1, 3):
        assert np.array_equal(grader(trained(9), threads=threads)(noise(np.uint8)), whole)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_share_of_a_lut_with_a_shaper_is_exact(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "shaped.cube").write_text("LUT_1D_SIZE 3\nLUT_3D_SIZE 2\n" + BENT + ROWS)
    shaped, before = lutfiles.read(tmp_path / "shaped.cube"), noise(kind, 4)
    top = np.iinfo(kind).max
    bent = np.stack([np.interp(before[..., i] / top, [0, 0.5, 1], [0, (0.5, 0.6, 0.7)[i], 1]) for i in range(3)], -1)
    for strength in (0.25, 1.0):
        wanted = before[..., :3] + strength * (bent * top - before[..., :3])
        after = grade(before, shaped, strength)
        assert np.abs(after[..., :3] - wanted).max() <= 0.53 and np.array_equal(after[..., 3], before[..., 3])


def test_strength_0_gives_the_base_it_is_told() -> None:
    base = trained(9, seed=1)
    bases = grader(LUT.of(trained(9)), 0.0, base=base)(noise(np.uint8))
    assert np.array_equal(bases, grade(noise(np.uint8), base))
