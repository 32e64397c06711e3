"""A probing as one page that needs nothing beside it, dark or light as its reader's system is."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from studio.context import Context
from studio.embeddings.probing.metrics import figure
from studio.errors import StudioError
from studio.images import load_view

PICTURE = 224
"""Longest edge of a mistake's picture, in pixels."""

_METRICS = {"auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "accuracy": "accuracy", "ece": "calibration error"}

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
.mistakes {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 14px; }}
.mistakes > div {{ background: var(--panel); border-radius: 10px; padding: 10px; overflow-wrap: anywhere; }}
.mistakes img {{ display: block; width: 100%; border-radius: 6px; margin-bottom: 8px; image-rendering: auto; }}
@media (max-width: 640px) {{ .plots {{ columns: 1; }} }}
</style></head><body>
<h1>{title}</h1>{lines}
<div class="plots">{plots}</div>
<h2>Probes</h2><div class="wide">{cells}</div>
<h2>Baselines, which look at no hidden state</h2><div class="wide">{baselines}</div>
{types}
<h2>The best probe's worst mistakes</h2>{mistakes}
<h2>Labels</h2><p class="quiet">{source}</p><div class="wide">{rules}</div>
<h2>How to read it</h2>{explained}
<h2>Where it comes from</h2><div class="wide">{facts}</div>
</body></html>
"""


def page(results: Mapping[str, Any], plots: Mapping[str, str], context: Context) -> str:
    """Return the page.

    Args:
        results: As `studio.embeddings.probing.results.compose` returns them.
        plots: SVGs by name: ``heatmap``, ``coverage``, ``roc`` and ``calibration``, drawn in two columns.
        context: Whose cache the pictures go through.
    """
    labels = results["labels"]
    return _PAGE.format(
        title=escape(results["verdict"]),
        lines=_paragraphs([*results["lines"][1:], *results["notes"]]),
        plots="".join(f"<div>{plots[name]}</div>" for name in ("heatmap", "coverage", "roc", "calibration")),
        cells=_table(
            [_measured(one, f"{one['title']}, {_kind(one)}") for one in results["cells"]], _heads(results, "cells")
        ),
        baselines=_table([_measured(one, one["title"]) for one in results["baselines"]], _heads(results, "baselines")),
        types="".join(map(_types, results["by_type"].items())),
        mistakes=_mistakes(results["mistakes"], context),
        source=escape(f"{labels['source'][0].upper()}{labels['source'][1:]}."),
        rules=_rules(labels),
        explained=_paragraphs(results["explained"].values()),
        facts=_table(_facts(results), ()),
    )


def _kind(one: Mapping[str, Any]) -> str:
    return "MLP" if one["kind"] == "mlp" else "linear"


def _heads(results: Mapping[str, Any], name: str) -> list[str]:
    rows = results[name]
    first, *others = _METRICS.values()
    lead = ["above the best baseline"] if name == "cells" else []
    return ["", first, *lead, *others, *(["AUROC, split by question"] if "leaky" in rows[0] else [])]


def _measured(one: Mapping[str, Any], name: str) -> list[str]:
    first, *others = (figure(one["metrics"][metric]) for metric in _METRICS)
    lead = [figure(one["lead"], signed=True)] if "lead" in one else []
    return [escape(name), first, *lead, *others, *([figure(one["leaky"])] if "leaky" in one else [])]


def _types(item: tuple[str, Sequence[Mapping[str, Any]]]) -> str:
    name, rows = item
    table = [
        [
            escape(str(row["type"])), str(row["questions"]), str(row["hallucinations"]),
            *((row["undefined"], "") if "undefined" in row else map(figure, (row["probe"], row["baseline"]))),
        ]
        for row in rows
    ]  # fmt: skip
    heads = ["", "questions", "hallucinations", "best probe's AUROC", "best baseline's"]
    return f"<h2>By {name.replace('_', ' ')}</h2><div class='wide'>{_table(table, heads)}</div>"


def _mistakes(mistakes: Sequence[Mapping[str, Any]], context: Context) -> str:
    if not mistakes:
        return "<p>It made none.</p>"
    return f'<div class="mistakes">{"".join(_mistake(one, context) for one in mistakes)}</div>'


def _mistake(one: Mapping[str, Any], context: Context) -> str:
    said = f"Score {one['score']:.2f}, but it was {'a hallucination' if one['label'] else 'right'}"
    words = f"<b>{escape(one['question'])}</b><p>{escape(one['answer'])}</p>"
    words += f'<p class="quiet">Truth: {escape(one["truth"])}</p><p class="quiet">{said}</p>'
    return f"<div>{_picture(one['picture'], context)}{words}</div>"


def _picture(path: str | None, context: Context) -> str:
    if path is None:
        return ""
    try:
        pixels = load_view(Path(path), PICTURE, context.cache, context.settings)
    except StudioError as error:  # it was readable when it was extracted
        return f'<p class="quiet">{escape(error.what)}</p>'
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=85)
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(data.getvalue()).decode()}">'


def _rules(labels: Mapping[str, Any]) -> str:
    rows = [
        [escape(rule), *(str(counts[name]) for name in ("hallucination", "right", "unlabelled")),
         escape(labels["rules"].get(rule, "As the table says."))]
        for rule, counts in labels["by_rule"].items()
    ]  # fmt: skip
    return _table(rows, ["rule", "hallucinations", "right", "unlabelled", "what it does"])


def _facts(results: Mapping[str, Any]) -> list[list[str]]:
    sides = "; ".join(
        f"{name} {one['questions']} questions ({one['hallucinations']} hallucinations) about {one['images']} images"
        for name, one in results["split"].items()
    )
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    model = {name: value for name, value in results["model"].items() if value}
    rows = {"run": results["run"], "split": sides, "seed": results["seed"], **model, "versions": versions}
    return [[escape(name), escape(str(value))] for name, value in rows.items()]


def _table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    top = f"<tr>{''.join(f'<th>{each}</th>' for each in heads)}</tr>" if heads else ""
    body = "".join(f"<tr>{''.join(map(_data, row))}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def _data(cell: str) -> str:
    return f'<td class="words">{cell}</td>' if len(cell) > 60 else f"<td>{cell}</td>"


def _paragraphs(sentences: Any) -> str:
    return "".join(f'<p class="quiet">{escape(each)}</p>' for each in sentences)
