"""The columns are those of ScienceQA's own evaluate_acc.py, on questions sorted by hand."""

from __future__ import annotations

from pathlib import Path

from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring.columns import COLUMNS, by_column, by_name, is_official_test

NAT, SOC, LAN = "natural science", "social science", "language science"
QUESTIONS = [
    Question("1", "test", "?", subject=NAT, grade="grade6", hint="a hint", image=b"x", topic="physics"),
    Question("2", "test", "?", subject=SOC, grade="grade7", image=Path("x.png"), topic="geography"),
    Question("3", "test", "?", subject=LAN, grade="grade12", topic="verbs"),
    Question("4", "test", "?", subject=NAT, grade="grade1", hint="a hint", topic="physics"),
    Question("5", "test", "?", subject="", grade=""),
]


def test_each_question_counts_in_the_columns_that_are_its_own() -> None:
    found = {name: "".join(one.pid for one in each) for name, each in by_column(QUESTIONS).items()}
    assert found == {
        "NAT": "14", "SOC": "2", "LAN": "3", "TXT": "14", "IMG": "12", "NO": "35", "G1-6": "14", "G7-12": "23",
        "Avg": "12345",
    }  # fmt: skip


def test_the_published_sizes_add_up() -> None:
    size = {column.name: column.published for column in COLUMNS}
    assert size["NAT"] + size["SOC"] + size["LAN"] == size["G1-6"] + size["G7-12"] == size["Avg"] == 4241
    assert size["TXT"] + size["IMG"] + size["NO"] - 1257 == size["Avg"]  # 1,257 have a text and a picture


def test_only_a_set_of_the_published_sizes_is_taken_for_the_official_test() -> None:
    assert not is_official_test(by_column(QUESTIONS))
    fake = {column.name: QUESTIONS[:1] * column.published for column in COLUMNS}
    assert is_official_test(fake)
    fake["SOC"].pop()
    assert not is_official_test(fake)


def test_groups_come_largest_first_and_the_nameless_last() -> None:
    groups = by_name([*QUESTIONS, QUESTIONS[4], QUESTIONS[4]], lambda one: one.topic)
    assert list(groups) == ["physics", "geography", "verbs", ""]
    assert [one.pid for one in groups["physics"]] == ["1", "4"]
