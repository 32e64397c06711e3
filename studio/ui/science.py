"""The Science tab: chat with a small science model, train one, measure it, and look into its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.ui.follower import PRIVATE, Follower, memory
from studio.ui.sciencechat import ChatPane
from studio.ui.sciencedata import DataPane
from studio.ui.scienceevaluate import EvaluatePane
from studio.ui.sciencetrain import TrainPane

if TYPE_CHECKING:
    from studio.tasks import Studio


class Memory:
    """What the browser remembers of the tab; made outside all tabs, since a page reads only what stands in an open one.

    Attributes:
        model: The model that is chatted with and evaluated.
        start: The one that training starts from.
        questions: The set of questions chosen.
        train, evaluate, data, drawing: The jobs on show.
    """

    def __init__(self) -> None:
        self.model, self.start, self.questions = (
            gr.BrowserState("", storage_key=f"studio-science-{name}", secret="gemma-studio")
            for name in ("model", "start", "questions")
        )
        self.train, self.evaluate = memory("science-train"), memory("science-evaluate")
        self.data, self.drawing = memory("science-data"), memory("science-drawing")


class ScienceTab:
    """The tab's panes.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        memory: What the browser remembers.
    """

    def __init__(self, studio: Studio, visitor: Component, memory: Memory) -> None:
        self._memory, self._visitor = memory, visitor
        with gr.Tabs(elem_id="science-panes", elem_classes="panes") as self.panes:
            with gr.Tab("Chat", id="chat") as chat:
                self.chat = ChatPane(studio, visitor, memory.model)
            with gr.Tab("Train", id="science-train") as train:
                self.train = TrainPane(studio, visitor, memory.questions, memory.start, memory.train)
            with gr.Tab("Evaluate", id="evaluate") as evaluate:
                self.evaluate = EvaluatePane(studio, visitor, memory.questions, memory.model, memory.evaluate)
            with gr.Tab("Data", id="data") as data:
                self.data = DataPane(studio, visitor, memory.questions, memory.data, memory.drawing)
        choosers = (
            (chat, [self.chat.model]),
            (train, [self.train.set, self.train.model]),
            (evaluate, [self.evaluate.set, self.evaluate.model]),
            (data, [self.data.set]),
        )
        for tab, ones in choosers:
            for one in ones:
                tab.select(one.offer, [one.chosen, visitor], one.outputs, **PRIVATE)
        result = self.train
        for button, pane, leads in ((result.chat, "chat", self.chat), (result.evaluate, "evaluate", self.evaluate)):
            button.click(
                self.lead_on(pane, leads), [memory.train, visitor], [self.panes, *leads.model.outputs], **PRIVATE
            )

    @staticmethod
    def lead_on(pane: str, to: ChatPane | EvaluatePane) -> Any:
        """Return what opens a pane with the model of the training on show."""

        def lead(job_id: str, visitor: str) -> list[Any]:
            return [gr.Tabs(selected=pane), *to.model.offer(f"job/{job_id}", visitor)]

        return lead

    @property
    def followers(self) -> list[Follower]:
        """Those whose jobs must be looked at."""
        return [self.train.follower, self.evaluate.follower, self.data.follower, self.data.drawing]

    def restore(self, opened: gr.events.Dependency) -> None:
        """Fill the choices of the first pane when a page is opened."""
        model = self.chat.model
        opened.then(model.offer, [model.chosen, self._visitor], model.outputs, **PRIVATE)
