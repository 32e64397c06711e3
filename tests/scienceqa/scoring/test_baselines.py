"""Baselines, computed by hand."""

from __future__ import annotations

import pytest

from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import baselines


def asked(answer: int, *choices: str) -> Question:
    return Question(f"{choices}{answer}", "test", "?", choices, answer)


QUESTIONS = [
    asked(0, "aaa", "b"),
    asked(1, "a", "b"),
    asked(1, "aa", "b"),
    asked(1, "a", "b", "ccc"),
    asked(2, "aa", "bb", "cc", "d"),
]


def test_blind_drawing_is_right_as_often_as_there_are_choices() -> None:
    assert baselines.random(QUESTIONS) == pytest.approx((3 / 2 + 1 / 3 + 1 / 4) / 5)


def test_the_constant_letter_is_the_most_frequent_answer_and_of_equals_the_first() -> None:
    assert baselines.constant_letter(QUESTIONS) == ("B", 3 / 5)
    assert baselines.constant_letter(QUESTIONS[:2]) == ("A", 1 / 2)


def test_the_majority_is_taken_among_questions_with_as_many_choices() -> None:
    assert baselines.majority(QUESTIONS) == pytest.approx((2 + 1 + 1) / 5)


def test_the_longest_choice_shares_a_tie() -> None:
    assert baselines.longest(QUESTIONS) == pytest.approx((1 + 1 / 2 + 0 + 0 + 1 / 3) / 5)


def test_all_of_them_in_one() -> None:
    found = baselines.measure(QUESTIONS)
    assert found == {"random": 0.416667, "letter": 0.6, "letter_is": "B", "majority": 0.8, "longest": 0.366667}
    assert set(baselines.measure([]).values()) == {None}
    with pytest.raises(ValueError, match="without an answer"):
        baselines.measure([Question("1", "test", "?", ("a", "b"))])
