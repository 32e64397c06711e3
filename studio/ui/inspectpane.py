"""A look inside any .h5 file: what it holds, as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.ui import embedview, markup
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.runchooser import RunChooser

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "inspect-h5"
EMPTY = """
<div class="empty lut-empty"><h2>Look inside an .h5 file</h2>
<p>Drop a part of a run, a file of HALP's extractors, or any other HDF5 file: its model, layers, vectors and first rows
are told, and what is wrong with it.</p></div>
"""


class InspectPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        run: The run chosen; made outside the tabs, as is `job`.
        job: What the browser remembers the job by.
    """

    def __init__(self, studio: Studio, visitor: Component, run: gr.BrowserState, job: gr.BrowserState) -> None:
        self.studio = studio
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                with gr.Column(elem_classes="section"):
                    markup.html("<h2>File or run</h2>")
                    self.runs = RunChooser(studio, visitor, "inspect", run)
                self.start = gr.Button("Look inside", variant="primary", size="lg", elem_id="inspect-start")
                self.message = markup.html(elem_id="inspect-said", elem_classes="message")
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                with gr.Column(elem_classes="stage"):
                    self.empty = markup.html(EMPTY)
                self.follower = Follower(studio, "inspect", self._results, self.draw, job=job)
        submit: dict[str, Any] = {
            "fn": self.submit,
            "inputs": [self.runs.run, self.runs.path, visitor],
            "outputs": [self.follower.job, self.message],
            **PRIVATE,
        }
        self.start.click(**submit)
        self.runs.path.submit(**submit)
        for event in (self.runs.chosen, self.runs.dropped):
            event.success(**submit)

    def _results(self) -> list[Component]:
        return [self.empty, markup.html(elem_id="inspect-found")]

    def submit(self, key: str | None, path: str, visitor: str) -> tuple[Any, str]:
        """Queue a look."""
        try:
            file = self.runs.find(key, path, visitor)
        except StudioError as error:
            return gr.skip(), wrong(error)
        return self.follower.submit(TASK, {"file": file}, visitor)

    def draw(self, job: Job | None) -> list[Any]:
        """Return what was found."""
        if job is None or "report" not in job.artifacts:
            return [gr.HTML(visible=True), ""]
        return [gr.HTML(visible=False), drawn(json.loads((job.folder / job.artifacts["report"]).read_text("utf-8")))]


def drawn(report: Mapping[str, Any]) -> str:
    """Draw a report of `studio.embeddings.store.inspecting`."""
    notes = "".join(f"<li>{markup.escape(note)}</li>" for note in report["notes"])
    about = [[markup.escape(name.replace("_", " ")), _said(value)] for name, value in report["about"].items()]
    failures = [[f"{count:,}", markup.escape(reason)] for reason, count in report["failures"].items()]
    attributes = [[markup.escape(name), markup.escape(value)] for name, value in report["attributes"].items()]
    parts = [
        f'<h2 class="verdict-line">{markup.escape(report["summary"])}</h2>',
        f'<ul class="lines">{notes}</ul>' if notes else "",
        _section("About", embedview.table(["", ""], about)) if about else "",
        _section("Vectors", _vectors(report)) if report["vectors"] else "",
        _section("Failed rows", embedview.table(["Rows", "Reason"], failures)) if failures else "",
        _section("First rows", _preview(report)) if report["preview"] else "",
        _section("Contents", _tree(report)) if report["tree"] else "",
        embedview.fold("Attributes", embedview.table(["", ""], attributes, "attributes")) if attributes else "",
    ]
    return "".join(parts)


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{title}</h2>{inside}</section>"


def _vectors(report: Mapping[str, Any]) -> str:
    rows = []
    for one in report["vectors"]:
        least, most, norm = (
            "" if one[name] is None else f"{one[name]:.4g}" for name in ("minimum", "maximum", "mean_norm")
        )
        broken = f'<span class="wrong">{one["not_finite"]:,}</span>' if one["not_finite"] else "0"
        layer = "" if one["layer"] is None else str(one["layer"])
        shape = f"{one['count']:,} × {one['length']:,}"
        name = markup.escape(one["representation"].removesuffix("_representation").replace("_", " "))
        rows.append([name, layer, shape, markup.escape(one["stored"]), least, most, norm, broken])
    first = min(one["measured"] for one in report["vectors"])
    measured = f'<p class="quiet">Measured on the first {first:,} of each.</p>' if first < report["questions"] else ""
    head = ["Vectors", "Layer", "Shape", "Stored as", "Least", "Most", "Mean norm", "Not finite"]
    return embedview.table(head, rows, "figures-table") + measured


def _preview(report: Mapping[str, Any]) -> str:
    names = list(report["preview"][0])
    rows = [[_said(row[name]) for name in names] for row in report["preview"]]
    return embedview.table([name.replace("_", " ") for name in names], rows, "preview")


def _said(value: Any) -> str:
    """Write a value for a person; of layers that are all alike, what they are."""
    if isinstance(value, Mapping) and len(set(map(str, value.values()))) == 1:
        value = next(iter(value.values()))
    if isinstance(value, float):
        value = f"{value:.4g}"
    return "" if value is None else markup.escape(value)


def _tree(report: Mapping[str, Any]) -> str:
    rows = []
    for one in report["tree"]:
        shape = " × ".join(map(str, one["shape"])) if one.get("shape") else ""
        kind, trouble = (markup.escape(text) for text in (one.get("dtype") or one["kind"], one.get("trouble") or ""))
        rows.append([f"<code>{markup.escape(one['path'])}</code>", shape, kind, trouble])
    return embedview.table(["Name", "Shape", "Type", ""], rows)
