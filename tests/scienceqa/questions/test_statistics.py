"""What a set holds, in numbers."""

from __future__ import annotations

from studio.scienceqa.questions.record import QuestionSet, Rejected
from studio.scienceqa.questions.statistics import describe
from tests.scienceqa.questions.samples import question


def test_everything_is_counted() -> None:
    questions = (
        question("1", image=b"x", grade="grade11", topic="biology"),
        question("2", split="test", image=b"x", grade="grade2", choices=("a", "b", "c"), answer=2, hint=""),
        question("3", grade="", topic="", answer=None, solution="", lecture=""),
        question("4", split="test", choices=(), answer=None, topic="biology", subject="", family=""),
    )
    rejected = (Rejected("5", "No picture.", "picture"), Rejected("6", "No question."))
    found = describe(QuestionSet("set", "csv", questions, rejected, {"val": 7}))
    assert (found.questions, found.with_picture, found.free, found.unanswered) == (4, 2, 1, 1)
    assert (found.with_solution, found.with_lecture, found.with_hint) == (3, 3, 3)
    assert (found.rejected, found.missing_pictures, found.skipped) == (2, 1, {"val": 7})
    assert found.pictures == {"train": 1, "test": 1}
    ordered = {name: [*counts.items()] for name, counts in found.counts.items()}
    assert ordered == {
        "split": [("train", 2), ("test", 2)],
        "subject": [("natural science", 3), ("not said", 1)],
        "topic": [("biology", 2), ("physics", 1), ("not said", 1)],
        "grade": [("grade2", 1), ("grade5", 1), ("grade11", 1), ("not said", 1)],
        "choices": [("0", 1), ("2", 2), ("3", 1)],
        "answer": [("B", 1), ("C", 1)],
        "family": [("attract", 3), ("not said", 1)],
    }


def test_an_empty_set_has_no_counts() -> None:
    found = describe(QuestionSet("set", "csv", ()))
    assert found.questions == 0 and not any(found.counts.values())
