"""The LUT pane: a file of any program is shown, told about, and written as another kind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from studio.grading import lutexport, lutfiles
from studio.grading.encodings import conversion_table, described
from studio.jobs import State
from studio.tasks import Studio
from studio.ui import uploads
from studio.ui.lutpane import LutPane
from tests.ui.test_shelf import CUBE, drop, finished

INVERT = "LUT_3D_SIZE 2\n" + "\n".join(f"{1 - r} {1 - g} {1 - b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))


@pytest.fixture
def pane(studio: Studio) -> LutPane:
    async def build() -> LutPane:
        with gr.Blocks(analytics_enabled=False):
            return LutPane(studio, gr.BrowserState(""), gr.BrowserState(""))

    return asyncio.run(build())


def named(pane: LutPane, values: list[object]) -> dict[str, object]:
    names = ("key", "choose", "empty", "slider", "report", "made", "told", "message")
    return dict(zip(names, values, strict=True))


def opened(pane: LutPane, text: str, name: str = "mine.cube", strength: float = 100) -> dict[str, object]:
    return named(pane, pane.take(drop(text, name), None, strength, "")[1:])


def pixels(file: dict[str, str]) -> np.ndarray:
    return np.asarray(Image.open(file["path"]).convert("RGB")).astype(float)


def test_a_dropped_lut_is_shown_with_its_report(pane: LutPane) -> None:
    now = opened(pane, INVERT)
    assert now["message"] == "" and "verdicts" in str(now["report"]) and "<svg" in str(now["report"])
    assert "{" not in str(now["report"])  # gr.HTML would take it for a template
    assert isinstance(now["slider"], gr.ImageSlider)
    before, after = (pixels(file) for file in now["slider"].value)
    assert np.abs(before + after - 255).mean() < 3  # JPEG


def test_strength_is_seen_and_written_alike(pane: LutPane, studio: Studio, tmp_path: Path) -> None:
    now = opened(pane, INVERT)
    slider, *_ = pane.preview(str(now["key"]), None, 50, "")
    assert np.abs(pixels(slider.value[1]) - 127.5).mean() < 2
    made, told, message = pane.export(str(now["key"]), 50, "hald", 0, "")
    assert message == "" and "Download" in made.label and "2 points sampled with 4" in told
    assert np.allclose(lutfiles.read(Path(made.value["path"])).table().numpy(), 0.5, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "words"), [(CUBE.replace("1 1 1", "1 1 x"), "line 9"), ("", "empty"), (CUBE[:38], "rows")]
)
def test_a_broken_lut_is_answered_with_its_line_and_nothing_is_lost(pane: LutPane, text: str, words: str) -> None:
    now = opened(pane, text)
    assert words in str(now["message"]) and now["report"] == ""
    made, _, message = pane.export("", 100, "cube", 0, "")
    assert made.visible is False and "no LUT yet" in message


def test_grading_many_pictures_and_asking_a_judge_are_jobs(pane: LutPane, studio: Studio) -> None:
    key = str(opened(pane, INVERT)["key"])
    job_id, message = pane.work.grade(key, None, str(uploads.EXAMPLES), 70, "")
    job = studio.jobs.get(str(job_id))
    assert (job.task, job.config["strength"], message) == ("apply", 0.7, "")
    job_id, message = pane.work.question(key, None, 100, "film noir", "embedded", "")
    job = studio.jobs.get(str(job_id))
    assert message == "" and job.task == "judge" and Path(job.config["after"]).is_file()
    for wrong, words in ((("", None, "x", 70, ""), "no LUT yet"), ((key, None, " ", 70, ""), "no pictures yet")):
        assert words in pane.work.grade(*wrong)[1]
    assert "say a look in words" in pane.work.question(key, None, 100, " ", "embedded", "")[1]


def test_a_follower_tells_a_job_s_state_once(pane: LutPane, studio: Studio) -> None:
    key = str(opened(pane, INVERT)["key"])
    job_id, _ = pane.work.grade(key, None, str(uploads.EXAMPLES), 70, "")
    seen, status, stop, resume = pane.work.applied.poll(str(job_id), {})
    assert State.QUEUED in status and stop.visible and not resume.visible
    assert pane.work.applied.poll(str(job_id), seen)[1:] == [gr.skip()] * 3
    assert pane.work.applied.cancel(str(job_id))[0].interactive is False
    _, status, stop, resume = pane.work.applied.poll(str(job_id), seen)
    assert State.CANCELLED in status and not stop.visible and resume.visible
    pane.work.applied.go_on(str(job_id))
    assert studio.jobs.get(str(job_id)).state is State.QUEUED
    assert "cannot be resumed" in pane.work.applied.go_on(str(job_id))
    assert pane.work.applied.poll("gone", {})[1] == ""


def test_a_follower_shows_what_a_job_leaves_once_it_is_done(pane: LutPane, studio: Studio) -> None:
    queued, _ = pane.work.grade(str(opened(pane, INVERT)["key"]), None, str(uploads.EXAMPLES), 70, "")
    assert pane.work.applied.show(str(queued), "") == [gr.skip()] * 2
    done = finished(studio, "optimize", out_txt="result")
    drawn, files = pane.work.applied.show(done.id, "")
    assert drawn == done.id and files.visible
    assert pane.work.applied.show(done.id, drawn) == [gr.skip()] * 2
    assert pane.work.applied.show(None, drawn)[1].visible is False


def test_a_lut_for_footage_is_shown_on_the_example_as_such_footage(pane: LutPane, tmp_path: Path) -> None:
    plain = pixels(opened(pane, INVERT)["slider"].value[0])
    conversion = torch.from_numpy(conversion_table("slog3", "srgb", 33))
    lutexport.write(tmp_path / "log.cube", conversion, f"noir ({described('slog3', 'srgb')})")
    before, after = opened(pane, (tmp_path / "log.cube").read_text(), "log.cube")["slider"].value
    assert np.abs(pixels(before) - plain).mean() < 3 and np.abs(pixels(after) - plain).mean() < 3
