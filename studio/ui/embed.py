"""The Embed tab: extract what a model holds while it answers, look inside, and probe it for hallucinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.ui.extractpane import ExtractPane
from studio.ui.follower import PRIVATE, Follower, memory
from studio.ui.inspectpane import InspectPane
from studio.ui.probepane import ProbePane

if TYPE_CHECKING:
    from studio.tasks import Studio


class Memory:
    """What the browser remembers of the tab; made outside all tabs, since a page reads only what stands in an open one.

    Attributes:
        given: The table and the pictures taken in.
        extract: The run on show.
        export: The writing of its other layout.
        run: The run chosen to be probed or looked into.
        probe: The probing on show.
        inspect: The look inside on show.
    """

    def __init__(self) -> None:
        self.given = gr.BrowserState({}, storage_key="studio-questions", secret="gemma-studio")
        self.extract = memory("extract")
        self.export = memory("export-h5")
        self.run = gr.BrowserState("", storage_key="studio-run", secret="gemma-studio")
        self.probe = memory("probe")
        self.inspect = memory("inspect")


class EmbedTab:
    """The tab's panes.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        memory: What the browser remembers.
    """

    def __init__(self, studio: Studio, visitor: Component, memory: Memory) -> None:
        self._memory, self._visitor = memory, visitor
        with gr.Tabs(elem_id="embed-panes", elem_classes="panes") as self.panes:
            with gr.Tab("Extract", id="extract"):
                self.extract = ExtractPane(studio, visitor, memory.given, memory.extract, memory.export)
            with gr.Tab("Probe", id="probe") as probe:
                self.probe = ProbePane(studio, visitor, memory.run, memory.probe)
            with gr.Tab("Inspect", id="inspect") as inspect:
                self.inspect = InspectPane(studio, visitor, memory.run, memory.inspect)
        for tab, runs in ((probe, self.probe.runs), (inspect, self.inspect.runs)):
            tab.select(runs.offer, [memory.run, visitor], runs.offered, **PRIVATE)
        self.extract.result.probe.click(
            self.lead_on, [memory.extract, visitor], [self.panes, *self.probe.runs.offered], **PRIVATE
        )

    def lead_on(self, job_id: str, visitor: str) -> list[Any]:
        """Open the Probe pane with the run on show."""
        return [gr.Tabs(selected="probe"), *self.probe.runs.offer(f"job/{job_id}", visitor)]

    @property
    def followers(self) -> list[Follower]:
        """Those whose jobs must be looked at."""
        extract = self.extract.result
        return [extract.follower, extract.exported, self.probe.follower, self.inspect.follower]

    def restore(self, opened: gr.events.Dependency) -> None:
        """Fill the panes again when a page is opened."""
        remembered = [self._memory.extract, self._memory.given]
        opened.then(self.extract.restore, remembered, self.extract.restored, **PRIVATE)
        runs = self.probe.runs
        opened.then(runs.offer, [self._memory.run, self._visitor], runs.offered, **PRIVATE)
