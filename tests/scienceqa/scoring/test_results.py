"""Files of answers are read as their own scorers read them, and what cannot be read is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import results

QUESTIONS = [Question(pid, "test", "?", choices, 0) for pid, choices in
             (("7", ("a", "b")), ("8", ("a", "b", "c")), ("9", ("a", "b", "c", "d", "e")))]  # fmt: skip


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    chosen = {"7": 1, "8": None, "9": 4}
    path = tmp_path / "results.json"
    path.write_text(results.official(chosen))
    assert json.loads(path.read_text()) == {"results": {"7": 1, "8": -1, "9": 4}}
    found = results.read(path, QUESTIONS)
    assert found.chosen == chosen and found.notes == ("In 1 answers no choice can be made out; they count as wrong.",)


def test_missing_foreign_and_impossible_answers_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"acc": 12.5, "results": {"7": "1", "8": 3, "77": 0}}))  # a text is taken, as there
    found = results.read(path, QUESTIONS)
    assert found.chosen == {"7": 1, "8": None, "9": None}
    assert [note.split()[0] for note in found.notes] == ["1", "In", "1"]


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("B. to the left", "B"),
        ("B.", None),
        ("B) to the left", None),
        ("Poles differ. The answer is B.", "B"),
        ("The answer is B", None),  # its pattern wants one more letter behind
        ("The answer is B\nor so", None),  # which a new line is not
        ("The answer is A. The answer is B.", None),
        ("The answer is A. The answer is A.", None),
        ("The answer is (B).", None),
        ("LECTURE: The answer is C, as said.", "C"),
        ("G", None),
        ("G. The answer is B.", "B"),
        ("FAILED", None),
        ("", None),
    ],
)
def test_answers_are_parsed_as_llava_s_scorer_parses_them(text: str, letter: str | None) -> None:
    assert results.stated_letter(text) == letter


def test_llava_s_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows: list[dict[str, Any]] = [
        {"question_id": "7", "prompt": "?", "text": "The answer is B."},
        {"question_id": 8, "prompt": "?", "text": "D. no such choice"},
        {"question_id": "9", "prompt": "?", "text": "who knows"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    found = results.read(path, QUESTIONS)
    assert found.chosen == {"7": 1, "8": None, "9": None} and found.notes[0].startswith("In 2 answers")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "{", "not in the official layout"),
        ("a.json", "[1]", "not in the official layout"),
        ("a.json", '{"results": {"7": 0.5}}', "not in the official layout"),
        ("a.json", '{"results": {"7": true}}', "not in the official layout"),
        ("a.json", '{"results": {"1": 0}}', "none of the 3 questions"),
        ("a.jsonl", '{"question_id": "7", "text": "A"}\n{"text": "A"}', "Line 2 of a.jsonl"),
        ("a.jsonl", "", "none of the 3 questions"),
        ("none.json", None, "cannot be read: no such file"),
    ],
)
def test_a_file_that_is_no_result_is_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(StudioError, match=words):
        results.read(tmp_path / name, QUESTIONS)
