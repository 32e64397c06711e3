"""A look at the validation questions: how many are answered rightly, and how surely."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import NamedTuple

import torch

from studio.scienceqa.answering.answer import Asked, probabilities
from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.learner import Learner, Shown
from studio.scienceqa.training.lessons import Lesson

TOGETHER = 8
"""Questions read in one pass; without gradients that takes less memory than one with them."""
FEW = 50
"""Questions that are asked in the form that is learnt and not validated in; reasoning takes its time."""
MANNER: dict[Form, str] = {"letter": "with the letter at once", "reasoning": "behind reasoning of its own"}
_ROOM = 2  # times the tokens of the longest right answer may be written
_LEAST = 1e-12  # of a probability, so that its logarithm is a number


class Look(NamedTuple):
    """What a look found.

    Attributes:
        accuracy: Share of questions answered rightly, 0 to 1; None where none has choices.
        loss: Mean negative logarithm of the right choice's probability; without choices, of an answer's tokens.
    """

    accuracy: float | None
    loss: float


def look(learner: Learner, lessons: Sequence[Lesson], features: Features, form: Form) -> Generator[int, None, Look]:
    """Ask validation questions; yield how many are done after each batch, and return what was found.

    Args:
        learner: Whose model is asked; it is in eval mode and stays as it is.
        lessons: What to ask, one turn each; either all with choices or all without.
        features: Of their pictures.
        form: Of the turns; reasoning is written by the model itself before the choices are scored.
    """
    right, losses = 0, []
    longest = _ROOM * max(len(one.turn(0).answer) for one in lessons) if form == "reasoning" else 0
    for start in range(0, len(lessons), TOGETHER):
        some = lessons[start : start + TOGETHER]
        seen = [features.of(one.question, one.picture) for one in some]
        if some[0].question.choices:
            asked = [Asked(one.question, one.grid, each) for one, each in zip(some, seen, strict=True)]
            for one, chances in zip(some, _chances(learner, asked, longest), strict=True):
                assert one.question.answer is not None
                right += chances.index(max(chances)) == one.question.answer
                losses.append(-math.log(max(chances[one.question.answer], _LEAST)))
        else:
            with torch.no_grad():
                pairs = zip(some, seen, strict=True)
                losses += [float(learner.loss([Shown(one.turn(0), each)])) for one, each in pairs]
        yield start + len(some)
    accuracy = right / len(lessons) if lessons[0].question.choices else None
    return Look(accuracy, sum(losses) / len(losses))


def _chances(learner: Learner, asked: Sequence[Asked], longest: int) -> list[tuple[float, ...]]:
    """Return the probability of every choice of every question, behind reasoning of so many tokens, or 0 for none."""
    if not longest:
        return probabilities(learner.model, asked, None)
    prompts = [one.prompt(learner.model, "reasoning") for one in asked]
    written = complete(learner.model, prompts, [one.features for one in asked], Sampling(longest))
    return probabilities(learner.model, asked, written)
