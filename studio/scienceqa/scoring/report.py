"""What an evaluation found, as plain data: the official columns, families, and what the answers hang on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studio.charts import BINS, calibration_bins
from studio.scienceqa.questions.record import LETTERS, Question, Rejected
from studio.scienceqa.scoring import baselines, families
from studio.scienceqa.scoring.columns import COLUMNS, by_column, by_name, is_official_test
from studio.scienceqa.scoring.intervals import Difference, Share
from studio.scienceqa.scoring.ledger import Row
from studio.scienceqa.scoring.published import ROWS

PICTURES = {"without_picture": "without the picture", "another_picture": "with another picture"}


@dataclass(frozen=True)
class Evaluation:
    """Questions and what was answered.

    Attributes:
        name: Of the set of questions.
        split: Which of it.
        questions: Those that were to be asked, by id.
        rows: A row for each of them.
        rejected: What could not be read or has no known answer.
        answered: Who answered, for people.
        facts: Model, settings and versions, as plain data.
        notes: Sentences on what is missing.
    """

    name: str
    split: str
    questions: Mapping[str, Question]
    rows: Sequence[Row]
    rejected: Sequence[Rejected]
    answered: str
    facts: Mapping[str, Any]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def asked(self) -> list[Row]:
        """The rows of questions that were answered, right or wrong."""
        return [row for row in self.rows if "failed" not in row]


def compose(found: Evaluation) -> dict[str, Any]:
    """Return everything as plain data."""
    rows = {row["pid"]: row for row in found.asked}
    asked = [found.questions[pid] for pid in rows]
    columns = by_column(asked)
    topics = by_name(asked, lambda one: one.topic)
    official = found.split == "test" and is_official_test(columns)
    verdict = _verdict(found, asked)
    return {
        "verdict": verdict,
        "lines": [verdict, *_lines(found)],
        "set": {"name": found.name, "split": found.split, "questions": len(asked), "official_test": official},
        "answered": found.answered,
        **found.facts,
        "columns": [
            {"name": column.name, "title": column.title, **_measured(columns[column.name], rows)} for column in COLUMNS
        ],
        "topics": [{"topic": name, **_measured(some, rows)} for name, some in topics.items() if name],
        "families": [_family(name, some, rows) for name, some in _by_family(asked, rows).items()],
        "pictures": {
            name: _pictures(found.asked, name) for name in PICTURES if any(name in row for row in found.asked)
        },
        "orders": _orders(found.asked),
        "agreement": _agreement(found.asked),
        "calibration": _calibration(found.asked),
        "letters": _letters(found.asked),
        "published": [vars(row) for row in ROWS],
        "mistakes": mistakes(found.asked),
        "failed": [{"pid": row["pid"], "reason": row["failed"]} for row in found.rows if "failed" in row],
        "rejected": [{"pid": one.pid, "reason": one.reason} for one in found.rejected],
        "notes": list(found.notes),
    }


def mistakes(rows: Sequence[Row]) -> list[str]:
    """Return the ids of wrong answers, the surest first."""
    wrong = [row for row in rows if not row["right"]]
    return [row["pid"] for row in sorted(wrong, key=lambda row: (-_sureness(row), row["pid"]))]


def _sureness(row: Row) -> float:
    return float(max(row["probabilities"])) if row.get("probabilities") else 0.0


def _verdict(found: Evaluation, asked: Sequence[Question]) -> str:
    if not asked:
        return f"None of the questions of {found.name} could be asked."
    share = Share.of(row["right"] for row in found.asked)
    bars = baselines.measure(asked)
    best = max(("longest", "majority", "letter"), key=lambda name: bars[name])
    titles = {"longest": "the longest choice", "majority": "the most frequent letter for each number of choices",
              "letter": f"always {bars['letter_is']}"}  # fmt: skip
    return (
        f"{found.answered} is right in {figure(share.to_json())} of {share.total:,} questions; drawing blindly is "
        f"right in {bars['random']:.1%}, the best baseline ({titles[best]}) in {bars[best]:.1%}."
    )


def _lines(found: Evaluation) -> list[str]:
    lines = [*found.notes]
    for name, words in PICTURES.items():
        pairs = [(row["right"], row[name]["right"]) for row in found.asked if name in row]
        if pairs:
            lead = figure(Difference.of(pairs).to_json(), signed=True)
            other = figure(Share.of(right for _, right in pairs).to_json())
            lines.append(
                f"Of {len(pairs):,} questions with a picture, {words} {other} are right: a lead of {lead} points."
            )
    failed = sum("failed" in row for row in found.rows)
    if failed:
        lines.append(f"{failed} questions could not be asked and are left out; they are listed with their reasons.")
    if found.rejected:
        lines.append(f"{len(found.rejected)} records could not be used; they are listed with their reasons.")
    return lines


def figure(told: Mapping[str, Any], signed: bool = False) -> str:
    """Return a share in per cent with its interval, ``61.2% (59.7 to 62.7)``; a difference in points, with its sign."""
    if told["value"] is None:
        return "–"
    value, low, high = (f"{100 * told[name]:{'+' if signed else ''}.1f}" for name in ("value", "low", "high"))
    return f"{value}{'' if signed else '%'} ({low} to {high})".replace("-", "−")


def _measured(some: Sequence[Question], rows: Mapping[str, Row]) -> dict[str, Any]:
    return {**Share.of(rows[one.pid]["right"] for one in some).to_json(), "baselines": baselines.measure(some)}


def _by_family(asked: Sequence[Question], rows: Mapping[str, Row]) -> dict[str, list[Question]]:
    groups = by_name(asked, lambda one: str(rows[one.pid]["family"]))
    rest = groups.pop(families.OTHER, None)
    return groups | ({families.OTHER: rest} if rest else {})


def _family(name: str, some: Sequence[Question], rows: Mapping[str, Row]) -> dict[str, Any]:
    own = [rows[one.pid] for one in some]
    pictures = {other: _pictures(own, other) for other in PICTURES if any(other in row for row in own)}
    return {"family": name, "title": families.title(name), **_measured(some, rows), **pictures}


def _pictures(rows: Sequence[Row], name: str) -> dict[str, Any]:
    """Compare answers with those to the same questions without their picture, or with another one."""
    pairs = [(bool(row["right"]), bool(row[name]["right"])) for row in rows if name in row]
    same = [row["chosen"] == row[name]["chosen"] for row in rows if name in row]
    return {
        "with": Share.of(right for right, _ in pairs).to_json(),
        "other": Share.of(right for _, right in pairs).to_json(),
        "lead": Difference.of(pairs).to_json(),
        "same_choice": Share.of(same).to_json(),
    }


def _orders(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Say how far the choice hangs on where it stands."""
    asked = [row for row in rows if row.get("orders")]
    if not asked:
        return None
    passes = [each for row in asked for each in row["orders"]]
    same = [all(each["chosen"] == row["chosen"] for each in row["orders"]) for row in asked]
    shown = Counter(LETTERS[each["order"].index(each["chosen"])] for each in passes)
    stood = Counter(LETTERS[each["order"].index(row["answer"])] for row in asked for each in row["orders"])
    return {
        "asked": len(passes),
        "right": Share.of(each["right"] for each in passes).to_json(),
        "same_choice_in_all": Share.of(same).to_json(),
        "letters": {letter: {"chosen": shown[letter], "right": stood[letter]} for letter in sorted(shown | stood)},
    }


