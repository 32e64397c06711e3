"""Shares with their 95 % intervals: Wilson's for one, Newcombe's for the difference of two over the same questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Any

Z = 1.959963984540054
"""Half the width of a 95 % interval, in standard deviations."""


@dataclass(frozen=True)
class Share:
    """How many of some questions were right."""

    right: int
    total: int

    @classmethod
    def of(cls, answers: Iterable[bool]) -> Share:
        """Count right answers."""
        found = list(answers)
        return cls(sum(found), len(found))

    @property
    def value(self) -> float:
        """The share, in 0..1.

        Raises:
            ZeroDivisionError: There are no questions.
        """
        return self.right / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval (1927), in 0..1; unlike the usual one it holds for few questions and near 0 and 1."""
        square = Z * Z / self.total
        middle = (self.value + square / 2) / (1 + square)
        half = Z / (1 + square) * sqrt(self.value * (1 - self.value) / self.total + square / self.total / 4)
        return max(0.0, middle - half), min(1.0, middle + half)

    def to_json(self) -> dict[str, Any]:
        """Return plain data; without questions the figures are None."""
        low, high = self.interval if self.total else (None, None)
        figures = {"value": self.value if self.total else None, "low": low, "high": high}
        rounded = {name: None if figure is None else round(figure, 6) for name, figure in figures.items()}
        return {"right": self.right, "total": self.total, **rounded}


@dataclass(frozen=True)
class Difference:
    """By how much more of the same questions were right one way than another.

    Attributes:
        both: Right both ways.
        gained: Right the first way only.
        lost: Right the second way only.
        neither: Wrong both ways.
    """

    both: int
    gained: int
    lost: int
    neither: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Difference:
        """Count pairs of (right the first way, right the second way), one for each question."""
        found = list(pairs)
        kinds = ((True, True), (True, False), (False, True), (False, False))
        return cls(*(found.count(kind) for kind in kinds))

    @property
    def total(self) -> int:
        """How many questions."""
        return self.both + self.gained + self.lost + self.neither

    @property
    def value(self) -> float:
        """The difference of the two shares, in -1..1."""
        return (self.gained - self.lost) / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Newcombe's interval for paired shares (Statistics in Medicine 17, 1998, method 10), in -1..1."""
        first = Share(self.both + self.gained, self.total)
        second = Share(self.both + self.lost, self.total)
        (low, high), (other_low, other_high) = first.interval, second.interval
        phi = self._correlation()
        down, up = first.value - low, other_high - second.value
        under = sqrt(max(0.0, down * down - 2 * phi * down * up + up * up))
        up, down = high - first.value, second.value - other_low
        over = sqrt(max(0.0, up * up - 2 * phi * up * down + down * down))
        return max(-1.0, self.value - under), min(1.0, self.value + over)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        low, high = self.interval
        figures = {"value": self.value, "low": low, "high": high}
        return {"total": self.total, **{name: round(figure, 6) for name, figure in figures.items()}}

    def _correlation(self) -> float:
        """Newcombe's phi, with his correction for continuity where it is positive."""
        rows = (self.both + self.gained) * (self.lost + self.neither)
        columns = (self.both + self.lost) * (self.gained + self.neither)
        if rows == 0 or columns == 0:
            return 0.0
        product = float(self.both * self.neither - self.gained * self.lost)
        if product > 0:
            product = max(product - self.total / 2, 0)
        return product / sqrt(rows * columns)
