from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.files import content_hash, draft_of, open_atomic, slug, write_atomic


def test_text_and_bytes_are_written_with_their_folders(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a" / "b" / "text.txt", "grün\n")
    write_atomic(tmp_path / "data.bin", b"\x00\xff")
    assert (tmp_path / "a" / "b" / "text.txt").read_bytes() == "grün\n".encode()
    assert (tmp_path / "data.bin").read_bytes() == b"\x00\xff"


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "x", "one")
    write_atomic(tmp_path / "x", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "two"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_breaks_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    write_atomic(tmp_path / "x", "old")

    def broken(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, step, broken)
    with pytest.raises(OSError, match="no space"):
        write_atomic(tmp_path / "x", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x", "old")]


def test_long_and_foreign_names_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 250, "ü" * 120, "写真 1.json"):
        write_atomic(tmp_path / name, name)
        assert (tmp_path / name).read_text(encoding="utf-8") == name


def test_a_path_counts_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b") == content_hash(b"same") == content_hash("same")
    (tmp_path / "b").write_bytes(b"other")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "b")


def test_boundaries_and_order_count() -> None:
    hashes = {content_hash(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("c", "ab"), ("abc", ""), ()]}
    assert len(hashes) == 6
    assert content_hash() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert all(len(each) == 64 and int(each, 16) >= 0 for each in hashes)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Cinematic Teal & Orange!", "cinematic-teal-orange"),
        ("  noir  ", "noir"),
        ("Crème brûlée", "creme-brulee"),
        ("../../etc/passwd", "etc-passwd"),
        ("写真 の色", "写真-の色"),
        ("___", "untitled"),
        ("", "untitled"),
        ("a\x00b\nc", "a-b-c"),
    ],
)
def test_words_become_file_names(text: str, name: str) -> None:
    assert slug(text) == name


def test_a_name_stays_short_and_has_no_loose_hyphen() -> None:
    assert slug("a" * 47 + " bcd") == "a" * 47
    assert len(slug("写" * 500).encode()) < 255


def test_a_file_written_bit_by_bit_is_whole_or_absent(tmp_path: Path) -> None:
    with open_atomic(tmp_path / "a" / "x") as file:
        file.write(b"one ")
        assert not (tmp_path / "a" / "x").exists()
        file.write(b"two")
    assert (tmp_path / "a" / "x").read_bytes() == b"one two"
    with pytest.raises(RuntimeError), open_atomic(tmp_path / "a" / "x") as file:
        file.write(b"three")
        raise RuntimeError
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "a").iterdir()] == [("x", b"one two")]


def test_a_drafted_folder_takes_the_old_one_s_place_or_leaves_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    with draft_of(folder) as draft:
        (draft / "new").write_text("1")
    with pytest.raises(RuntimeError), draft_of(folder) as draft:
        (draft / "torn").write_text("2")
        raise RuntimeError
    assert [path.name for path in folder.iterdir()] == ["new"] and list(folder.parent.iterdir()) == [folder]
    with draft_of(folder) as draft:
        assert not list(draft.iterdir()) and (folder / "new").is_file()
        (draft / "newer").write_text("3")
    assert [path.name for path in folder.iterdir()] == ["newer"] and list(folder.parent.iterdir()) == [folder]
