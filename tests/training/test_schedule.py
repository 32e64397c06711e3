"""The learning rate rises from above zero, reaches the full rate once, and ends at zero exactly."""

from __future__ import annotations

from typing import Literal

import pytest

from studio.training.schedule import share


@pytest.mark.parametrize("shape", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
@pytest.mark.parametrize("warmup", [0.0, 0.03, 0.5, 1.0])
def test_it_rises_to_one_and_falls_to_zero(shape: Literal["linear", "cosine"], steps: int, warmup: float) -> None:
    shares = [share(done, steps, warmup, shape) for done in range(steps + 1)]
    assert shares[-1] == 0.0 and all(0 < each <= 1 for each in shares[:-1])
    peak = shares.index(max(shares))
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert shares[peak] == 1.0


def test_a_straight_line_and_half_a_cosine() -> None:
    assert [share(done, 4, 0.0, "linear") for done in range(5)] == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert share(2, 4, 0.0, "cosine") == pytest.approx(0.5)
    assert share(1, 4, 0.0, "cosine") == pytest.approx(0.85355, abs=1e-5)
    assert [share(done, 8, 0.25, "linear") for done in range(3)] == [1 / 3, 2 / 3, 1.0]
