"""An evaluation as one page that needs nothing beside it: single questions, the columns beside others', families."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from studio import charts, reportpage
from studio.errors import StudioError
from studio.reportpage import cards, paragraphs, picture, section, table
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import LETTERS, Question
from studio.scienceqa.scoring import families
from studio.scienceqa.scoring.columns import COLUMNS
from studio.scienceqa.scoring.ledger import Row
from studio.scienceqa.scoring.report import PICTURES, Evaluation, figure, mistakes
from studio.settings import Settings

PICTURE = 320
"""Longest edge of a question's picture, in pixels."""
SHOWN = {"wrong": 24, "right": 6}
"""Questions of a family that the page shows at most."""

_STYLE = """summary { cursor: pointer; font-weight: 600; padding: 5px 0; } details[open] { margin-bottom: 18px; }
.choices { list-style: none; margin: 8px 0 0; padding: 0; } .choices li { padding: 2px 6px; border-radius: 5px;
  background: linear-gradient(to right, rgba(74, 155, 224, .28) var(--chance, 0%), transparent 0); }
.right { font-weight: 600; } .right::after { content: " ✓"; } .wrong::after { content: " ✗"; }
.cards { grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); }"""


def page(report: Mapping[str, Any], found: Evaluation, settings: Settings) -> str:
    """Return the page.

    Args:
        report: As `studio.scienceqa.scoring.report.compose` returns it.
        found: What it was made from.
        settings: Whose limits pictures are admitted by.
    """
    parts = [
        paragraphs(report["lines"][1:]),
        section("Single questions, mistakes first, by family", _families(found, settings)),
        section("ScienceQA's columns", _columns(report)),
        section("By family", _table_of(report["families"], "title", list(report["pictures"]))),
    ]
    if report["calibration"] is not None:
        parts.append(reportpage.plots([_calibration(report["calibration"])]))
    parts += [section(heading, inside) for heading, inside in _ablations(report)]
    if report["topics"]:
        parts.append(section("By topic", _table_of(report["topics"], "topic", [])))
    for name, heading in (("failed", "Could not be asked"), ("rejected", "Could not be used")):
        if report[name]:
            rows = [[escape(one["pid"]), escape(one["reason"])] for one in report[name]]
            parts.append(section(heading, table(rows, ["question", "reason"])))
    parts.append(section("How to read it", paragraphs(_EXPLAINED)))
    parts.append(section("Where it comes from", table(_facts(report))))
    return reportpage.page(report["verdict"], "\n".join(parts), _STYLE)


_EXPLAINED = (
    "Intervals are of 95 %: Wilson's for a share, Newcombe's for the difference of two over the same questions.",
    "NAT, SOC and LAN are natural, social and language science; TXT, IMG and NO questions with a text, a picture, or "
    "neither; a question with both counts twice. The average is over questions.",
    "The baselines read nothing. The constant letter and the majority are chosen on these very questions.",
    "Of the same questions without their picture, or with another one's, about as many are right where a model does "
    "not look.",
)


def _columns(report: Mapping[str, Any]) -> str:
    names = [column.name for column in COLUMNS]
    own = {one["name"]: one for one in report["columns"]}
    rows = [[f"<b>{escape(report['answered'])}</b>", *(_percent(own[name]["value"]) for name in names)],
            ["95 % interval", *(_interval(own[name]) for name in names)],
            ["questions", *(f"{own[name]['total']:,}" for name in names)]]  # fmt: skip
    titles = {
        "random": "drawn blindly",
        "letter": "constant letter",
        "majority": "majority",
        "longest": "longest choice",
    }
    for key, title in titles.items():
        rows.append([title, *(_percent(own[name]["baselines"][key]) for name in names)])
    if report["set"]["official_test"]:
        told = "These are the questions of ScienceQA's own test, so that the published rows compare."
    else:
        told = "These are other questions than ScienceQA's own test: the published rows are for orientation alone."
    others = [
        [
            escape(one["name"]),
            *(_per_cent(one["figures"].get(name)) for name in names),
            escape(f"{one['note']}; {one['source']}"),
        ]
        for one in report["published"]
    ]
    heads = ["", *names]
    return table(rows, heads) + paragraphs([told]) + table(others, [*heads, ""])


def _table_of(groups: Sequence[Mapping[str, Any]], key: str, pictures: Sequence[str]) -> str:
    rows = []
    for one in groups:
        row = [escape(str(one[key])), f"{one['total']:,}", figure(one), _percent(one["baselines"]["random"])]
        for name in pictures:
            row += [figure(one[name]["other"]), figure(one[name]["lead"], signed=True)] if name in one else ["", ""]
        rows.append(row)
    heads = ["", "questions", "right", "blindly"]
    return table(rows, [*heads, *(head for name in pictures for head in (PICTURES[name], "lead, points"))])


