"""A probing as one page that needs nothing beside it, dark or light as its reader's system is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from studio import reportpage
from studio.context import Context
from studio.embeddings.probing.metrics import figure
from studio.errors import StudioError
from studio.images import load_view
from studio.reportpage import cards, paragraphs, picture, section, table

PICTURE = 224
"""Longest edge of a mistake's picture, in pixels."""

_METRICS = {"auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "accuracy": "accuracy", "ece": "calibration error"}


def page(results: Mapping[str, Any], plots: Mapping[str, str], context: Context) -> str:
    """Return the page.

    Args:
        results: As `studio.embeddings.probing.results.compose` returns them.
        plots: SVGs by name: ``heatmap``, ``coverage``, ``roc`` and ``calibration``, drawn in two columns.
        context: Whose cache the pictures go through.
    """
    labels = results["labels"]
    cells = [_measured(one, f"{one['title']}, {_kind(one)}") for one in results["cells"]]
    baselines = [_measured(one, one["title"]) for one in results["baselines"]]
    source = paragraphs([f"{labels['source'][0].upper()}{labels['source'][1:]}."])
    parts = [
        paragraphs([*results["lines"][1:], *results["notes"]]),
        reportpage.plots(plots[name] for name in ("heatmap", "coverage", "roc", "calibration")),
        section("Probes", table(cells, _heads(results, "cells"))),
        section("Baselines, which look at no hidden state", table(baselines, _heads(results, "baselines"))),
        *map(_types, results["by_type"].items()),
        section("The best probe's worst mistakes", _mistakes(results["mistakes"], context)),
        section("Labels", source + _rules(labels)),
        section("How to read it", paragraphs(results["explained"].values())),
        section("Where it comes from", table(_facts(results))),
    ]
    return reportpage.page(results["verdict"], "\n".join(parts))


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
    cells = [
        [
            escape(str(row["type"])), str(row["questions"]), str(row["hallucinations"]),
            *((row["undefined"], "") if "undefined" in row else map(figure, (row["probe"], row["baseline"]))),
        ]
        for row in rows
    ]  # fmt: skip
    heads = ["", "questions", "hallucinations", "best probe's AUROC", "best baseline's"]
    return section(f"By {name.replace('_', ' ')}", table(cells, heads))


def _mistakes(mistakes: Sequence[Mapping[str, Any]], context: Context) -> str:
    if not mistakes:
        return "<p>It made none.</p>"
    return cards(_mistake(one, context) for one in mistakes)


def _mistake(one: Mapping[str, Any], context: Context) -> str:
    said = f"Score {one['score']:.2f}, but it was {'a hallucination' if one['label'] else 'right'}"
    words = f"<b>{escape(one['question'])}</b><p>{escape(one['answer'])}</p>"
    words += f'<p class="quiet">Truth: {escape(one["truth"])}</p><p class="quiet">{said}</p>'
    return _picture(one["picture"], context) + words


def _picture(path: str | None, context: Context) -> str:
    if path is None:
        return ""
    try:
        pixels = load_view(Path(path), PICTURE, context.cache, context.settings)
    except StudioError as error:  # it was readable when it was extracted
        return f'<p class="quiet">{escape(error.what)}</p>'
    return picture(Image.fromarray(pixels))


def _rules(labels: Mapping[str, Any]) -> str:
    rows = [
        [escape(rule), *(str(counts[name]) for name in ("hallucination", "right", "unlabelled")),
         escape(labels["rules"].get(rule, "As the table says."))]
        for rule, counts in labels["by_rule"].items()
    ]  # fmt: skip
    return table(rows, ["rule", "hallucinations", "right", "unlabelled", "what it does"])


def _facts(results: Mapping[str, Any]) -> list[list[str]]:
    sides = "; ".join(
        f"{name} {one['questions']} questions ({one['hallucinations']} hallucinations) about {one['images']} images"
        for name, one in results["split"].items()
    )
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    model = {name: value for name, value in results["model"].items() if value}
    rows = {"run": results["run"], "split": sides, "seed": results["seed"], **model, "versions": versions}
    return [[escape(name), escape(str(value))] for name, value in rows.items()]
