"""ScienceQA's official layout, written and read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.scienceqa.questions.official import write
from tests.scienceqa.questions.samples import encoded, question, save


def test_a_set_is_written_as_the_official_one_is(tmp_path: Path) -> None:
    questions = [
        question("1", image=encoded("red")),
        question("q-2.b", split="test", image=save(tmp_path / "elsewhere.jpg", "blue", kind="JPEG")),
        question("3", split="val", choices=(), answer=None, family=""),
    ]
    assert list(write(tmp_path / "set", iter(questions))) == [1, 2, 3]
    problems = json.loads((tmp_path / "set" / "problems.json").read_text())
    assert json.loads((tmp_path / "set" / "pid_splits.json").read_text()) == {
        "train": ["1"], "val": ["3"], "test": ["q-2.b"]
    }  # fmt: skip
    assert list(problems) == ["1", "q-2.b", "3"]
    assert problems["1"]["choices"] == ["repel", "attract"] and problems["1"]["answer"] == 1
    assert [problems[pid]["image"] for pid in problems] == ["image.png", "image.png", None]
    assert problems["1"]["family"] == "attract" and "family" not in problems["3"]
    assert (tmp_path / "set" / "images" / "train" / "1" / "image.png").read_bytes() == encoded("red")
    with Image.open(tmp_path / "set" / "images" / "test" / "q-2.b" / "image.png") as picture:
        assert picture.format == "PNG" and picture.size == (24, 8)
    assert not (tmp_path / "set" / "images" / "val").exists()


def test_problems_are_there_only_when_all_is(tmp_path: Path) -> None:
    writing = write(tmp_path, [question("1", image=encoded()), question("2")])
    assert next(iter(writing)) == 1
    writing.close()  # type: ignore[attr-defined]
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
    assert list(write(tmp_path, [question("1")])) == [1], "and the next attempt is free to go on"


def test_questions_that_are_there_are_replaced_only_when_told(tmp_path: Path) -> None:
    list(write(tmp_path, [question("1"), question("2")]))
    with pytest.raises(StudioError, match="holds questions already"):
        list(write(tmp_path, [question("9")]))
    assert list(json.loads((tmp_path / "problems.json").read_text())) == ["1", "2"]
    list(write(tmp_path, [question("9")], replace=True))
    assert list(json.loads((tmp_path / "problems.json").read_text())) == ["9"]


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        ([question("../1")], "cannot name a folder"),
        ([question("")], "cannot name a folder"),
        ([question("1"), question("1")], "is there twice"),
        ([question("1", split="minival")], "is of no split"),
        ([question("1", image=b"no picture")], "the picture of 1 is not a picture"),
        ([question("1", image=Path("gone.png"))], "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_said(questions: list, words: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=words):
        list(write(tmp_path / "set", questions))
    assert not (tmp_path / "set" / "problems.json").exists()


def test_an_empty_set_can_be_written(tmp_path: Path) -> None:
    assert list(write(tmp_path, [])) == []
    assert json.loads((tmp_path / "problems.json").read_text()) == {}
