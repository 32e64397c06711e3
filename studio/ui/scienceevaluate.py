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
from studio.ui.evaluationbrowser import QuestionBrowser
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.sciencechooser import MODELS, SETS, Chooser
from studio.ui.sciencedata import PREPARING, read_report

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "evaluate-scienceqa"
BY_HAND = ("data", "images_dir", "bundle")
FILES = {"page": "Report (.html)", "report": "report.json", "results": "results.json", "answers": "answers.jsonl"}
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
        self.browser = QuestionBrowser(self.studio)
        return [self.empty, self.run_example, self.verdict, *self.files, self.found, *self.browser.outputs]

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
        for one in self.browser.filters:
            one.input(self.browse, [*self.browser.filters, self.follower.job], self.browser.questions, **PRIVATE)

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
            return [*shown, "", *hidden, "", *self.browser.draw(None)]
        paths = [job.folder / job.artifacts[name] for name in FILES if name in job.artifacts]
        files = [gr.DownloadButton(value=uploads.serve(path), visible=True) for path in paths]
        return [
            gr.HTML(visible=False), gr.Button(visible=False), evaluationview.verdict(report), *files,
            evaluationview.tables(report), *self.browser.draw(job),
        ]  # fmt: skip

    def browse(self, which: str, family: str, topic: str, job_id: str) -> str:
        """Draw the questions that are chosen of the evaluation on show."""
        return self.browser.browse(which, family, topic, self.follower.find(job_id))
