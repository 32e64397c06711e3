"""The tables that the Evaluate pane draws of a finished evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.scienceqa.scoring.columns import COLUMNS
from studio.ui import embedview, markup, scienceview

BASELINES = {
    "random": "drawn blindly", "letter": "constant letter", "majority": "majority", "longest": "longest choice"
}  # fmt: skip
PICTURES = {"without_picture": "without the picture", "another_picture": "with another picture"}
OTHERS = "Published on ScienceQA’s own test"
AGREEMENT = {
    "named": "the reasoning ends on a choice", "agree": "and on that made at once",
    "reasoned_right_where_they_agree": "right where they agree",
    "reasoned_right_where_not": "where they do not, the reasoning is right", "at_once_right": "right at once",
}  # fmt: skip


def verdict(report: Mapping[str, Any]) -> str:
    """Draw what it comes to."""
    first, *rest = report["lines"]
    return f'<h2 class="verdict-line">{markup.escape(first)}</h2>{scienceview.lines(rest)}'


def tables(report: Mapping[str, Any]) -> str:
    """Draw the official columns beside baselines and published rows, then what the answers hang on."""
    drawn = _section("Official columns, per cent", _columns(report))
    drawn += _pictures(report) + _orders(report) + _agreement(report)
    for key, head, title in (("families", "title", "By kind of picture"), ("topics", "topic", "By topic")):
        if len(report[key]) > 1:
            drawn += _section(title, _groups(report[key], head))
    return drawn


def _columns(report: Mapping[str, Any]) -> str:
    own = {one["name"]: one for one in report["columns"]}
    names = [column.name for column in COLUMNS]
    rows = [[f"<b>{markup.escape(report['answered'])}</b>", *(scienceview.figure(own[name]) for name in names)]]
    rows.append(["questions", *(f"{own[name]['total']:,}" for name in names)])
    for key, title in BASELINES.items():
        rows.append([title, *(_percent(own[name]["baselines"][key]) for name in names)])
    note = "" if report["set"]["official_test"] else ": other questions than these, for orientation only"
    rows.append([f'<span class="quiet">{OTHERS}{note}</span>', *[""] * len(names)])
    for one in report["published"]:
        cells = (one["figures"].get(name) for name in names)
        name = f"{markup.escape(one['name'])}<small>{markup.escape(one['note'])}</small>"
        rows.append([name, *("" if value is None else f"{value:.1f}" for value in cells)])
    return embedview.table(["", *names], rows, "figures-table columns")


def _pictures(report: Mapping[str, Any]) -> str:
    rows = [
        [words, scienceview.figure(one["with"]), scienceview.figure(one["other"]),
         scienceview.figure(one["lead"], signed=True), scienceview.figure(one["same_choice"])]
        for name, words in PICTURES.items() if (one := report["pictures"].get(name))
    ]  # fmt: skip
    head = ["", "right with it, %", "right so, %", "lead, points", "same choice, %"]
    return _section("Does it look at the picture?", embedview.table(head, rows, "figures-table")) if rows else ""


def _orders(report: Mapping[str, Any]) -> str:
    """Draw how far the choice hangs on where it stands."""
    told = report["orders"]
    if told is None:
        return ""
    as_asked = next(one for one in report["columns"] if one["name"] == "Avg")
    shares = (as_asked, told["right"], told["same_choice_in_all"])
    head = ["right as asked, %", "right in other orders, %", "same choice in every order, %"]
    drawn = embedview.table(head, [[scienceview.figure(one) for one in shares]], "figures-table")
    letters = told["letters"]
    rows = [[words, *(f"{one[key]:,}" for one in letters.values())]
            for key, words in (("chosen", "chosen in other orders"), ("right", "right in them"))]  # fmt: skip
    drawn += embedview.table(["", *letters], rows, "figures-table")
    return _section("Does it matter where a choice stands?", drawn)


def _agreement(report: Mapping[str, Any]) -> str:
    """Draw how often the reasoning ends on the choice that is made at once."""
    told = report["agreement"]
    if told is None:
        return ""
    rows = [[words, scienceview.figure(told[key]), f"{told[key]['right']:,} of {told[key]['total']:,}"]
            for key, words in AGREEMENT.items()]  # fmt: skip
    table = embedview.table(["", "%", "questions"], rows, "figures-table")
    return _section("Does the reasoning carry the answer?", table)


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{title}</h2>{inside}</section>"


def _groups(groups: Sequence[Mapping[str, Any]], key: str) -> str:
    pictures = [name for name in PICTURES if any(name in one for one in groups)]
    rows = []
    for one in groups:
        row = [markup.escape(one[key]), f"{one['total']:,}", scienceview.figure(one)]
        row.append(_percent(one["baselines"]["random"]))
        row += [scienceview.figure(one[name]["lead"], signed=True) if name in one else "" for name in pictures]
        rows.append(row)
    leads = [f"lead over {PICTURES[name]}" for name in pictures]
    return embedview.table(["", "questions", "right, %", "blindly", *leads], rows, "figures-table")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
