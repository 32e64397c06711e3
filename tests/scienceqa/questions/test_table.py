"""Questions in a CSV, as people write them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.scienceqa.questions.reading import read
from studio.scienceqa.questions.record import Question, QuestionSet
from tests.scienceqa.questions.samples import reasons, save


def table(tmp_path: Path, *rows: list[str], name: str = "questions.csv", mark: str = ",") -> QuestionSet:
    with open(tmp_path / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=mark).writerows(rows)
    return read(str(tmp_path / name))


def test_every_column_is_read(tmp_path: Path) -> None:
    path = save(tmp_path / "pictures" / "a.jpg", kind="JPEG")
    texts = ["lecture", "solution", "subject", "topic", "category", "skill", "task", "grade", "family"]
    found = table(
        tmp_path,
        ["PID", "Question", "choices", "answer", "image", "Hint", *texts, "split", "other"],
        ["q1", "Which?", '["a; b", "c"]', "A", "pictures/a.jpg", "Look.", *texts, "test", "x"],
    )
    assert (found.name, found.layout, found.rejected) == ("questions.csv", "csv", ())
    values = {name: name for name in texts}
    assert found.questions == (Question("q1", "test", "Which?", ("a; b", "c"), 0, "Look.", path, **values),)


def test_only_the_question_is_needed(tmp_path: Path) -> None:
    found = table(tmp_path, ["question"], ["Why?"], ["  "], ["How?"])
    assert [(each.pid, each.split, each.choices) for each in found.questions] == [
        ("row-2", "train", ()), ("row-4", "train", ())
    ]  # fmt: skip
    assert reasons(found) == {"row-3": "It has no question."}


def test_the_file_s_name_says_the_split_and_a_row_s_own_counts_more(tmp_path: Path) -> None:
    found = table(tmp_path, ["question", "split"], ["Why?", ""], ["How?", "train"], ["Who?", "all"], name="my-val.csv")
    assert [each.split for each in found.questions] == ["val", "train"]
    assert reasons(found) == {"row-4": "Its split 'all' is none of train, val, test."}
    only = read(str(tmp_path / "my-val.csv"), splits=("test",))
    assert only.questions == () and only.skipped_splits == {"val": 1, "train": 1}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_choices_are_written_in_three_ways(mark: str, tmp_path: Path) -> None:
    header = ["question", "choices", "choice_a", "choice_b", "c", "choice_d"]
    rows = [
        ["Which?", "one; two ;three", "", "", "", ""],
        ["Which?", '["1", 2, 3.50]', "", "", "", ""],
        ["Which?", "", "one", "two", "three", ""],
        ["Which?", "", "one", "", "three", ""],
        ["Which?", "[1, 2", "", "", "", ""],
        ["Which?", "one;two;", "", "", "", ""],
        ["Which?", "[[1, 2]]", "", "", "", ""],
    ]
    found = table(tmp_path, header, *rows, mark=mark)
    expected = [("one", "two", "three"), ("1", "2", "3.50"), ("one", "two", "three")]
    assert [each.choices for each in found.questions] == expected
    assert reasons(found) == {
        "row-5": "Its choice B is empty.",
        "row-6": "Its choices begin with '[' and are no JSON list.",
        "row-7": "Its choice C is empty.",
        "row-8": "It has 1 choice; there must be 2 to 10.",
    }


@pytest.mark.parametrize(
    ("choices", "answer", "index"),
    [
        ("red;blue", "B", 1),
        ("red;blue", "b", 1),
        ("red;blue", "(B)", 1),
        ("red;blue", "B.", 1),
        ("red;blue", "B)", 1),
        ("red;blue", "1", 1),
        ("red;blue", "blue", 1),
        ("red;blue", "", None),
        ("10;20", "20", 1),
        ("A;B", "B", 1),  # letter and text mean the same choice
        ("b;B", "B", 1),
        ("0;1", "1", 1),
    ],
)
def test_an_answer_is_a_letter_an_index_or_a_text(choices: str, answer: str, index: int | None, tmp_path: Path) -> None:
    found = table(tmp_path, ["question", "choices", "answer"], ["Which?", choices, answer])
    assert [each.answer for each in found.questions] == [index]


@pytest.mark.parametrize(
    ("choices", "answer", "reason"),
    [
        ("red;blue", "green", "Its answer 'green' is no letter, index or text of a choice."),
        ("red;blue", "C", "Its answer 'C' is no letter, index or text of a choice."),
        ("red;blue", "2", "Its answer '2' is no letter, index or text of a choice."),
        ("red;blue", "Blue", "Its answer 'Blue' is no letter, index or text of a choice."),
        ("red;blue", "9" * 5000, f"Its answer '{'9' * 60}' is no letter, index or text of a choice."),
        ("3;2;1", "2", "Its answer '2' can mean choice B or C."),
        ("B;A", "A", "Its answer 'A' can mean choice A or B."),
        ("same;same", "same", "Its answer 'same' can mean choice A or B."),
    ],
)
def test_an_answer_that_means_no_choice_or_two_is_refused(
    choices: str, answer: str, reason: str, tmp_path: Path
) -> None:
    found = table(tmp_path, ["question", "choices", "answer"], ["Which?", choices, answer])
    assert reasons(found) == {"row-2": reason}


def test_a_free_question_has_its_answer_as_solution(tmp_path: Path) -> None:
    header = ["question", "answer", "solution", "grade", "context"]
    found = table(tmp_path, header, ["Why?", "Because.", "", "5", "Here."], ["Why?", "So.", "Long.", "", ""])
    assert [each.solution for each in found.questions] == ["Because.", "Long.\nSo."]
    assert (found.questions[0].grade, found.questions[0].hint) == ("grade5", "Here.")


def test_bad_rows_are_told_and_passed_over(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    header = ["id", "question", "image"]
    rows = [["1", "Q?", "a.png"], ["1", "Q?", ""], ["", "Q?", ""], ["4", "Q?", "gone.png"], ["5", "Q?", "../b.png"],
            ["6", "Yes", "", " or no?"], ["7"], [], ["8", "Q?", ""]]  # fmt: skip
    found = table(tmp_path, header, *rows)
    assert [each.pid for each in found.questions] == ["1", "8"]
    assert reasons(found) == {
        "1": "Its id is that of another question already.",
        "row 4": "It has no id.",
        "4": f"There is no picture 'gone.png' in the folder '{tmp_path.name}'.",
        "5": "The picture's name '../b.png' leads out of the folder of pictures.",
        "6": "The row has 4 fields and the header 3; quote texts with commas.",
        "7": "It has no question.",
    }


def test_a_question_that_failed_does_not_take_the_id(tmp_path: Path) -> None:
    found = table(tmp_path, ["id", "question", "image"], ["1", "Q?", "gone.png"], ["1", "Q?", ""])
    assert [each.pid for each in found.questions] == ["1"] and [*reasons(found)] == ["1"]


def test_a_table_needs_a_column_of_questions(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"no column 'question'. Its first row names: id, text"):
        table(tmp_path, ["id", "text"], ["1", "Q?"])
    with pytest.raises(StudioError, match="holds no questions"):
        table(tmp_path, ["question"])
