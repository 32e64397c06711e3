"""LLaVA's conversations, in the forms that its conversion of ScienceQA writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.scienceqa.questions.reading import read
from studio.scienceqa.questions.record import Question, QuestionSet
from tests.scienceqa.questions.samples import reasons, save


def record(asked: str, answered: str = "The answer is B.", **more: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": answered}]
    return {"id": "1", "conversations": turns, **more}


def one(tmp_path: Path, *records: Any) -> Question:
    found = saved(tmp_path, *records)
    assert not found.rejected, found.rejected
    return found.questions[0]


def saved(tmp_path: Path, *records: Any, name: str = "llava_train_QCM-LEA.json") -> QuestionSet:
    (tmp_path / name).write_text(json.dumps(records))
    return read(str(tmp_path / name))


FORMS = {
    "QCM": "Will they attract?\nContext: Two magnets\nlie there.\nOptions: (A) attract (B) repel\n<image>",
    "CQM": "Context: Two magnets\nlie there.\nQuestion: Will they attract?\nOptions: (A) attract (B) repel",
    "lines": "Will they attract?\nContext: Two magnets\nlie there.\nA. attract\nB. repel",
    "context first": "<image>\nContext: Two magnets\nlie there.\nWill they attract?\nA. attract\nB. repel\n"
    "Answer with the option's letter from the given choices directly.",
    "QCML": "Will they attract?\nContext: Two magnets\nlie there.\nOptions: (A) attract (B) repel\nBECAUSE: Poles.",
    "QCLM": "Will they attract?\nContext: Two magnets\nlie there.\nBECAUSE: Poles.\nOptions: (A) attract (B) repel",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_question_is_taken_apart(form: str, tmp_path: Path) -> None:
    question = one(tmp_path, record(FORMS[form]))
    assert question.question == "Will they attract?"
    assert question.hint == "Two magnets\nlie there."
    assert question.choices == ("attract", "repel")
    assert question.answer == 1
    assert question.solution == ("Poles." if "BECAUSE" in FORMS[form] else "")


@pytest.mark.parametrize(
    ("answered", "index", "lecture", "solution"),
    [
        ("The answer is A.", 0, "", ""),
        ("B", 1, "", ""),
        ("(B)", 1, "", ""),
        ("B. repel", 1, "", ""),
        ("Answer:", None, "", ""),
        ("", None, "", ""),
        ("LECTURE: Poles\nare two.\nSOLUTION: N faces S.\n###\nANSWER: A.", 0, "Poles\nare two.", "N faces S."),
        ("LECTURE: Poles. SOLUTION: N faces S. The answer is A.", 0, "Poles.", "N faces S."),
        ("Poles are two. N faces S. The answer is (A).", 0, "", "Poles are two. N faces S."),
        ("The answer is A. BECAUSE: N faces S.", 0, "", "N faces S."),
        ("SOLUTION: It is so. The answer is A. Truly, the answer is A.", 0, "", "It is so.  Truly, the answer is A."),
    ],
)
def test_every_form_of_an_answer_is_taken_apart(
    answered: str, index: int | None, lecture: str, solution: str, tmp_path: Path
) -> None:
    question = one(tmp_path, record("Which?\nContext: N/A\nOptions: (A) a (B) b", answered))
    assert (question.answer, question.lecture, question.solution) == (index, lecture, solution)
    assert question.hint == ""


@pytest.mark.parametrize(
    ("asked", "choices"),
    [
        ("Q?\nOptions: (A) one (B) two (C) three", ("one", "two", "three")),
        ("Q?\nOptions: (A) see (B) (B) see (C)", ("see", "(B) see (C)")),
        ("Q?\nOptions: (A) plan (A) wins (B) plan(B) wins", ("plan (A) wins", "plan(B) wins")),
        ("Q?\nOptions: (A) two\nlines (B) b", ("two\nlines", "b")),
        ("Q?\nA. one. B. is not next\nB. two\nC. 3", ("one. B. is not next", "two", "3")),
        ("Q?\nA) one\nB) two", ("one", "two")),
    ],
)
def test_choices_follow_one_another(asked: str, choices: tuple[str, ...], tmp_path: Path) -> None:
    question = one(tmp_path, record(asked, ""))
    assert (question.question, question.choices) == ("Q?", choices)


def test_without_choices_it_is_a_free_question(tmp_path: Path) -> None:
    question = one(tmp_path, record("<image>\nWhat is drawn?\nA. Smith drew it.", "Two magnets.\nThey repel."))
    assert (question.question, question.choices) == ("What is drawn?\nA. Smith drew it.", ())
    assert (question.answer, question.solution) == (None, "Two magnets.\nThey repel.")


@pytest.mark.parametrize("place", ["", "train", "images", "images/train"])
def test_pictures_lie_where_llava_s_are(place: str, tmp_path: Path) -> None:
    path = save(tmp_path / place / "7" / "image.png")
    question = one(tmp_path, record(FORMS["QCM"], id=7, image="7/image.png"))
    assert (question.pid, question.split, question.image) == ("7", "train", path)


def test_json_lines_are_read_in_their_forms(tmp_path: Path) -> None:
    lines = [
        {"id": "1", "instruction": FORMS["QCM"], "output": "Poles. The answer is A."},
        {"question_id": 2, "text": FORMS["lines"]},
        record(FORMS["CQM"], id="3", split="val"),
    ]
    text = "\n".join([*map(json.dumps, lines), "", "{broken", "[]"])
    (tmp_path / "scienceqa_test_QCM-LEA.jsonl").write_text(text)
    found = read(str(tmp_path / "scienceqa_test_QCM-LEA.jsonl"))
    assert found.layout == "llava"
    assert [(each.pid, each.split, each.answer) for each in found.questions] == [
        ("1", "test", 0), ("2", "test", None), ("3", "val", 1)
    ]  # fmt: skip
    told = reasons(found)
    assert told["record 6"] == "It is no object." and told["record 5"].startswith("It cannot be read as JSON")


def test_bad_records_are_told_and_passed_over(tmp_path: Path) -> None:
    asked = "Q?\nOptions: (A) a (B) b"
    records = [
        record(asked, id="good"),
        record(asked, "The answer is A. The answer is B.", id="several"),
        record(asked, "I do not know.", id="none"),
        record(asked, "The answer is C.", id="beyond"),
        record("Q?\nOptions: a or b", id="unlettered"),
        record("Options: (A) a (B) b", id="unasked"),
        record(asked, id="gone", image="gone.png"),
        record(asked, id="out", image="../x.png"),
        record(asked, id="list", image=["a.png"]),
        record("x" * 20_001, id="huge"),
        {"id": "turns", "conversations": record(asked)["conversations"] * 2},
        {"id": "roles", "conversations": [{"from": "gpt", "value": "a"}]},
        {"id": "types", "conversations": [{"from": "human", "value": ["a"]}]},
        {"id": "empty", "conversations": []},
        {"id": "nothing"},
        {"conversations": record(asked)["conversations"]},
        record(asked, id="good"),
        "text",
    ]
    found = saved(tmp_path, *records)
    assert [each.pid for each in found.questions] == ["good"]
    assert reasons(found) == {
        "several": "Its answer names several choices.",
        "none": "Its answer names no choice.",
        "beyond": "Its answer is choice 2, counted from 0, and it has 2 choices.",
        "unlettered": "Its options are not (A), (B) and so on.",
        "unasked": "It has no question.",
        "gone": f"There is no picture 'gone.png' in the folder '{tmp_path.name}'.",
        "out": "The picture's name '../x.png' leads out of the folder of pictures.",
        "list": "Its image is not the name of a file.",
        "huge": "A turn has 20,001 characters, and 20,000 are allowed.",
        "turns": "It has 4 turns; a question has one, and its answer another.",
        "roles": "Its conversation is not what human says and gpt answers.",
        "types": "Its conversation is not what human says and gpt answers.",
        "empty": "It has no conversation.",
        "nothing": "Its conversation is not what human says and gpt answers.",
        "record 16": "It has no id.",
        "good": "Its id is that of another question already.",
        "record 18": "It is no object.",
    }


def test_odd_texts_are_no_trouble(tmp_path: Path) -> None:
    asked = ["Q?\nOptions: " + "(A) " * 4000, "Q?\n" + "Context: a\n" * 1800, "Q?\n" + "A. " * 6000]
    found = saved(tmp_path, *(record(text, "Yes.", id=str(number)) for number, text in enumerate(asked)))
    assert [each.pid for each in found.questions] == ["1", "2"]
    assert reasons(found) == {"0": "Its answer names no choice."}
    with pytest.raises(StudioError, match="holds no questions"):
        saved(tmp_path)
