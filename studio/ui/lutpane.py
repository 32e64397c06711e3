"""A LUT under the loupe: any LUT file on any photograph, at any strength, with its report, as a file of any kind."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.components import Component
from PIL import Image

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.files import content_hash, slug, write_atomic
from studio.grading.config import ExportConfig
from studio.ui import markup, shelf, uploads
from studio.ui.follower import PRIVATE, wrong
from studio.ui.lutwork import LutWork
from studio.ui.shelf import Shelved

if TYPE_CHECKING:
    from studio.tasks import Studio

KINDS = (".cube", ".3dl", ".csp", ".spi3d", ".png")
FORMATS = [
    (".cube (Adobe)", "cube"), (".cube (Resolve)", "cube-resolve"), (".3dl", "3dl"), (".csp", "csp"),
    (".spi3d", "spi3d"), ("Hald .png", "hald"),
]  # fmt: skip
SIZES = [("as it is", 0), ("17", 17), ("33", 33), ("65", 65)]
SHOWN_EDGE = 1280  # pixels along the long edge of the picture on the stage
EMPTY = """
<div class="empty lut-empty"><h2>Open a LUT</h2>
<p>Drop a .cube, .3dl, .csp, .spi3d or a Hald picture of any program, or choose a ready look. See it on your photograph
at any strength, read its report, and take it away as another kind of file.</p></div>
"""


class LutPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        key: The LUT on show, see `studio.ui.shelf`; made outside the tabs, since a page reads what stands in a tab only
            once it is opened.
    """

    def __init__(self, studio: Studio, visitor: gr.BrowserState, key: gr.BrowserState) -> None:
        self.studio, self.visitor, self.key = studio, visitor, key
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._choose()
                self._export()
                self.work = LutWork(studio, visitor, self.key, self.photo, self.strength)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                self._result()
        self._wire()

    def _choose(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>LUT</h2>")
            self.drop = gr.File(
                height=84, show_label=False, elem_id="lut-file", elem_classes="drop", file_types=[*KINDS]
            )
            self.choose = gr.Dropdown([], label="or one from the studio", elem_id="lut-choose")
            self.message = markup.html(elem_id="lut-message")
            self.strength = gr.Slider(0, 100, 100, step=1, label="Strength (%)", elem_id="lut-strength")
            markup.html('<p class="quiet">On this photograph</p>')
            self.photo = gr.Image(
                str(example()),
                type="filepath",
                sources=["upload"],
                show_label=False,
                height=150,
                elem_id="lut-photo",
                buttons=[],
            )

    def _export(self) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Take it away</h2>")
            with gr.Row(elem_classes="pair"):
                self.format = gr.Dropdown(FORMATS, value="cube", label="Kind of file", elem_id="lut-format")
                self.size = gr.Dropdown(SIZES, value=0, label="Points", elem_id="lut-size", min_width=90)
            self.make = gr.Button("Write it at this strength", size="sm", elem_id="lut-export")
            self.made = gr.DownloadButton("Download", visible=False, size="sm", elem_id="lut-download")
            self.told = markup.html(elem_id="lut-told")

    def _result(self) -> None:
        with gr.Column(elem_classes="stage"):
            self.empty = markup.html(EMPTY)
            self.slider = gr.ImageSlider(
                type="filepath",
                show_label=False,
                container=False,
                interactive=False,
                visible=False,
                buttons=["fullscreen"],
                max_height=600,
                elem_id="lut-before-after",
            )
        self.report = markup.html(elem_id="lut-report")

    @property
    def opened(self) -> list[Component]:
        """The components `open` fills."""
        return [self.key, self.choose, *self.shown]

    @property
    def shown(self) -> list[Component]:
        """The components `show` fills."""
        return [self.empty, self.slider, self.report, self.made, self.told, self.message]

    def _wire(self) -> None:
        seen: list[Component] = [self.photo, self.strength, self.visitor]
        show: dict[str, Any] = {"fn": self.show, "inputs": [self.key, *seen], "outputs": self.shown, **PRIVATE}
        self.drop.upload(self.take, [self.drop, *seen], [self.drop, *self.opened], **PRIVATE)
        self.choose.input(self.open, [self.choose, *seen], self.opened, **PRIVATE)
        self.photo.upload(**show)
        self.photo.clear(lambda: str(example()), None, self.photo, **PRIVATE).then(**show)
        preview = [self.slider, self.made, self.told, self.message]
        self.strength.release(self.preview, [self.key, *seen], preview, **PRIVATE)
        given: list[Component] = [self.key, self.strength, self.format, self.size, self.visitor]
        self.make.click(self.export, given, [self.made, self.told, self.message], **PRIVATE)

    def take(self, file: str, photo: str | None, strength: float, visitor: str) -> list[Any]:
        """Take a dropped LUT in and show it; a broken one is answered in a sentence."""
        try:
            found = shelf.dropped(self.studio, file)
        except StudioError as error:
            return [None, *[gr.skip()] * (len(self.opened) - 1), wrong(error)]
        return [None, *self.open(found.key, photo, strength, visitor)]

    def open(self, key: str, photo: str | None, strength: float, visitor: str) -> list[Any]:
        """Show a LUT, and offer those there are now."""
        choices = self.choices(visitor, key)
        return [key, choices, *self.show(key, photo, strength, visitor)]

    def choices(self, visitor: str, key: str) -> gr.Dropdown:
        """Return the list of LUTs to choose from, the one on show among them."""
        offered = [(one.title, one.key) for one in shelf.offered(self.studio, visitor)]
        if key and key not in [each for _, each in offered]:
            try:
                offered.insert(0, (shelf.find(self.studio, visitor, key).title, key))
            except StudioError:
                key = ""
        return gr.Dropdown(offered, value=key or None)

    def show(self, key: str, photo: str | None, strength: float, visitor: str) -> list[Any]:
        """Return the picture and the report of the LUT on show."""
        nothing = [gr.HTML(visible=True), gr.ImageSlider(visible=False), "", gr.DownloadButton(visible=False), ""]
        if not key:
            return [*nothing, ""]
        try:
            found = shelf.find(self.studio, visitor, key)
            slider, made, told, message = self.preview(key, photo, strength, visitor)
            return [gr.HTML(visible=False), slider, self._report(found, photo), made, told, message]
        except StudioError as error:
            return [*nothing, wrong(error)]

    def preview(self, key: str, photo: str | None, strength: float, visitor: str) -> list[Any]:
        """Return the photograph without and with the LUT at a strength, and forget the file written before."""
        if not key:
            return [gr.skip()] * 4
        from studio.grading import lutfiles, sidecar
        from studio.grading.pixels import grade, grader

        try:
            found = shelf.find(self.studio, visitor, key)
            lut = lutfiles.read(found.path)
            base = sidecar.base_of(found.path, lut.size)
            pixels = self._pixels(found.path, photo)
            before, after = grade(pixels, base), grader(lut, strength / 100, base=base)(pixels)
        except StudioError as error:
            return [gr.skip(), gr.skip(), gr.skip(), wrong(error)]
        pair = self._picture(before, "before"), self._picture(after, "after")
        return [gr.ImageSlider(pair, visible=True), gr.DownloadButton(visible=False), "", ""]

    def export(self, key: str, strength: float, kind: str, size: int, visitor: str) -> list[Any]:
        """Write the LUT as another file, and offer it for download."""
        from studio.grading import export

        try:
            if not key:
                raise StudioError("There is no LUT yet.", "Drop one, or choose a ready look.")
            found = shelf.find(self.studio, visitor, key)
            folder = self.studio.settings.folder("exports") / content_hash(found.path, kind, f"{strength} {size}")[:32]
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            values = {"lut": found.path, "output_path": folder, "format": kind, "strength": strength / 100}
            config = validate(ExportConfig, values | {"size": size})
            *_, event = export.run(config, self._context(folder))
        except StudioError as error:
            return [gr.DownloadButton(visible=False), "", wrong(error)]
        path = Path(event.artifacts["lut"])
        note = event.note.partition(" (")[2]
        told = f'<p class="quiet">{markup.escape(note.rstrip(")"))}</p>' if note else ""
        return [gr.DownloadButton(f"Download {path.name}", value=uploads.serve(path), visible=True), told, ""]

    def _report(self, found: Shelved, photo: str | None) -> str:
        from studio.grading import lutplots, lutreport, sidecar
        from studio.grading.lutfiles import read
        from studio.grading.samples import Samples

        lut, base, samples, path = read(found.path), sidecar.base_of(found.path), Samples(), self._photo(photo)
        samples.add(path, self._pixels(found.path, photo))
        table = lut.table()
        report, lines = lutreport.compose(found.path, table, base, samples)
        verdicts = "".join(
            f'<li class="{one.level}"><span>{one.level}</span><p>{markup.escape(one.sentence)}</p></li>'
            for one in lines
        )
        curves = report["curves"]
        plots = [lutplots.channels(curves), lutplots.tint(curves), lutplots.lattice(table, base)]
        title = f"{markup.escape(found.title)} <small>{lut.size} points along each edge</small>"
        drawn = "".join(f"<figure>{plot}</figure>" for plot in plots)
        return f'<h2>{title}</h2><ul class="verdicts">{verdicts}</ul><div class="figures">{drawn}</div>'

    def _pixels(self, lut: Path, photo: str | None) -> Any:
        """Return the photograph, [H, W, 3] uint8; the example as the footage that the LUT is made for."""
        from studio.grading import sidecar
        from studio.grading.encodings import shoot
        from studio.images import load_view

        path, declared = self._photo(photo), sidecar.declared(lut)
        pixels = load_view(path, SHOWN_EDGE, self.studio.cache, self.studio.settings)
        if declared is None or content_hash(path) != content_hash(example()):
            return pixels
        return np.rint(255 * shoot(pixels / 255, declared[0])).astype(np.uint8)

    def _photo(self, photo: str | None) -> Path:
        return Path(photo) if photo else example()

    def _picture(self, pixels: Any, name: str) -> str:
        data = io.BytesIO()
        Image.fromarray(np.asarray(pixels)).save(data, "JPEG", quality=92)
        path = uploads.passing_folder() / content_hash(data.getvalue()) / f"{slug(name)}.jpg"
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(path, data.getvalue())
        return str(path)

    def _context(self, folder: Path) -> Context:
        return Context(folder, self.studio.models, self.studio.cache, self.studio.settings)


def example() -> Path:
    """Return the photograph a LUT is shown on until there is another."""
    return uploads.EXAMPLES / "coffee.jpg"
