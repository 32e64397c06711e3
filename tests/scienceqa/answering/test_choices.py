"""Choices are read as people type them, and what is malformed gets one sentence."""

from __future__ import annotations

import pytest

from studio.errors import StudioError
from studio.scienceqa.answering.choices import parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ()),
        ("  ", ()),
        ("attract; repel", ("attract", "repel")),
        ("attract;repel;", ("attract", "repel")),
        ("A) attract; B) repel", ("attract", "repel")),
        ("(A) attract; (B) repel", ("attract", "repel")),
        ("(a) attract; (b)repel", ("attract", "repel")),
        ("A. attract; B. repel", ("attract", "repel")),
        ('["attract; or not", "repel"]', ("attract; or not", "repel")),
        ("[1, 2.5]", ("1", "2.5")),
        ('["(A) x", "(B) y", "(C) z"]', ("x", "y", "z")),
        ("E. coli; B. subtilis", ("E. coli", "B. subtilis")),
        ("A. africanus; Homo habilis", ("A. africanus", "Homo habilis")),
        ("A) x; y", ("A) x", "y")),
        ("Yes; yes", ("Yes", "yes")),  # 64 of ScienceQA's test questions differ by capitals alone
        ("é; 日本", ("é", "日本")),
        (";".join("abcdefghij"), tuple("abcdefghij")),
    ],
)
def test_choices_are_read(text: str, wanted: tuple[str, ...]) -> None:
    assert parse(text) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("attract", "There is 1 choice, and a question has 2 to 10."),
        (";".join("abcdefghijk"), "There are 11 choices"),
        ("a;;b", "Choice 2 of 3 is empty."),
        (";a", "Choice 1 of 2 is empty."),
        ("a; b; a", "The choice 'a' is there twice."),
        ("B) x; A) y", "lettered B, A, and not A, B"),
        ("[1, 2", "not a JSON list"),
        ('["a", ["b"]]', "neither a text nor a number"),
        ('["a", true]', "neither a text nor a number"),
        ("[]", "There are 0 choices"),
        ('["a", ""]', "Choice 2 of 2 is empty."),
    ],
)
def test_malformed_choices_get_one_sentence(text: str, words: str) -> None:
    with pytest.raises(StudioError) as caught:
        parse(text)
    assert words in caught.value.what and caught.value.todo and "\n" not in str(caught.value)
