"""The demo writes what it says, the same again for the same seed, and nothing over what is not its own."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from studio.embeddings.scenes.demo import COLUMNS, FEWEST, LICENCE, MOST, PICTURES, TABLE, write_demo
from studio.embeddings.scenes.questions import CATEGORIES
from studio.errors import StudioError
from studio.events import Event
from studio.tasks import find


def write(folder: Path, questions: int = 90, questions_per_image: int = 4, seed: int = 1) -> list[Event]:
    return list(write_demo(folder, questions, questions_per_image, seed))


def read(folder: Path) -> pandas.DataFrame:
    return pandas.read_csv(folder / TABLE, dtype=str, keep_default_na=False)


def test_the_table_names_every_picture_and_every_question_once(tmp_path: Path) -> None:
    write(tmp_path / "demo")
    table = read(tmp_path / "demo")
    assert tuple(table.columns) == COLUMNS and len(table) == 90
    assert table.question_id.is_unique and not table.duplicated(["image_id", "question"]).any()
    assert list(table.groupby("image_id").size()) == [4] * 22 + [2]
    assert sorted(path.name for path in (tmp_path / "demo" / PICTURES).iterdir()) == sorted(set(table.image_id))
    for name in set(table.image_id):
        with Image.open(tmp_path / "demo" / PICTURES / name) as picture:
            assert picture.mode == "RGB" and picture.size == (224, 224)
            assert np.asarray(picture).std() > 2
    assert (table.map(len) > 0).all(axis=None)
    assert set(table["style"]) == {"held-out"} and table.things.astype(int).between(FEWEST, MOST).all()
    assert "CC0" in (tmp_path / "demo" / LICENCE).read_text("utf-8")


def test_every_category_is_asked_and_none_prevails(tmp_path: Path) -> None:
    write(tmp_path, 400)
    counts = Counter(read(tmp_path).category)
    assert set(counts) == set(CATEGORIES) and max(counts.values()) < 0.25 * 400 and min(counts.values()) > 12


def test_the_same_seed_writes_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        write(tmp_path / name, 12, seed=seed)
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for path in (file.relative_to(one) for file in one.rglob("*.*")):
        assert (one / path).read_bytes() == (two / path).read_bytes() != (three / path).read_bytes()


def test_progress_ends_with_the_table_and_stopping_leaves_none(tmp_path: Path) -> None:
    events = write(tmp_path / "whole", 240)
    assert [event.done for event in events] == [25, 50, 60] and {event.total for event in events} == {60}
    assert Path(events[-1].artifacts["table"]) == tmp_path / "whole" / TABLE
    assert Path(events[-1].artifacts["images"]).is_dir()
    write(tmp_path / "stopped", 4, seed=9)
    halfway = write_demo(tmp_path / "stopped", 240, 4, 1)
    next(halfway)
    halfway.close()  # type: ignore[attr-defined]
    assert not (tmp_path / "stopped" / TABLE).exists(), "a table would name pictures of another demo"
    write(tmp_path / "stopped", 240)
    assert (tmp_path / "stopped" / TABLE).read_bytes() == (tmp_path / "whole" / TABLE).read_bytes()


def test_a_table_of_something_else_is_kept(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text("question,answer\nmine,yes\n")
    with pytest.raises(StudioError, match="no demo's"):
        write(tmp_path, 4)
    assert (tmp_path / TABLE).read_text() == "question,answer\nmine,yes\n"
    assert not (tmp_path / PICTURES).exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written"):
        write(tmp_path / "file" / "demo", 4)


def test_the_task_is_light_and_two_thousand_questions_take_seconds(tmp_path: Path) -> None:
    assert find("vqa-demo").lane == "light" and not find("vqa-demo").is_long(find("vqa-demo").config())
    started = time.process_time()
    write(tmp_path, 200)
    assert time.process_time() - started < 3, "a tenth of the demo"
