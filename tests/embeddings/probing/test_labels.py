"""Labels come from the table named, whatever it writes for yes and however it writes ids, else the run, else rules."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from studio.embeddings.probing import labels
from studio.errors import StudioError

QUESTIONS = pd.DataFrame(
    {
        "question_id": ["1", "2", "a/b", "004"],
        "question": ["Is there a dog?", "How many?", "What is it?", "What colour?"],
        "ground_truth_answer": ["no", "six", "sofa", "red"],
        "answer": ["Yes, another dog.", "6", "a couch", "blue"],
    }
)


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_without_anything_else_they_are_made_by_rules_with_a_reason_each() -> None:
    found = labels.find(QUESTIONS, None)
    assert found.values.tolist() == [1, 0, -1, 1]
    assert found.rules == ["yes or no", "number", "unsure", "another of its kind"]
    assert found.reasons[1] == "both say 6" and found.reasons[2] == "no rule can decide"
    assert found.by_rule()["unsure"] == {"hallucination": 0, "right": 0, "unlabelled": 1}


@pytest.mark.parametrize("column", labels.COLUMNS)
@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("True", "FALSE"), ("yes", "No"), ("1.0", "0.0"), (" t ", "f")])
def test_a_table_s_words_for_yes_and_no(tmp_path: Path, column: str, yes: str, no: str) -> None:
    path = table(tmp_path, f"question_id,{column}\n1,{yes}\n2,{no}\na/b,maybe\n004,\n")
    assert labels.find(QUESTIONS, path).values.tolist() == [1, 0, -1, -1]


def test_ids_are_text_and_a_table_in_another_order_with_other_questions_fits(tmp_path: Path) -> None:
    path = table(tmp_path, "﻿Question_ID;note;Label\n004;x;1\n4;y;0\n 1 ;;0\n")
    found = labels.find(QUESTIONS, path)
    assert found.values.tolist() == [0, -1, -1, 1]
    assert found.source == "the column 'label' of labels.csv" and "2 of the run's 4" in found.notes[0]


def test_a_question_labelled_both_ways_stays_unlabelled(tmp_path: Path) -> None:
    found = labels.find(QUESTIONS, table(tmp_path, "question_id,label\n1,1\n1,0\n2,1\na/b,0\n004,0\n"))
    assert found.values.tolist() == [-1, 1, 0, 0] and "both ways" in found.notes[0]


def test_a_column_of_the_run_comes_before_rules_and_after_a_table(tmp_path: Path) -> None:
    own = QUESTIONS.assign(is_hallucinating=["False", "True", "", "True"])
    assert labels.find(own, None).values.tolist() == [0, 1, -1, 1]
    path = table(tmp_path, "question_id,is_hallucinating\n1,1\n")
    assert labels.find(own, path).values.tolist() == [1, -1, -1, -1]
    assert labels.find(own, None).source == "the run's column 'is_hallucinating'"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question_id,label\n7,1\n8,0\n", "knows none of the run's questions: it has the ids '7', '8', the run"),
        ("id,label\n1,1\n", "no column 'question_id'.*It has: id, label"),
        ("question_id,hallucination\n1,1\n", "no column 'is_hallucinating or"),
        ("question_id,label\n1,perhaps\n", "no label that can be read in its column 'label'"),
        ("", "cannot be read"),
        ('question_id,label\n1,"2', "cannot be read"),
    ],
)
def test_a_table_that_does_not_serve_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(StudioError, match=reason):
        labels.find(QUESTIONS, table(tmp_path, text))


def test_a_table_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"question_id,label\n1,\xff\xfe\n")
    with pytest.raises(StudioError, match="cannot be read"):
        labels.find(QUESTIONS, tmp_path / "labels.csv")
    with pytest.raises(StudioError, match="No such file"):
        labels.find(QUESTIONS, tmp_path / "nowhere.csv")
    with pytest.raises(StudioError, match="'label' holds no label"):
        labels.find(QUESTIONS.assign(label="?"), None)
