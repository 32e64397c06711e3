"""What the Embed tab draws of questions and vectors, as HTML and SVG made from data alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.embeddings.representations import DEFINITIONS
from studio.embeddings.store.records import Failure
from studio.ui import markup

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = {"wrong": "Wrong", "right": "Right", "unsure": "Undecided"}
SHOWN = 16  # rows of a preview
FAILED = 100  # failed rows listed
_CELLS = (
    ("frame", "", 13), ("frame", "", 13), *[("image", "", 18)] * 7,
    ("question", "What", 44), ("question", "colour", 54), ("question", "is", 26), ("question", "the", 34),
    ("question", "star?", 46), ("frame", "", 13), ("frame", "", 13), ("answer", "Red", 42),
)  # fmt: skip
_GAP, _TOP, _HEIGHT = 3, 46, 26  # pixels


def token_layout() -> str:
    """Draw where in the prompt each representation is read."""
    spans: dict[str, tuple[float, float]] = {}
    cells, x = [], 2.0
    ends = {}
    for kind, word, width in _CELLS:
        start, _ = spans.get(kind, (x, x))
        spans[kind], ends[kind] = (start, x + width), x + width / 2
        label = f'<text x="{x + width / 2}" y="{_TOP + 17}" text-anchor="middle">{word}</text>' if word else ""
        cells.append(f'<rect class="{kind}" x="{x}" y="{_TOP}" width="{width}" height="{_HEIGHT}" rx="4"/>{label}')
        x += width + _GAP
    first, last = spans["image"][0], spans["question"][1]
    below = _TOP + _HEIGHT
    middle = (spans["image"][0] + spans["image"][1]) / 2
    marks = [
        f'<path d="M{first} {_TOP - 6}v-7H{last}v7"/>', _named((first + last) / 2, 20, "multimodal", "middle"),
        f'<path d="M{middle} {below + 5}v14"/>', _named(middle, below + 34, "vision", "middle"),
        f'<path d="M{ends["image"]} {below + 5}v34"/>', _named(ends["image"], below + 54, "vision token", "middle"),
        f'<path d="M{ends["frame"]} {below + 5}v14"/>', _named(ends["frame"], below + 34, "query token", "middle"),
    ]  # fmt: skip
    words = "The tokens of a prompt: image, question, answer; and where the four representations are read"
    return (
        f'<svg class="tokens" viewBox="0 0 {x:.0f} {below + 62}" role="img" aria-label="{words}">'
        f'{"".join(cells)}<g class="marks">{"".join(marks)}</g></svg>'
    )


def _named(x: float, y: float, name: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{name}</text>'


def definitions() -> str:
    """Draw what each representation is, as a list."""
    rows = (f"<dt>{name}</dt><dd>{markup.escape(words)}</dd>" for name, words in DEFINITIONS.items())
    return f'<dl class="definitions">{"".join(rows)}</dl>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Draw a table that scrolls within itself where it is wider than the page.

    Args:
        head: The columns' names, plain text.
        rows: Cells, HTML.
        kind: A class of the style sheet.
    """
    names = "".join(f"<th>{markup.escape(name)}</th>" for name in head)
    top = f"<thead><tr>{names}</tr></thead>" if any(head) else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="catalog {kind}">{top}<tbody>{body}</tbody></table></div>'


def fold(title: str, inside: str) -> str:
    """Draw something that is folded away under its title."""
    return f'<details class="more"><summary>{markup.escape(title)}</summary>{inside}</details>'


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 row, 4,000 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def mark(verdict: str, reason: str = "") -> str:
    """Draw a verdict as a coloured word, its reason shown to a pointer that rests on it."""
    words = f' title="{markup.escape(reason)}"' if reason else ""
    return f'<span class="verdict {verdict}"{words}>{VERDICTS[verdict]}</span>'


def answers(
    questions: pd.DataFrame, verdicts: Sequence[tuple[str, str]], picture: Callable[[str], str], chosen: str = ""
) -> str:
    """Draw the first rows of a run as a table: picture, question, truth, answer, how sure, right or wrong.

    Args:
        questions: The run's.
        verdicts: For each of them a key of `VERDICTS` and the reason; empty when the run has no answers.
        picture: Draws the picture of an image id.
        chosen: Only rows of this verdict; empty for all.
    """
    places = [place for place in range(len(questions)) if not chosen or verdicts[place][0] == chosen]
    head = ["", "Question", "The model's answer", "True answer", "First token"] if verdicts else [
        "", "Question", "True answer"]  # fmt: skip
    rows = []
    for place in places[:SHOWN]:
        one = questions.iloc[place]
        said = [f"{markup.escape(one['answer'])}{mark(*verdicts[place])}"] if verdicts else []
        sure = [_sure(one)] if verdicts else []
        rows.append([picture(one["image_id"]), _question(one), *said, markup.escape(one["ground_truth_answer"]), *sure])
    more = len(places) - len(rows)
    told = f'<p class="quiet">and {counted(more, "more row")}</p>' if more else ""
    return table(head, rows, "answers") + told if rows else '<p class="quiet">None.</p>'


def _question(one: Mapping[str, Any]) -> str:
    return f"{markup.escape(one['question'])}<small>{markup.escape(one['question_id'])}</small>"


def _sure(one: Mapping[str, Any]) -> str:
    chance = float(one["first_token_probability"])
    if chance != chance:  # nan: none was chosen
        return ""
    token = markup.escape(one["first_token"] or "the end")
    return f'<span class="sure">{chance:.0%}{markup.bar(chance, "score")}</span><small>{token}</small>'


def failures(failed: Sequence[Failure]) -> str:
    """Draw the rows that failed, with their reasons; nothing where there are none."""
    if not failed:
        return ""
    rows = [[f"{one.row}", markup.escape(one.question_id), markup.escape(one.reason)] for one in failed[:FAILED]]
    more = len(failed) - len(rows)
    told = f'<p class="quiet">and {more:,} more, all in the run\'s manifest.jsonl</p>' if more else ""
    title = f"{counted(len(failed), 'row')} could not be used"
    return fold(title, table(["Row", "Question id", "Reason"], rows) + told)


def shares(verdicts: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Count the answers of each verdict."""
    found = [verdict for verdict, _ in verdicts]
    return {name: found.count(name) for name in VERDICTS}


def holds(questions: int, images: int, layers: Mapping[str, Sequence[int]], counts: Mapping[str, int]) -> str:
    """Say in a few sentences what a run holds.

    Args:
        questions: How many.
        images: How many.
        layers: The layers of each representation.
        counts: Answers of each verdict; empty for a run without answers.
    """
    read = sorted({layer for each in layers.values() for layer in each})
    at = f" at layers {', '.join(map(str, read))}" if read else ""
    said = f"{counted(questions, 'question')} about {counted(images, 'picture')}, each with "
    said += f"{counted(len(layers), 'kind')} of vectors{at}."
    if counts and questions:
        said += f" The model answered {_percent(counts['right'], questions)} of them right and "
        said += f"{_percent(counts['wrong'], questions)} wrong"
        undecided = counts["unsure"]
        said += f"; {_percent(undecided, questions)} the rules leave undecided." if undecided else "."
    return said


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.0%}"
