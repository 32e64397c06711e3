"""A set of science questions: what it holds, what is missing, and samples; and drawing a set of one's own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.scienceqa.config import FAMILIES, DataConfig, DrawConfig
from studio.scienceqa.questions.record import LETTERS
from studio.scienceqa.questions.statistics import UNSAID
from studio.scienceqa.scoring import families
from studio.ui import embedview, forms, markup, scienceview, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.sciencechooser import SETS, Chooser

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK, DRAW = "scienceqa-data", "draw-questions"
PREPARING = '<p class="quiet">Getting the questions ready…</p>'
REJECTED = 20  # records that cannot be used, listed; the table has all
GROUPS = {
    "split": "Splits", "subject": "Subjects", "topic": "Topics", "grade": "Grades", "choices": "Choices",
    "answer": "Right letters", "family": "Kinds of picture",
}  # fmt: skip
EMPTY = """
<div class="empty"><h2>What is in a set of questions?</h2>
<p>Counts by subject, topic, grade and choices, what has a picture and what is missing, every record that cannot be used
with its reason, and samples. ScienceQA's own layout, tables, LLaVA's conversations and data sets of the Hub are read;
or draw a set.</p></div>
"""


class DataPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        chosen: The set chosen; made outside the tabs, as are the jobs.
        job: What the browser remembers the look by.
        drawing: And the drawing of a set.
    """

    def __init__(
        self, studio: Studio, visitor: Component, chosen: gr.BrowserState, job: gr.BrowserState,
        drawing: gr.BrowserState,
    ) -> None:  # fmt: skip
        self.studio, self.visitor = studio, visitor
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                with gr.Column(elem_classes="section"):
                    markup.html("<h2>Questions</h2>")
                    self.set = Chooser(studio, visitor, "data-set", chosen, SETS)
                    self.every = forms.component(DataConfig, "open_pictures", elem_id="data-every")
                self.start = gr.Button("Look inside", variant="primary", size="lg", elem_id="data-start")
                self.message = markup.html(elem_id="data-said", elem_classes="message")
                self._draw_a_set(drawing)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                with gr.Column(elem_classes="stage"):
                    self.empty = markup.html(EMPTY)
                    self.run_example = gr.Button(
                        "Look into the example", size="sm", elem_id="data-example", elem_classes="run"
                    )
                self.follower = Follower(studio, "data", self._results, self.draw, job=job)
        self._wire()

    def _draw_a_set(self, drawing: gr.BrowserState) -> None:
        titles = [(families.title(name).capitalize(), name) for name in FAMILIES]
        with gr.Accordion("Draw a set", open=False, elem_classes="fold plain", elem_id="data-draw"):
            self.families = gr.Dropdown(
                titles, multiselect=True, label="Kinds of question", info="None means all.", elem_id="draw-families"
            )
            names = forms.fields(DrawConfig, leave_out=("families",))
            self.fields = {name: forms.component(DrawConfig, name, elem_id=f"draw-{name}") for name in names}
            self.draw_set = gr.Button("Draw them", size="sm", elem_id="draw-start")
            self.drawing = Follower(self.studio, "drawing", list, lambda job: [], job=drawing)

    def _results(self) -> list[Component]:
        self.told = markup.html(elem_id="data-told")
        with gr.Row(elem_classes="downloads"):
            self.rejected = gr.DownloadButton("rejected.csv", visible=False, elem_id="data-rejected", size="md")
        self.found = markup.html(elem_id="data-found")
        return [self.empty, self.run_example, self.told, self.rejected, self.found]

    def _wire(self) -> None:
        started = [self.follower.job, self.message]
        for button, given in ((self.start, self.set.inputs), (self.run_example, [gr.State("drawn"), *self._no_path()])):
            button.click(lambda: PREPARING, None, self.message, **PRIVATE).then(
                self.submit, [*given, self.every], started, **PRIVATE
            )
        drawn = [self.families, self.visitor, *self.fields.values()]
        self.draw_set.click(self.submit_drawing, drawn, [self.drawing.job, self.drawing.status], **PRIVATE)

    def _no_path(self) -> list[Component]:
        return [gr.State(""), self.visitor]

    def submit(self, key: str | None, typed: str, visitor: str, every: bool) -> tuple[Any, str]:
        """Queue a look, and return its id and an empty message, or no id and what is wrong."""
        try:
            data = self.set.find(key, typed, visitor)
        except StudioError as error:
            return gr.skip(), wrong(error)
        return self.follower.submit(TASK, {"data": data, "open_pictures": every}, visitor)

    def submit_drawing(self, kinds: list[str], visitor: str, *values: Any) -> tuple[Any, str]:
        """Queue the drawing of a set; when it is done it stands among those at hand."""
        folder = self.studio.settings.folder("exports") / f"questions-{secrets.token_hex(8)}"
        config = {"families": ",".join(kinds or []), "output_dir": folder}
        return self.drawing.submit(DRAW, config | dict(zip(self.fields, values, strict=True)), visitor)

    def draw(self, job: Job | None) -> list[Any]:
        """Draw what a look found."""
        report = read_report(job)
        if job is None or report is None:
            return [gr.HTML(visible=job is None), gr.Button(visible=job is None), "", gr.DownloadButton(visible=False),
                    ""]  # fmt: skip
        table = job.folder / job.artifacts.get("rejected", "rejected.csv")
        bad = bool(report["rejected"]) and table.is_file()
        csv = gr.DownloadButton(value=uploads.serve(table) if bad else None, visible=bad)
        told = f'<h2 class="verdict-line">{markup.escape(report["summary"])}</h2>'
        groups = dict(report["statistics"]["counts"])
        groups["family"] = {families.title(name): count for name, count in groups["family"].items() if name != UNSAID}
        drawn = scienceview.counts({name: one for name, one in groups.items() if one}, GROUPS)
        drawn += self._samples(job, report)
        return [gr.HTML(visible=False), gr.Button(visible=False), told, csv, drawn + _rejected(report)]

    def _samples(self, job: Job, report: Mapping[str, Any]) -> str:
        drawn = scienceview.cards(self._sample(job, one) for one in report["samples"])
        return f"<section><h2>Samples</h2>{drawn}</section>" if drawn else ""

    def _sample(self, job: Job, one: Mapping[str, Any]) -> str:
        right = LETTERS.find(one["letter"]) if one.get("letter") else None
        inside = scienceview.choices(one["choices"], None, None, right)
        facts = (one[name] for name in ("split", "subject", "topic", "grade"))
        place = job.artifacts.get(one["picture"] or "", "")
        picture = self.picture(job.folder / place) if place else ""
        foot = " · ".join([one["pid"], *(str(fact) for fact in facts if fact)])
        return scienceview.card(picture, one["question"], inside, foot, one["hint"])

    def picture(self, path: Path) -> str:
        """Draw a picture, small; one that is gone is left out."""
        from studio.images import load_view

        try:
            return markup.picture(load_view(path, THUMB, self.studio.cache, self.studio.settings), "")
        except StudioError:
            return ""


THUMB = 360  # pixels along the long edge of a sample's picture


def read_report(job: Job | None) -> dict[str, Any] | None:
    """Return the report of a job, as far as it left one."""
    path = job.folder / job.artifacts["report"] if job and "report" in job.artifacts else None
    if path is None or not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _rejected(report: Mapping[str, Any]) -> str:
    def rows() -> Iterator[tuple[str, str]]:
        for one in report["rejected"][:REJECTED]:
            yield markup.escape(one["pid"]), markup.escape(one["reason"])

    if not report["rejected"]:
        return ""
    count = report["statistics"]["rejected"]
    return embedview.fold(f"{count:,} records that cannot be used", embedview.table(("id", "why"), rows()))
