"""Which questions make up each step.

A function of the table, the seed and the number of the step alone, so that a resumed run meets what it would have met.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

WINDOW = 32
"""Batches among which questions of like length are put together, so that little is padded."""

T = TypeVar("T")


class Step(NamedTuple):
    """The questions of one step.

    Attributes:
        number: Of the step, from 0.
        epoch: Passes over the questions that were done before it.
        batches: Indices of its questions, in the batches that are read one after another.
    """

    number: int
    epoch: int
    batches: list[list[int]]


class Plan:
    """All steps of a run.

    Every epoch meets every question once, in an order of its own. Its last step holds what is left, be it a single
    question; of a broken number of epochs the last one ends early.

    Args:
        lengths: Tokens of each question.
        batch: Questions of a batch.
        accumulation: Batches of a step.
        epochs: Passes over the questions, above 0.
        seed: Of the order.
    """

    def __init__(self, lengths: Sequence[int], batch: int, accumulation: int, epochs: float, seed: int) -> None:
        self._lengths = lengths
        self._batch = batch
        self._accumulation = accumulation
        self._seed = seed
        self.steps_per_epoch = math.ceil(math.ceil(len(lengths) / batch) / accumulation)
        whole = int(epochs)
        self.steps = whole * self.steps_per_epoch + math.ceil((epochs - whole) * self.steps_per_epoch)

    def remaining(self, done: int) -> Iterator[Step]:
        """Yield the steps that are left after ``done`` steps."""
        while done < self.steps:
            epoch, first = divmod(done, self.steps_per_epoch)
            for batches in _cut(self._epoch(epoch), self._accumulation)[first : first + self.steps - done]:
                yield Step(done, epoch, batches)
                done += 1

    def _epoch(self, number: int) -> list[list[int]]:
        random = np.random.default_rng((self._seed, number))
        order = random.permutation(len(self._lengths)).tolist()
        windows = _cut(order, self._batch * WINDOW)
        alike = [index for window in windows for index in sorted(window, key=self._lengths.__getitem__)]
        batches = _cut(alike, self._batch)
        return [batches[index] for index in random.permutation(len(batches)).tolist()]


def evenly(items: Sequence[T], count: int) -> list[T]:
    """Take so many at equal distances, the first and the last among them, or all for 0."""
    if not 0 < count < len(items):
        return list(items)
    return [items[int(index)] for index in np.linspace(0, len(items) - 1, count).round()]


def _cut(items: list[T], size: int) -> list[list[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
