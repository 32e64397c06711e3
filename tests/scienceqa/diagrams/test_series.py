"""Sets of drawn questions: what lies on the disk, the same again for the same seed, and stopping half-way."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.scienceqa.config import FAMILIES, DrawConfig
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.series import LICENCE, run, series
from studio.tasks import find

Make = Callable[[str], Context]


def config(folder: Path, **values: Any) -> DrawConfig:
    return DrawConfig(**{"output_dir": folder, "train": 24, "val": 4, "test": 12, **values})


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


def test_the_official_layout_is_written(tmp_path: Path, house: Make) -> None:
    folder = tmp_path / "set"
    events = list(run(config(folder, train=40), house("one")))
    problems = json.loads((folder / "problems.json").read_text("utf-8"))
    splits = json.loads((folder / "pid_splits.json").read_text("utf-8"))
    assert {split: len(pids) for split, pids in splits.items()} == {"train": 40, "val": 4, "test": 12}
    assert sorted(problems) == sorted(pid for pids in splits.values() for pid in pids) and len(problems) == 56
    for split, pids in splits.items():
        for pid in pids:
            with Image.open(folder / "images" / split / pid / "image.png") as picture:
                assert picture.mode == "RGB" and picture.format == "PNG"
            assert problems[pid]["split"] == split and problems[pid]["image"] == "image.png"
            assert 0 <= problems[pid]["answer"] < len(problems[pid]["choices"]) and problems[pid]["solution"]
    train = [problems[pid]["family"] for pid in splits["train"]]
    assert train[:10] == list(FAMILIES) and all(train.count(family) == 4 for family in FAMILIES)
    assert "CC0" in (folder / LICENCE).read_text("utf-8")
    assert [(event.done, event.total) for event in events] == [(25, 56), (50, 56), (56, 56)]
    assert events[-1].artifacts == {"data": str(folder.resolve())}


def test_a_question_depends_on_its_seed_split_and_family_and_on_nothing_else(tmp_path: Path) -> None:
    few = [question for question in series(config(tmp_path, families="grid,heat")) if question.split == "train"]
    more = [question for question in series(config(tmp_path, families="heat,attract,grid", train=50))]
    for family in ("grid", "heat"):
        one, two = ([(q.question, q.image) for q in found if q.family == family and q.split == "train"][:10]
                    for found in (few, more))  # fmt: skip
        assert one == two and len(set(one)) == 10
    other = [question.image for question in series(config(tmp_path, families="grid,heat", seed=1))]
    assert not {question.image for question in few} & set(other)
    pictures = [question.image for question in more]
    assert len(set(pictures)) == len(pictures)


def test_only_the_split_test_is_drawn_in_the_held_out_style(tmp_path: Path) -> None:
    plain, held_out = (
        list(series(config(tmp_path, train=4, val=4, test=4, style=style))) for style in ("training", "held-out")
    )
    same = [one == two for one, two in zip(plain, held_out, strict=True)]
    assert same == [True] * 8 + [False] * 4
    first = draw("attract", np.random.default_rng((0, 2, 0, 0)), "held-out")
    assert isinstance(held_out[8].image, bytes)
    assert Image.open(io.BytesIO(held_out[8].image)).tobytes() == first.picture.tobytes()


def test_a_stopped_run_leaves_nothing_that_looks_whole_and_goes_on_to_the_same_files(
    tmp_path: Path, house: Make
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    list(run(config(whole), house("one")))
    begun = run(config(broken), house("two"))
    assert isinstance(next(begun), Event)
    begun.close()
    assert not (broken / "problems.json").exists()
    list(run(config(broken), house("two")))
    assert files(broken) == files(whole)
    list(run(config(broken), house("two")))  # killed after the last file, before it was told
    assert files(broken) == files(whole)


def test_questions_of_something_else_are_left_alone(tmp_path: Path, house: Make) -> None:
    list(run(config(tmp_path / "set"), house("one")))
    before = files(tmp_path / "set")
    with pytest.raises(StudioError, match="holds questions already"):
        list(run(config(tmp_path / "set", seed=5), house("two")))
    with pytest.raises(StudioError, match="holds questions already"):
        list(run(config(tmp_path / "set", seed=5), house("two")))
    assert files(tmp_path / "set") == before


def test_nothing_to_draw_and_wrong_families_are_refused_in_a_sentence(tmp_path: Path, house: Make) -> None:
    with pytest.raises(StudioError, match="No question is asked for"):
        list(run(config(tmp_path / "set", train=0, val=0, test=0), house("one")))
    assert not (tmp_path / "set").exists()
    with pytest.raises(StudioError, match="'maps' is not one of attract, membrane"):
        validate(DrawConfig, {"families": "grid,maps"})


def test_only_many_questions_are_a_job() -> None:
    task = find("draw-questions")
    assert task.lane == "light"
    assert not task.is_long(DrawConfig()) and task.is_long(DrawConfig(train=5000))
