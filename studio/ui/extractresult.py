"""The right side of the Extract pane: a run's state, what it holds so far, its answers and its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.ui import embedview, markup, runshelf, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.quality import called, measured

if TYPE_CHECKING:
    from studio.embeddings.store.runs import Run
    from studio.tasks import Studio

THUMB = 112  # pixels along the long edge of a picture in the table
EMPTY = f"""
<div class="empty"><div class="scroll">{embedview.token_layout()}</div>
<h2>See inside a model while it answers</h2>
<p>Give a table of questions and the pictures they are about. A Gemma 3 reads each once; its answer and the vectors
marked above, layer by layer, become HDF5 files that any reader opens. Then Probe shows where in the model a
hallucination can be seen.</p></div>
"""


class ExtractResult:
    """Components that show a run, and how they follow its job.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        job: What the browser remembers the job by.
        exported: And the job that writes the other layout.
    """

    def __init__(self, studio: Studio, visitor: Component, job: gr.BrowserState, exported: gr.BrowserState) -> None:
        self.studio, self.visitor = studio, visitor
        with gr.Column(elem_classes="stage"):
            self.empty = markup.html(EMPTY)
            self.run_example = gr.Button("Run the example", size="sm", elem_id="run-questions", elem_classes="run")
        self.follower = Follower(studio, "extract", self._results, self.draw, look=look, job=job)
        self.exported = Follower(studio, "export-h5", self._exported, self._draw_exported, job=exported)
        chosen = [self.chosen, self.follower.job]
        self.chosen.input(self.choose, chosen, self.answers, **PRIVATE)
        self.parts.click(self.offer_parts, self.follower.job, self.files, **PRIVATE)
        self.seed.click(self.export, [self.follower.job, visitor], [self.exported.job, self.exported.status], **PRIVATE)

    def _results(self) -> list[Component]:
        self.told = markup.html(elem_id="extract-told", elem_classes="narrative")
        with gr.Row(elem_classes="downloads"):
            self.probe = gr.Button("Probe this run", visible=False, elem_id="extract-probe", size="md")
            self.csv = gr.DownloadButton("answers.csv", visible=False, elem_id="extract-csv", size="md")
            self.parts = gr.Button("Parts (.h5)", visible=False, elem_id="extract-parts", size="md")
            self.seed = gr.Button("Per-question layout (.h5)", visible=False, elem_id="extract-seed", size="md")
            self.retry = gr.Button("Try the failed rows again", visible=False, elem_id="extract-retry", size="md")
        self.files = gr.File(
            visible=False, show_label=False, file_count="multiple", interactive=False, elem_id="extract-files"
        )
        self.failed = markup.html(elem_id="extract-failed")
        self.chosen = gr.Radio(
            [], show_label=False, container=False, visible=False, elem_classes="chips", elem_id="extract-chosen"
        )
        self.answers = markup.html(elem_id="extract-answers")
        return [
            self.empty, self.run_example, self.told, self.probe, self.csv, self.parts, self.seed, self.retry,
            self.files, self.failed, self.chosen, self.answers,
        ]  # fmt: skip

    def draw(self, job: Job | None) -> list[Any]:
        """Return what a run holds so far."""
        folder = runshelf.folder(job)
        if job is None or folder is None:
            return self._nothing(empty=job is None)
        from studio.embeddings.store.runs import open_run

        try:
            with open_run(folder) as run:
                return self._drawn(job, folder, run)
        except StudioError as error:
            return self._nothing(empty=False, told=wrong(error))

    def _nothing(self, *, empty: bool, told: str = "") -> list[Any]:
        hidden = [gr.Button(visible=False), gr.DownloadButton(visible=False), *[gr.Button(visible=False)] * 3]
        return [
            gr.HTML(visible=empty), gr.Button(visible=empty), told, *hidden, gr.File(visible=False), "",
            gr.Radio(visible=False), "",
        ]  # fmt: skip

    def _drawn(self, job: Job, folder: Path, run: Run) -> list[Any]:
        found, some = verdicts(run), len(run) > 0
        counts = embedview.shares(found) if found else {}
        over = job.state.finished and some
        told = [embedview.holds(len(run), len(run.images), run.layers, counts)] if some else []
        told += [_answered_by(str(job.config.get("model", "")))] if found else []
        written = folder / "answers.csv"
        csv = uploads.serve(written) if over and written.is_file() else None
        kinds = [(f"All {len(found)}", "")]
        kinds += [(f"{embedview.VERDICTS[name]} {count}", name) for name, count in counts.items()]
        return [
            gr.HTML(visible=False), gr.Button(visible=False),
            "".join(f"<p>{markup.escape(one)}</p>" for one in [*told, *run.notes]),
            gr.Button(visible=over), gr.DownloadButton(value=csv, visible=csv is not None), gr.Button(visible=over),
            gr.Button(visible=over), gr.Button(visible=over and bool(run.failures)), gr.File(None, visible=False),
            embedview.failures(run.failures), gr.Radio(kinds, value="", visible=bool(found)),
            self._table(run, found, "") if some else "",
        ]  # fmt: skip

    def _table(self, run: Run, found: list[tuple[str, str]], chosen: str) -> str:
        return embedview.answers(run.questions, found, Thumbs(self.studio, run), chosen)

    def choose(self, chosen: str, job_id: str) -> Any:
        """Show only the answers of one verdict."""
        folder = runshelf.folder(self.follower.find(job_id))
        if folder is None:
            return gr.skip()
        from studio.embeddings.store.runs import open_run

        try:
            with open_run(folder) as run:
                return self._table(run, verdicts(run), chosen)
        except StudioError as error:
            return wrong(error)

    def offer_parts(self, job_id: str) -> gr.File:
        """Offer the run's parts for download."""
        folder = runshelf.folder(self.follower.find(job_id))
        paths = sorted(folder.glob("*.h5")) if folder else []
        return gr.File([uploads.serve(path) for path in paths], visible=bool(paths))

    def export(self, job_id: str, visitor: str) -> tuple[Any, str]:
        """Queue the writing of the per-question layout."""
        folder = runshelf.folder(self.follower.find(job_id))
        if folder is None:
            return gr.skip(), wrong(StudioError("There is no run yet.", "Start one."))
        return self.exported.submit("export-h5", {"run": folder, "output_path": folder / "seed-layout"}, visitor)

    def _exported(self) -> list[Component]:
        self.layout = gr.File(
            visible=False, show_label=False, file_count="multiple", interactive=False, elem_id="extract-layout"
        )
        return [self.layout]

    def _draw_exported(self, job: Job | None) -> list[Any]:
        paths = [job.folder / path for path in job.artifacts.values()] if job else []
        files = [uploads.serve(path) for path in paths if path.is_file()]
        return [gr.File(files or None, visible=bool(files))]


