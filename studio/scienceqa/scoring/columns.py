"""ScienceQA's columns, as the data set's own tools/evaluate_acc.py (lupantech/ScienceQA) makes them, and its topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from studio.scienceqa.questions.record import Question

Group = Callable[[Question], bool]


@dataclass(frozen=True)
class Column:
    """One column of the official table.

    Attributes:
        name: As the leaderboard has it.
        title: What it means.
        holds: Whether a question counts in it.
        published: Questions of the official test in it.
    """

    name: str
    title: str
    holds: Group
    published: int


def _subject(name: str) -> Group:
    return lambda one: one.subject == name


def _grades(first: int, last: int) -> Group:
    names = {f"grade{number}" for number in range(first, last + 1)}
    return lambda one: one.grade in names


COLUMNS = (
    Column("NAT", "natural science", _subject("natural science"), 2252),
    Column("SOC", "social science", _subject("social science"), 889),
    Column("LAN", "language science", _subject("language science"), 1100),
    Column("TXT", "with a text to rest on", lambda one: bool(one.hint), 2046),
    Column("IMG", "with a picture", lambda one: one.image is not None, 2017),
    Column("NO", "with neither", lambda one: not one.hint and one.image is None, 1435),
    Column("G1-6", "grades 1 to 6", _grades(1, 6), 2724),
    Column("G7-12", "grades 7 to 12", _grades(7, 12), 1517),
    Column("Avg", "all", lambda _: True, 4241),
)
"""A question with a text and a picture counts in both of their columns."""


def by_column(questions: Iterable[Question]) -> dict[str, list[Question]]:
    """Return the questions of each column; a column may be empty."""
    asked = list(questions)
    return {column.name: [one for one in asked if column.holds(one)] for column in COLUMNS}


def by_name(questions: Iterable[Question], name: Callable[[Question], str]) -> dict[str, list[Question]]:
    """Return the questions by some name of theirs, such as the topic: the largest group first, '' for no name last."""
    groups: dict[str, list[Question]] = {}
    for one in questions:
        groups.setdefault(name(one), []).append(one)
    return dict(sorted(groups.items(), key=lambda item: (not item[0], -len(item[1]), item[0])))


def is_official_test(questions: Mapping[str, list[Question]]) -> bool:
    """Whether these columns (of `by_column`) have the sizes of ScienceQA's own test, so that figures compare."""
    return all(len(questions[column.name]) == column.published for column in COLUMNS)
