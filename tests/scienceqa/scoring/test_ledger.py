"""Answers on disk count by whole batches, in the order of the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.scienceqa.scoring.ledger import ANSWERS, Ledger, Row

BATCHES: list[list[Row]] = [
    [{"pid": "1", "right": True}, {"pid": "2", "right": False}],
    [{"pid": "3", "right": True}, {"pid": "4 é", "right": True}],
    [{"pid": "5", "right": False}],
]


def work(folder: Path, until: int = 3) -> tuple[Ledger, list[int]]:
    ledger = Ledger(folder, "plan")
    done = []
    for number, batch in enumerate(BATCHES[:until]):
        if not ledger.take([row["pid"] for row in batch]):
            ledger.add(batch)
            done.append(number)
    return ledger, done


def test_what_is_there_is_taken_over_and_the_rest_is_asked(tmp_path: Path) -> None:
    whole = work(tmp_path / "whole")[0]
    assert work(tmp_path / "whole")[1] == [] and whole.rows == [row for batch in BATCHES for row in batch]
    work(tmp_path / "part", until=2)
    ledger, done = work(tmp_path / "part")
    assert done == [2] and ledger.rows == whole.rows
    assert (tmp_path / "part" / ANSWERS).read_bytes() == (tmp_path / "whole" / ANSWERS).read_bytes()


@pytest.mark.parametrize("cut", [1, 5, 25, 40, 70, 100])
def test_a_torn_end_is_asked_again(tmp_path: Path, cut: int) -> None:
    work(tmp_path)
    data = (tmp_path / ANSWERS).read_bytes()
    (tmp_path / ANSWERS).write_bytes(data[:-cut])
    ledger, done = work(tmp_path)
    assert done and done[-1] == 2 and (tmp_path / ANSWERS).read_bytes() == data
    assert [row["pid"] for row in ledger.rows] == ["1", "2", "3", "4 é", "5"]


def test_answers_of_another_order_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / ANSWERS).write_text(json.dumps({"pid": "2"}) + "\n" + json.dumps({"pid": "1"}) + "\n")
    assert work(tmp_path)[1] == [0, 1, 2]


def test_another_plan_is_refused(tmp_path: Path) -> None:
    work(tmp_path)
    with pytest.raises(StudioError, match="changed since this evaluation began"):
        Ledger(tmp_path, "another plan")
