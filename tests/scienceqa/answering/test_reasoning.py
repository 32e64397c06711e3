"""The choice a written answer ends on is the one it names last, by letter or by words."""

from __future__ import annotations

import pytest

from studio.scienceqa.answering.reasoning import Written, take_apart
from studio.scienceqa.model.prompts import Template

CHOICES = ("attract", "repel", "Repel", "a wire")


@pytest.mark.parametrize(
    ("text", "reasoning", "choice"),
    [
        ("Equal poles face.\nThe answer is (B).", "Equal poles face.", 1),
        ("Equal poles face.\nThe answer is B.", "Equal poles face.", 1),
        ("Equal poles face. the answer is: (D)", "Equal poles face.", 3),
        ("The answer is attract.", "", 0),
        ("The answer is Repel", "", 2),
        ("The answer is A wire.", "", 3),
        ("The answer is REPEL", "", None),  # two choices differ by capitals alone
        ("First the answer is (A). But no.\nThe answer is (B).", "First the answer is (A). But no.", 1),
        ("The answer is (E).", "", None),
        ("The answer is (", "", None),
        ("The answer is Bronze.", "", None),
        ("They push apart", "They push apart", None),
        ("(B)", "(B)", 1),
        ("B", "B", 1),
        ("B.", "B.", 1),
        ("A magnet is a magnet.", "A magnet is a magnet.", None),
        ("", "", None),
    ],
)
def test_an_answer_is_taken_apart(text: str, reasoning: str, choice: int | None) -> None:
    assert take_apart(text, CHOICES) == Written(reasoning, choice)


@pytest.mark.parametrize(
    ("text", "reasoning", "choice"),
    [
        ("**Step-by-step reasoning:**\nEqual poles.\n\n**Final Answer:**\nrepel", "Equal poles.", 1),
        ("**Step-by-step reasoning:**\nEqual poles.\n\n**Final Answer:**\nB) repel", "Equal poles.", 1),
        ("Equal poles.\n\nFinal answer: attract.", "Equal poles.", 0),
        ("Equal poles. The answer is B.", "Equal poles. The answer is B.", None),
    ],
)
def test_the_seed_s_words_are_known_too(text: str, reasoning: str, choice: int | None) -> None:
    found = take_apart(text, CHOICES, "seed")
    assert found.choice == choice and found.reasoning.removeprefix("**Step-by-step reasoning:**\n") == reasoning


@pytest.mark.parametrize("template", ["studio", "seed"])
def test_without_choices_nothing_is_chosen(template: Template) -> None:
    assert take_apart("The answer is B. Final answer: B", (), template).choice is None
