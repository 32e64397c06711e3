"""Every rule does what its examples say, and the mistakes that made published labels wrong are not made."""

from __future__ import annotations

import pytest

from studio.embeddings.probing.matching import RULES, Rule, decide
from studio.embeddings.probing.wording import aliases, numbers, says_yes_or_no, stem

EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{one[1]} / {one[2]}" for _, one in EXAMPLES])
def test_a_rule_decides_its_examples_as_it_says(rule: Rule, example: tuple[str, str, str, str]) -> None:
    question, truth, answer, verdict = example
    decision = decide(question, truth, answer)
    assert decision.verdict == verdict
    assert decision.rule == rule.name or (decision.rule == "unsure" and verdict == "unsure")
    assert decision.reason


def test_every_rule_is_explained_and_named_once() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.sentence.endswith(".")
        assert any(decide(*example[:3]).rule == rule.name for example in rule.examples)


@pytest.mark.parametrize(
    ("question", "truth", "answer", "verdict"),
    [
        # what the published labels called no hallucination
        ("Is there a car?", "y, e, s", "No, there is no car", "wrong"),
        ("Is there a dog?", "n, o", "Yes, another dog", "wrong"),
        ("How many fingers are on the hand?", "Six fingers", "five fingers", "wrong"),
        ("What color is the car?", "blue", "red", "wrong"),
        ("How many sharks are in the water?", "There are no sharks", "three sharks", "wrong"),
        ("How many sharks are in the water?", "three sharks", "There are no sharks", "wrong"),
        # and what careful reading asks for
        ("Is the sky clear in this image?", "Yes.", "yes", "right"),
        ("Is there a snowman?", "no", "I know of nothing like that here: no.", "right"),
        ("Are there dogs?", "yes", "There are two dogs on the beach.", "right"),
        ("Is there a dog?", "yes", "I cannot see a dog.", "wrong"),
        ("Is he wearing a hat?", "no", "The man is not wearing a hat.", "right"),
        ("Does the image contain two cats?", "no", "It contains three.", "unsure"),
        ("How many?", "2", "One of them is red; two in all.", "unsure"),
        ("How many cars?", "one", "The one on the left is red.", "unsure"),
        ("Which gate?", "Gate 3", "Platform 3", "unsure"),
        ("Which gate?", "Gate 3", "It is gate 3.", "right"),
        ("What time is it?", "10:30", "It is 10:30 in the morning.", "right"),
        ("What is on the plate?", '["pizza", "a slice of pizza"]', "A slice of pizza!", "right"),
        ("Name the fruit", "apple; red apple", "banana", "unsure"),
        ("What colour is the bus?", "red", "The bus isn't red, it's green.", "wrong"),
        ("Where is the lamp?", "above the table", "below the table", "wrong"),
        ("Is it day or night?", "night", "It is day.", "wrong"),
        ("What is behind the sofa?", "nothing", "A cat", "wrong"),
        ("What is behind the sofa?", "nothing", "Nothing.", "right"),
        ("What shape is it?", "circle", "There are two circles and a square", "unsure"),
    ],
)
def test_hard_answers(question: str, truth: str, answer: str, verdict: str) -> None:
    assert decide(question, truth, answer).verdict == verdict


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("twenty-one", [21]), ("two hundred and five", [205]), ("one thousand two hundred", [1200]),
        ("a dozen eggs", [12]), ("two dozen", [24]), ("1,234.5 and 7", [1234.5, 7]), ("two three", [2, 3]),
        ("at 10:30 on the 3rd", []), ("no one", []), ("another", []), ("one of the one hundred", [1, 100]),
        ("hundred", [100]), ("a single dog", [1]), ("someone", []), ("zero", [0]), ("two and three", [2, 3]),
        ("three million five hundred thousand and two", [3_500_002]),
    ],
)  # fmt: skip
def test_numbers_in_words_and_digits(text: str, found: list[float]) -> None:
    assert numbers(text) == found


def test_yes_and_no_are_words_of_their_own() -> None:
    assert says_yes_or_no("another notable snow", "is there a dog?") is None
    assert says_yes_or_no("the answer is no.", "is there a dog?") is False
    assert says_yes_or_no("certainly yes", "is there a dog?") is True
    assert says_yes_or_no("it's false", "") is False


def test_truths_are_parted_and_words_lose_their_plural() -> None:
    assert aliases('["Yes", 3]') == ["yes", "3"]
    assert aliases("A car|an auto; N, O ") == ["a car", "an auto", "no"]
    assert aliases("[not json") == ["[not json"]
    assert [stem(word) for word in ("boxes", "berries", "glass", "bus", "cats", "gas")] == [
        "box", "berry", "glass", "bus", "cat", "gas",
    ]  # fmt: skip
