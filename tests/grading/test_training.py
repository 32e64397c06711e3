"""The loop: it ends with files, resumes exactly, stops within a step and holds nothing afterwards."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.gemma.loading import load_gemma3
from studio.grading import lutfiles
from studio.grading.config import OptimizeConfig
from studio.grading.lut import identity
from studio.grading.measuring import MEASUREMENTS
from studio.grading.training import run
from studio.models import ModelManager, ModelSpec

House = Callable[[str], Context]
TERMS = {"image_text", "image_smoothness", "image_regularization", "black_preservation", "lut_smoothness"}


@pytest.fixture
def config(judge_folder: Path, photographs: Path) -> OptimizeConfig:
    return OptimizeConfig(
        prompt="warm golden hour", image_folder=photographs, model_type=str(judge_folder), steps=9, lut_size=9, views=2,
        batch_size=2, learning_rate=0.02,
    )  # fmt: skip


def changed(config: OptimizeConfig, **values: Any) -> OptimizeConfig:
    return OptimizeConfig(**{**config.model_dump(), **values})


def finish(config: OptimizeConfig, context: Context) -> list[Event]:
    return list(run(config, context))


def lut_of(context: Context) -> bytes:
    return next(context.folder.glob("*.cube")).read_bytes()


def test_a_run_leaves_a_lut_a_report_and_pictures(config: OptimizeConfig, house: House) -> None:
    context = house("job")
    events = finish(config, context)
    assert [event.done for event in events if event.metrics][:9] == list(range(1, 10))
    assert set(next(event for event in events if event.done == 5).metrics) >= TERMS | {"margin", "score", "loss"}
    last = events[-1]
    for name in ("before", "after", "sheet", "lut", "report"):
        assert (context.folder / last.artifacts[name]).stat().st_size > 500
    report = json.loads((context.folder / last.artifacts["report"]).read_text())
    names = report["photographs"]
    assert len(names["held_out"]) == 1 and len(names["trained_on"]) == 5
    assert not set(names["held_out"]) & set(names["trained_on"])
    assert report["config"]["prompt"] == config.prompt and report["versions"]["torch"] == torch.__version__
    assert len(report["curves"]["margin"]) == 9 and 0 <= report["best_step"] <= 9
    assert report["judge"]["model_type"] == config.model_type and len(report["judge"]["revision"]) == 64
    assert 0 <= report["scores"]["untouched"]["held_out"] <= 1


def test_training_raises_the_margin_it_is_paid_for(config: OptimizeConfig, house: House) -> None:
    events = finish(changed(config, steps=40, views=1), house("job"))
    margins = [event.metrics["margin"] for event in events if "margin" in event.metrics]
    assert sum(margins[-8:]) / 8 > sum(margins[:8]) / 8 + 0.05


def test_an_event_comes_before_the_judge_is_loaded(config: OptimizeConfig, house: House) -> None:
    context = house("job")
    events = list(itertools.islice(run(config, context), 2))
    assert events[-1].artifacts.keys() >= {"before", "after"} and not context.models.loaded()


@pytest.mark.parametrize("stop_after", [4, 7])
def test_a_resumed_run_equals_an_unbroken_one(config: OptimizeConfig, house: House, stop_after: int) -> None:
    unbroken, broken = house("unbroken"), house("broken")
    finish(config, unbroken)
    running = run(config, broken)
    for event in running:
        if event.done == stop_after:
            break
    running.close()  # type: ignore[attr-defined]
    again = finish(config, broken)
    assert min(event.done for event in again if "margin" in event.metrics) == stop_after + 1
    assert lut_of(broken) == lut_of(unbroken)
    reports = [json.loads(next(each.folder.glob("*.json")).read_text()) for each in (unbroken, broken)]
    assert reports[0] == reports[1]


def test_closing_gives_everything_back(config: OptimizeConfig, house: House) -> None:
    context = house("job")
    running = run(config, context)
    for event in running:
        if event.done == 2:
            break
    assert any(resident.holders for resident in context.models.loaded())
    running.close()  # type: ignore[attr-defined]
    assert not any(resident.holders for resident in context.models.loaded())


def test_a_stopped_run_hands_over_what_it_has(config: OptimizeConfig, house: House) -> None:
    context = house("job")
    running = run(changed(config, steps=60, learning_rate=0.05), context)
    for event in running:
        if event.done == 3:  # before the first measurement is due
            break
    running.close()  # type: ignore[attr-defined]
    table = lutfiles.read(next(context.folder.glob("*.cube"))).table()
    assert (table - identity(9)).abs().max() > 0.01
    report = json.loads(next(context.folder.glob("*.json")).read_text())
    assert report["steps"] == 3 and report["scores"]["final"]["measured_loss"] > 0


def test_seeds_decide_everything(config: OptimizeConfig, house: House) -> None:
    luts = []
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        finish(changed(config, seed=seed, steps=3), house(name))
        luts.append(lut_of(house(name)))
    assert luts[0] == luts[1] != luts[2]


def test_without_the_judge_s_weight_the_lut_stays_the_identity(config: OptimizeConfig, house: House) -> None:
    context = house("job")
    finish(changed(config, image_text_weight=0.0), context)
    table = lutfiles.read(next(context.folder.glob("*.cube"))).table()
    assert (table - identity(9)).abs().max() <= 6e-8


def test_patience_ends_a_run_early(config: OptimizeConfig, house: House) -> None:
    events = finish(changed(config, image_text_weight=0.0, patience=2), house("job"))
    assert events[-1].done == 2 and "lut" in events[-1].artifacts and "early" in events[-1].note


def test_patience_waits_for_a_measurement(config: OptimizeConfig, house: House) -> None:
    events = finish(changed(config, image_text_weight=0.0, steps=90, patience=2), house("job"))
    assert events[-1].done == 90 // MEASUREMENTS


def test_patience_means_the_same_to_a_resumed_run(config: OptimizeConfig, house: House) -> None:
    config = changed(config, image_text_weight=0.0, patience=3)
    running = run(config, house("job"))
    for event in running:
        if event.done == 3:  # the step after which patience ends the run
            break
    running.close()  # type: ignore[attr-defined]
    assert finish(config, house("job"))[-1].done == 3


def test_a_broken_photograph_is_named_and_skipped(config: OptimizeConfig, house: House, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(config.image_folder, folder)
    (folder / "aa-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    context = house("job")
    finish(changed(config, image_folder=folder, steps=1), context)
    report = json.loads(next(context.folder.glob("*.json")).read_text())
    assert "aa-broken.jpg" in report["photographs"]["skipped"]


def test_other_photographs_on_a_resume_are_refused(config: OptimizeConfig, house: House, tmp_path: Path) -> None:
    folder = tmp_path / "photographs"
    shutil.copytree(config.image_folder, folder)
    config = changed(config, image_folder=folder)
    running = run(config, house("job"))
    for event in running:
        if event.done == 2:
            break
    running.close()  # type: ignore[attr-defined]
    Image.new("RGB", (40, 40), "red").save(folder / "chelsea.jpg")
    with pytest.raises(StudioError, match="changed"):
        finish(config, house("job"))


def test_one_photograph_is_enough(config: OptimizeConfig, house: House, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(config.image_folder / "chelsea.jpg", folder)
    context = house("job")
    finish(changed(config, image_folder=folder, steps=2), context)
    report = json.loads(next(context.folder.glob("*.json")).read_text())
    assert report["photographs"]["held_out"] == []
    assert "held_out" not in report["scores"]["final"] and 0 <= report["scores"]["final"]["measured"] <= 1


def test_odd_pictures_beside_real_ones_change_nothing_but_the_count(
    config: OptimizeConfig, house: House, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(config.image_folder, folder / "first")
    shutil.copytree(config.image_folder, folder / "again")
    for size in ((1, 1), (2000, 1)):
        Image.new("RGB", size, "teal").save(folder / f"{size[0]}.png")
    (folder / "raw.heic").write_bytes(b"whatever")
    context = house("job")
    notes = [event.note for event in finish(changed(config, image_folder=folder, steps=1), context)]
    report = json.loads(next(context.folder.glob("*.json")).read_text())["photographs"]
    assert len(report["trained_on"] + report["held_out"]) == 8
    assert {"raw.heic", "again/coffee.jpg"} & set(report["skipped"]) and len(report["skipped"]) == 7
    assert any("raw.heic" in note and "left out 7" in note for note in notes)


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(config: OptimizeConfig, house: House) -> None:
    with pytest.raises(StudioError, match="not a number"):
        finish(changed(config, learning_rate=1.0, steps=3, image_text_weight=100.0), poisoned(house("job")))


def poisoned(context: Context) -> Context:
    """Put a nan into the judge, as a half-precision overflow does."""

    def loader(spec: ModelSpec, device: torch.device) -> Any:
        bundle = load_gemma3(spec, device)
        with torch.no_grad():
            bundle.model.lm_head.weight[:] = float("nan")
        return bundle

    models = ModelManager({"gemma3": loader}, device="cpu", budget=2**31)
    return dataclasses.replace(context, models=models)


def test_no_photograph_at_all_is_a_sentence(config: OptimizeConfig, house: House, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudioError, match="empty"):
        finish(changed(config, image_folder=tmp_path / "empty"), house("job"))


def test_a_place_that_cannot_be_written_is_refused_before_training(
    config: OptimizeConfig, house: House, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudioError, match="cannot be written"):
        next(run(changed(config, output_path=tmp_path / "file" / "look.cube"), house("job")))


@pytest.mark.parametrize(("asked", "written"), [("mine.v1 look", "mine.v1 look.cube"), ("mine.CUBE", "mine.CUBE")])
def test_a_name_keeps_its_points(
    config: OptimizeConfig, house: House, tmp_path: Path, asked: str, written: str
) -> None:
    finish(changed(config, steps=1, output_path=tmp_path / "out" / asked), house("job"))
    assert (tmp_path / "out" / written).is_file()


def test_the_finished_lut_is_copied_to_its_output_path(config: OptimizeConfig, house: House, tmp_path: Path) -> None:
    target = tmp_path / "out" / "mine.cube"
    finish(changed(config, steps=1, output_path=target), house("job"))
    assert lutfiles.read(target).table().shape == (3, 9, 9, 9)
    assert json.loads(target.with_suffix(".json").read_text())["prompt"] == config.prompt
