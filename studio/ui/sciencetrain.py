"""Questions in, a trained bundle out: the form, and the course of the run while it goes on."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio import charts
from studio.errors import StudioError
from studio.events import Event
from studio.jobs import Job
from studio.scienceqa.config import TrainScienceqaConfig
from studio.tasks import presets
from studio.ui import access, forms, jobpanel, markup, scienceshelf, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.sciencechooser import SETS, STARTS, Chooser
from studio.ui.sciencedata import PREPARING

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "train-scienceqa"
BY_HAND = ("data", "images_dir", "bundle")
TOWERS = ("llm_name", "vision_name")
TITLES = {
    "llm_name": "Language model", "vision_name": "Vision model", "num_train_epochs": "Epochs",
    "per_device_train_batch_size": "Batch (questions)", "gradient_accumulation_steps": "Batches in a step",
    "bf16": "bfloat16", "use_flash_attention_2": "FlashAttention-2", "lora_r": "LoRA rank", "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout", "max_train_samples": "At most (questions)", "eval_steps": "Validate every (steps)",
    "max_eval_samples": "Validate on (questions)",
}  # fmt: skip
POINTS = 200  # of a curve; a longer run is thinned evenly
EMPTY = """
<div class="empty"><h2>Teach a model to read diagrams</h2>
<p>The projector between a CLIP and a Gemma 3 is trained, with low-rank adapters in the language model; both models stay
as they are. Loss and accuracy are drawn while it learns, the best step is kept, and a run that is stopped goes on
exactly where it was.</p></div>
"""


class TrainPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        chosen: The set chosen; made outside the tabs, as are the others.
        start: The model to start from.
        job: What the browser remembers the run by.
    """

    def __init__(
        self, studio: Studio, visitor: Component, chosen: gr.BrowserState, start: gr.BrowserState, job: gr.BrowserState
    ) -> None:
        self.studio, self.visitor = studio, visitor
        self.presets = presets(TASK)
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._controls(chosen, start)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                with gr.Column(elem_classes="stage"):
                    self.empty = markup.html(EMPTY)
                    self.run_example = gr.Button(
                        "Train on drawn questions", size="sm", elem_id="train-example", elem_classes="run"
                    )
                self.follower = Follower(studio, "science-train", self._results, self.draw, look=_look, job=job)
        self._wire()

    def _controls(self, chosen: gr.BrowserState, start: gr.BrowserState) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Questions</h2>")
            self.set = Chooser(self.studio, self.visitor, "train-set", chosen, SETS)
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Start from</h2>")
            self.model = Chooser(self.studio, self.visitor, "train-model", start, STARTS)
            with gr.Column(visible=self.model.choose.value == scienceshelf.NEW) as self.towers:
                for one in TOWERS:
                    self._field(one)
            self.preset = forms.chips(self.presets, "train-presets")
        self.start = gr.Button("Start", variant="primary", size="lg", elem_id="train-start")
        self.message = markup.html(elem_id="train-said", elem_classes="message")
        for title, advanced in (("Settings", False), ("More settings", True)):
            name = "train-more" if advanced else "train-settings"
            with gr.Accordion(title, open=False, elem_classes="fold", elem_id=name):
                for one in forms.fields(TrainScienceqaConfig, advanced=advanced, leave_out=(*BY_HAND, *TOWERS)):
                    self._field(one)

    def _field(self, name: str) -> None:
        titled: dict[str, Any] = {"label": TITLES[name]} if name in TITLES else {}
        self.fields[name] = forms.component(TrainScienceqaConfig, name, elem_id=f"train-{name}", **titled)

    def _results(self) -> list[Component]:
        self.course = markup.html(elem_id="train-course")
        with gr.Row(elem_classes="downloads"):
            self.chat = gr.Button("Chat with it", visible=False, elem_id="train-chat", size="md")
            self.evaluate = gr.Button("Evaluate it", visible=False, elem_id="train-evaluate", size="md")
            self.pack = gr.Button("Bundle (.zip)", visible=False, elem_id="train-pack", size="md")
        self.packed = gr.File(visible=False, show_label=False, interactive=False, elem_id="train-packed")
        return [self.empty, self.run_example, self.course, self.chat, self.evaluate, self.pack, self.packed]

    def _wire(self) -> None:
        values = list(self.fields.values())
        self.preset.input(self.fill, self.preset, values, **PRIVATE)
        started = [self.follower.job, self.message]
        drawn = [gr.State(scienceshelf.DRAWN), gr.State("")]
        for button, questions in ((self.start, self.set.inputs[:2]), (self.run_example, drawn)):
            button.click(lambda: PREPARING, None, self.message, **PRIVATE).then(
                self.submit, [*questions, *self.model.inputs, *values], started, **PRIVATE
            )
        new = self.model.choose
        new.change(lambda key: gr.Column(visible=key == scienceshelf.NEW), new, self.towers, **PRIVATE)
        self.pack.click(self.zip, self.follower.job, self.packed, **PRIVATE)

    def fill(self, name: str) -> list[Any]:
        """Put a preset's values into the form."""
        return [self.presets[name].get(field, gr.skip()) for field in self.fields]

    def submit(
        self, key: str | None, typed: str, start: str | None, folder: str, visitor: str, *values: Any
    ) -> tuple[Any, str]:
        """Queue a training, and return its id and an empty message, or no id and what is wrong."""
        config = {name: value for name, value in zip(self.fields, values, strict=True) if value is not None}
        new = start == scienceshelf.NEW and not folder.strip()
        try:
            config["bundle"] = "" if new else self.model.find(start, folder, visitor)
            for tower in TOWERS if new else ():
                self._admit(str(config.get(tower, "")))
            config["data"] = self.set.find(key, typed, visitor)
        except StudioError as error:
            return gr.skip(), wrong(error)
        config["output_dir"] = self.studio.settings.folder("exports") / f"bundle-{secrets.token_hex(8)}"
        return self.follower.submit(TASK, config, visitor)

    def _admit(self, tower: str) -> None:
        """Let a tower's name pass: a folder of the server only on the machine itself."""
        if not access.is_local(self.studio.settings) and (Path(tower).expanduser().exists() or tower.startswith("/")):
            raise StudioError(f"'{tower}' is a folder of the server.", "Name a model on the Hub.")

    def zip(self, job_id: str) -> gr.File:
        """Pack the bundle for download."""
        folder = scienceshelf.trained(self.follower.find(job_id))
        if folder is None:
            return gr.File(visible=False)
        place = self.studio.settings.folder("exports") / f"packed-{secrets.token_hex(8)}"
        place.mkdir(mode=0o700)
        packed = shutil.make_archive(str(place / "science-bundle"), "zip", folder)
        served = uploads.serve(Path(packed))
        shutil.rmtree(place)
        return gr.File(served, visible=True)

    def draw(self, job: Job | None) -> list[Any]:
        """Draw the course of a run, and offer what it leaves."""
        if job is None:
            hidden = [gr.Button(visible=False)] * 3
            return [gr.HTML(visible=True), gr.Button(visible=True), "", *hidden, gr.File(visible=False)]
        over = job.state.finished and scienceshelf.trained(job) is not None
        offered = [gr.Button(visible=over)] * 3
        drawn = course(self.studio.jobs.events(job.id))
        return [gr.HTML(visible=False), gr.Button(visible=False), drawn, *offered, gr.File(None, visible=False)]


