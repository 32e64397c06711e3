"""The browser of an evaluation's questions: mistakes first, by kind of picture and by topic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job
from studio.scienceqa.questions.record import LETTERS, Question
from studio.scienceqa.scoring import families
from studio.ui import markup, scienceview
from studio.ui.follower import wrong

if TYPE_CHECKING:
    from studio.tasks import Studio

SHOWN = 24  # questions drawn at once
THUMB = 300  # pixels along the long edge of a question's picture
MISTAKES, ALL, TORN = "wrong", "", "disagree"
GROUPS = ("family", "topic")
"""Keys of a row that questions are chosen by."""
Row = Mapping[str, Any]
"""See `studio.scienceqa.scoring.ledger.Row`."""


class QuestionBrowser:
    """The components, and what they draw.

    Args:
        studio: The assembled studio, whose limits pictures are admitted by.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.which = gr.Radio(
            [], show_label=False, container=False, visible=False, elem_classes="chips", elem_id="evaluate-which"
        )
        with gr.Row(elem_classes="filters"):
            self.groups = [
                gr.Dropdown([], label=title, visible=False, elem_id=f"evaluate-{name}")
                for name, title in zip(GROUPS, ("Kind of picture", "Topic"), strict=True)
            ]
        self.questions = markup.html(elem_id="evaluate-questions")

    @property
    def filters(self) -> list[gr.Radio | gr.Dropdown]:
        """What `browse` takes, beside the job."""
        return [self.which, *self.groups]

    @property
    def outputs(self) -> list[Component]:
        """The components, in the order `draw` returns their values."""
        return [*self.filters, self.questions]

    def draw(self, job: Job | None) -> list[Any]:
        """Offer what can be chosen by, and draw the mistakes; without a job, nothing."""
        rows = answers(job) if job else []
        if job is None or not rows:
            return [gr.Radio(visible=False), *[gr.Dropdown(visible=False)] * len(GROUPS), ""]
        offered = [(key, named(rows, key)) for key in GROUPS]
        groups = [
            gr.Dropdown([(f"All {len(rows):,}", ALL), *found], value=ALL, visible=len(found) > 1)
            for _, found in offered
        ]
        return [gr.Radio(kinds(rows), value=MISTAKES, visible=True), *groups, self.browse(MISTAKES, ALL, ALL, job)]

    def browse(self, which: str, family: str, topic: str, job: Job | None) -> str:
        """Draw the questions that are chosen, mistakes first, the surest of them first."""
        if job is None:
            return ""
        chosen = select(answers(job), which or "", family or "", topic or "")
        try:
            questions = read_again(job, frozenset(row["pid"] for row in chosen[:SHOWN]))
        except StudioError as error:
            return wrong(error)
        return cards(chosen[:SHOWN], len(chosen), questions, self._picture)

    def _picture(self, question: Question) -> str:
        """Draw a question's picture, small; without one, or where it is gone, nothing."""
        import numpy as np

        from studio.scienceqa.questions.pictures import open_picture

        try:
            image = open_picture(question, self.studio.settings)
        except StudioError:
            return ""
        if image is None:
            return ""
        image.thumbnail((THUMB, THUMB))
        return markup.picture(np.asarray(image.convert("RGB")), "")


def answers(job: Job) -> list[Row]:
    """Return the answers of a job; without those that failed."""
    path = job.folder / job.artifacts.get("answers", "answers.jsonl")
    if not path.is_file():
        return []
    found = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    return [row for row in found if "failed" not in row]


def kinds(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return the titles and names of what can be browsed."""
    offered = ((MISTAKES, "Mistakes"), (ALL, "All"), (TORN, "Reasoning says otherwise"))
    counted = [(title, name, sum(_is(row, name) for row in rows)) for name, title in offered]
    return [(f"{title} {count:,}", name) for title, name, count in counted if count or name != TORN]


def named(rows: Iterable[Row], key: str) -> list[tuple[str, str]]:
    """Return the titles, with how many are wrong, and names of the groups of a key, that with most mistakes first."""
    groups: dict[str, list[bool]] = {}
    for row in rows:
        if row.get(key):
            groups.setdefault(row[key], []).append(not row["right"])
    order = sorted(groups, key=lambda name: (-sum(groups[name]), name))
    titles = {name: families.title(name).capitalize() if key == "family" else name.capitalize() for name in order}
    return [(f"{titles[name]}: {sum(groups[name]):,} wrong of {len(groups[name]):,}", name) for name in order]


def select(rows: Iterable[Row], which: str, family: str = ALL, topic: str = ALL) -> list[Row]:
    """Return the rows that are chosen, mistakes first, the surest of them first."""
    chosen = [
        row for row in rows
        if _is(row, which) and family in (ALL, row["family"]) and topic in (ALL, row.get("topic"))
    ]  # fmt: skip
    return sorted(chosen, key=lambda row: (row["right"], -max(row.get("probabilities") or [0.0])))


def _is(row: Row, which: str) -> bool:
    return which == ALL or (not row["right"] if which == MISTAKES else _is_torn(row))


def _is_torn(row: Row) -> bool:
    """Whether the reasoning ends on another choice than that made at once."""
    return "at_once" in row and row["reasoned"] not in (None, row["at_once"])


def read_again(job: Job, wanted: frozenset[str]) -> dict[str, Question]:
    """Read some of a job's questions again.

    Raises:
        StudioError: The set is gone.
    """
    from studio.scienceqa.questions import reading

    config = job.config
    pictures = Path(str(config["images_dir"])) if config.get("images_dir") else None
    found = reading.read(str(config["data"]), pictures, splits=(str(config["split"]),))
    return {one.pid: one for one in found.questions if one.pid in wanted}


def cards(
    rows: Sequence[Row], total: int, questions: Mapping[str, Question], picture: Callable[[Question], str]
) -> str:
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


def _card(row: Row, question: Question, picture: Callable[[Question], str]) -> str:
    inside = scienceview.choices(question.choices, row.get("probabilities"), row["chosen"], row["answer"])
    if row.get("reasoning"):
        inside += f"<p>{markup.escape(row['reasoning'])}</p>"
    inside += "".join(f'<p class="quiet">{markup.escape(one)}</p>' for one in _asides(row))
    foot = " · ".join(one for one in (families.title(row["family"]).capitalize(), row.get("topic"), row["pid"]) if one)
    return scienceview.card(picture(question), question.question, inside, foot, question.hint)


def _asides(row: Row) -> list[str]:
    """Say how the question went when it was asked otherwise."""
    told = []
    if _is_torn(row):
        told.append(f"The reasoning ends on ({LETTERS[row['reasoned']]}), at once it was ({LETTERS[row['at_once']]}).")
    for name, words in (("without_picture", "Without the picture"), ("another_picture", "With another picture")):
        if name in row:
            told.append(f"{words} ({LETTERS[row[name]['chosen']]}), {'right' if row[name]['right'] else 'wrong'}.")
    if row.get("orders"):
        right = sum(each["right"] for each in row["orders"])
        told.append(f"In other orders of the choices {right} of {len(row['orders'])} times right.")
    return told
