"""A run of embeddings in, how well a hallucination can be told from it out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.embeddings.config import ProbeConfig
from studio.errors import StudioError
from studio.jobs import Job
from studio.tasks import presets
from studio.ui import access, embedview, forms, markup, probeview, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.runchooser import RunChooser

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "probe"
BY_HAND = ("run", "labels")
PLOTS = ("heatmap", "roc", "calibration", "coverage")
FILES = {"page": "Report (.html)", "report": "probe.json", "scores": "scores.csv", "best": "Best probe (.safetensors)"}
THUMB = 224  # pixels along the long edge of a mistake's picture
EMPTY = """
<div class="empty lut-empty"><h2>Where does a hallucination show?</h2>
<p>Probes learn to tell, from the vectors of each layer, which answers are hallucinations; no picture is on both sides
of the split. Beside them stand baselines that look at no hidden state at all: only a probe that beats them shows that
the model knows more than its question gives away.</p></div>
"""


class ProbePane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        run: The run chosen; made outside the tabs, as is `job`.
        job: What the browser remembers the job by.
    """

    def __init__(self, studio: Studio, visitor: Component, run: gr.BrowserState, job: gr.BrowserState) -> None:
        self.studio, self.visitor = studio, visitor
        self.presets = presets(TASK)
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._controls(run)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                with gr.Column(elem_classes="stage"):
                    self.empty = markup.html(EMPTY)
                self.follower = Follower(studio, "probe", self._results, self.draw, job=job)
        self.preset.input(self.fill, self.preset, list(self.fields.values()), **PRIVATE)
        values = [self.runs.run, self.runs.path, self.labels, visitor, *self.fields.values()]
        self.start.click(self.submit, values, [self.follower.job, self.message], **PRIVATE)

    def _controls(self, run: gr.BrowserState) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Run</h2>")
            self.runs = RunChooser(self.studio, self.visitor, "probe", run)
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Labels</h2>")
            self.labels = gr.File(
                height=64, show_label=False, elem_id="probe-labels", elem_classes="drop", file_types=[".csv", ".tsv"]
            )
            markup.html(f'<p class="quiet">{markup.escape(ProbeConfig.model_fields["labels"].description)}</p>')
            markup.html(embedview.fold("The rules that make labels", probeview.rules()))
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Probes</h2>")
            self.preset = forms.chips(self.presets, "probe-presets")
            for name in forms.fields(ProbeConfig, advanced=False, leave_out=BY_HAND):
                self._field(name, titles=KINDS) if name == "kinds" else self._field(name, **LABELS.get(name, {}))
        self.start = gr.Button("Start", variant="primary", size="lg", elem_id="probe-start")
        self.message = markup.html(elem_id="probe-said", elem_classes="message")
        with gr.Accordion("More settings", open=False, elem_classes="fold", elem_id="probe-more"):
            for name in forms.fields(ProbeConfig, advanced=True, leave_out=BY_HAND):
                self._field(name)

    def _field(self, name: str, **more: Any) -> None:
        self.fields[name] = forms.component(ProbeConfig, name, elem_id=f"probe-{name}", **more)

    def _results(self) -> list[Component]:
        self.verdict = markup.html(elem_id="probe-verdict")
        with gr.Row(elem_classes="downloads"):
            self.files = [
                gr.DownloadButton(title, visible=False, elem_id=f"probe-{name}", size="md")
                for name, title in FILES.items()
            ]
        self.found = markup.html(elem_id="probe-found")
        return [self.empty, self.verdict, *self.files, self.found]

    def fill(self, name: str) -> list[Any]:
        """Put a preset's values into the form."""
        values = self.presets[name]
        return [values.get(field, gr.skip()) for field in self.fields]

    def submit(self, key: str | None, path: str, labels: str | None, visitor: str, *values: Any) -> tuple[Any, str]:
        """Queue a probing, and return its id and an empty message, or no id and what is wrong."""
        config = {name: value for name, value in zip(self.fields, values, strict=True) if value is not None}
        try:
            config["run"] = self.runs.find(key, path, visitor)
            if labels:
                config["labels"] = uploads.adopt_one(labels, self.studio.settings)
        except StudioError as error:
            return gr.skip(), wrong(error)
        return self.follower.submit(TASK, config, visitor)

    def draw(self, job: Job | None) -> list[Any]:
        """Return what a probing found."""
        if job is None or "report" not in job.artifacts:
            hidden = [gr.DownloadButton(visible=False) for _ in FILES]
            return [gr.HTML(visible=True), "", *hidden, ""]
        paths = {name: job.folder / path for name, path in job.artifacts.items()}
        results = json.loads(paths["report"].read_text("utf-8"))
        plots = {name: paths[name].read_text("utf-8") for name in PLOTS if name in paths}
        files = [
            gr.DownloadButton(value=uploads.serve(paths[name]), visible=True)
            if name in paths else gr.DownloadButton(visible=False)
            for name in FILES
        ]  # fmt: skip
        pictures = dict(self._pictures(results["mistakes"]))
        return [
            gr.HTML(visible=False), probeview.verdict(results), *files, probeview.found(results, plots, pictures)
        ]  # fmt: skip

    def _pictures(self, mistakes: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        """Draw the mistakes' pictures, by path; only those that the visitor may name."""
        from studio.images import load_view

        settings = self.studio.settings
        for path in {one["picture"] for one in mistakes if one["picture"]}:
            try:
                admitted = access.admit_path(Path(path), settings, uploads.own_folders(settings))
                yield path, markup.picture(load_view(admitted, THUMB, self.studio.cache, settings), "")
            except StudioError:
                continue


KINDS = {"both": "Linear probes and MLPs", "linear": "Linear probes", "mlp": "MLPs (512, 256, 128 units)"}
LABELS = {"leaky": {"label": "Show the leaky split too"}}
