"""What takes longer with the LUT on show: grading many pictures, and asking a judge. Both are jobs."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.ui import access, markup, shelf, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.quality import called, judges

if TYPE_CHECKING:
    from studio.tasks import Studio

MOST = 60  # results offered for download; all lie in the folder that is named


class LutWork:
    """Two folded parts below the controls of a LUT.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        key: The LUT on show.
        photo: The photograph it is shown on.
        strength: Its strength in percent.
    """

    def __init__(
        self, studio: Studio, visitor: Component, key: Component, photo: Component, strength: Component
    ) -> None:
        self.studio = studio
        local = access.is_local(studio.settings)
        with gr.Accordion("Put it on many pictures", open=False, elem_classes="fold plain", elem_id="lut-apply"):
            self.pictures = gr.File(
                file_count="multiple",
                height=96,
                show_label=False,
                elem_id="lut-pictures",
                elem_classes="drop",
                file_types=["image", "video"],
            )
            self.folder = gr.Textbox(
                placeholder="or type a folder on this machine",
                show_label=False,
                container=False,
                visible=local,
                elem_id="lut-folder",
            )
            self.run = gr.Button("Grade them", size="sm", elem_id="lut-run")
            self.applied = Follower(studio, "lut-apply", self._results, self._draw_results)
        with gr.Accordion("Ask a judge", open=False, elem_classes="fold plain", elem_id="lut-judge"):
            self.words = gr.Textbox(placeholder="cinematic teal and orange", label="Look in words", elem_id="lut-words")
            self.judge = gr.Dropdown(judges(), value="embedded", label="Judge", allow_custom_value=True)
            self.ask = gr.Button("Does it believe it?", size="sm", elem_id="lut-ask")
            self.asked = Follower(studio, "lut-judge", lambda: [markup.html(elem_id="lut-answer")], self._draw_answer)
        self.run.click(
            self.grade, [key, self.pictures, self.folder, strength, visitor], [self.applied.job, self.applied.status],
            **PRIVATE,
        )  # fmt: skip
        self.ask.click(
            self.question, [key, photo, strength, self.words, self.judge, visitor],
            [self.asked.job, self.asked.status], **PRIVATE,
        )  # fmt: skip

    def grade(self, key: str, files: list[str] | None, folder: str, strength: float, visitor: str) -> tuple[Any, str]:
        """Queue a run of apply on dropped files or a folder."""
        try:
            found = self._found(key, visitor)
            if folder.strip():
                own = uploads.own_folders(self.studio.settings)
                source = access.admit_path(Path(folder.strip()), self.studio.settings, own)
            elif files:
                source = uploads.adopt(files, self.studio.settings)
            else:
                raise StudioError("There are no pictures yet.", "Drop some, or type a folder.")
        except StudioError as error:
            return gr.skip(), wrong(error)
        out = self.studio.settings.folder("exports") / f"graded-{secrets.token_hex(8)}"
        values = {"lut": found.path, "images": [source], "strength": strength / 100, "output_path": out}
        return self.applied.submit("apply", values, visitor)

    def question(
        self, key: str, photo: str | None, strength: float, words: str, judge: str, visitor: str
    ) -> tuple[Any, str]:
        """Queue a judgement of the photograph on show."""
        from studio.ui.lutpane import example

        try:
            found = self._found(key, visitor)
            before = Path(photo) if photo else example()
            model = access.admit_model(judge, self.studio.settings)
            after = self._graded(found.path, before, strength)
        except StudioError as error:
            return gr.skip(), wrong(error)
        values = {"before": before, "after": after, "prompt": words, "model_type": model}
        return self.asked.submit("judge", values, visitor)

    def _graded(self, lut: Path, photo: Path, strength: float) -> Path:
        from studio.context import Context
        from studio.grading import apply
        from studio.grading.config import ApplyConfig

        folder = self.studio.settings.folder("exports") / f"judged-{secrets.token_hex(8)}"
        config = ApplyConfig(lut=lut, images=(photo,), output_path=folder, strength=strength / 100)
        *_, event = apply.run(config, Context(folder, self.studio.models, self.studio.cache, self.studio.settings))
        return Path(next(iter(event.artifacts.values())))

    def _found(self, key: str, visitor: str) -> shelf.Shelved:
        if not key:
            raise StudioError("There is no LUT yet.", "Drop one, or choose a ready look.")
        return shelf.find(self.studio, visitor, key)

    def _results(self) -> list[Component]:
        return [
            gr.File(visible=False, show_label=False, file_count="multiple", interactive=False, elem_id="lut-results")
        ]

    def _draw_results(self, job: Job | None) -> list[Any]:
        if job is None:
            return [gr.File(visible=False)]
        paths = [job.folder / path for path in job.artifacts.values()]
        return [gr.File([uploads.serve(path) for path in paths[:MOST] if path.is_file()], visible=True)]

    def _draw_answer(self, job: Job | None) -> list[Any]:
        metrics = dict(job.last.metrics) if job and job.last else {}
        if job is None or "score" not in metrics:
            return [""]
        who = called(str(job.config["model_type"]))
        words = f"{who} believes “{job.config['prompt']}” at {metrics['score']:.0%}"
        if "second_opinion" in metrics:
            words += f", a second judge at {metrics['second_opinion']:.0%}"
        return [f"<p>{markup.escape(words[0].upper() + words[1:])}.</p>"]
