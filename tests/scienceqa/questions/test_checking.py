"""What makes a record a question, and what is wrong with the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.scienceqa.questions.checking import Raw, check, split_in, split_of
from studio.scienceqa.questions.pictures import Folder
from studio.scienceqa.questions.record import Question, Unusable
from tests.scienceqa.questions.samples import encoded

FIELDS = {"question": " Which? ", "choices": ["a", " b "], "answer": 1, "hint": None, "grade": "grade3"}


def made(changes: dict[str, Any], pid: object = "1", split: str = "", image: object = None) -> Question:
    return check(Raw("row 7", pid, FIELDS | changes, split, image), "train", Folder(Path("gone")))


def test_a_record_becomes_a_question() -> None:
    question = made({}, pid=12, split="val")
    assert question == Question("12", "val", "Which?", ("a", "b"), 1, grade="grade3")
    assert made({}).split == "train", "a record that says no split is of the one that is asked for"
    assert made({"answer": None}).answer is None
    assert made({"choices": [], "answer": None}) == made({"choices": None, "answer": None})
    assert made({}, image=encoded()).image == encoded()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"question": None}, "It has no question"),
        ({"question": "  "}, "It has no question"),
        ({"question": ["Which?"]}, "Its question is not text"),
        ({"question": "x" * 20_001}, "Its question has 20,001 characters, and 20,000 are allowed"),
        ({"question": "half \ud83d"}, "half of a character"),
        ({"hint": 3}, "Its hint is not text"),
        ({"solution": "x" * 20_001}, "Its solution has 20,001"),
        ({"choices": "a;b"}, "Its choices are no list"),
        ({"choices": {"a": "b"}}, "Its choices are no list"),
        ({"choices": ["a"]}, "It has 1 choice; there must be 2 to 10"),
        ({"choices": ["a"] * 11}, "It has 11 choices"),
        ({"choices": ["a", 2]}, "Its choice B is not text"),
        ({"choices": ["a", None]}, "Its choice B is empty"),
        ({"choices": ["a", " "]}, "Its choice B is empty"),
        ({"answer": 2}, "Its answer is choice 2, counted from 0, and it has 2 choices"),
        ({"answer": -1}, "Its answer is choice -1"),
        ({"answer": "B"}, "Its answer is not the index"),
        ({"answer": True}, "Its answer is not the index"),
        ({"answer": 1.0}, "Its answer is not the index"),
        ({"choices": None, "answer": 0}, "Its answer is choice 0, counted from 0, and it has 0 choices"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        made(changes)


@pytest.mark.parametrize("pid", [None, "", " ", True, 1.5, ["1"]])
def test_what_has_no_id_is_named_by_its_place(pid: object) -> None:
    with pytest.raises(Unusable, match="It has no id"):
        made({}, pid)
    assert pid is True or Raw("row 7", pid, FIELDS).name == "row 7"


@pytest.mark.parametrize("pid", ["x" * 201, "a\nb", "a\0b"])
def test_ids_can_be_shown(pid: str) -> None:
    with pytest.raises(Unusable, match="Its id"):
        made({}, pid)


@pytest.mark.parametrize("image", [3, ["a.png"], {"bytes": b""}, ("a.png", 3)])
def test_a_picture_is_a_name_or_bytes(image: object) -> None:
    with pytest.raises(Unusable, match="Its image is not the name of a file"):
        made({}, image=image)


def test_an_unknown_split_and_known_trouble_are_told() -> None:
    with pytest.raises(Unusable, match="Its split 'minival' is none of train, val, test"):
        made({}, split="minival")
    with pytest.raises(Unusable, match="as I said"):
        check(Raw("row 1", "1", FIELDS, trouble=Unusable("as I said")), "train", Folder(Path()))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00001-1028f23e353fbe3e", "train"),
        ("validation-00000-of-00001", "val"),
        ("llava_test_CQM-A", "test"),
        ("scienceqa_minival_QCM", ""),
        ("latest", ""),
        ("my training", "train"),
        ("DEV", "val"),
    ],
)
def test_a_file_s_name_says_its_split(name: str, split: str) -> None:
    assert split_in(name) == split


def test_words_for_splits() -> None:
    assert [split_of(word) for word in (" Validation ", "test", "minival", None, 3)] == [
        "val",
        "test",
        "minival",
        "",
        "",
    ]
