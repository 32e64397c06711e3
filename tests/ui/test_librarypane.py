"""The library pane: looks on a photograph, compared and made."""

from __future__ import annotations

import asyncio

import gradio as gr
import pytest

from studio.tasks import Studio
from studio.ui import shelf, uploads
from studio.ui.librarypane import PAGE, LibraryPane


@pytest.fixture
def pane(studio: Studio) -> LibraryPane:
    async def build() -> LibraryPane:
        with gr.Blocks(analytics_enabled=False):
            return LibraryPane(studio, gr.BrowserState(""))

    return asyncio.run(build())


def test_the_ready_looks_are_drawn_on_a_photograph(pane: LibraryPane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.ui.librarypane.PAGE", 5)
    choose, page, _some, heading, cells, keys, message = pane.draw("ready", 5, None, "")
    ready = shelf.ready()
    assert message == "" and choose.value == "ready" and f"{len(ready)} looks" in heading
    assert keys == [one.key for one in ready[5:10]] and page.value == 5 and page.visible
    assert all(title in caption for (_, caption), title in zip(cells, [one.title for one in ready[5:10]], strict=True))
    assert {shape for picture, _ in cells for shape in [picture.shape[2]]} == {3}
    other = str(uploads.EXAMPLES / "chelsea.jpg")
    again = pane.draw("ready", 5, other, "")[4]
    assert again[0][0].shape != cells[0][0].shape or (again[0][0] != cells[0][0]).any()


def test_a_library_that_is_gone_gives_way_to_the_ready_one(pane: LibraryPane) -> None:
    choose, *_, message = pane.draw("library/gone", 10 * PAGE, None, "")
    assert choose.value == "ready" and message == ""


def test_a_comparison_and_a_new_library_are_jobs(pane: LibraryPane, studio: Studio) -> None:
    keys = [one.key for one in shelf.ready()[:2]]
    job = studio.jobs.get(str(pane.compare(keys, None, "warm", "")[0]))
    assert job.task == "compare" and len(job.config["luts"]) == 2 and job.config["prompt"] == "warm"
    assert "Two or more" in pane.compare(keys[:1], None, "", "")[1]
    values = [field.value for field in pane.fields.values()]
    job_id, message = pane.submit("{warm, cold} city", None, "", "embedded", "", *values)
    job = studio.jobs.get(str(job_id))
    assert message == "" and (job.task, job.config["prompt"]) == ("library", "{warm, cold} city")
    assert "one a line" in pane.submit(" ", None, "", "embedded", "", *values)[1]
