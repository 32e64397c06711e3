"""Choosing a run of embeddings: one of the visitor's own, a dropped file, or a path on the machine itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.ui import access, markup, runshelf, uploads
from studio.ui.follower import PRIVATE, wrong

if TYPE_CHECKING:
    from studio.tasks import Studio


class RunChooser:
    """The components of the choice.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        name: Names the components.
        run: The run chosen, see `studio.ui.runshelf`; made outside the tabs.
    """

    def __init__(self, studio: Studio, visitor: Component, name: str, run: gr.BrowserState) -> None:
        self.studio, self.visitor, self.run = studio, visitor, run
        self.choose = gr.Dropdown([], label="One of your runs", elem_id=f"{name}-run")
        self.drop = gr.File(
            height=64, show_label=False, elem_id=f"{name}-drop", elem_classes="drop h5", file_types=[".h5", ".hdf5"]
        )
        self.path = gr.Textbox(
            placeholder="or type a run's folder or an .h5 file on this machine",
            show_label=False,
            container=False,
            visible=access.is_local(studio.settings),
            elem_id=f"{name}-path",
        )
        self.message = markup.html(elem_id=f"{name}-message", elem_classes="message")
        self.chosen = self.choose.input(lambda key: [key, ""], self.choose, [self.run, self.path], **PRIVATE)
        self.dropped = self.drop.upload(
            self.take, [self.drop, visitor], [self.drop, self.path, self.message, *self.offered], **PRIVATE
        )

    @property
    def offered(self) -> list[Component]:
        """The components `offer` fills."""
        return [self.run, self.choose]

    def offer(self, key: str | None, visitor: str) -> list[Any]:
        """Return the run chosen, or the newest where there is none, and those to choose from."""
        runs = [(one.title, one.key) for one in runshelf.offered(self.studio, visitor)]
        if key and key not in [each for _, each in runs]:
            try:
                runs.insert(0, (runshelf.find(self.studio, visitor, key).title, key))
            except StudioError:
                key = ""
        key = key or (runs[0][1] if runs else "")
        return [key, gr.Dropdown(runs, value=key or None)]

    def take(self, file: str, visitor: str) -> list[Any]:
        """Take a dropped file in, and choose it."""
        try:
            found = runshelf.dropped(self.studio, file)
        except StudioError as error:
            return [None, gr.skip(), wrong(error), gr.skip(), gr.skip()]
        return [None, "", "", *self.offer(found.key, visitor)]

    def find(self, key: str | None, path: str, visitor: str) -> Path:
        """Return the path of the run chosen; a path that is typed counts first.

        Raises:
            StudioError: There is none, or the visitor may not name it.
        """
        if path.strip():
            own = uploads.own_folders(self.studio.settings)
            return access.admit_path(Path(path.strip()), self.studio.settings, own)
        if not key:
            raise StudioError("There is no run yet.", "Extract one, or drop an .h5 file.")
        return runshelf.find(self.studio, visitor, key).path
