"""From questions to what is taught: which of them train and which validate, and what each asks and answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from studio.errors import StudioError
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form, Prompt
from studio.scienceqa.model.views import Grid
from studio.scienceqa.questions.record import Question, QuestionSet, Rejected
from studio.scienceqa.training.features import Features, Picture
from studio.training.batching import evenly

HELD_OUT = 10
"""Where no split val is, one of so many training questions is held out to validate on: the last ones."""

Forms = Callable[[Question], tuple[Form, ...]]
"""Chooses the forms for a question, one or more; one without choices is answered in words in either."""


class Turn(NamedTuple):
    """What is asked, and the token ids of what is to be answered, with the end of turn."""

    asked: Prompt
    answer: tuple[int, ...]

    def length(self, tokens_per_view: int) -> int:
        """Return how many tokens it takes, soft ones included."""
        return self.asked.length(tokens_per_view) + len(self.answer)


@dataclass(frozen=True)
class Lesson:
    """A question made ready.

    Attributes:
        question: The question.
        picture: Where the features of its picture are; None without one.
        turns: What is asked and answered, in each form that is taught; one or two.
    """

    question: Question
    picture: Picture | None
    turns: tuple[Turn, ...]

    @property
    def grid(self) -> Grid | None:
        """Rows and columns of its picture's views; None without one."""
        return None if self.picture is None else self.picture.grid

    def turn(self, occasion: int) -> Turn:
        """Return the turn of an occasion; the forms take turns."""
        return self.turns[occasion % len(self.turns)]


class Material(NamedTuple):
    """Questions to train and to validate on, and a sentence about them."""

    train: tuple[Question, ...]
    validation: tuple[Question, ...]
    told: str


def choose(found: QuestionSet, config: TrainScienceqaConfig) -> Material:
    """Part questions into those that train and those that validate.

    The split val validates; where there is none, the last tenth of train. Questions with choices are preferred, since
    the share of right answers can be told of them alone.

    Raises:
        StudioError: None is left to train on.
    """
    train = [one for one in found.questions if one.split == "train"]
    val = [one for one in found.questions if one.split == "val"]
    told = f"{len(train):,} questions to train on"
    if not val and len(train) > 1:
        kept = max(1, len(train) // HELD_OUT)
        train, val = train[:-kept], train[-kept:]
        told = f"{len(train):,} questions to train on; there is no split val, so the last {kept:,} are held out"
    if not train:
        others = ", ".join(sorted({*found.skipped_splits, *(one.split for one in found.questions)}))
        why = f" but of {others}" if others else f" that can be used: {found.rejected[0].reason}"
        raise StudioError(f"'{found.name}' has no questions of the split train{why}".rstrip(".") + ".", "Give others.")
    train = train[: config.max_train_samples or None]
    told += f", of which the first {len(train):,} are taken" if config.max_train_samples else ""
    val = [one for one in val if one.choices] or val
    looked = evenly(val, config.max_eval_samples)
    told += f"; {len(looked):,} to validate on" if looked else "; none to validate on"
    return Material(tuple(train), tuple(looked), told)


def prepare(
    model: GemmaClip, questions: Sequence[Question], features: Features, forms: Forms, rejected: list[Rejected]
) -> Generator[int, None, list[Lesson]]:
    """Make questions ready, their pictures' features computed; yield how many are, and return what can be taught.

    Args:
        model: Which is to learn.
        questions: To train or to validate on.
        features: Of their pictures.
        forms: The forms in which each is to be asked and answered.
        rejected: What cannot be used is added here, each with its reason.
    """
    longest = int(model.decoder.config.max_position_embeddings)
    lessons = []
    for number, question in enumerate(questions, 1):
        try:
            picture = features.admit(question)
            turns = tuple(_turn(model, question, picture, each) for each in forms(question))
            lesson = Lesson(question, picture, turns)
            if (tokens := length(model, lesson)) > longest:
                raise StudioError(f"It takes {tokens:,} tokens, and the model reads {longest:,}.")
            lessons.append(lesson)
        except StudioError as error:
            rejected.append(Rejected(question.pid, error.what))
        yield number
    return lessons


def taught(form: Literal["both", "reasoning", "letter"]) -> Forms:
    """Return the forms in which questions are taught; one without reasoning to show teaches the letter alone."""

    def forms(question: Question) -> tuple[Form, ...]:
        if form == "letter" or not question.solution.strip():
            return ("letter",)
        return ("reasoning",) if form == "reasoning" or not question.choices else ("letter", "reasoning")

    return forms


def length(model: GemmaClip, lesson: Lesson) -> int:
    """Return how many tokens a lesson takes at most, soft ones included."""
    return max(turn.length(model.tokens_per_view) for turn in lesson.turns)


def _turn(model: GemmaClip, question: Question, picture: Picture | None, form: Form) -> Turn:
    grid = None if picture is None else picture.grid
    asked = prompts.ask(model.tokenizer, question, grid, form, model.info.template)
    return Turn(asked, prompts.answer(model.tokenizer, question, form, model.info.template))
