"""A picture and a question in, an answer as it is written out; several questions about one picture."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.config import validate
from studio.errors import StudioError
from studio.scienceqa.config import FAMILIES, AskConfig
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import families
from studio.ui import forms, markup, scienceview
from studio.ui.follower import PRIVATE, wrong
from studio.ui.sciencechooser import MODELS, Chooser

if TYPE_CHECKING:
    from studio.scienceqa.answering.conversation import Conversation
    from studio.tasks import Studio

SETTINGS = ("max_new_tokens", "temperature", "top_p", "seed")
SHOWN_EVERY = 0.12  # seconds between two pictures of what is being written
AT_ONCE = 4  # chats that are answered at the same time; the others wait their turn
EMPTY = """
<div class="empty"><h2>Ask about a diagram</h2>
<p>Drop a picture, ask, and give the choices. The model writes its reasoning, then says how likely each choice is. What
it sees of the picture is shown here, whole and as it sees it.</p></div>
"""
WAITING = "Waiting for the model…"


@dataclass
class Talk:
    """A chat under way; it lives in the visitor's session.

    Attributes:
        about: The model and the picture it is about.
        conversation: What the model remembers.
        log: The turns so far, drawn.
        live: The turn under way, drawn.
    """

    about: tuple[str, str | None]
    conversation: Conversation
    log: list[str] = field(default_factory=list)
    live: str = ""


class ChatPane:
    """The pane's components and what they do.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word, see `studio.ui.access`.
        model: The model chosen; made outside the tabs.
    """

    def __init__(self, studio: Studio, visitor: Component, model: gr.BrowserState) -> None:
        self.studio, self.visitor = studio, visitor
        self.talk, self.known = gr.State(None), gr.State({})
        self.fields: dict[str, Component] = {}
        with gr.Row(elem_classes="page"):
            with gr.Column(scale=1, min_width=320, elem_classes="controls"):
                self._controls(model)
            with gr.Column(scale=2, min_width=320, elem_classes="result"):
                self._stage()
        self._wire()

    def _controls(self, model: gr.BrowserState) -> None:
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Picture</h2>")
            self.picture = gr.Image(
                type="filepath", format="png", sources=["upload", "clipboard"], height=150, show_label=False,
                buttons=[], elem_id="chat-picture",
            )  # fmt: skip
            titles = [("Any kind", ""), *((families.title(name).capitalize(), name) for name in FAMILIES)]
            with gr.Row(elem_classes="pair"):
                self.family = gr.Dropdown(
                    titles, value="", show_label=False, container=False, min_width=120, elem_id="chat-family"
                )
                self.draw_one = gr.Button("Draw me a question", size="md", min_width=120, elem_id="chat-draw")
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Question</h2>")
            bare: dict[str, Any] = {"show_label": False, "container": False}
            self.question = gr.Textbox(lines=2, placeholder="Your question", elem_id="chat-question", **bare)
            self.choices = gr.Textbox(
                lines=3, max_lines=10, placeholder="Choices, one a line; none for a free answer",
                elem_id="chat-choices", **bare,
            )  # fmt: skip
            self.context = gr.Textbox(placeholder="Context, if there is some", elem_id="chat-context", **bare)
        with gr.Row(elem_classes="buttons"):
            self.start = gr.Button("Ask", variant="primary", size="lg", min_width=120, elem_id="chat-ask")
            self.stop = gr.Button("Stop", variant="stop", size="lg", visible=False, min_width=90, elem_id="chat-stop")
        self.message = markup.html(elem_id="chat-said", elem_classes="message")
        with gr.Column(elem_classes="section"):
            markup.html("<h2>Model</h2>")
            self.model = Chooser(self.studio, self.visitor, "chat-model", model, MODELS)
            self.limits = markup.html(elem_id="chat-limits")
        with gr.Accordion("More settings", open=False, elem_classes="fold", elem_id="chat-more"):
            for name in SETTINGS:
                self.fields[name] = forms.component(AskConfig, name, elem_id=f"chat-{name}")

    def _stage(self) -> None:
        with gr.Column(elem_classes="stage"):
            self.empty = markup.html(EMPTY)
            self.run_example = gr.Button("Draw me a question", size="sm", elem_id="chat-example", elem_classes="run")
            self.seen = gr.Image(
                show_label=False, container=False, interactive=False, visible=False, buttons=["fullscreen"],
                format="png", type="filepath", height=300, elem_id="chat-seen",
            )  # fmt: skip
        self.told = markup.html(elem_id="chat-told")
        self.log = markup.html(elem_id="chat-log")
        self.live = markup.html(elem_id="chat-live")
        self.again = gr.Button("New chat", size="sm", visible=False, elem_id="chat-again")

    def _wire(self) -> None:
        look: dict[str, Any] = {
            "fn": self.look, "inputs": [self.picture, *self.model.inputs], "outputs": self.looked, **PRIVATE
        }  # fmt: skip
        gr.on([self.picture.change, self.model.choose.change, self.model.typed.blur], **look)
        for button in (self.draw_one, self.run_example):
            button.click(self.draw, self.family, [*self.drawn, self.known], **PRIVATE)
        given = [self.talk, self.known, self.picture, self.question, self.context, self.choices, *self.model.inputs]
        asking = gr.on(
            [self.start.click, self.question.submit], self.ask, [*given, *self.fields.values()], self.said,
            concurrency_limit=AT_ONCE, **PRIVATE,
        )  # fmt: skip
        self.stop.click(self.stopped, self.talk, self.said, cancels=[asking], **PRIVATE)
        self.again.click(self.forget, None, self.said, **PRIVATE)

    @property
    def looked(self) -> list[Component]:
        """The components `look` fills."""
        return [self.seen, self.told, self.empty, self.run_example, self.limits]

    @property
    def drawn(self) -> list[Component]:
        """The components a drawn question fills."""
        return [self.picture, self.question, self.context, self.choices]

    @property
    def said(self) -> list[Component]:
        """The components that follow the chat."""
        written = [self.question, self.context, self.choices]
        return [self.talk, self.log, self.live, self.message, self.start, self.stop, self.again, *written]

    def draw(self, family: str) -> list[Any]:
        """Draw a question, and remember what is right."""
        import numpy as np

        from studio.scienceqa.diagrams.drawing import draw

        rng = np.random.default_rng()
        found = draw(family or FAMILIES[rng.integers(len(FAMILIES))], rng, "held-out")
        one = found.question
        known = {"question": one.question, "choices": list(one.choices), "answer": one.answer, "solution": one.solution}
        return [np.asarray(found.picture), one.question, one.hint, "\n".join(one.choices), known]

    def look(self, picture: str | None, key: str | None, typed: str, visitor: str) -> list[Any]:
        """Show the picture as the model sees it, and what is known of the model."""
        from studio.images import admit
        from studio.scienceqa.model import bundle, views

        nothing = [gr.Image(visible=False), "", gr.HTML(visible=not picture), gr.Button(visible=not picture)]
        try:
            info = bundle.describe(self.model.find(key, typed, visitor))
            limits = scienceview.limits(info.families, families.TITLES)
            if not picture or info.views is None:
                return [*nothing, limits]
            cut = views.cut(admit(Path(picture), self.studio.settings), info.views)
        except StudioError as error:
            return [*nothing, wrong(error)]
        (rows, columns), size = cut.grid, info.views.size
        words = "What the encoder sees: the whole picture, "
        words += "as one view" if len(cut.tiles) == 1 else f"in {rows} × {columns} views"
        told = f'<p class="quiet">{words} of {size} × {size} pixels.</p>'
        shown = gr.Image(views.preview(cut), visible=True)
        return [shown, told, gr.HTML(visible=False), gr.Button(visible=False), limits]

    def ask(
        self, talk: Talk | None, known: Mapping[str, Any], picture: str | None, question: str, context: str,
        choices: str, key: str | None, typed: str, visitor: str, *values: Any,
    ) -> Iterator[list[Any]]:  # fmt: skip
        """Answer, as it is written; closing the stream stops it within a moment."""
        from studio.scienceqa.answering.answer import Answer
        from studio.scienceqa.answering.generation import Sampling

        try:
            config = self._config(self.model.find(key, typed, visitor), question, context, choices, values)
            asked = _question(config, known)
            talk = self._talk(talk, config, picture)
        except StudioError as error:
            yield self._now(talk, message=wrong(error))
            return
        sampling = Sampling(config.max_new_tokens, config.temperature, config.top_p, config.seed)
        talk.live, text, shown = scienceview.turn(asked, "", note=WAITING), "", 0.0
        yield self._now(talk, busy=True)
        try:
            with closing(talk.conversation.reply(self.studio.models, asked, sampling)) as steps:
                for step in steps:
                    if isinstance(step, Answer):
                        talk.log.append(scienceview.turn(asked, step.said.text, step))
                        talk.live = ""
                    elif time.monotonic() - shown > SHOWN_EVERY:
                        text, shown = step.text, time.monotonic()
                        talk.live = scienceview.turn(asked, text, note="Writing…")
                        yield self._now(talk, busy=True, log=gr.skip())
        except StudioError as error:
            talk.live = ""
            yield self._now(talk, message=wrong(error))
            return
        yield self._now(talk, written=["", "", ""])

    def stopped(self, talk: Talk | None) -> list[Any]:
        """Keep what was said until Stop was pressed."""
        if talk is not None and talk.live:
            talk.log.append(talk.live.replace("Writing…", "Stopped.").replace(WAITING, "Stopped."))
            talk.live = ""
        return self._now(talk)

    def forget(self) -> list[Any]:
        """Begin anew."""
        return self._now(None)

    def _now(
        self, talk: Talk | None, *, busy: bool = False, message: str = "", log: Any = None,
        written: list[Any] | None = None,
    ) -> list[Any]:  # fmt: skip
        """Return every component that follows the chat, as it should look now."""
        turns = "".join(talk.log) if talk else ""
        return [
            talk, turns if log is None else log, talk.live if talk else "", message,
            gr.Button(interactive=not busy), gr.Button(visible=busy), gr.Button(visible=bool(turns) and not busy),
            *(written or [gr.skip()] * 3),
        ]  # fmt: skip

    def _config(self, model: str, question: str, context: str, choices: str, values: tuple[Any, ...]) -> AskConfig:
        if not question.strip():
            raise StudioError("There is no question yet.", "Type one, or have one drawn.")
        given = [line.strip() for line in choices.splitlines() if line.strip()]
        told = json.dumps(given, ensure_ascii=False) if len(given) > 1 else choices.strip()
        config = {"bundle": model, "question": question.strip(), "context": context.strip(), "choices": told}
        return validate(AskConfig, config | dict(zip(self.fields, values, strict=True)))

    def _talk(self, talk: Talk | None, config: AskConfig, picture: str | None) -> Talk:
        """Return the chat to go on with: a new one where the model or the picture is another."""
        from studio.images import admit
        from studio.scienceqa.answering.conversation import Conversation
        from studio.scienceqa.answering.naming import spec_of

        about = (config.bundle, picture)
        if talk is not None and talk.about == about:
            return talk
        seen = admit(Path(picture), self.studio.settings) if picture else None
        return Talk(about, Conversation(spec_of(config, self.studio.models), seen))


def _question(config: AskConfig, known: Mapping[str, Any]) -> Question:
    """Make the question; its right answer is known when it is the one that was drawn, word for word."""
    from studio.scienceqa.answering.choices import parse

    choices = parse(config.choices)
    drawn = known.get("question") == config.question and known.get("choices") == list(choices)
    right = {"answer": known["answer"], "solution": known["solution"]} if drawn else {}
    return Question("asked", "test", config.question, choices, hint=config.context, **right)
