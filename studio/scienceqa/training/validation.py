"""A look at the validation questions: how many are answered rightly, and how surely."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import NamedTuple

import torch

from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.model import choosing, prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.learner import Learner, Shown
from studio.scienceqa.training.lessons import Lesson

TOGETHER = 8
"""Questions read in one pass; without gradients that takes less memory than one with them."""
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
    longest = _ROOM * max(len(one.turn(0).answer) for one in lessons)
    for start in range(0, len(lessons), TOGETHER):
        some = lessons[start : start + TOGETHER]
        shown = [Shown(one.turn(0), features.of(one.question, one.picture)) for one in some]
        if some[0].question.choices:
            for one, chances in zip(
                some, _chances(learner.model, some, shown, longest if form == "reasoning" else 0), strict=True
            ):
                assert one.question.answer is not None
                right += chances.index(max(chances)) == one.question.answer
                losses.append(-math.log(max(chances[one.question.answer], _LEAST)))
        else:
            with torch.no_grad():
                losses += [float(learner.loss([each])) for each in shown]
        yield start + len(some)
    accuracy = right / len(lessons) if lessons[0].question.choices else None
    return Look(accuracy, sum(losses) / len(losses))


def _chances(
    model: GemmaClip, lessons: Sequence[Lesson], shown: Sequence[Shown], longest: int
) -> list[tuple[float, ...]]:
    """Return the probability of every choice of every question, after reasoning of so many tokens, or 0 for none."""
    asked, seen = [each.turn.asked for each in shown], [each.features for each in shown]
    choices = [one.question.choices for one in lessons]
    if not longest:
        return choosing.score(model, asked, seen, choices)
    written = complete(model, asked, seen, Sampling(longest))
    conclusion = prompts.conclusion(model.tokenizer, model.info.template)
    reasoning = [_before(conclusion, said.ids) for said in written]
    return choosing.score(model, asked, seen, choices, reasoning=reasoning)


def _before(end: tuple[int, ...], ids: tuple[int, ...]) -> tuple[int, ...]:
    """Return what stands before the last place where tokens are ``end``; all of them where there is none."""
    places = [at for at in range(len(ids) - len(end) + 1) if ids[at : at + len(end)] == end]
    return ids[: places[-1]] if places else ids
