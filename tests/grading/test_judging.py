from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.context import Context
from studio.errors import StudioError
from studio.gemma import catalog
from studio.gemma.loading import load_gemma3
from studio.grading.config import JudgeConfig
from studio.grading.judges import Gemma3Judge
from studio.grading.judging import run
from tests.checkpoints import save_gemma3

House = Callable[[str], Context]


@pytest.fixture
def pair(photographs: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A photograph, and a warmer one saved without loss."""
    before, after = photographs / "coffee.jpg", tmp_path / "warm.png"
    Image.fromarray((np.asarray(Image.open(before)) * [1.0, 0.9, 0.7]).astype(np.uint8)).save(after)
    return before, after


def test_the_score_is_the_judges_own(pair: tuple[Path, Path], judge_folder: Path, house: House) -> None:
    context = house("job")
    config = JudgeConfig(before=pair[0], after=pair[1], prompt="warm", model_type=str(judge_folder))
    (event,) = run(config, context)
    pictures = [torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None] / 255 for path in pair]
    judge = Gemma3Judge(load_gemma3(catalog.spec(str(judge_folder)), torch.device("cpu")))
    with torch.no_grad():
        wanted = judge.open(pictures[0], ["warm"]).margin(pictures[1], [0], exact=True)
    assert event.done == event.total == 1
    assert event.metrics == {"margin": pytest.approx(wanted.item()), "score": pytest.approx(wanted.sigmoid().item())}
    assert not any(resident.holders for resident in context.models.loaded())


def test_the_embedded_judge_brings_a_second_opinion(
    pair: tuple[Path, Path], judge_folder: Path, house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {"embedded": judge_folder, "embedded_second": save_gemma3(tmp_path / "second", seed=9)}
    for name, folder in folders.items():
        monkeypatch.setitem(catalog.CHECKPOINTS, name, replace(catalog.CHECKPOINTS[name], source=str(folder)))
    (event,) = run(JudgeConfig(before=pair[0], after=pair[1], prompt="warm"), house("job"))
    assert event.metrics.keys() == {"margin", "score", "second_opinion"}
    assert event.metrics["second_opinion"] != event.metrics["score"]


def test_a_missing_picture_is_named(pair: tuple[Path, Path], judge_folder: Path, house: House) -> None:
    config = JudgeConfig(before=pair[0], after=Path("/nowhere.png"), prompt="warm", model_type=str(judge_folder))
    with pytest.raises(StudioError, match=r"/nowhere\.png"):
        list(run(config, house("job")))


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "empty.png", "text.png", "folder"])
def test_a_picture_that_cannot_be_read_is_one_sentence(
    name: str, pair: tuple[Path, Path], judge_folder: Path, house: House, tmp_path: Path
) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder").mkdir()
    config = JudgeConfig(before=pair[0], after=tmp_path / name, prompt="warm", model_type=str(judge_folder))
    with pytest.raises(StudioError, match=name):
        list(run(config, house("job")))
