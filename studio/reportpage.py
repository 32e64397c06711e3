"""The frame of a report: one page that needs nothing beside it, dark or light as its reader's system is."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: dark light; --body: #1e1e1e; --text: #e6e6e6; --quiet: #a3a3a3; --line: #383838;
  --panel: #272727; }}
@media (prefers-color-scheme: light) {{ :root {{ --body: #ebebeb; --text: #1c1c1c; --quiet: #5c5c5c; --line: #d6d6d6;
  --panel: #f8f8f8; }} }}
body {{ background: var(--body); color: var(--text); font: 14px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 1080px; padding: 32px 20px 48px; }}
h1 {{ font-size: 20px; font-weight: 600; letter-spacing: -.01em; margin: 0 0 10px; text-wrap: balance; }}
h2 {{ font-size: 15px; font-weight: 600; margin: 32px 0 8px; }}
p {{ margin: 2px 0 0; }} .quiet {{ color: var(--quiet); }}
.plots {{ columns: 2; column-gap: 14px; margin-top: 20px; }}
.plots > div {{ break-inside: avoid; padding-bottom: 14px; }}
.wide {{ overflow-x: auto; background: var(--panel); border-radius: 10px; padding: 6px 14px; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ font-weight: 600; }} th, td {{ text-align: left; padding: 6px 12px 6px 0; white-space: nowrap; }}
tr + tr td {{ border-top: 1px solid var(--line); }} td.words {{ white-space: normal; min-width: 220px; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 14px; }}
.cards > div {{ background: var(--panel); border-radius: 10px; padding: 10px; overflow-wrap: anywhere; }}
.cards img {{ display: block; width: 100%; border-radius: 6px; margin-bottom: 8px; image-rendering: auto; }}
@media (max-width: 640px) {{ .plots {{ columns: 1; }} }}{style}
</style></head><body>
<h1>{title}</h1>{body}
</body></html>
"""
_LONG = 60  # letters; a longer cell is broken into lines


def page(title: str, body: str, style: str = "") -> str:
    """Return the page.

    Args:
        title: The finding, as text.
        body: What follows, as HTML.
        style: CSS of its own, beside that of headings, tables, ``.plots`` and ``.cards``.
    """
    return _PAGE.format(title=escape(title), body=body, style=f"\n{style}" if style else "")


def section(heading: str, inside: str) -> str:
    """Return a heading, as text, and what stands under it, as HTML."""
    return f"<h2>{escape(heading)}</h2>{inside}\n"


def paragraphs(sentences: Iterable[str]) -> str:
    """Return sentences as quiet paragraphs."""
    return "".join(f'<p class="quiet">{escape(each)}</p>' for each in sentences)


def table(rows: Iterable[Sequence[str]], heads: Sequence[str] = ()) -> str:
    """Return a table that scrolls where it is too wide; cells are HTML."""
    top = f"<tr>{''.join(f'<th>{each}</th>' for each in heads)}</tr>" if heads else ""
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f'<div class="wide"><table>{top}{body}</table></div>'


def plots(drawings: Iterable[str]) -> str:
    """Return SVGs in two columns."""
    return f'<div class="plots">{"".join(f"<div>{each}</div>" for each in drawings)}</div>'


def cards(inside: Iterable[str]) -> str:
    """Return a grid of cards, each HTML."""
    return f'<div class="cards">{"".join(f"<div>{each}</div>" for each in inside)}</div>'


def picture(image: Image) -> str:
    """Return a picture that travels with the page, as a JPEG in its pixels' size."""
    data = io.BytesIO()
    image.save(data, "JPEG", quality=85)
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(data.getvalue()).decode()}">'


def _cell(inside: str) -> str:
    return f'<td class="words">{inside}</td>' if len(inside) > _LONG else f"<td>{inside}</td>"
