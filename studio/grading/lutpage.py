"""The health report as one page that needs nothing beside it, dark or light as its reader's system is."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from studio.grading.verdicts import TITLES, Verdict

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: dark light; --body: #1e1e1e; --text: #e6e6e6; --quiet: #a3a3a3; --line: #383838;
  --panel: #272727; --good: #6cc08b; --fair: #d6b25e; --poor: #ef8278; }}
@media (prefers-color-scheme: light) {{ :root {{ --body: #ebebeb; --text: #1c1c1c; --quiet: #5c5c5c; --line: #d6d6d6;
  --panel: #f8f8f8; --good: #2f7d4d; --fair: #8a6a12; --poor: #b5382d; }} }}
body {{ background: var(--body); color: var(--text); font: 14px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 1000px; padding: 32px 20px 48px; }}
h1 {{ font-size: 22px; font-weight: 600; letter-spacing: -.01em; margin: 0; }}
p {{ margin: 2px 0 0; }} .quiet {{ color: var(--quiet); }}
ul {{ list-style: none; margin: 24px 0; padding: 4px 18px; background: var(--panel); border-radius: 10px; }}
li {{ display: grid; grid-template-columns: 72px 150px 1fr; gap: 12px; padding: 10px 0; }}
li + li {{ border-top: 1px solid var(--line); }}
li span::before {{ content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%;
  background: currentColor; margin-right: 8px; }}
.good {{ color: var(--good); }} .fair {{ color: var(--fair); }} .poor {{ color: var(--poor); }}
b {{ font-weight: 600; }}
.plots {{ display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px; }}
.plots > :nth-child(3) {{ grid-column: 1 / -1; }}
img {{ display: block; margin: 14px auto 0; max-width: 100%; border-radius: 10px; }}
@media (max-width: 640px) {{ li {{ grid-template-columns: 72px 1fr; }} li p {{ grid-column: 1 / -1; }}
  .plots {{ grid-template-columns: minmax(0, 1fr); }} }}
</style></head><body>
<h1>{title}</h1><p class="quiet">{facts}</p><p>{summary}</p>
<ul>{lines}</ul>
<div class="plots">{plots}</div>{sheet}
</body></html>
"""


def page(report: Mapping[str, Any], verdicts: Sequence[Verdict], plots: Sequence[str], sheet: bytes | None) -> str:
    """Return the page.

    Args:
        report: As `studio.grading.lutreport.compose` returns it.
        verdicts: Its lines.
        plots: SVGs: two that stand side by side and a wide one.
        sheet: A JPEG of photographs before and after, if there are any.
    """
    photographs = len(report["photographs"]["read"])
    told = f"{photographs} photograph{'s' * (photographs != 1)}" if photographs else "no photographs"
    data = b64encode(sheet).decode() if sheet else ""
    return _PAGE.format(
        title=escape(report["lut"]),
        facts=f"{report['size']} points an edge · measured on {told}, a colour chart, a grey ramp and the whole cube",
        summary=escape(report["summary"]),
        lines="".join(map(_line, verdicts)),
        plots="".join(f"<div>{plot}</div>" for plot in plots),
        sheet=f'<img alt="Photographs without and with the LUT" src="data:image/jpeg;base64,{data}">' if data else "",
    )


def _line(one: Verdict) -> str:
    cells = f'<span class="{one.level}">{one.level}</span><b>{TITLES[one.measure]}</b><p>{escape(one.sentence)}</p>'
    return f"<li>{cells}</li>"