class Thumbs:
    """Draws pictures of a run, small; one that is gone is left out.

    Args:
        studio: The assembled studio.
        run: The run; its metadata name the folder of the pictures.
    """

    def __init__(self, studio: Studio, run: Run) -> None:
        self._studio, self._folder = studio, Path(str(run.metadata.get("images_dir") or "/nowhere"))

    def __call__(self, image_id: str) -> str:
        """Draw a picture by its id."""
        from studio.embeddings.extraction.table import find_picture
        from studio.images import load_view

        try:
            pixels = load_view(find_picture(self._folder, image_id), THUMB, self._studio.cache, self._studio.settings)
        except (StudioError, ValueError):
            return ""
        return markup.picture(pixels, image_id)


def look(job: Job | None) -> str:
    """Return a text that changes when a run's files do."""
    if job is None:
        return ""
    counts = job.last.metrics if job.last else {}
    return f"{job.id} {counts.get('parts')} {counts.get('failed')} {job.state.finished}"


def verdicts(run: Run) -> list[tuple[str, str]]:
    """Return right, wrong or unsure for each answer, and why; nothing for a run without answers."""
    from studio.embeddings.probing.labels import made

    if not len(run) or not (run.questions["answer_tokens"] > 0).any():
        return []
    labels = made(run.questions)
    words = {1: "wrong", 0: "right", -1: "unsure"}
    return [
        (words[value], f"{rule}: {reason}")
        for value, rule, reason in zip(labels.values.tolist(), labels.rules, labels.reasons, strict=True)
    ]


def _answered_by(model: str) -> str:
    name = "embedded_vqa" if model == "embedded" else model
    who = called(name)
    return f"Answered by {who}. {measured(name)}".strip()
