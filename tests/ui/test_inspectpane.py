"""The Inspect pane: any .h5 is told about in tables."""

from __future__ import annotations

import asyncio
from pathlib import Path

import gradio as gr
import h5py
import pytest

from studio.embeddings.store.records import Failure
from studio.embeddings.store.writing import Store
from studio.tasks import Studio
from studio.ui import inspectpane
from studio.ui.embed import EmbedTab, Memory
from studio.ui.inspectpane import InspectPane
from tests.embeddings.store.samples import METADATA, batch
from tests.ui.finishing import finish


@pytest.fixture
def pane(studio: Studio) -> InspectPane:
    async def build() -> InspectPane:
        with gr.Blocks(analytics_enabled=False):
            return EmbedTab(studio, gr.BrowserState(""), Memory()).inspect

    return asyncio.run(build())


def looked(pane: InspectPane, path: Path) -> str:
    job_id, message = pane.submit("", str(path), "")
    assert message == ""
    empty, found = pane.draw(finish(pane.studio, pane.studio.jobs.get(str(job_id))))
    assert empty.visible is False and not set("{}$`") & set(found)
    return str(found)


def test_a_run_is_told_about(pane: InspectPane, tmp_path: Path) -> None:
    with Store.open(tmp_path / "run", METADATA) as store:
        store.commit(*batch(0, 6), (Failure(9, "q9", "x.jpg", "There is no picture <b>{x}</b>."),))
    found = looked(pane, tmp_path / "run")
    assert "google/gemma-3-4b-it" in found and "6 × 24" in found and "bfloat16" in found
    assert "There is no picture &lt;b&gt;" in found and "How many cats?" in found
    assert "Measured on the first" not in found


def test_any_other_file_shows_its_tree(pane: InspectPane, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["group/<values>"] = [[1.0, 2.0]]
        file.attrs["who"] = "{somebody}"
    found = looked(pane, tmp_path / "other.h5")
    assert "holds no embeddings" in found and "/group/&lt;values&gt;" in found and "1 × 2" in found
    assert "&#123;somebody&#125;" in found


def test_without_a_file_it_is_said(pane: InspectPane) -> None:
    assert "no run yet" in pane.submit("", " ", "")[1]
    assert pane.draw(None)[0].visible


def test_values_are_written_for_a_person() -> None:
    alike = {"0": "before the final norm", "5": "before the final norm"}
    assert inspectpane._said(alike) == "before the final norm"
    assert (inspectpane._said(None), inspectpane._said(0.123456), inspectpane._said(3)) == ("", "0.1235", "3")