def _calibration(told: Mapping[str, Any]) -> str:
    words = f"calibration error {told['error']:.3f}"
    return charts.calibration("probability of the choice", "share right", {words: (told["bins"], charts.COLOURS[0])})


def _ablations(report: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    rows = [
        [words, figure(one["with"]), figure(one["other"]), figure(one["lead"], signed=True), figure(one["same_choice"])]
        for name, words in PICTURES.items()
        if (one := report["pictures"].get(name)) is not None
    ]
    if rows:
        heads = ["", "right with the picture", "right so", "lead, points", "same choice"]
        yield "Does it look at the picture?", table(rows, heads)
    if (told := report["orders"]) is not None:
        rows = [["right in other orders", figure(told["right"])],
                ["same choice in every order", figure(told["same_choice_in_all"])]]  # fmt: skip
        for letter, count in told["letters"].items():
            rows.append([f"({letter})", f"chosen {count['chosen']:,} times, right {count['right']:,} times"])
        yield "Does it matter where a choice stands?", table(rows)
    if (told := report["agreement"]) is not None:
        titles = {
            "named": "the reasoning ends on a choice", "agree": "and on that made at once",
            "reasoned_right_where_they_agree": "right where they agree",
            "reasoned_right_where_not": "the reasoning is right where they do not",
            "at_once_right": "the choice made at once is right",
        }  # fmt: skip
        yield (
            "Does the reasoning carry the answer?",
            table([[words, figure(told[key])] for key, words in titles.items()]),
        )


def _families(found: Evaluation, settings: Settings) -> str:
    groups: dict[str, list[Row]] = {}
    for row in found.asked:
        groups.setdefault(row["family"], []).append(row)
    order = sorted(groups, key=lambda name: (-sum(not row["right"] for row in groups[name]), name))
    return "".join(_one_family(name, groups[name], found.questions, settings, first=not at)
                   for at, name in enumerate(order))  # fmt: skip


def _one_family(
    name: str, rows: Sequence[Row], questions: Mapping[str, Question], settings: Settings, first: bool
) -> str:
    by_pid = {row["pid"]: row for row in rows}
    wrong = mistakes(rows)
    right = sorted(row["pid"] for row in rows if row["right"])
    shown = wrong[: SHOWN["wrong"]] + right[: SHOWN["right"]]
    title = families.title(name)
    heading = f"{title[0].upper()}{title[1:]}: {len(wrong):,} wrong of {len(rows):,}"
    told = f"{len(shown)} of them are shown; the file answers.jsonl has all." if len(shown) < len(rows) else ""
    inside = cards(_card(by_pid[pid], questions[pid], settings) for pid in shown)
    return (f"<details{' open' if first else ''}><summary>{escape(heading)}</summary>"
            f"{paragraphs([told] if told else [])}{inside}</details>")  # fmt: skip


def _card(row: Row, question: Question, settings: Settings) -> str:
    words = f"<b>{escape(question.question)}</b>"
    words += paragraphs([question.hint] if question.hint else [])
    chances = row.get("probabilities") or [None] * len(question.choices)
    lines = ""
    for index, (choice, chance) in enumerate(zip(question.choices, chances, strict=True)):
        kind = "right" if index == row["answer"] else "wrong" if index == row["chosen"] else ""
        width = "" if chance is None else f' style="--chance: {chance:.1%}" title="{chance:.1%}"'
        lines += f'<li class="{kind}"{width}>({LETTERS[index]}) {escape(choice)}</li>'
    words += f'<ul class="choices">{lines}</ul>'
    if row.get("reasoning"):
        words += f"<p>{escape(row['reasoning'])}</p>"
    if "without_picture" in row:
        without = row["without_picture"]
        told = f"Without the picture: ({LETTERS[without['chosen']]}), {'right' if without['right'] else 'wrong'}."
        words += paragraphs([told])
    return _picture(question, settings) + words + paragraphs([f"Question {question.pid}"])


def _picture(question: Question, settings: Settings) -> str:
    try:
        image = open_picture(question, settings)
    except StudioError as error:  # it was readable when it was asked
        return paragraphs([error.what])
    if image is None:
        return ""
    image.thumbnail((PICTURE, PICTURE))
    return picture(image)


def _facts(report: Mapping[str, Any]) -> list[list[str]]:
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    told = {"questions": f"{report['set']['name']}, split {report['set']['split']}", **report["model"]}
    told |= {name: value for name, value in report["config"].items() if value is not None} | {"versions": versions}
    return [[escape(name), escape(str(value))] for name, value in told.items()]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _per_cent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}%"


def _interval(told: Mapping[str, Any]) -> str:
    return "–" if told["low"] is None else f"{100 * told['low']:.1f} to {100 * told['high']:.1f}"
