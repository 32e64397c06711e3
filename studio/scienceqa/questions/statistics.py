"""What a set of questions holds, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from studio.scienceqa.questions.record import LETTERS, SPLITS, Question, QuestionSet

UNSAID = "not said"
"""Stands in the counts for what questions leave empty."""


@dataclass(frozen=True)
class Statistics:
    """Counts over the usable questions of a set, and over what was passed over.

    Attributes:
        questions: Usable ones.
        with_picture: Those with a picture.
        free: Those without choices.
        unanswered: Those with choices whose right one is not known.
        with_solution, with_lecture, with_hint: Those that have such a text.
        rejected: Records that cannot be used.
        missing_pictures: Those of them whose picture is missing or unreadable.
        skipped: Records of splits that were not asked for, by split.
        counts: Under ``split``, ``subject``, ``topic``, ``grade``, ``choices`` (how many), ``answer`` (the right one's
            letter) and ``family``: how many questions by value, in the order to show them.
        pictures: How many questions have a picture, by split.
    """

    questions: int
    with_picture: int
    free: int
    unanswered: int
    with_solution: int
    with_lecture: int
    with_hint: int
    rejected: int
    missing_pictures: int
    skipped: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    pictures: Mapping[str, int]


def describe(found: QuestionSet) -> Statistics:
    """Count what a set holds; no picture is opened."""
    questions = found.questions
    answers = (LETTERS[each.answer] for each in questions if each.answer is not None)
    by_split = Counter(each.split for each in questions if each.image is not None)
    return Statistics(
        questions=len(questions),
        with_picture=by_split.total(),
        free=_count(questions, lambda each: not each.choices),
        unanswered=_count(questions, lambda each: bool(each.choices) and each.answer is None),
        with_solution=_count(questions, lambda each: bool(each.solution)),
        with_lecture=_count(questions, lambda each: bool(each.lecture)),
        with_hint=_count(questions, lambda each: bool(each.hint)),
        rejected=len(found.rejected),
        missing_pictures=sum(each.about == "picture" for each in found.rejected),
        skipped=dict(found.skipped_splits),
        counts={
            "split": _in_order(Counter(each.split for each in questions), SPLITS),
            "subject": _by_size(each.subject for each in questions),
            "topic": _by_size(each.topic for each in questions),
            "grade": _by_number(each.grade for each in questions),
            "choices": _by_number(str(len(each.choices)) for each in questions),
            "answer": _in_order(Counter(answers), LETTERS),
            "family": _by_size(each.family for each in questions),
        },
        pictures=_in_order(by_split, SPLITS),
    )


def _count(questions: Iterable[Question], what: Callable[[Question], bool]) -> int:
    return sum(map(what, questions))


def _in_order(counts: Counter[str], order: Iterable[str]) -> dict[str, int]:
    return {name: counts[name] for name in order if counts[name]}


def _by_size(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(value or UNSAID for value in values).most_common())


def _by_number(values: Iterable[str]) -> dict[str, int]:
    """Count names such as ``grade2`` and ``grade11``, the shorter first."""
    counts = Counter(value or UNSAID for value in values)
    return {name: counts[name] for name in sorted(counts, key=lambda name: (name == UNSAID, len(name), name))}
