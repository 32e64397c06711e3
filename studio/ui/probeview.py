"""What the Probe pane draws of a probing: verdict, plots, tables, mistakes, and the rules behind the labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.embeddings.probing.matching import RULES
from studio.ui import embedview, markup

METRICS = {"auroc": "AUROC", "auprc": "AUPRC", "f1": "F1", "accuracy": "Accuracy", "ece": "Calibration error"}
FIRST = 8  # probes in the table that is not folded
SHOWN = 12  # mistakes; the report has more
VERDICTS = {"right": "right", "wrong": "a hallucination", "unsure": "not decided"}


def rules() -> str:
    """Draw every rule that makes a label from an answer and a truth, with its examples."""
    return "".join(
        f"<h3>{markup.escape(rule.name)}</h3><p class='quiet'>{markup.escape(rule.sentence)}</p>"
        f'<ul class="examples">{"".join(map(_example, rule.examples))}</ul>'
        for rule in RULES
    )


def _example(example: tuple[str, str, str, str]) -> str:
    question, truth, answer, found = example
    said, meant = (f"“{markup.escape(text)}”" if text else "nothing" for text in (answer, truth))
    return (
        f"<li>{markup.escape(question)} <b>{said}</b> where the truth is {meant}: "
        f'<span class="verdict {found}">{VERDICTS[found]}</span></li>'
    )


def verdict(results: Mapping[str, Any]) -> str:
    """Draw the finding, first of all whether hidden states were of any use."""
    best = next(one for one in results["cells"] if _is_best(one, results["best"]))
    doubt = (
        ""
        if best["beats"]
        else "<p class='doubt'>The best probe does not beat the best baseline for sure: on this run, what the hidden "
        "states tell about hallucinations may be no more than what is known without them.</p>"
    )
    lines = "".join(f"<li>{markup.escape(line)}</li>" for line in [*results["lines"][1:], *results["notes"]])
    return f'<h2 class="verdict-line">{markup.escape(results["verdict"])}</h2>{doubt}<ul class="lines">{lines}</ul>'


def found(results: Mapping[str, Any], plots: Mapping[str, str], pictures: Mapping[str, str]) -> str:
    """Draw the plots, the tables and the mistakes.

    Args:
        results: As in probe.json.
        plots: SVGs by name.
        pictures: Drawn pictures of the mistakes, by path.
    """
    sections = [
        f'<div class="figures plots-4">{"".join(f"<figure>{drawn(svg)}</figure>" for svg in plots.values())}</div>',
        _section("Probes", _probes(results)),
        _section("Baselines, which look at no hidden state", _measured(_ranked(results["baselines"]), lead=False)),
        *(_section(f"By {name.replace('_', ' ')}", _types(rows)) for name, rows in results["by_type"].items()),
        _section("The best probe's worst mistakes", _mistakes(results["mistakes"], pictures)),
        embedview.fold("Where the labels come from", _labels(results["labels"])),
        embedview.fold("How to read it", "".join(_quiet(each) for each in results["explained"].values())),
    ]
    return "".join(sections)


def drawn(svg: str) -> str:
    """Return an SVG that the templates of `gr.HTML` leave alone."""
    return re.sub(r"[{}$`]", lambda sign: f"&#{ord(sign[0])};", svg)


def _is_best(one: Mapping[str, Any], best: Mapping[str, Any]) -> bool:
    return bool((one["key"], one["kind"]) == (best["key"], best["kind"]))


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{markup.escape(title)}</h2>{inside}</section>"


def _quiet(words: str) -> str:
    return f'<p class="quiet">{markup.escape(words)}</p>'


def _probes(results: Mapping[str, Any]) -> str:
    """Draw the best probe first, since it was chosen on other questions, then the others by what they reach."""
    rows = sorted(_ranked(results["cells"]), key=lambda one: not _is_best(one, results["best"]))
    rest = rows[FIRST:]
    more = embedview.fold(f"{len(rest)} more", _measured(rest, lead=True)) if rest else ""
    return _measured(rows[:FIRST], lead=True) + more


def _ranked(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda one: -(one["metrics"]["auroc"]["value"] or 0))


def _measured(rows: Sequence[Mapping[str, Any]], *, lead: bool) -> str:
    from studio.embeddings.probing.metrics import figure

    first, *others = METRICS.values()
    leaky = any("leaky" in one for one in rows)
    head = ["", first, *(["Above the best baseline"] if lead else []), *(["Leaky split"] if leaky else []), *others]
    table = []
    for one in rows:
        auroc, *more = (figure(one["metrics"][name]) for name in METRICS)
        cells = [_named(one), f"<b>{auroc}</b>", *([_lead(one)] if lead else [])]
        cells += [figure(one["leaky"]) if "leaky" in one else ""] if leaky else []
        table.append([*cells, *more])
    return embedview.table(head, table, "figures-table")


def _named(one: Mapping[str, Any]) -> str:
    kind = {"mlp": "MLP", "linear": "linear"}.get(str(one.get("kind")), "")
    return f"{markup.escape(one['title'])}{f'<small>{kind}</small>' if kind else ''}"


def _lead(one: Mapping[str, Any]) -> str:
    from studio.embeddings.probing.metrics import figure

    kind, words = ("right", "beats it") if one["beats"] else ("unsure", "not for sure")
    return f'{figure(one["lead"], signed=True)}<span class="verdict {kind}">{words}</span>'


def _types(rows: Sequence[Mapping[str, Any]]) -> str:
    from studio.embeddings.probing.metrics import figure

    def cells() -> Iterator[list[str]]:
        for row in rows:
            last = [row["undefined"], ""] if "undefined" in row else [figure(row["probe"]), figure(row["baseline"])]
            counts = [f"{row['questions']:,}", f"{row['hallucinations']:,}"]
            yield [markup.escape(row["type"]), *counts, *last]

    head = ["", "Questions", "Hallucinations", "Best probe's AUROC", "Best baseline's"]
    return embedview.table(head, cells(), "figures-table")


def _mistakes(mistakes: Sequence[Mapping[str, Any]], pictures: Mapping[str, str]) -> str:
    if not mistakes:
        return _quiet("It made none on the test.")
    return f'<div class="mistakes">{"".join(_mistake(one, pictures) for one in mistakes[:SHOWN])}</div>'


def _mistake(one: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    was = '<span class="verdict wrong">it was one</span>' if one["label"] else (
        '<span class="verdict right">it was none</span>')  # fmt: skip
    return (
        f"<div>{pictures.get(one['picture'] or '', '')}<b>{markup.escape(one['question'])}</b>"
        f"<p>{markup.escape(one['answer'])}</p>{_quiet('Truth: ' + one['truth'])}"
        f'<p class="quiet">{one["score"]:.0%} a hallucination; {was}</p></div>'
    )


def _labels(labels: Mapping[str, Any]) -> str:
    rows = [
        [markup.escape(rule), *(f"{counts[name]:,}" for name in ("hallucination", "right", "unlabelled")),
         markup.escape(labels["rules"].get(rule, "As the table says."))]
        for rule, counts in labels["by_rule"].items()
    ]  # fmt: skip
    head = ["Rule", "Hallucinations", "Right", "Unlabelled", "What it does"]
    return _quiet(f"Labels: {labels['source']}.") + embedview.table(head, rows)
