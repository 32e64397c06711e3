"""A look asks as an evaluation does: in batches what one at a time gives, reasoning written by the model itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.context import Context
from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model import choosing
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.training import validation
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.learner import Learner
from studio.scienceqa.training.lessons import prepare, taught
from studio.scienceqa.training.validation import look
from tests.scienceqa.training.lessons import questions
from tests.scienceqa.training.test_learner import drain, load_fresh


@pytest.mark.parametrize("form", ["letter", "reasoning"])
def test_batches_change_nothing(
    place: Path,
    config: TrainScienceqaConfig,
    house: Callable[[str], Context],
    form: Form,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "TOGETHER", 3)
    model = load_fresh(place)
    learner = Learner(model, config, 10)
    given = questions(5, 0)  # three of them without a solution to learn from
    right, losses = 0, []
    with Features(model, house("job").settings) as features:
        lessons = drain(prepare(model, given, features, lambda _: (form,), []))
        found = drain(look(learner, lessons, features, form))
        for lesson in lessons:
            asked, seen = [lesson.turn(0).asked], [features.of(lesson.question, lesson.picture)]
            longest = 2 * max(len(one.turn(0).answer) for one in lessons)
            texts = [one.text.strip() for one in complete(model, asked, seen, Sampling(longest))]
            said = [model.tokenizer.encode(text, add_special_tokens=False) for text in texts]
            reasoning = None if form == "letter" else said
            (chances,) = choosing.score(model, asked, seen, [lesson.question.choices], reasoning=reasoning)
            assert lesson.question.answer is not None
            right += chances.index(max(chances)) == lesson.question.answer
            losses.append(-math.log(chances[lesson.question.answer]))
    assert found.accuracy == right / 5 and found.loss == pytest.approx(sum(losses) / 5, rel=1e-4)
    assert not any(module.training for module in (model.language, model.projector))


def test_a_look_uses_no_random_numbers(
    place: Path, config: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    model = load_fresh(place)
    learner = Learner(model, config, 10)
    before = torch.get_rng_state()
    with Features(model, house("job").settings) as features:
        lessons = drain(prepare(model, questions(4, 0), features, taught("letter"), []))
        assert drain(look(learner, lessons, features, "letter")) == drain(look(learner, lessons, features, "letter"))
    assert torch.equal(torch.get_rng_state(), before)
