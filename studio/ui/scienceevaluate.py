"""A model and questions in, how often it is right out: the official columns, and the questions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.scienceqa.config import EvaluateScienceqaConfig
from studio.tasks import presets
from studio.ui import evaluationview, forms, markup, scienceshelf, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.sciencechooser import MODELS, SETS, Chooser
from studio.ui.sciencedata import PREPARING, read_report

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "evaluate-scienceqa"
BY_HAND = ("data", "images_dir", "bundle")
FILES = {"page": "Report (.html)", "report": "report.json", "results": "results.json", "answers": "answers.jsonl"}
SHOWN = 24  # questions drawn at once
THUMB = 300  # pixels along the long edge of a question's picture
EMPTY = """
<div class="empty"><h2>How good is it, really?</h2>
<p>The official columns with their intervals, beside baselines that read nothing and the published figures; the same
questions without their pictures, which shows whether a model looks at them; and every mistake, the surest first.</p>
</div>
"""


class EvaluatePane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        chosen: The set chosen; made outside the tabs, as are the others.
        model: The model chosen.
        job: What the browser remembers the run by.
    """

    def __init__(
        self, studio: Studio, visitor: Component, chosen: gr.BrowserState, model: gr.BrowserState, job: gr.BrowserState
    ) -> None:
        self.studio, self.visitor = studio, visitor
        self.presets = presets(TASK)
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._controls(chosen, model)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                with gr.Column(elem_classes="stage"):
                    self.empty = markup.html(EMPTY)
                    self.run_example = gr.Button(
                        "Evaluate on drawn questions", size="sm", elem_id="evaluate-example", elem_classes="run"
                    )
                self.follower = Follower(studio, "science-evaluate", self._results, self.draw, job=job)
        self._wire()

    def _controls(self, chosen: gr.BrowserState, model: gr.BrowserState) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Model</h2>")
            self.model = Chooser(self.studio, self.visitor, "evaluate-model", model, MODELS)
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Questions</h2>")
            self.set = Chooser(self.studio, self.visitor, "evaluate-set", chosen, SETS)
            self.preset = forms.chips(self.presets, "evaluate-presets")
        self.start = gr.Button("Start", variant="primary", size="lg", elem_id="evaluate-start")
        self.message = markup.html(elem_id="evaluate-said", elem_classes="message")
        for title, advanced in (("Settings", False), ("More settings", True)):
            name = "evaluate-more" if advanced else "evaluate-settings"
            with gr.Accordion(title, open=False, elem_classes="fold", elem_id=name):
                for one in forms.fields(EvaluateScienceqaConfig, advanced=advanced, leave_out=BY_HAND):
                    self.fields[one] = forms.component(EvaluateScienceqaConfig, one, elem_id=f"evaluate-{one}")

    def _results(self) -> list[Component]:
        self.verdict = markup.html(elem_id="evaluate-verdict")
        with gr.Row(elem_classes="downloads"):
            self.files = [
                gr.DownloadButton(title, visible=False, elem_id=f"evaluate-{name}", size="md")
                for name, title in FILES.items()
            ]
        self.found = markup.html(elem_id="evaluate-found")
        self.which = gr.Radio(
            [], show_label=False, container=False, visible=False, elem_classes="chips", elem_id="evaluate-which"
        )
        self.questions = markup.html(elem_id="evaluate-questions")
        return [self.empty, self.run_example, self.verdict, *self.files, self.found, self.which, self.questions]

    def _wire(self) -> None:
        values = list(self.fields.values())
        self.preset.input(
            lambda name: [self.presets[name].get(field, gr.skip()) for field in self.fields], self.preset, values,
            **PRIVATE,
        )  # fmt: skip
        drawn = [gr.State(scienceshelf.DRAWN), gr.State("")]
        for button, questions in ((self.start, self.set.inputs[:2]), (self.run_example, drawn)):
            button.click(lambda: PREPARING, None, self.message, **PRIVATE).then(
                self.submit, [*questions, *self.model.inputs, *values], [self.follower.job, self.message], **PRIVATE
            )
        self.which.input(self.browse, [self.which, self.follower.job], self.questions, **PRIVATE)

    def submit(
        self, key: str | None, typed: str, model: str | None, folder: str, visitor: str, *values: Any
    ) -> tuple[Any, str]:
        """Queue an evaluation, and return its id and an empty message, or no id and what is wrong."""
        config = {name: value for name, value in zip(self.fields, values, strict=True) if value is not None}
        try:
            config["bundle"] = self.model.find(model, folder, visitor)
            config["data"] = self.set.find(key, typed, visitor)
        except StudioError as error:
            return gr.skip(), wrong(error)
        return self.follower.submit(TASK, config, visitor)

    def draw(self, job: Job | None) -> list[Any]:
        """Draw what an evaluation found."""
        report = read_report(job)
        if job is None or report is None:
            hidden = [gr.DownloadButton(visible=False)] * len(FILES)
            shown = [gr.HTML(visible=job is None), gr.Button(visible=job is None)]
            return [*shown, "", *hidden, "", gr.Radio(visible=False), ""]
        paths = [job.folder / job.artifacts[name] for name in FILES if name in job.artifacts]
        files = [gr.DownloadButton(value=uploads.serve(path), visible=True) for path in paths]
        rows = evaluationview.rows(job)
        return [
            gr.HTML(visible=False), gr.Button(visible=False), evaluationview.verdict(report), *files,
            evaluationview.tables(report), gr.Radio(evaluationview.kinds(rows), value="wrong", visible=bool(rows)),
            self.browse("wrong", job.id),
        ]  # fmt: skip

    def browse(self, which: str, job_id: str) -> str:
        """Draw the questions of one kind, mistakes first, the surest of them first."""
        job = self.follower.find(job_id)
        if job is None:
            return ""
        chosen = evaluationview.select(evaluationview.rows(job), which)
        try:
            questions = evaluationview.questions(job, frozenset(row["pid"] for row in chosen[:SHOWN]))
        except StudioError as error:
            return wrong(error)
        return evaluationview.cards(chosen[:SHOWN], len(chosen), questions, self._picture)

    def _picture(self, question: Any) -> str:
        """Draw a question's picture, small; without one, or where it is gone, nothing."""
        import numpy as np

        from studio.scienceqa.questions.pictures import open_picture

        try:
            image = open_picture(question, self.studio.settings)
        except StudioError:
            return ""
        if image is None:
            return ""
        image.thumbnail((THUMB, THUMB))
        return markup.picture(np.asarray(image.convert("RGB")), "")
