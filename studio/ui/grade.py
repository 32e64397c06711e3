"""The Grade tab: photographs and words in, a LUT out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.grading.config import DISPLAYS, LOG_SIZE, OptimizeConfig
from studio.grading.encodings import ENCODINGS
from studio.jobs import Job
from studio.tasks import presets
from studio.ui import access, forms, markup, uploads
from studio.ui.colourtargets import colour_targets
from studio.ui.follower import PRIVATE, Seen, wrong
from studio.ui.graderesult import GradeResult
from studio.ui.jobpanel import ACTIONS, ACTIVE
from studio.ui.looks import nearest
from studio.ui.quality import advice, judges

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "optimize"
EXAMPLE_WORDS = "cinematic teal and orange"
BY_HAND = ("image_folder", "prompt", "model_type", "reference", "palette", "input_encoding")


class GradeTab:
    """The tab's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.

    Attributes:
        job: Id of the job on show; the browser remembers it, so that a reload comes back to it.
    """

    def __init__(self, studio: Studio, visitor: gr.BrowserState) -> None:
        self.studio = studio
        self.visitor = visitor
        self.presets = presets(TASK)
        self.job = gr.BrowserState("", storage_key="studio-grade-job", secret="gemma-studio")
        self.folder = gr.BrowserState("", storage_key="studio-grade-folder", secret="gemma-studio")
        self.seen = gr.State({})
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._photographs()
                self._look()
                self._buttons()
                self._settings()
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                self.result = GradeResult(studio)
        self._wire()

    def _photographs(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Photographs</h2>")
            self.drop = gr.File(
                file_count="multiple", file_types=["image"], height=96, show_label=False, elem_id="photographs"
            )
            with gr.Row(elem_classes="pair"):
                self.choose = gr.UploadButton(
                    "Choose a folder", file_count="directory", size="sm", elem_id="choose-folder"
                )
                self.example = gr.Button("Try an example", size="sm", elem_id="try-example")
            local = access.is_local(self.studio.settings)
            self.path = gr.Textbox(
                placeholder="or type a folder on this machine",
                show_label=False,
                container=False,
                visible=local,
                elem_id="folder-path",
            )
            self.thumbs = gr.Gallery(
                columns=6,
                height=64,
                object_fit="cover",
                show_label=False,
                container=False,
                allow_preview=False,
                interactive=False,
                visible=False,
                buttons=[],
                elem_id="thumbs",
            )
            self.counted = markup.html(elem_id="counted")

    def _look(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Look</h2>")
            self._field(
                "prompt",
                lines=2,
                max_lines=3,
                show_label=False,
                info=None,
                container=False,
                placeholder="Say it in words: cinematic teal and orange",
            )
            self.known = markup.html(elem_id="known-looks")
            self.fields |= colour_targets()
            self.preset = forms.chips(self.presets, "presets")

    def _buttons(self) -> None:
        with gr.Row(elem_classes="buttons"):
            self.start = gr.Button("Start", variant="primary", size="lg", elem_id="start", min_width=120)
            self.stop = gr.Button("Stop", variant="stop", size="lg", elem_id="stop", visible=False, min_width=90)
            self.resume = gr.Button("Resume", size="lg", elem_id="resume", visible=False, min_width=90)
        self.message = markup.html(elem_id="message")

    def _settings(self) -> None:
        for title, advanced in (("Settings", False), ("More settings", True)):
            with gr.Accordion(title, open=False, elem_classes="fold", elem_id=title.lower().replace(" ", "-")):
                if not advanced:
                    self._field("model_type", label="Judge", choices=judges())
                    self.advice = markup.html(advice("embedded"), elem_id="judge-advice")
                    titles = {name: each.title for name, each in ENCODINGS.items()}
                    self._field("input_encoding", label="Photographs are in", titles=titles)
                for name in forms.fields(OptimizeConfig, advanced=advanced, leave_out=BY_HAND):
                    self._field(name)

    def _field(self, name: str, **more: Any) -> None:
        self.fields[name] = forms.component(OptimizeConfig, name, **more)

    def _wire(self) -> None:
        self.taken: list[Component] = [self.folder, self.thumbs, self.counted, self.drop, self.path]
        taken = self.taken
        self.drop.upload(self.take, self.drop, taken, **PRIVATE)
        self.choose.upload(self.take, self.choose, taken, **PRIVATE)
        gr.on([self.path.submit, self.path.blur], self.take_path, self.path, taken[:-1], **PRIVATE)
        words, judge = self.fields["prompt"], self.fields["model_type"]
        read: dict[str, Any] = {"fn": nearest, "inputs": [words, judge], "outputs": self.known, **PRIVATE}
        self.example.click(self.take_example, words, [*taken, words], **PRIVATE).then(**read)
        self.preset.input(self.fill, self.preset, list(self.fields.values()), **PRIVATE).then(**read)
        gr.on([words.blur, judge.change], **read)  # type: ignore[attr-defined]
        judge.change(advice, judge, self.advice, **PRIVATE)  # type: ignore[attr-defined]
        encoding, size = self.fields["input_encoding"], self.fields["lut_size"]
        encoding.input(points, encoding, size, **PRIVATE)  # type: ignore[attr-defined]
        self._wire_job()

    def _wire_job(self) -> None:
        started = [self.job, self.message]
        values = [self.path, self.folder, self.visitor, *self.fields.values()]
        shown: dict[str, Any] = {"fn": self.show, "inputs": [self.job], "outputs": self.shown, **PRIVATE}
        self.start.click(self.submit, values, started, **PRIVATE).then(**shown)
        run_example = self.result.run_example.click(
            self.take_example, self.fields["prompt"], [*self.taken, self.fields["prompt"]], **PRIVATE
        )
        run_example.then(self.submit, values, started, **PRIVATE).then(**shown)
        self.stop.click(self.cancel, self.job, [self.stop, self.message], **PRIVATE)
        self.resume.click(self.go_on, self.job, self.message, **PRIVATE).then(**shown)
        self.job.change(**shown)

    @property
    def restored(self) -> list[Component]:
        """The components a reload fills again."""
        return [*self.taken, *self.fields.values(), *self.shown]

    @property
    def shown(self) -> list[Component]:
        """The components that follow the job."""
        return [self.seen, self.start, self.stop, self.resume, *self.result.components]

    def take(self, files: list[str] | str | None) -> list[Any]:
        """Take uploaded photographs in; bad ones are named and left out."""
        given = [files] if isinstance(files, str) else files or []
        return self._say(lambda: self._pictures(uploads.adopt(given, self.studio.settings)))

    def take_path(self, path: str) -> list[Any]:
        """Take a folder of the server in; what was typed stays as it is."""
        if not path.strip():
            return [gr.skip()] * (len(self.taken) - 1)
        return self._say(lambda: self._pictures(self._admitted(path)))[:-1]

    def take_example(self, words: str) -> list[Any]:
        """Take the example photographs in, and words for them when there are none yet."""
        return [*self._pictures(uploads.EXAMPLES), words or EXAMPLE_WORDS]

    def _pictures(self, folder: Path) -> list[Any]:
        from studio.images import admit_folder, load_view

        pictures, skipped = admit_folder(folder, self.studio.settings)
        shown = [load_view(path, 160, self.studio.cache, self.studio.settings) for path in pictures[:12]]
        count = f"{len(pictures)} photograph{'s' * (len(pictures) != 1)}"
        left_out = "".join(f"<li>{markup.escape(one.path.name)}: {markup.escape(one.reason)}</li>" for one in skipped)
        words = f'<p class="quiet">{count}</p>' + (f'<ul class="wrong">{left_out}</ul>' if left_out else "")
        return [str(folder), gr.Gallery(shown, visible=True), words, None, ""]

    def _say(self, act: Callable[[], list[Any]]) -> list[Any]:
        """Do something, or say under the photographs why not; then there are none."""
        try:
            return act()
        except StudioError as error:
            return ["", gr.Gallery([], visible=False), wrong(error), None, ""]

    def restore(self, job_id: str, folder: str) -> list[Any]:
        """Fill the form again after a reload: from the job on show, and with the photographs taken in before."""
        job = self.find(job_id)
        config = job.config if job else {}
        folder = folder or str(config.get("image_folder", ""))
        nothing = [gr.skip()] * len(self.taken)
        pictures = self._say(lambda: self._pictures(self._admitted(folder))) if folder else nothing
        values = {name: config.get(name, gr.skip()) for name in self.fields}
        reference = config.get("reference")
        values["reference"] = uploads.serve(Path(reference)) if reference and Path(reference).is_file() else None
        return [*pictures, *values.values(), *self.show(job_id)]

    def fill(self, name: str) -> list[Any]:
        """Put a preset's values into the form."""
        values = self.presets[name]
        return [values.get(field, gr.skip()) for field in self.fields]

    def submit(self, path: str, folder: str, visitor: str, *values: Any) -> tuple[Any, str]:
        """Queue a job, and return its id and an empty message, or no id and what is wrong.

        A folder that is typed counts before one taken in, since Start may be pressed right after typing.
        """
        folder = path.strip() or folder
        config = {name: value for name, value in zip(self.fields, values, strict=True) if value is not None}
        try:
            if not folder:
                raise StudioError("There are no photographs yet.", "Drop some, or try the example.")
            config["image_folder"] = self._admitted(folder)
            if "reference" in config:
                config["reference"] = uploads.adopt_one(str(config["reference"]), self.studio.settings)
            config["model_type"] = access.admit_model(str(config.get("model_type")), self.studio.settings)
            job = self.studio.submit(TASK, config, owner=access.owner(visitor))
        except StudioError as error:
            return gr.skip(), wrong(error)
        return job.id, ""

    def _admitted(self, folder: str) -> Path:
        return access.admit_path(Path(folder), self.studio.settings, uploads.own_folders(self.studio.settings))

    def cancel(self, job_id: str) -> tuple[gr.Button, str]:
        """Ask the job on show to stop, and say so until it has."""
        return gr.Button("Stopping…", interactive=False), self._ask(self.studio.jobs.cancel, job_id)

    def go_on(self, job_id: str) -> str:
        """Resume the job on show."""
        return self._ask(self.studio.jobs.resume, job_id)

    def _ask(self, verb: Callable[[str], Job], job_id: str) -> str:
        try:
            verb(job_id)
        except StudioError as error:
            return wrong(error)
        return ""

    def show(self, job_id: str) -> list[Any]:
        """Return every component that follows the job, as it should look now."""
        return self.poll(job_id, {})

    def poll(self, job_id: str, seen: Seen) -> list[Any]:
        """Return what changed of the job since `seen`, which is brought up to date."""
        job = self.find(job_id)
        state = job.state if job else "none"
        changed = seen.get("state") != state
        seen["state"] = state
        return [seen, *(buttons(job) if changed else [gr.skip()] * 3), *self.result.show(job, seen)]

    def find(self, job_id: str) -> Job | None:
        """Return the job on show, or None when there is none any more."""
        try:
            return self.studio.jobs.get(job_id) if job_id else None
        except StudioError:
            return None


def buttons(job: Job | None) -> list[gr.Button]:
    """Return Start, Stop and Resume as a job's state wants them."""
    active = job is not None and job.state in ACTIVE
    offered = ACTIONS[job.state] if job else ()
    return [
        gr.Button("Queue another" if active else "Start", variant="secondary" if active else "primary"),
        gr.Button("Stop", visible="stop" in offered, interactive=True),
        gr.Button(visible="resume" in offered),
    ]


def points(encoding: str) -> int:
    """Return how many points a LUT for an encoding should have; what was set before may suit another."""
    return int(OptimizeConfig.model_fields["lut_size"].default) if encoding in DISPLAYS else LOG_SIZE
