"""Questions about pictures in, a run of embeddings out."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.embeddings.config import ExtractConfig
from studio.errors import StudioError
from studio.tasks import presets
from studio.ui import access, embedview, forms, intake, markup, uploads
from studio.ui.extractresult import ExtractResult
from studio.ui.follower import PRIVATE, wrong
from studio.ui.quality import answerers, measured
from studio.ui.runshelf import TASK

if TYPE_CHECKING:
    from studio.embeddings.extraction.table import Question
    from studio.tasks import Studio

BY_HAND = ("vqa_dataset", "images_dir", "model", "retry_failed")
EXAMPLE = {"questions": 600, "questions_per_image": 4, "seed": 7}
TITLES = {"test": "Three questions only", "max_new_tokens": "Longest answer (tokens)"}
NAMED = 5  # rows that cannot be used, listed before the start
Given = dict[str, str]
"""The table and the folder of pictures taken in, as paths."""


class ExtractPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        given: What the browser remembers the table and the pictures by.
        job: What it remembers the run by.
        exported: And the writing of the other layout.
    """

    def __init__(
        self, studio: Studio, visitor: Component, given: Component, job: gr.BrowserState, exported: gr.BrowserState
    ) -> None:
        self.studio, self.visitor, self.given = studio, visitor, given
        self.presets = presets(TASK)
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._questions()
                self._model()
                self.start = gr.Button("Start", variant="primary", size="lg", elem_id="extract-start")
                self.message = markup.html(elem_id="extract-message")
                with gr.Accordion("More settings", open=False, elem_classes="fold", elem_id="extract-more"):
                    for name in forms.fields(ExtractConfig, advanced=True, leave_out=BY_HAND):
                        self._field(name)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                self.result = ExtractResult(studio, visitor, job, exported)
        self.job = self.result.follower.job
        self._wire()

    def _questions(self) -> None:
        local = access.is_local(self.studio.settings)
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Questions and pictures</h2>")
            self.table = gr.File(
                height=64, show_label=False, elem_id="extract-table", elem_classes="drop", file_types=[".csv", ".tsv"]
            )
            self.drop = gr.File(
                file_count="multiple",
                height=64,
                show_label=False,
                elem_id="extract-pictures",
                elem_classes="drop",
                file_types=["image"],
            )
            with gr.Row(elem_classes="pair"):
                self.choose = gr.UploadButton(
                    "Choose a folder", file_count="directory", size="sm", elem_id="extract-choose"
                )
                self.example = gr.Button("Try an example", size="sm", elem_id="extract-example")
            self.table_path = gr.Textbox(
                placeholder="or type the table's path on this machine",
                show_label=False,
                container=False,
                visible=local,
                elem_id="extract-table-path",
            )
            self.folder_path = gr.Textbox(
                placeholder="and the folder of its pictures",
                show_label=False,
                container=False,
                visible=local,
                elem_id="extract-folder-path",
            )
            self.surveyed = markup.html(elem_id="extract-surveyed")
            markup.html(embedview.fold("What the table must hold", TABLE_HELP))

    def _model(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Model</h2>")
            self._field("model", choices=answerers(), show_label=False, info=None, container=False)
            self.advice = markup.html(advice("embedded"), elem_id="extract-advice")
            self.preset = forms.chips(self.presets, "extract-presets")
            for name in forms.fields(ExtractConfig, advanced=False, leave_out=BY_HAND):
                self._field(name, **({"label": TITLES[name]} if name in TITLES else {}))

    def _field(self, name: str, **more: Any) -> None:
        self.fields[name] = forms.component(ExtractConfig, name, elem_id=f"extract-{name}", **more)

    @property
    def taken(self) -> list[Component]:
        """The components that taking something in fills."""
        return [self.given, self.surveyed, self.table, self.drop, self.table_path, self.folder_path]

    @property
    def restored(self) -> list[Component]:
        """The components a reload fills again."""
        return [self.surveyed, *self.fields.values()]

    def _wire(self) -> None:
        table: list[Component] = [self.table, self.given]
        self.table.upload(self.take_table, table, self.taken, **PRIVATE)
        for drop in (self.drop, self.choose):
            drop.upload(self.take_pictures, [drop, self.given], self.taken, **PRIVATE)
        typed = [self.table_path, self.folder_path]
        events = [event for one in typed for event in (one.submit, one.blur)]
        gr.on(events, self.take_paths, [*typed, self.given], self.taken[:2], **PRIVATE)
        self.preset.input(self.fill, self.preset, list(self.fields.values()), **PRIVATE)
        model = self.fields["model"]
        model.change(advice, model, self.advice, **PRIVATE)  # type: ignore[attr-defined]
        values = [*typed, self.given, self.visitor, *self.fields.values()]
        started = [self.job, self.message]
        self.start.click(self.submit, values, started, **PRIVATE)
        for button in (self.example, self.result.run_example):
            button.click(lambda: DRAWING, None, self.surveyed, **PRIVATE).then(
                self.take_example, None, [*self.taken, model], **PRIVATE
            ).then(self.submit, values, started, **PRIVATE)
        self.result.retry.click(self.retry, [self.job, self.visitor], started, **PRIVATE)

    def take_table(self, file: str, given: Given | None) -> list[Any]:
        """Take an uploaded table in."""
        return self._say(given, lambda: {"table": str(uploads.adopt_one(file, self.studio.settings))})

    def take_pictures(self, files: list[str] | str | None, given: Given | None) -> list[Any]:
        """Take uploaded pictures in."""
        several = [files] if isinstance(files, str) else files or []
        return self._say(given, lambda: {"pictures": str(intake.take_pictures(several, self.studio.settings))})

    def take_paths(self, table: str, folder: str, given: Given | None) -> list[Any]:
        """Look at paths of the server that were typed; what was typed stays as it is."""
        if not table.strip() and not folder.strip():
            return [gr.skip(), gr.skip()]
        return self._say(given, lambda: self._typed(table, folder))[:2]

    def take_example(self) -> list[Any]:
        """Take the studio's own questions in, drawn when they are wanted for the first time."""
        from studio.embeddings.scenes.demo import write_demo

        folder = self.studio.settings.folder("uploads") / f"example-{EXAMPLE['questions']}"
        if not (folder / "questions.csv").is_file():
            for _ in write_demo(folder, **EXAMPLE):
                pass
        taken = {"table": str(folder / "questions.csv"), "pictures": str(folder / "images")}
        return [*self._say({}, lambda: taken), "embedded"]

    def _say(self, given: Given | None, take: Callable[[], Given]) -> list[Any]:
        """Take something in and say what there is now, or why not; then what was there stays."""
        try:
            now = {**(given or {}), **take()}
        except StudioError as error:
            return [gr.skip(), wrong(error), None, None, gr.skip(), gr.skip()]
        return [now, self.survey(now), None, None, "", ""]

    def survey(self, given: Given | None) -> str:
        """Say what was taken in: how many questions about how many pictures, and which rows cannot be used."""
        try:
            table, folder = self._source(given or {})
        except StudioError as error:
            return wrong(error)
        if table is None and folder is None:
            return ""
        if table is None:
            return '<p class="quiet">The pictures are here; the table of questions is missing.</p>'
        if folder is None:
            return f'<p class="quiet">{markup.escape(table.name)} is here; its pictures are missing.</p>'
        return self._surveyed(table, folder)

    def _surveyed(self, path: Path, folder: Path) -> str:
        from studio.embeddings.extraction import table

        try:
            good, bad = table.read(path, folder)
        except StudioError as error:
            return wrong(error)
        rows = "".join(f"<li>row {one.row}: {markup.escape(one.reason)}</li>" for one in bad[:NAMED])
        more = f"<li>and {len(bad) - NAMED} more</li>" if len(bad) > NAMED else ""
        left_out = f'<p class="wrong">{embedview.counted(len(bad), "row")} cannot be used; the run goes on without.</p>'
        left_out += f'<ul class="wrong">{rows}{more}</ul>'
        return f'<p class="quiet">{markup.escape(_about(path, good))}</p>' + (left_out if bad else "")

    def _typed(self, table: str, folder: str) -> Given:
        typed = {"table": table.strip(), "pictures": folder.strip()}
        return {name: str(self._admitted(path)) for name, path in typed.items() if path}

    def _admitted(self, path: str) -> Path:
        return access.admit_path(Path(path), self.studio.settings, uploads.own_folders(self.studio.settings))

    def _source(self, given: Given) -> tuple[Path | None, Path | None]:
        """Return the table, and a folder in which its names work."""
        table, folder = (self._admitted(given[name]) if given.get(name) else None for name in ("table", "pictures"))
        uploaded = self.studio.settings.folder("uploads").resolve()
        if table and folder and folder.parent == uploaded:  # taken in from a browser, so without folders
            folder = intake.arrange(table, folder, self.studio.settings)
        return table, folder

    def submit(self, table: str, folder: str, given: Given | None, visitor: str, *values: Any) -> tuple[Any, str]:
        """Queue a run, and return its id and an empty message, or no id and what is wrong.

        Paths that are typed count before what was taken in, since Start may be pressed right after typing.
        """
        config = {name: value for name, value in zip(self.fields, values, strict=True) if value is not None}
        try:
            path, pictures = self._source({**(given or {}), **self._typed(table, folder)})
            if path is None:
                raise StudioError("There is no table of questions yet.", "Drop a CSV, or try the example.")
            if pictures is None:
                raise StudioError("There are no pictures yet.", "Drop those that the table names.")
            config["model"] = access.admit_model(str(config.get("model")), self.studio.settings)
        except StudioError as error:
            return gr.skip(), wrong(error)
        out = self.studio.settings.folder("exports") / f"run-{secrets.token_hex(8)}"
        config |= {"vqa_dataset": path, "images_dir": pictures, "output_dir": out}
        return self.result.follower.submit(TASK, config, visitor)

    def retry(self, job_id: str, visitor: str) -> tuple[Any, str]:
        """Queue the failed rows of the run on show again, in its folder."""
        job = self.result.follower.find(job_id)
        if job is None:
            return gr.skip(), ""
        return self.result.follower.submit(TASK, {**job.config, "retry_failed": True}, visitor)

    def fill(self, name: str) -> list[Any]:
        """Put a preset's values into the form."""
        values = self.presets[name]
        return [values.get(field, gr.skip()) for field in self.fields]

    def restore(self, job_id: str, given: Given | None) -> list[Any]:
        """Fill the form again after a reload, from the run on show."""
        job = self.result.follower.find(job_id)
        config = job.config if job else {}
        return [self.survey(given), *(config.get(name, gr.skip()) for name in self.fields)]


def advice(model: str) -> str:
    """Draw what one should know of a model before choosing it."""
    from studio.gemma import catalog

    name = catalog.EMBEDDED["vqa"] if model == "embedded" else model
    checkpoint = catalog.CHECKPOINTS.get(name)
    words = f"{checkpoint.note} {measured(name)}".strip() if checkpoint else ""
    return f'<p class="quiet">{markup.escape(words)}</p>' if words else ""


def _about(path: Path, questions: list[Question]) -> str:
    pictures = embedview.counted(len({one.image_id for one in questions}), "picture")
    return f"{path.name}: {embedview.counted(len(questions), 'question')} about {pictures}"


DRAWING = '<p class="quiet">Drawing the example…</p>'
TABLE_HELP = """
<p class="quiet">A CSV in UTF-8 whose first row names the columns <code>question_id</code>, <code>image_id</code> (or
<code>image_name</code>), <code>question</code> and <code>answer</code> (or <code>gt_answer</code>, the true one). Other
columns are kept; Probe makes use of <code>category</code>, <code>answer_type</code> and <code>is_hallucinating</code>.
</p>"""
