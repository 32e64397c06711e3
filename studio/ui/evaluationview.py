"""What the Evaluate pane draws of a finished evaluation: its tables, and its questions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.jobs import Job
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import families
from studio.scienceqa.scoring.columns import COLUMNS
from studio.ui import embedview, markup, scienceview

BASELINES = {
    "random": "drawn blindly", "letter": "constant letter", "majority": "majority", "longest": "longest choice"
}  # fmt: skip
PICTURES = {"without_picture": "without the picture", "another_picture": "with another picture"}
OTHERS = "Published on ScienceQA’s own test"
_RUN = ("bundle", "data", "split")


def verdict(report: Mapping[str, Any]) -> str:
    """Draw what it comes to."""
    first, *rest = report["lines"]
    return f'<h2 class="verdict-line">{markup.escape(first)}</h2>{scienceview.lines(rest)}'


def tables(report: Mapping[str, Any]) -> str:
    """Draw the official columns beside baselines and published rows, then what the answers hang on."""
    drawn = f"<section><h2>Official columns, per cent</h2>{_columns(report)}</section>"
    drawn += _pictures(report)
    for key, head, title in (("families", "title", "By kind of picture"), ("topics", "topic", "By topic")):
        if len(report[key]) > 1:
            drawn += f"<section><h2>{title}</h2>{_groups(report[key], head)}</section>"
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
         scienceview.figure(one["lead"], signed=True)]
        for name, words in PICTURES.items() if (one := report["pictures"].get(name))
    ]  # fmt: skip
    if not rows:
        return ""
    head = ["", "right with the picture", "right so", "lead, points"]
    table = embedview.table(head, rows, "figures-table")
    return f"<section><h2>Does it look at the picture?</h2>{table}</section>"


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


def rows(job: Job) -> list[dict[str, Any]]:
    """Return the answers of a job, as `studio.scienceqa.scoring.ledger.Row` says; without those that failed."""
    path = job.folder / job.artifacts.get("answers", "answers.jsonl")
    if not path.is_file():
        return []
    found = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [row for row in found if "failed" not in row]


def kinds(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the titles and names of what can be browsed: mistakes, all, and each kind of picture."""
    wrong = sum(not row["right"] for row in rows)
    counted = Counter(str(row["family"]) for row in rows)
    named = [(f"{families.title(name).capitalize()} {count:,}", f"family/{name}") for name, count in counted.items()]
    return [(f"Mistakes {wrong:,}", "wrong"), (f"All {len(rows):,}", ""), *named]


def select(rows: Sequence[dict[str, Any]], which: str) -> list[dict[str, Any]]:
    """Return the rows of one kind, mistakes first, the surest of them first."""
    family = which.removeprefix("family/") if which.startswith("family/") else ""
    chosen = [row for row in rows if (which != "wrong" or not row["right"]) and family in ("", row["family"])]
    return sorted(chosen, key=lambda row: (row["right"], -max(row.get("probabilities") or [0.0])))


def questions(job: Job, wanted: frozenset[str]) -> dict[str, Question]:
    """Read some of the questions again.

    Raises:
        StudioError: The set is gone.
    """
    from studio.scienceqa.questions import reading

    config = job.config
    pictures = Path(str(config["images_dir"])) if config.get("images_dir") else None
    found = reading.read(str(config["data"]), pictures, splits=(str(config["split"]),))
    return {one.pid: one for one in found.questions if one.pid in wanted}


def cards(
    rows: Sequence[Mapping[str, Any]], total: int, questions: Mapping[str, Question],
    picture: Callable[[Question], str],
) -> str:  # fmt: skip
    """Draw questions with what was chosen.

    Args:
        rows: Their answers.
        total: How many there are of their kind.
        questions: The questions, by id.
        picture: Draws the picture of one.
    """
    if not rows:
        return '<p class="quiet">There are none.</p>'
    drawn = scienceview.cards(_card(row, questions[row["pid"]], picture) for row in rows if row["pid"] in questions)
    more = f'<p class="quiet">{len(rows)} of {total:,} are shown; answers.jsonl has all.</p>'
    return drawn + (more if total > len(rows) else "")


def _card(row: Mapping[str, Any], question: Question, picture: Callable[[Question], str]) -> str:
    inside = scienceview.choices(question.choices, row.get("probabilities"), row["chosen"], row["answer"])
    if row.get("reasoning"):
        inside += f"<p>{markup.escape(row['reasoning'])}</p>"
    if "without_picture" in row:
        inside += f'<p class="quiet">Without the picture {"right" if row["without_picture"]["right"] else "wrong"}.</p>'
    foot = f"{families.title(row['family']).capitalize()} · {row['pid']}"
    return scienceview.card(picture(question), question.question, inside, foot, question.hint)
