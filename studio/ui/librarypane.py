"""Many looks at once: browse a library on any photograph, compare some of it, and have a new one made overnight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.components import Component
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.files import content_hash
from studio.grading.config import OptimizeConfig
from studio.jobs import Job
from studio.ui import access, forms, markup, shelf, uploads
from studio.ui.follower import PRIVATE, Follower, wrong
from studio.ui.lutpane import example
from studio.ui.quality import judges
from studio.ui.shelf import Shelved

if TYPE_CHECKING:
    from studio.tasks import Studio

PAGE = 24  # looks drawn at once
CELL = 360  # pixels along the long edge of a picture in the grid
MOST_COMPARED = 6
FIELDS = ("steps", "input_encoding", "black_and_white", "lut_size", "seed")


class LibraryPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
    """

    def __init__(self, studio: Studio, visitor: gr.BrowserState) -> None:
        self.studio, self.visitor = studio, visitor
        self.keys = gr.State([])
        self.comparison = gr.Image(
            visible=False, show_label=False, container=False, interactive=False, type="filepath",
            buttons=["fullscreen"], elem_id="library-comparison", render=False,
        )  # fmt: skip
        self.lines = markup.html(elem_id="library-lines", render=False)
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._browse()
                self._compare()
                self._make()
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                for one in (self.comparison, self.lines):
                    one.render()  # type: ignore[no-untyped-call]
                self.heading = markup.html(elem_id="library-heading")
                self.grid = gr.Gallery(
                    columns=3,
                    show_label=False,
                    container=False,
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    object_fit="cover",
                    elem_id="library-grid",
                    height="auto",
                )
        self._wire()

    def _browse(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Browse</h2>")
            self.choose = gr.Dropdown(
                [("Ready looks", "ready")], value="ready", label="Library", elem_id="library-choose"
            )
            self.page = gr.Dropdown([("all", 0)], value=0, label="Looks", visible=False, elem_id="library-page")
            markup.html('<p class="quiet">On this photograph</p>')
            self.photo = gr.Image(
                str(example()),
                type="filepath",
                sources=["upload"],
                show_label=False,
                height=150,
                elem_id="library-photo",
                buttons=[],
            )
            markup.html('<p class="quiet">Press a picture to open its LUT.</p>')
            self.message = markup.html(elem_id="library-message")

    def _compare(self) -> None:
        with gr.Accordion("Compare", open=False, elem_classes="fold plain", elem_id="library-compare"):
            self.some = gr.Dropdown(
                [], multiselect=True, max_choices=MOST_COMPARED, label="LUTs, two or more", elem_id="compare-luts"
            )
            self.words = gr.Textbox(label="Score them for these words, if you like", elem_id="compare-words")
            self.run = gr.Button("Compare on this photograph", size="sm", elem_id="compare-run")
            self.compared = Follower(self.studio, "compare", lambda: [self.comparison, self.lines], self.show)

    def _make(self) -> None:
        with gr.Accordion("Make a library", open=False, elem_classes="fold plain", elem_id="library-make"):
            self.looks = gr.Textbox(
                lines=5,
                label="Looks, one a line",
                placeholder="film noir\n{warm, cold} {city, forest}",
                info="{warm, cold} {city, forest} stands for every combination.",
                elem_id="library-looks",
            )
            self.judge = gr.Dropdown(judges(), value="embedded", label="Judge", allow_custom_value=True)
            self.fields = {name: forms.component(OptimizeConfig, name, elem_id=f"library-{name}") for name in FIELDS}
            self.photographs = gr.File(
                file_count="multiple",
                height=84,
                show_label=False,
                elem_id="library-photographs",
                elem_classes="drop",
                file_types=["image"],
            )
            self.folder = gr.Textbox(
                placeholder="or type a folder on this machine",
                show_label=False,
                container=False,
                visible=access.is_local(self.studio.settings),
                elem_id="library-folder",
            )
            self.start = gr.Button("Start", variant="primary", elem_id="library-start")
            self.made = Follower(self.studio, "library", list, lambda job: [])

    @property
    def drawn(self) -> list[Component]:
        """The components `draw` fills."""
        return [self.choose, self.page, self.some, self.heading, self.grid, self.keys, self.message]

    @property
    def given(self) -> list[Component]:
        """What `draw` takes."""
        return [self.choose, self.page, self.photo, self.visitor]

    def _wire(self) -> None:
        draw: dict[str, Any] = {"fn": self.draw, "inputs": self.given, "outputs": self.drawn, **PRIVATE}
        self.choose.input(lambda: gr.Dropdown(value=0), None, self.page, **PRIVATE).then(**draw)
        self.page.input(**draw)
        self.photo.upload(**draw)
        self.photo.clear(lambda: str(example()), None, self.photo, **PRIVATE).then(**draw)
        self.run.click(
            self.compare, [self.some, self.photo, self.words, self.visitor], [self.compared.job, self.compared.status],
            **PRIVATE,
        )  # fmt: skip
        values = [self.looks, self.photographs, self.folder, self.judge, self.visitor, *self.fields.values()]
        self.start.click(self.submit, values, [self.made.job, self.made.status], **PRIVATE)

    def draw(self, key: str, page: int, photo: str | None, visitor: str) -> list[Any]:
        """Draw a page of a library on the photograph."""
        try:
            titles = shelf.libraries(self.studio, visitor)
            key = key if key in titles else "ready"
            looks = shelf.library(self.studio, visitor, key)
            first = min(page or 0, max(0, len(looks) - 1) // PAGE * PAGE)
            cells = [self._cell(one, photo) for one in looks[first : first + PAGE]]
        except StudioError as error:
            return [*[gr.skip()] * (len(self.drawn) - 1), wrong(error)]
        pages = [(f"{start + 1} to {min(start + PAGE, len(looks))}", start) for start in range(0, len(looks), PAGE)]
        every = {one.key: one.title for one in [*looks, *shelf.offered(self.studio, visitor)]}
        words = f"{titles[key]} <small>{len(looks)} look{'s' * (len(looks) != 1)}</small>"
        return [
            gr.Dropdown([(title, name) for name, title in titles.items()], value=key),
            gr.Dropdown(pages or [("none", 0)], value=first, visible=len(pages) > 1),
            gr.Dropdown([(title, name) for name, title in every.items()]),
            f"<h2>{words}</h2>", cells, [one.key for one in looks[first : first + PAGE]], "",
        ]  # fmt: skip

    def _cell(self, one: Shelved, photo: str | None) -> tuple[NDArray[np.uint8], str]:
        """Return a photograph through a LUT with its caption; drawn once for each pair."""
        from studio.grading import lutfiles
        from studio.grading.pixels import grade
        from studio.images import load_view

        path = Path(photo) if photo else example()
        name = content_hash("grid", str(CELL), one.path, path)
        view = load_view(path, CELL, self.studio.cache, self.studio.settings)
        kept = self.studio.cache.get(name)
        if kept is None:
            kept = grade(view, lutfiles.read(one.path).table()).tobytes()
            self.studio.cache.put(name, kept)
        pixels = np.frombuffer(kept, np.uint8).reshape(view.shape)
        return pixels, one.title if one.score is None else f"{one.title} · {one.score:.0%}"

    def compare(self, keys: list[str], photo: str | None, words: str, visitor: str) -> tuple[Any, str]:
        """Queue a comparison."""
        try:
            if len(keys or []) < 2:
                raise StudioError("Two or more LUTs can be compared.", "Choose another one.")
            paths = [shelf.find(self.studio, visitor, key).path for key in keys]
        except StudioError as error:
            return gr.skip(), wrong(error)
        values: dict[str, Any] = {"luts": paths, "images": [Path(photo) if photo else example()]}
        values["output_path"] = self.studio.settings.folder("exports") / content_hash(*map(str, paths), str(photo))[:32]
        return self.compared.submit("compare", values | ({"prompt": words} if words.strip() else {}), visitor)

    def show(self, job: Job | None) -> list[Any]:
        """Show what a comparison left."""
        sheet = job.folder / job.artifacts["sheet"] if job and "sheet" in job.artifacts else None
        if job is None or sheet is None or not sheet.is_file():
            return [gr.Image(visible=False), ""]
        figures = dict(job.last.metrics) if job.last else {}
        rows = "".join(f"<li>{markup.escape(name)}: {_figure(name, value)}</li>" for name, value in figures.items())
        return [gr.Image(uploads.serve(sheet), visible=True), f'<ul class="figures-list">{rows}</ul>']

    def submit(
        self, looks: str, files: list[str] | None, folder: str, judge: str, visitor: str, *values: Any
    ) -> tuple[Any, str]:
        """Queue a library."""
        try:
            if folder.strip():
                own = uploads.own_folders(self.studio.settings)
                source = access.admit_path(Path(folder.strip()), self.studio.settings, own)
            else:
                source = uploads.adopt(files, self.studio.settings) if files else uploads.EXAMPLES
            model = access.admit_model(judge, self.studio.settings)
        except StudioError as error:
            return gr.skip(), wrong(error)
        chosen = dict(zip(self.fields, values, strict=True))
        config = {**chosen, "prompt": looks, "image_folder": source, "model_type": model}
        return self.made.submit("library", config, visitor)


def _figure(name: str, value: float) -> str:
    return f"ΔE {value:.1f}" if " and " in name else f"believed at {value:.0%}"
