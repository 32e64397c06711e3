"""CSV files, as rows of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.tables import rows


def read(tmp_path: Path, data: bytes) -> list[tuple[int, list[str]]]:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    return list(rows(path))


def test_the_header_comes_first_and_empty_rows_count(tmp_path: Path) -> None:
    found = read(tmp_path, b"\xef\xbb\xbf Name ,AGE\r\n\r\n Ann ,1\r\n")
    assert found == [(1, ["name", "age"]), (3, [" Ann ", "1"])]
    assert read(tmp_path, b"") == [(1, [])]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_whatever_parts_the_header_parts_the_rows(mark: str, tmp_path: Path) -> None:
    text = f'a{mark}b\n"1,2;3\t4"{mark}"line\nbreak"\n'
    assert read(tmp_path, text.encode())[1:] == [(2, ["1,2;3\t4", "line\nbreak"])]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="not written in UTF-8"):
        read(tmp_path, b"a\n\xff\n")
    with pytest.raises(StudioError, match="no such file"):
        list(rows(tmp_path / "gone.csv"))
    with pytest.raises(StudioError, match="is a directory"):
        list(rows(tmp_path))
