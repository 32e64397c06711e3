"""Where the Grade tab takes colours as a target: those of a picture, and those of a palette."""

from __future__ import annotations

import gradio as gr
from gradio.components import Component

from studio.grading.config import OptimizeConfig, four_colours
from studio.ui import forms, markup
from studio.ui.follower import PRIVATE


def colour_targets() -> dict[str, Component]:
    """Make the folded fields ``reference`` and ``palette``."""
    with gr.Accordion("Colours of a picture", open=False, elem_classes="inner", elem_id="reference"):
        reference = gr.Image(
            type="filepath", sources=["upload"], height=130, show_label=False, elem_id="field-reference", buttons=[]
        )
        markup.html('<p class="quiet">A target beside the words, or instead of them.</p>')
    with gr.Accordion("Colours of a palette", open=False, elem_classes="inner", elem_id="palette"):
        example = "#14213d, #1f6f78, #e07a5f, #f2e9d8"
        palette = forms.component(
            OptimizeConfig, "palette", show_label=False, info=None, container=False, placeholder=example
        )
        shown = markup.html(elem_id="palette-strip")
        markup.html('<p class="quiet">Shadows, mid-tones and highlights are drawn to it, from dark to light.</p>')
    palette.change(strip, palette, shown, **PRIVATE)  # type: ignore[attr-defined]
    return {"reference": reference, "palette": palette}


def strip(palette: str) -> str:
    """Draw four colours side by side, or say what is wrong with them."""
    try:
        colours = four_colours(palette or "").split(", ")
    except ValueError as error:
        return f'<p class="quiet">{markup.escape(str(error).capitalize())}.</p>'
    return "".join(f'<i style="background:{colour}" title="{colour}"></i>' for colour in colours if colour)
