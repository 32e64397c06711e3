"""Reading a set, whichever layout it comes in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.scienceqa.questions import official, reading
from studio.scienceqa.questions.reading import read
from tests.scienceqa.questions.samples import question, reasons


def saved(folder: Path, *pids: str, **changes: object) -> str:
    list(official.write(folder, [question(pid, **changes) for pid in pids]))
    return str(folder)


def test_a_limit_takes_the_first(tmp_path: Path) -> None:
    data = saved(tmp_path, *map(str, range(10)))
    assert [each.pid for each in read(data, limit=3).questions] == ["0", "1", "2"]
    assert len(read(data, limit=0).questions) == len(read(data, limit=99).questions) == 10


def test_questions_of_no_split_are_of_the_first_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("question\nWhy?\nHow?\n")
    assert {each.split for each in read(str(tmp_path / "mine.csv"), splits=("test", "train")).questions} == {"test"}
    assert {each.split for each in read(str(tmp_path / "mine.csv")).questions} == {"train"}


def test_of_two_with_one_id_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"id": 1, "text": text}) for text in ("Why?", "How?")))
    found = read(str(tmp_path / "a.jsonl"))
    assert [each.question for each in found.questions] == ["Why?"]
    assert reasons(found) == {"1": "Its id is that of another question already."}


def test_paths_are_absolute_and_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "set", "1", image=b"\x89PNG\r\n\x1a\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    expected = tmp_path / "set" / "images" / "train" / "1" / "image.png"
    for data in ("set", "~/set", "./set/problems.json", str(tmp_path / "set")):
        assert read(data).questions[0].image == expected


def test_what_is_no_set_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.txt").write_text("Why?")
    (tmp_path / "empty").mkdir()
    told = {
        "text.txt": "'text.txt' is no set of questions",
        "empty": "holds neither problems.json nor .parquet files",
        "gone.csv": "There is no file or folder",
        "../gone/set": "There is no file or folder",
        "": "holds neither",
    }
    monkeypatch.chdir(tmp_path / "empty")
    for name, words in told.items():
        with pytest.raises(StudioError, match=words):
            read(name if name.startswith("..") else str(tmp_path / (name or "empty")))
    for odd in ("", "a\0b", "x" * 5000, "~nobody-of-that-name/set", "a//b", "a b/c"):
        with pytest.raises(StudioError, match="There is no file or folder"):
            read(odd)
    with pytest.raises(StudioError, match="There is no split 'minival'"):
        read(saved(tmp_path / "set", "1"), splits=("minival",))


def test_there_is_an_end_to_the_number_of_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_RECORDS", 3)
    assert len(read(saved(tmp_path / "three", "1", "2", "3")).questions) == 3
    with pytest.raises(StudioError, match="'four' holds over 3 records"):
        read(saved(tmp_path / "four", "1", "2", "3", "4"))


def test_reading_plain_files_loads_neither_torch_nor_pyarrow(tmp_path: Path) -> None:
    code = (
        "import sys; from studio.scienceqa.questions.reading import read; "
        f"print(len(read({saved(tmp_path, '1', '2')!r}).questions), "
        "{'torch', 'pyarrow', 'gradio', 'transformers', 'huggingface_hub'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["2", "set()"]
