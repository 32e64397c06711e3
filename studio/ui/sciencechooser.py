"""Choosing a set of questions or a model: one at hand, a dropped file, or a name or path that is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.ui import access, markup, scienceshelf
from studio.ui.follower import PRIVATE, wrong
from studio.ui.shelf import Shelved

if TYPE_CHECKING:
    from studio.tasks import Studio


class Kind(NamedTuple):
    """What is chosen.

    Attributes:
        label: Of the list.
        placeholder: What may be typed.
        offered: Returns those to choose from.
        find: Returns what a task takes, by key.
        typed: Returns what a task takes for a typed text.
        everywhere: Whether something may be typed also where no path of the server may be named.
        extra: A choice beside those offered: title and key.
    """

    label: str
    placeholder: str
    offered: Callable[[Studio, str], list[Shelved]]
    find: Callable[[Studio, str, str], str]
    typed: Callable[[Studio, str], str]
    everywhere: bool
    extra: tuple[str, str] | None = None


SETS = Kind(
    "One at hand", "or type a path, or a data set's name on the Hub", scienceshelf.sets, scienceshelf.find_set,
    scienceshelf.typed_set, True,
)  # fmt: skip
MODELS = Kind(
    "One at hand", "or type a bundle's folder on this machine", scienceshelf.models, scienceshelf.find_model,
    scienceshelf.typed_model, False,
)  # fmt: skip
STARTS = MODELS._replace(extra=("A new one, of two models named below", scienceshelf.NEW))


class Chooser:
    """The components of a choice.

    Args:
        studio: The assembled studio.
        visitor: The browser's own word.
        name: Names the components.
        chosen: What the browser remembers the choice by; made outside the tabs.
        kind: What is chosen.
    """

    def __init__(self, studio: Studio, visitor: Component, name: str, chosen: gr.BrowserState, kind: Kind) -> None:
        self.studio, self.visitor, self.chosen, self.kind = studio, visitor, chosen, kind
        offers = self._choices("")
        self.choose = gr.Dropdown(
            offers, value=offers[0][1] if offers else None, label=kind.label, elem_id=f"{name}-choose"
        )
        self.drop = gr.File(
            file_count="multiple", height=64, show_label=False, elem_id=f"{name}-drop", elem_classes="drop questions",
            visible=kind is SETS,
        )  # fmt: skip
        self.typed = gr.Textbox(
            placeholder=kind.placeholder, show_label=False, container=False, elem_id=f"{name}-typed",
            visible=kind.everywhere or access.is_local(studio.settings),
        )  # fmt: skip
        self.message = markup.html(elem_id=f"{name}-message", elem_classes="message")
        self.choose.input(lambda key: [key, ""], self.choose, [chosen, self.typed], **PRIVATE)
        taken = [self.drop, self.typed, self.message, *self.outputs]
        self.drop.upload(self.take, [self.drop, visitor], taken, **PRIVATE)

    @property
    def inputs(self) -> list[Component]:
        """What `find` takes."""
        return [self.choose, self.typed, self.visitor]

    @property
    def outputs(self) -> list[Component]:
        """The components `offer` fills."""
        return [self.chosen, self.choose]

    def offer(self, key: str | None, visitor: str) -> list[Any]:
        """Return what is chosen, or the first where nothing is, and those to choose from."""
        offers = self._choices(visitor)
        if key and key.startswith("file/"):
            try:
                self.kind.find(self.studio, visitor, key)
                offers.append((key.rpartition("/")[2], key))
            except StudioError:
                pass  # it was cleared away
        if key not in [each for _, each in offers]:
            key = offers[0][1] if offers else ""
        return [key, gr.Dropdown(offers, value=key or None)]

    def take(self, files: list[str], visitor: str) -> list[Any]:
        """Take dropped files in, and choose them."""
        try:
            found = scienceshelf.dropped_set(self.studio, files)
        except StudioError as error:
            return [None, gr.skip(), wrong(error), gr.skip(), gr.skip()]
        return [None, "", "", *self.offer(found.key, visitor)]

    def find(self, key: str | None, typed: str, visitor: str) -> str:
        """Return what a task takes; what is typed counts first.

        Raises:
            StudioError: There is none, or the visitor may not name it.
        """
        if typed.strip():
            return self.kind.typed(self.studio, typed.strip())
        return self.kind.find(self.studio, visitor, key or "")

    def _choices(self, visitor: str) -> list[tuple[str, str]]:
        found = [(one.title, one.key) for one in self.kind.offered(self.studio, visitor)]
        return [*found, self.kind.extra] if self.kind.extra else found
