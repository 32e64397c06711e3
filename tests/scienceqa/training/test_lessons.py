"""Which questions train and which validate, and what is taught with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from studio.context import Context
from studio.errors import StudioError
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.questions.record import Question, QuestionSet, Rejected
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.lessons import Lesson, choose, length, prepare, taught
from tests.scienceqa.training.lessons import changed, questions
from tests.scienceqa.training.test_learner import drain, load_fresh

House = Callable[[str], Context]


def a_set(*given: Question, rejected: tuple[Rejected, ...] = ()) -> QuestionSet:
    return QuestionSet("mine", "official", given, rejected)


def test_val_validates_and_a_part_of_it_is_taken_evenly(config: TrainScienceqaConfig) -> None:
    material = choose(a_set(*questions(5, 11)), changed(config, max_eval_samples=3))
    assert [one.pid for one in material.train] == ["0", "1", "2", "3", "4"]
    assert [one.pid for one in material.validation] == ["5", "10", "15"]
    assert material.told == "5 questions to train on; 3 to validate on"


def test_questions_with_choices_validate_where_there_are_any(config: TrainScienceqaConfig) -> None:
    given = questions(2, 4)
    given[3] = replace(given[3], choices=(), answer=None)
    assert [one.pid for one in choose(a_set(*given), config).validation] == ["2", "4", "5"]


def test_a_single_question_trains(config: TrainScienceqaConfig) -> None:
    material = choose(a_set(*questions(1, 0)), config)
    assert len(material.train) == 1 and not material.validation and "none to validate on" in material.told


def test_with_nothing_usable_the_first_reason_is_told(config: TrainScienceqaConfig) -> None:
    with pytest.raises(StudioError, match="no questions of the split train that can be used: It has no answer"):
        choose(a_set(rejected=(Rejected("7", "It has no answer."),)), config)


@pytest.fixture
def model(place: Path) -> GemmaClip:
    return load_fresh(place)


def ready(model: GemmaClip, given: list[Question], form: str, context: Context) -> tuple[list[Lesson], list[Rejected]]:
    rejected: list[Rejected] = []
    with Features(model, context.settings) as features:
        return drain(prepare(model, given, features, taught(form), rejected)), rejected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "forms"),
    [("both", [("letter",), ("letter", "reasoning")]), ("reasoning", [("letter",), ("reasoning",)]),
     ("letter", [("letter",), ("letter",)])],
)  # fmt: skip
def test_the_forms_take_turns_and_without_reasoning_the_letter_is_taught(
    model: GemmaClip, house: House, form: str, forms: list[tuple[prompts.Form, ...]]
) -> None:
    given = questions(2, 0)  # the second has a solution
    lessons, _ = ready(model, given, form, house("job"))
    for lesson, question, wanted in zip(lessons, given, forms, strict=True):
        assert [turn.answer for turn in lesson.turns] == [
            prompts.answer(model.tokenizer, question, each) for each in wanted
        ]
        assert [lesson.turn(occasion) for occasion in range(4)] == [*lesson.turns] * (4 // len(wanted))
        assert all(turn.answer[-1] == model.end_tokens[0] for turn in lesson.turns)


def test_what_is_too_long_or_has_no_answer_is_rejected(model: GemmaClip, house: House) -> None:
    given = questions(3, 0)
    given[0] = replace(given[0], hint="pole " * 3000)
    given[2] = replace(given[2], answer=None)
    model.decoder.config.max_position_embeddings = 600
    lessons, rejected = ready(model, given, "both", house("job"))
    assert [one.question.pid for one in lessons] == ["1"] and length(model, lessons[0]) < 600
    assert [one.pid for one in rejected] == ["0", "2"]
    assert "the model reads 600" in rejected[0].reason and "not known" in rejected[1].reason
