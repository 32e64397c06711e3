"""A report is one page: its words are escaped, and its pictures travel with it."""

from __future__ import annotations

import io
from base64 import b64decode
from html.parser import HTMLParser

import pytest
from PIL import Image

from studio import reportpage


class Balanced(HTMLParser):
    """Sees that every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_whole_and_needs_nothing_beside_it() -> None:
    image = Image.new("RGB", (30, 20), "red")
    inside = reportpage.paragraphs(["a < b"]) + reportpage.table([["<b>x</b>", "y" * 99]], ["one", "two"])
    body = reportpage.section("A & B", inside + reportpage.cards([reportpage.picture(image), "<p>no picture</p>"]))
    page = reportpage.page("Verdict <1>", body + reportpage.plots(["<svg></svg>"]), ".own { color: red; }")
    parser = Balanced()
    parser.feed(page)
    assert parser.open == [] and [source[:22] for source in parser.sources] == ["data:image/jpeg;base64"]
    for part in (
        "<title>Verdict &lt;1&gt;</title>",
        "<h2>A &amp; B</h2>",
        "a &lt; b",
        "<b>x</b>",
        ".own { color: red; }",
    ):
        assert part in page
    assert page.count('<td class="words">') == 1


@pytest.mark.parametrize("size", [(3, 5), (640, 360)])
def test_a_picture_keeps_its_pixels_size(size: tuple[int, int]) -> None:
    data = reportpage.picture(Image.new("RGB", size, "teal")).split("base64,")[1].rstrip('">')
    with Image.open(io.BytesIO(b64decode(data))) as image:
        assert image.size == size and image.format == "JPEG"
