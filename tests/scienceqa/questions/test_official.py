"""ScienceQA's official layout, written and read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.scienceqa.questions.official import write
from studio.scienceqa.questions.reading import read
from tests.scienceqa.questions.samples import encoded, question, reasons, save

PROBLEM = {"question": "Which?", "choices": ["a", "b"], "answer": 0, "hint": "", "image": None, "split": "train"}


def saved(folder: Path, problems: object, splits: object = None) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "problems.json").write_text(problems if isinstance(problems, str) else json.dumps(problems))
    if splits is not None:
        (folder / "pid_splits.json").write_text(json.dumps(splits))
    return str(folder)


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


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    questions = [
        question("7", image=encoded("red")),
        question("q-2.b", split="test", question="Größe?", hint="two\nlines"),
        question("3", split="val", choices=(), answer=None, family="", solution="an answer"),
        question("4", answer=None, choices=("same", "same")),
    ]
    list(write(tmp_path, questions))
    found = read(str(tmp_path))
    assert (found.name, found.layout, found.rejected, found.skipped_splits) == (tmp_path.name, "official", (), {})
    picture = tmp_path / "images" / "train" / "7" / "image.png"
    assert found.questions == (question("7", image=picture), *questions[1:])
    assert read(str(tmp_path / "problems.json")) == found
    assert list(write(tmp_path / "copy", found.questions))[-1] == 4
    assert read(str(tmp_path / "copy")).questions[1:] == found.questions[1:]


def test_splits_come_from_their_file(tmp_path: Path) -> None:
    problems = {str(number): PROBLEM for number in range(1, 7)} | {"7": PROBLEM | {"split": None}}
    lists = {"train": ["1", 2, "2", "6"], "val": ["3"], "test": ["4", "6", "9"], "minival": ["3"]}
    found = read(saved(tmp_path, problems, lists))
    assert [(each.pid, each.split) for each in found.questions] == [
        ("1", "train"), ("2", "train"), ("3", "val"), ("4", "test"), ("5", "train")
    ]  # fmt: skip
    assert reasons(found) == {
        "6": "pid_splits.json has it in train and in test.",
        "7": "pid_splits.json does not name it.",
        "9": "pid_splits.json names it, and problems.json does not hold it.",
    }
    only = read(str(tmp_path), splits=("val",))
    assert [each.pid for each in only.questions] == ["3"] and only.skipped_splits == {"train": 4, "test": 2}


def test_without_that_file_each_record_says_its_split(tmp_path: Path) -> None:
    problems = {"1": PROBLEM, "2": PROBLEM | {"split": "validation"}, "3": PROBLEM | {"split": "other"}}
    found = read(saved(tmp_path, problems))
    assert [each.split for each in found.questions] == ["train", "val"]
    assert reasons(found) == {"3": "Its split 'other' is none of train, val, test."}


def test_bad_records_are_told_and_passed_over(tmp_path: Path) -> None:
    save(tmp_path / "images" / "train" / "good" / "image.png")
    save(tmp_path / "elsewhere.png")
    (tmp_path / "images" / "train" / "link").symlink_to(tmp_path)
    problems = {
        "good": PROBLEM | {"image": "image.png"},
        "gone": PROBLEM | {"image": "image.png"},
        "out": PROBLEM | {"image": "../../../elsewhere.png"},
        "link": PROBLEM | {"image": "elsewhere.png"},
        "list": [1],
        "none": None,
        "several": PROBLEM | {"image": ["image.png"]},
        "../../..": PROBLEM | {"image": "elsewhere.png"},
    }
    found = read(saved(tmp_path, problems))
    assert [each.pid for each in found.questions] == ["good"]
    told = reasons(found)
    assert set(told) == set(problems) - {"good"}
    assert told["gone"] == "There is no picture 'train/gone/image.png' in the folder 'images'."
    assert "leads out" in told["out"] and "leads out" in told["link"] and "leads out" in told["../../.."]
    assert told["list"] == "It is no JSON object."
    assert [each.pid for each in found.rejected if each.about == "picture"] == ["gone"]


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    path = save(tmp_path / "pictures" / "train" / "1" / "image.png")
    found = read(saved(tmp_path / "set", {"1": PROBLEM | {"image": "image.png"}}), tmp_path / "pictures")
    assert found.questions[0].image == path


def test_an_id_that_stands_twice_counts_once(tmp_path: Path) -> None:
    one, other = json.dumps(PROBLEM), json.dumps(PROBLEM | {"question": "Another?"})
    found = read(saved(tmp_path, f'{{"1": {one}, "2": {one}, "1": {other}}}'))
    assert [(each.pid, each.question) for each in found.questions] == [("1", "Which?"), ("2", "Which?")]
    assert reasons(found) == {"1": "problems.json holds it more than once; the first counts."}


@pytest.mark.parametrize(
    ("problems", "splits", "words"),
    [
        ("{", None, "problems.json cannot be read as JSON: expecting property name"),
        ("[" * 100_000, None, "problems.json cannot be read as JSON: it is nested too deeply"),
        ('{"1": ' + "9" * 5000 + "}", None, "problems.json cannot be read as JSON: exceeds the limit"),
        ("3", None, "holds neither problems nor conversations"),
        ({}, None, "holds no questions"),
        ({"1": PROBLEM}, ["1"], "pid_splits.json is no object of lists"),
        ({"1": PROBLEM}, {"train": {"1": 1}}, "pid_splits.json is no object of lists"),
        ({"1": PROBLEM}, {"train": [["1"]]}, "pid_splits.json is no object of lists"),
    ],
)
def test_a_broken_set_is_refused(problems: object, splits: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=words):
        read(saved(tmp_path, problems, splits))
