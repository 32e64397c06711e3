"""What a model is held against that reads nothing: exact expectations, on the very questions that are scored.

Constants and majorities are chosen on these questions themselves, which flatters them; a model has to beat them so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from studio.scienceqa.questions.record import LETTERS, Question


def measure(questions: Sequence[Question]) -> dict[str, Any]:
    """Return each baseline's accuracy in 0..1, and which letter the constant one says; all None without questions.

    Args:
        questions: With choices and answers.
    """
    if not questions:
        return {"random": None, "letter": None, "letter_is": None, "majority": None, "longest": None}
    letter, share = constant_letter(questions)
    return {
        "random": round(random(questions), 6),
        "letter": round(share, 6),
        "letter_is": letter,
        "majority": round(majority(questions), 6),
        "longest": round(longest(questions), 6),
    }


def random(questions: Sequence[Question]) -> float:
    """Return what drawing a choice blindly is right in, on average."""
    return sum(1 / len(one.choices) for one in questions) / len(questions)


def constant_letter(questions: Sequence[Question]) -> tuple[str, float]:
    """Return the letter that is right most often, the first of equals, and how often always saying it is right."""
    letter, count = max(sorted(Counter(_answers(questions)).items()), key=lambda item: item[1])
    return LETTERS[letter], count / len(questions)


def majority(questions: Sequence[Question]) -> float:
    """Return how often the letter is right that is right most often among questions with as many choices."""
    groups: dict[int, Counter[int]] = defaultdict(Counter)
    for one, answer in zip(questions, _answers(questions), strict=True):
        groups[len(one.choices)][answer] += 1
    return sum(max(counts.values()) for counts in groups.values()) / len(questions)


def longest(questions: Sequence[Question]) -> float:
    """Return how often the longest choice (in characters) is right; of equally long ones one is drawn blindly."""
    right = 0.0
    for one, answer in zip(questions, _answers(questions), strict=True):
        lengths = [len(choice) for choice in one.choices]
        if lengths[answer] == max(lengths):
            right += 1 / lengths.count(max(lengths))
    return right / len(questions)


def _answers(questions: Sequence[Question]) -> list[int]:
    found = [one.answer for one in questions if one.answer is not None]
    if len(found) != len(questions):
        raise ValueError("a question without an answer cannot be scored")
    return found
