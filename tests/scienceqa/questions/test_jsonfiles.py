"""JSON files of strangers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.scienceqa.questions import jsonfiles


def test_the_first_of_two_keys_counts_and_the_order_stays(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"b": 1, "a": {"x": 1, "x": 2}, "b": 3, "c": 4}')
    found = jsonfiles.load(tmp_path / "a.json")
    assert [*found.items()] == [("b", 1), ("a", {"x": 1}), ("c", 4)]
    assert found.repeated == ("b",) and found["a"].repeated == ("x",)


def test_each_line_is_read_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n\n{"a":\r\n"\xff"\n' + b"[" * 99_999 + b'\n"\xc3\xbc"')
    found = dict(jsonfiles.load_lines(tmp_path / "a.jsonl"))
    assert found[1] == {"a": 1} and found[6] == "ü" and set(found) == {1, 3, 4, 5, 6}
    assert str(found[3]).startswith("It cannot be read as JSON: expecting value")
    assert str(found[4]) == "It cannot be read as JSON: it is not written in UTF-8."
    assert str(found[5]) == "It cannot be read as JSON: it is nested too deeply."


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="no such file"):
        jsonfiles.load(tmp_path / "gone.json")
    with pytest.raises(StudioError, match="is a directory"):
        jsonfiles.load(tmp_path)
    with open(tmp_path / "huge.json", "wb") as file:
        os.truncate(file.fileno(), 2**30 + 1)  # takes no room on the disk
    with pytest.raises(StudioError, match=r"huge.json has 1,024 MiB, and 1,024 MiB are allowed"):
        jsonfiles.load(tmp_path / "huge.json")