def _agreement(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Compare the choice that reasoning ends on with that made at once."""
    both = [row for row in rows if "at_once" in row]
    if not both:
        return None
    named = [row for row in both if row["reasoned"] is not None]
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for row in named:
        sides[row["reasoned"] == row["at_once"]].append(row["reasoned"] == row["answer"])
    return {
        "named": Share(len(named), len(both)).to_json(),
        "agree": Share(len(sides[True]), len(named)).to_json(),
        "reasoned_right_where_they_agree": Share.of(sides[True]).to_json(),
        "reasoned_right_where_not": Share.of(sides[False]).to_json(),
        "at_once_right": Share.of(row["at_once"] == row["answer"] for row in both).to_json(),
        "disagree": [row["pid"] for row in named if row["reasoned"] != row["at_once"]],
    }


def _calibration(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Compare the probability of the likeliest choice with how often it is right."""
    told = [row for row in rows if row.get("probabilities")]
    if not told:
        return None
    right = np.array([row["right"] for row in told], dtype=np.int64)
    bins = calibration_bins(right, np.array([max(row["probabilities"]) for row in told]))
    gap = sum(each["count"] * abs(each["share"] - each["score"]) for each in bins) / len(told)
    rounded = [{name: round(value, 6) for name, value in each.items()} for each in bins]
    return {"error": round(gap, 6), "bins": rounded, "of": BINS}


def _letters(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Count how often each letter is chosen, and how often it is right."""
    chosen, right = (Counter(LETTERS[row[key]] for row in rows if row[key] is not None) for key in ("chosen", "answer"))
    return {letter: {"chosen": chosen[letter], "right": right[letter]} for letter in sorted(chosen | right)}
