"""How good palettes are for their descriptions, measured against palettes that people chose for the same words.

A prediction has four colours, a reference four or more; all distances are CIEDE2000. No one number tells enough: a
constant palette of middling colours beats honest retrieval in ``match``, which is why ``relevance`` asks whether a
palette is nearer to its own reference than to others', and why ``within`` has to stay where people's palettes are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from studio.palette.colours import NEAR, Colours, differences

OTHERS = 99
"""Other references that a palette's own one is compared with."""
HUMAN_BAND = (25.0, 31.0)
"""``within`` of palettes that people made lies in here on average."""
_TOP = 0.1


@dataclass(frozen=True)
class Scores:
    """One row of the scoreboard.

    Attributes:
        match: Mean distance of the best assignment of the four colours to four different ones of the reference.
        transport: The same where colours may be split: exact optimal transport, every colour weighing the same.
        relevance: How often the own reference is nearer than one of 99 others; 0.5 is chance.
        top: How often the own reference is among the nearest tenth.
        within: Mean distance between two colours of a palette.
        nearest: Median over palettes of the smallest distance between two colours.
        lightness: Mean range of L* in a palette.
        across: Mean ``match`` between palettes of different descriptions; 0 where all are the same.
        near_duplicates: Share of palettes with two colours closer than 5.
        best: Mean ``match`` of the best of several palettes for a description; NaN where there is one.
        pairs: How many descriptions.
    """

    match: float
    transport: float
    relevance: float
    top: float
    within: float
    nearest: float
    lightness: float
    across: float
    near_duplicates: float
    best: float
    pairs: int

    def to_json(self) -> dict[str, float | int | None]:
        """Return the numbers, rounded; None for one that is not known."""
        told = {name: round(value, 4) for name, value in asdict(self).items()}
        return {name: None if math.isnan(value) else value for name, value in told.items()}

    @property
    def human(self) -> bool:
        """Whether the colours lie as far apart as in palettes that people made."""
        return HUMAN_BAND[0] <= self.within <= HUMAN_BAND[1]


def match(predicted: Colours, references: Sequence[Colours]) -> NDArray[np.float64]:
    """Return how far one palette is from each of several references.

    Args:
        predicted: CIE L*a*b* [4, 3].
        references: CIE L*a*b* [r, 3] each, with r of at least 4.
    """
    cost = differences(predicted[:, None], np.concatenate(references)[None])
    ends = np.cumsum([len(each) for each in references])
    parts = np.split(cost, ends[:-1], axis=1)
    return np.array([part[linear_sum_assignment(part)].mean() for part in parts])


def transport(predicted: Colours, reference: Colours) -> float:
    """Return the exact optimal transport distance of two palettes [n, 3] and [m, 3] in CIE L*a*b*, masses even.

    With whole multiples of every colour it is an assignment: each repeated until both sides have as many.
    """
    count = math.lcm(len(predicted), len(reference))
    cost = differences(predicted[:, None], reference[None])
    even = np.repeat(np.repeat(cost, count // len(predicted), 0), count // len(reference), 1)
    return float(even[linear_sum_assignment(even)].mean())


def pairwise(palettes: Colours) -> NDArray[np.float64]:
    """Return the distances between the pairs of colours of palettes [n, k, 3], as [n, k (k - 1) / 2]."""
    one, other = np.triu_indices(palettes.shape[1], 1)
    return differences(palettes[:, one], palettes[:, other])


def score(predicted: Colours, references: Sequence[Colours], several: Colours | None = None, seed: int = 0) -> Scores:
    """Score a palette for each description.

    Args:
        predicted: CIE L*a*b* [n, 4, 3].
        references: CIE L*a*b* [r, 3] each, n of them, at least two.
        several: More palettes of each description [n, k, 4, 3], for `Scores.best`.
        seed: Which other references each is compared with, and which palettes with one another.
    """
    random = np.random.default_rng(seed)
    count = len(references)
    own, relevance, top = np.zeros(count), np.zeros(count), np.zeros(count)
    for index, palette in enumerate(predicted):
        others = random.permutation(np.delete(np.arange(count), index))[:OTHERS]
        found = match(palette, [references[index], *(references[other] for other in others)])
        own[index], rest = found[0], found[1:]
        nearer, same = (rest < found[0]).sum(), (rest == found[0]).sum()
        relevance[index] = 1 - (nearer + same / 2) / len(rest)
        top[index] = nearer + same / 2 < _TOP * len(found)
    pairs = pairwise(predicted)
    shifted = np.roll(random.permutation(count), 1)
    across = [match(predicted[i], [predicted[j]])[0] for i, j in zip(np.roll(shifted, -1), shifted, strict=True)]
    return Scores(
        match=float(own.mean()),
        transport=float(np.mean([transport(p, r) for p, r in zip(predicted, references, strict=True)])),
        relevance=float(relevance.mean()),
        top=float(top.mean()),
        within=float(pairs.mean()),
        nearest=float(np.median(pairs.min(1))),
        lightness=float(np.ptp(predicted[..., 0], axis=1).mean()),
        across=float(np.mean(across)),
        near_duplicates=float((pairs.min(1) < NEAR).mean()),
        best=math.nan if several is None else _best(several, references),
        pairs=count,
    )


def _best(several: Colours, references: Sequence[Colours]) -> float:
    found = [min(match(palette, [reference])[0] for palette in palettes)
             for palettes, reference in zip(several, references, strict=True)]  # fmt: skip
    return float(np.mean(found))
