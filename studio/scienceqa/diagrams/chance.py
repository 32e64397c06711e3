"""Chance: a quick source of random choices, seeded once for each drawing."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Chance:
    """Random choices; Python's generator, since NumPy's takes ten times longer for a single number.

    Args:
        rng: Gives the seed, one draw.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._random = Random(int(rng.integers(2**63)))

    def often(self, share: float) -> bool:
        """Whether it happens, with this probability."""
        return self._random.random() < share

    def between(self, low: float, high: float) -> float:
        """Return a number from a range, evenly."""
        return self._random.uniform(low, high)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return self._random.randint(low, high)

    def pick(self, things: Sequence[T]) -> T:
        """Return one of several things; what stands there twice is picked twice as often."""
        return self._random.choice(things)

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """Return so many different ones of several things, in random order."""
        return self._random.sample(things, count)

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """Return the things in random order."""
        return self._random.sample(things, len(things))
