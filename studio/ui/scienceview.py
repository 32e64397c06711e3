"""What the Science tab draws of questions, answers and figures, as HTML made from data alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.scienceqa.questions.record import LETTERS, Question
from studio.scienceqa.questions.statistics import UNSAID
from studio.ui import markup

if TYPE_CHECKING:
    from studio.scienceqa.answering.answer import Answer


def turn(question: Question, text: str, answer: Answer | None = None, note: str = "") -> str:
    """Draw a question and what is said to it so far.

    Args:
        question: Its right answer is marked where it has one.
        text: What is written so far.
        answer: The whole answer, once it is there.
        note: What is going on.
    """
    asked = f"<p>{markup.escape(question.question)}</p>"
    asked += f'<p class="quiet">{markup.escape(question.hint)}</p>' if question.hint else ""
    said = f'<p class="said">{markup.escape(text.strip())}</p>' if text.strip() else ""
    told = f'<p class="quiet">{markup.escape(note)}</p>' if note else ""
    if answer is not None:
        told = choices(question.choices, answer.probabilities, answer.chosen, question.answer)
        told += _judged(question, answer.chosen)
        told += "".join(f'<p class="doubt">{markup.escape(one)}</p>' for one in answer.warnings)
    return f'<div class="turn"><div class="asked">{asked}</div>{said}{told}</div>'


def choices(texts: Sequence[str], chances: Sequence[float] | None, chosen: int | None, right: int | None) -> str:
    """Draw lettered choices with the probability of each as a bar.

    Args:
        texts: The choices.
        chances: Their probabilities, 0..1; none are drawn where they are missing.
        chosen: Index of the likeliest.
        right: Index of the right one, or None where it is unknown.
    """
    rows = []
    for index, text in enumerate(texts):
        kind = "right" if index == right else "wrong" if index == chosen and right is not None else ""
        kind += " chosen" if index == chosen else ""
        chance = chances[index] if chances else None
        bar = f'<i style="width:{100 * chance:.1f}%"></i>' if chance is not None else ""
        figure = f"<b>{chance:.0%}</b>" if chance is not None else ""
        label = f"<span>({LETTERS[index]}) {markup.escape(text)}</span>"
        rows.append(f'<li class="{kind}">{bar}{label}{figure}</li>')
    return f'<ul class="choices">{"".join(rows)}</ul>' if rows else ""


def _judged(question: Question, chosen: int | None) -> str:
    if question.answer is None or chosen is None:
        return ""
    named = f"({LETTERS[question.answer]}) {question.choices[question.answer]}"
    right = chosen == question.answer
    words = "Right." if right else f"Wrong: the answer is {named}."
    why = f" {question.solution}" if question.solution and not right else ""
    return f'<p class="verdict {"right" if right else "wrong"}">{markup.escape(words + why)}</p>'


def limits(families: Mapping[str, float], titles: Mapping[str, str]) -> str:
    """Draw which kinds of picture a model was measured to read, the best first."""
    if not families:
        return ""
    order = sorted(families.items(), key=lambda one: -one[1])
    told = ", ".join(f"{titles.get(name, name)} {share:.0%}" for name, share in order)
    return f'<p class="quiet">Reads these kinds of picture: {markup.escape(told)}. Do not rely on it for others.</p>'


def counts(groups: Mapping[str, Mapping[str, int]], titles: Mapping[str, str]) -> str:
    """Draw how many questions there are by value, as a small bar list for each group."""
    drawn = "".join(_bars(titles.get(name, name), values) for name, values in groups.items() if [*values] != [UNSAID])
    return f'<div class="counts">{drawn}</div>'


def _bars(title: str, values: Mapping[str, int]) -> str:
    most = max(values.values())
    rows = "".join(
        f'<li><span>{markup.escape(name)}</span><i style="width:{100 * count / most:.1f}%"></i><b>{count:,}</b></li>'
        for name, count in [*values.items()][:LISTED]
    )
    more = f'<p class="quiet">and {len(values) - LISTED} more</p>' if len(values) > LISTED else ""
    return f'<section><h2>{markup.escape(title)}</h2><ul class="tally">{rows}</ul>{more}</section>'


LISTED = 12  # values of one count


def card(picture: str, question: str, inside: str, foot: str, hint: str = "") -> str:
    """Draw one question as a card.

    Args:
        picture: HTML of its picture, or empty.
        question: Its text.
        inside: HTML below it.
        foot: What it is, in a few words.
        hint: Its context.
    """
    words = f"<p><b>{markup.escape(question)}</b></p>"
    words += f'<p class="quiet">{markup.escape(hint)}</p>' if hint else ""
    return f'<div>{picture}{words}{inside}<p class="quiet">{markup.escape(foot)}</p></div>'


def cards(drawn: Iterable[str]) -> str:
    """Draw cards side by side."""
    inside = "".join(drawn)
    return f'<div class="mistakes questions">{inside}</div>' if inside else ""


def figure(told: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """Write a share with its 95 % interval: 61.2 % (59.7 to 62.7)."""
    if told is None or told.get("value") is None:
        return "–"
    value, low, high = (100 * told[name] for name in ("value", "low", "high"))
    sign = "+" if signed else ""
    return f"<b>{value:{sign}.1f}</b> <small>{low:{sign}.1f} to {high:{sign}.1f}</small>"


def lines(told: Iterable[str]) -> str:
    """Draw sentences, one a line."""
    rows = "".join(f"<li>{markup.escape(one)}</li>" for one in told)
    return f'<ul class="lines">{rows}</ul>' if rows else ""
