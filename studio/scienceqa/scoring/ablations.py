"""Asking the same question otherwise: with another picture, or with its choices in another order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from studio.files import content_hash
from studio.scienceqa.questions.record import Question

_FEW = 5  # choices of which all orders are listed, 120 of them
_PICTURES = 7  # seed of the pictures' exchange


def orders(question: Question, wanted: int) -> list[tuple[int, ...]]:
    """Return other orders of a question's choices, always the same ones, none of them twice.

    Returns:
        At most ``wanted`` orders, fewer where there are no more: the choice shown at i is the question's own at
        ``order[i]``.
    """
    count = len(question.choices)
    rng = _draw(question.pid)
    if count <= _FEW:
        found = list(itertools.permutations(range(count)))[1:]
        picks = rng.permutation(len(found))[:wanted]
        return [found[pick] for pick in picks]
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < min(wanted, math.factorial(count) - 1):
        order = tuple(int(index) for index in rng.permutation(count))
        if order != tuple(range(count)):
            drawn[order] = None
    return list(drawn)


def shuffled(question: Question, order: Sequence[int]) -> tuple[str, ...]:
    """Return the choices in an order."""
    return tuple(question.choices[index] for index in order)


def put_back(probabilities: Sequence[float], order: Sequence[int]) -> tuple[float, ...]:
    """Return the probabilities of choices that were shown in an order, in the question's own."""
    return tuple(probabilities[order.index(index)] for index in range(len(order)))


def other_pictures(questions: Sequence[Question]) -> dict[str, Question]:
    """Return for each question with a picture another one whose picture it is asked with, by its id.

    Every picture is taken as often as it is there; where all pictures are one, nothing is returned.
    """
    pictured = sorted((one for one in questions if one.image is not None), key=lambda one: one.pid)
    rng = np.random.default_rng(_PICTURES)
    mixed = [pictured[index] for index in rng.permutation(len(pictured))]
    for step in range(1, len(mixed)):
        partners = mixed[step:] + mixed[:step]
        if all(one.image != other.image for one, other in zip(mixed, partners, strict=True)):
            return {one.pid: other for one, other in zip(mixed, partners, strict=True)}
    return _differing(mixed)


def _differing(mixed: Sequence[Question]) -> dict[str, Question]:
    """Pair each with the next one whose picture differs, where some pictures are there too often for a round."""
    found = {}
    for at, one in enumerate(mixed):
        after = itertools.chain(mixed[at + 1 :], mixed[:at])
        other = next((each for each in after if each.image != one.image), None)
        if other is not None:
            found[one.pid] = other
    return found


def _draw(pid: str) -> np.random.Generator:
    return np.random.default_rng(int(content_hash(pid)[:16], 16))
