"""The look: neutral greys without tint, one accent, bundled fonts.

A tinted surround changes how colour is seen, so every grey here has R = G = B.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, fonts, sizes
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ASSETS = Path(__file__).parent / "assets"
CSS = ASSETS / "studio.css"
HEAD = f"<style>{(ASSETS / 'frame.css').read_text(encoding='utf-8')}</style>"

GREY = colors.Color(
    name="studio-grey",
    c50="#fafafa",
    c100="#f2f2f2",
    c200="#e2e2e2",
    c300="#cbcbcb",
    c400="#9e9e9e",
    c500="#767676",
    c600="#565656",
    c700="#3c3c3c",
    c800="#2a2a2a",
    c900="#202020",
    c950="#161616",
)
ACCENT = colors.Color(
    name="studio-accent",
    c50="#eef6fd",
    c100="#d9eafa",
    c200="#b6d7f5",
    c300="#8bc0ee",
    c400="#64abe8",
    c500="#3f93dc",
    c600="#2577bd",
    c700="#1d5f98",
    c800="#1a4e7b",
    c900="#17405f",
    c950="#0e2a40",
)

_SURFACES = {
    "body_background_fill": "#ebebeb",
    "body_background_fill_dark": "#1e1e1e",
    "body_text_color": "#1c1c1c",
    "body_text_color_dark": "#e6e6e6",
    "body_text_color_subdued": "#5c5c5c",
    "body_text_color_subdued_dark": "#a3a3a3",
    "background_fill_primary": "#f8f8f8",
    "background_fill_primary_dark": "#272727",
    "background_fill_secondary": "#f0f0f0",
    "background_fill_secondary_dark": "#232323",
    "border_color_primary": "#d6d6d6",
    "border_color_primary_dark": "#3a3a3a",
    "border_color_accent": "*primary_600",
    "border_color_accent_dark": "*primary_400",
    "color_accent": "*primary_600",
    "color_accent_soft": "#e2e2e2",
    "color_accent_soft_dark": "#333333",
    "link_text_color": "*primary_700",
    "link_text_color_dark": "*primary_300",
    "panel_background_fill": "transparent",
    "panel_background_fill_dark": "transparent",
}
_BLOCKS = {
    "block_background_fill": "#f8f8f8",
    "block_background_fill_dark": "#272727",
    "block_border_color": "#dcdcdc",
    "block_border_color_dark": "#343434",
    "block_border_width": "1px",
    "block_shadow": "none",
    "block_shadow_dark": "none",
    "block_padding": "*spacing_lg *spacing_lg",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": "*body_text_color_subdued",
    "block_label_text_color_dark": "*body_text_color_subdued",
    "block_label_text_weight": "600",
    "block_title_text_color": "*body_text_color",
    "block_title_text_color_dark": "*body_text_color",
    "block_title_text_weight": "600",
    "block_title_text_size": "*text_sm",
    "block_info_text_color": "*body_text_color_subdued",
    "block_info_text_color_dark": "*body_text_color_subdued",
    "block_info_text_size": "*text_xs",
    "layout_gap": "16px",
}
_INPUTS = {
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "#1b1b1b",
    "input_background_fill_focus": "#ffffff",
    "input_background_fill_focus_dark": "#1b1b1b",
    "input_border_color": "#cfcfcf",
    "input_border_color_dark": "#404040",
    "input_border_color_focus": "*primary_500",
    "input_border_color_focus_dark": "*primary_400",
    "input_border_width": "1px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_placeholder_color": "#8a8a8a",
    "input_placeholder_color_dark": "#757575",
    "checkbox_background_color_selected": "*primary_600",
    "checkbox_background_color_selected_dark": "*primary_500",
    "checkbox_border_color_selected": "*primary_600",
    "checkbox_border_color_selected_dark": "*primary_500",
    "slider_color": "*primary_600",
    "slider_color_dark": "*primary_400",
    "loader_color": "*primary_500",
}
_BUTTONS = {
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_dark": "*primary_400",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_300",
    "button_primary_text_color": "#ffffff",
    "button_primary_text_color_dark": "#101010",
    "button_primary_text_color_hover_dark": "#101010",
    "button_primary_border_color": "transparent",
    "button_primary_border_color_dark": "transparent",
    "button_secondary_background_fill": "#e6e6e6",
    "button_secondary_background_fill_dark": "#333333",
    "button_secondary_background_fill_hover": "#dadada",
    "button_secondary_background_fill_hover_dark": "#3d3d3d",
    "button_secondary_border_color": "#d0d0d0",
    "button_secondary_border_color_dark": "#424242",
    "button_secondary_text_color": "#1c1c1c",
    "button_secondary_text_color_dark": "#e6e6e6",
    "button_large_text_weight": "600",
    "button_transform_hover": "none",
}


def theme() -> gr.themes.Base:
    """Return the studio's theme, dark and light."""
    base = gr.themes.Base(
        primary_hue=ACCENT,
        secondary_hue=GREY,
        neutral_hue=GREY,
        spacing_size=sizes.spacing_md,
        radius_size=sizes.radius_md,
        text_size=sizes.text_md,
        # Gradio's semi-bold files hold a part of the letters only; its bold ones are whole.
        font=(fonts.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(fonts.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
    )
    return base.set(**_SURFACES, **_BLOCKS, **_INPUTS, **_BUTTONS)


class DarkByDefault:
    """Open the page dark, or as this browser last chose; Gradio alone would follow the system and flash.

    Args:
        app: The application behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a page asked for without a theme to the same page with one."""
        if scope["type"] != "http" or scope["path"] != "/" or b"__theme=" in scope["query_string"]:
            return await self.app(scope, receive, send)
        chosen = Request(scope).cookies.get("studio-theme")
        query = scope["query_string"].decode("latin-1")
        theme = f"__theme={'light' if chosen == 'light' else 'dark'}"
        await RedirectResponse(f"?{query}&{theme}" if query else f"?{theme}")(scope, receive, send)
