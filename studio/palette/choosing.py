"""Choosing a few palettes that stand for many: the first is the most typical, and any two are told apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.palette.colours import differences, to_lab

FLOOR = 8.0
"""CIEDE2000 by which the free colours of two palettes differ at least, on the average of the best matching."""


def apart(palettes: Sequence[Sequence[str]], free: Sequence[int]) -> NDArray[np.float64]:
    """Return how far palettes are apart, ``[n, n]``: mean CIEDE2000 of the best matching of their free colours.

    Args:
        palettes: Four colours ``#rrggbb`` each.
        free: Places, from 0, of the colours that are compared; locked ones are the same in all.
    """
    lab = np.stack([to_lab([palette[place] for place in free]) for palette in palettes])
    one, other = np.triu_indices(len(palettes), 1)
    colours = differences(lab[one][:, :, None], lab[other][:, None])  # [pairs, free, free]
    rows = np.arange(len(free))
    matchings = [colours[:, rows, list(order)].mean(1) for order in itertools.permutations(rows)]
    distances = np.zeros((len(palettes), len(palettes)))
    distances[one, other] = distances[other, one] = np.min(matchings, 0)
    return distances


def choose_few(distances: NDArray[np.float64], weights: NDArray[np.float64], count: int) -> list[int]:
    """Choose palettes by facility location: each next one brings all palettes nearest to some chosen one.

    Args:
        distances: ``[n, n]``, of `apart`.
        weights: ``[n]``, logarithms; how much each palette counts.
        count: How many to choose at most.

    Returns:
        Their indices, in the order chosen: the medoid first, and any two at least `FLOOR` apart; fewer where no more
        are.
    """
    shares = np.exp(weights - weights.max())
    shares /= shares.sum()
    chosen: list[int] = []
    nearest = np.full(len(distances), distances.max())  # what a palette costs while none is chosen
    open_ = np.ones(len(distances), bool)
    while len(chosen) < count and open_.any():
        gains = np.where(open_, np.maximum(nearest - distances, 0) @ shares, -1.0)
        best = int(gains.argmax())
        chosen.append(best)
        nearest = np.minimum(nearest, distances[best])
        open_ &= distances[best] >= FLOOR
    return chosen
