"""The room is grey: no surface has a tint, and no font comes from elsewhere."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.ui import theme

COLOUR = re.compile(r"#([0-9a-fA-F]{6})\b")


def test_greys_have_no_tint() -> None:
    surfaces = [value for values in (theme._SURFACES, theme._BLOCKS, theme._INPUTS) for value in values.values()]
    greys = [value for name, value in vars(theme.GREY).items() if name.startswith("c")]
    for colour in COLOUR.findall(" ".join([*surfaces, *greys])):
        assert colour[:2] == colour[2:4] == colour[4:], colour


def test_nothing_is_fetched_from_elsewhere() -> None:
    made = theme.theme()._get_theme_css()  # type: ignore[no-untyped-call]
    everything = made + theme.CSS.read_text("utf-8") + theme.HEAD
    assert set(re.findall(r"https?://([^/'\"]+)", everything)) <= {"www.w3.org"}  # the name of SVG, never fetched
    assert "IBM Plex Sans" in everything


def test_the_bundled_fonts_are_whole() -> None:
    from gradio.themes.utils.fonts import local_font_available

    assert local_font_available("IBM Plex Sans", (400, 700)) and local_font_available("IBM Plex Mono", (400, 700))


def test_the_page_opens_dark_or_as_last_chosen() -> None:
    async def page(request: object) -> PlainTextResponse:
        return PlainTextResponse("page")

    app = Starlette(routes=[Route("/", page), Route("/other", page)], middleware=[Middleware(theme.DarkByDefault)])
    client = TestClient(app, follow_redirects=False)
    assert client.get("/").headers["location"] == "?__theme=dark"
    assert client.get("/?tab=models").headers["location"] == "?tab=models&__theme=dark"
    for chosen, opened in (("light", "light"), ("dark", "dark"), ("//evil", "dark")):
        cookie = {"cookie": f"studio-theme={chosen}"}
        assert client.get("/", headers=cookie).headers["location"] == f"?__theme={opened}"
    assert client.get("/?__theme=light").text == client.get("/other").text == "page"
