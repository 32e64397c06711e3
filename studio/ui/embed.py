"""The Embed tab: extract what a model holds while it answers, look inside, and probe it for hallucinations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr
from gradio.components import Component

from studio.ui.extractpane import ExtractPane
from studio.ui.follower import PRIVATE, Follower, memory

if TYPE_CHECKING:
    from studio.tasks import Studio


class Memory:
    """What the browser remembers of the tab; made outside all tabs, since a page reads only what stands in an open one.

    Attributes:
        given: The table and the pictures taken in.
        extract: The run on show.
        export: The writing of its other layout.
    """

    def __init__(self) -> None:
        self.given = gr.BrowserState({}, storage_key="studio-questions", secret="gemma-studio")
        self.extract = memory("extract")
        self.export = memory("export-h5")


class EmbedTab:
    """The tab's panes.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        memory: What the browser remembers.
    """

    def __init__(self, studio: Studio, visitor: Component, memory: Memory) -> None:
        self._memory = memory
        with gr.Tabs(elem_id="embed-panes", elem_classes="panes") as self.panes, gr.Tab("Extract", id="extract"):
            self.extract = ExtractPane(studio, visitor, memory.given, memory.extract, memory.export)

    @property
    def followers(self) -> list[Follower]:
        """Those whose jobs must be looked at."""
        return [self.extract.result.follower, self.extract.result.exported]

    def restore(self, opened: gr.events.Dependency) -> None:
        """Fill the panes again when a page is opened."""
        remembered = [self._memory.extract, self._memory.given]
        opened.then(self.extract.restore, remembered, self.extract.restored, **PRIVATE)
