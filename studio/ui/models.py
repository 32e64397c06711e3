"""The Models tab: what is loaded, what it takes, who holds it, and what could be loaded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gradio as gr

from studio.errors import StudioError
from studio.gemma.catalog import CHECKPOINTS, Checkpoint
from studio.ui import markup
from studio.ui.follower import PRIVATE

if TYPE_CHECKING:
    from studio.models import Resident
    from studio.tasks import Studio


class ModelsTab:
    """The tab's components and what they do.

    Args:
        studio: The assembled studio.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        with gr.Column(elem_classes="page narrow"):
            markup.html("<h2>In memory</h2>")
            self.loaded = markup.html(elem_id="loaded")
            with gr.Row(elem_classes="buttons"):
                self.free = gr.Button("Unload what nobody uses", size="sm", elem_id="unload")
            self.message = markup.html()
            markup.html("<h2>Checkpoints</h2>" + catalog())
        self.free.click(self.unload, outputs=[self.message, self.loaded], **PRIVATE)

    def draw(self) -> str:
        """Draw the loaded models."""
        manager = self.studio.models
        residents = manager.loaded()
        total = f"{markup.size(manager.used)} of {markup.size(manager.budget)} on {str(manager.device).upper()}"
        share = manager.used / manager.budget if manager.budget else 0.0
        head = f'<div class="line"><span class="meta">{total}</span></div>{markup.bar(share)}'
        if not residents:
            return head + '<p class="quiet">No model is loaded. The first job that needs one loads it.</p>'
        return f'{head}<ul class="models">{"".join(_resident(one) for one in residents)}</ul>'

    def unload(self) -> tuple[str, str]:
        """Give back the memory of models nobody holds."""
        try:
            words = f"{markup.size(self.studio.models.unload_all())} given back."
        except StudioError as error:
            words = str(error)
        return f'<p class="quiet">{markup.escape(words)}</p>', self.draw()


def catalog() -> str:
    """Draw the known checkpoints as a table."""
    rows = "".join(_row(one) for one in CHECKPOINTS.values())
    return f'<div class="scroll"><table class="catalog">{_HEAD}<tbody>{rows}</tbody></table></div>'


_HEAD = "<thead><tr><th>Checkpoint</th><th>Write it as</th><th>Size in bfloat16</th><th></th></tr></thead>"


def _row(one: Checkpoint) -> str:
    return (
        f"<tr><td>{markup.escape(one.title)}</td><td><code>{markup.escape(one.name)}</code></td>"
        f"<td>{markup.size(one.size) if one.size else ''}</td><td>{markup.escape(one.note)}</td></tr>"
    )


def _resident(one: Resident) -> str:
    minutes = round((time.time() - one.last_used) / 60)  # in seconds it would be drawn anew each second
    held = f"in use by {one.holders}" if one.holders else f"idle for {minutes} min" if minutes else "idle"
    form = [each for each in (one.spec.dtype, one.spec.quantization) if each not in ("auto", "none")]
    facts = " · ".join([markup.size(one.bytes), *form, held])
    name = next((each.title for each in CHECKPOINTS.values() if each.source == one.spec.source), one.spec.source)
    return f'<li><b>{markup.escape(name)}</b><span class="meta">{markup.escape(facts)}</span></li>'