def course(events: Sequence[Event]) -> str:
    """Draw loss and accuracy over the steps, and how fast it goes."""
    total = next((one.total for one in reversed(events) if one.total), 0) or 0
    steps = {one.done: one.metrics for one in events if "loss" in one.metrics}
    looks = {one.done: one.metrics for one in events if "validation_loss" in one.metrics}
    if not total:
        return ""
    loss = [(step / total, numbers.get("smoothed_loss", numbers["loss"])) for step, numbers in steps.items()]
    held = [(step / total, numbers["validation_loss"]) for step, numbers in looks.items()]
    right = [(step / total, numbers["accuracy"]) for step, numbers in looks.items() if "accuracy" in numbers]
    return f'{_gauges(steps, looks)}<div class="figures plots-2">{_losses(loss, held)}{_accuracy(right)}</div>'


Points = list[tuple[float, float]]


def _losses(loss: Points, held: Points) -> str:
    named = {"training questions": (loss, charts.COLOURS[0]), "validation questions": (held, charts.COLOURS[1])}
    lines = {name: (_curve(points), colour) for name, (points, colour) in named.items() if len(points) > 1}
    if not lines:
        return ""
    high = max(max(ys) for (_, ys), _ in lines.values()) * 1.05 or 1.0
    return f"<figure>{charts.chart('Loss', 'share of the steps', 'nats a token', lines, high=high)}</figure>"


def _accuracy(right: Points) -> str:
    if len(right) < 2:
        return ""
    lines = {"validation questions": (_curve(right), charts.COLOURS[0])}
    return f"<figure>{charts.chart('Accuracy', 'share of the steps', 'share right', lines)}</figure>"


def _curve(points: Points) -> charts.Curve:
    """Return the points in their order, thinned evenly to those that can be seen."""
    count = len(points)
    kept = points if count <= POINTS else [points[number * (count - 1) // (POINTS - 1)] for number in range(POINTS)]
    return [x for x, _ in kept], [y for _, y in kept]


def _gauges(steps: dict[int, Any], looks: dict[int, Any]) -> str:
    newest = steps[max(steps)] if steps else {}
    best = max((one["accuracy"] for one in looks.values() if "accuracy" in one), default=None)
    told = {
        "Best accuracy": f"{best:.1%}" if best is not None else "",
        "Loss": f"{newest.get('smoothed_loss', newest['loss']):.3f}" if newest else "",
        "Tokens per second": f"{newest['tokens_per_second']:,.0f}" if "tokens_per_second" in newest else "",
        "Memory": f"{newest['memory']:.1f} GiB" if newest.get("memory") else "",
    }
    drawn = "".join(
        f'<div class="gauge"><div class="line"><span>{name}</span><b>{markup.escape(value)}</b></div></div>'
        for name, value in told.items() if value
    )  # fmt: skip
    return f'<div class="gauges">{drawn}</div>' if drawn else ""


def _look(job: Job | None) -> str:
    return f"{jobpanel.signature(job)} {scienceshelf.trained(job)}" if job else ""
