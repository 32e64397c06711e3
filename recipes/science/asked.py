"""Drawn questions as the language model meets them: token ids, places of views, and where each read value stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL.Image import Image

from recipes.science.drawings import VIEWS, on_tiles
from recipes.science.sheets import SIDE
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.record import Box, Drawn, Style
from studio.scienceqa.model import prompts
from studio.scienceqa.model.prompts import Form, View
from studio.scienceqa.model.views import Cut, Grid, cut
from studio.scienceqa.questions.record import LETTERS, Question

MERGE = 2
TOKENS = (SIDE // 8 // MERGE) ** 2
"""Soft tokens of a view."""
_EDGE = SIDE // 8 // MERGE
_CELL = SIDE // _EDGE  # pixels that a soft token stands for


@dataclass(frozen=True)
class Asked:
    """A drawn question without its picture.

    Attributes:
        question: As drawn, with a solution.
        grid: Of the picture's views.
        read: For each character of the solution that is read from the picture, its place in the solution.
        seen: For each of them, the soft tokens (counted over all views) that show it.
    """

    question: Question
    grid: Grid
    read: tuple[int, ...]
    seen: tuple[tuple[int, ...], ...]

    def to_json(self) -> str:
        """One line of text."""
        return json.dumps({**asdict(self), "question": {**asdict(self.question), "image": None}})

    @classmethod
    def from_json(cls, line: str) -> Asked:
        """Read what `to_json` wrote."""
        told = json.loads(line)
        question = Question(**{**told["question"], "choices": tuple(told["question"]["choices"])})
        rows, columns = told["grid"]
        return cls(question, (rows, columns), tuple(told["read"]), tuple(tuple(each) for each in told["seen"]))


def new(family: str, random: np.random.Generator, style: Style) -> tuple[Asked, Image, Cut]:
    """Draw a question; return it, its picture and the picture's views."""
    drawn = draw(family, random, style)
    seen = cut(drawn.picture, VIEWS)
    read, shown = _found(drawn, seen)
    return Asked(replace(drawn.question, image=None), seen.grid, tuple(read), tuple(shown)), drawn.picture, seen


def _found(drawn: Drawn, seen: Cut) -> tuple[list[int], list[tuple[int, ...]]]:
    """Where the values of the facts stand, in the solution and on the soft tokens."""
    read: list[int] = []
    shown: list[tuple[int, ...]] = []
    start = 0
    for fact in drawn.facts:
        found = place_of(fact.value, drawn.question.solution, start)
        if found is None:
            continue
        at, start = found
        spelt = _spelt(drawn, fact.value, fact.boxes)
        whole = [token for box in fact.boxes for token in tokens_of(seen, drawn.picture.width, box)]
        for index, character in enumerate(fact.value):
            if character == " ":
                continue
            box = spelt.get(index)
            tokens = whole if box is None else tokens_of(seen, drawn.picture.width, box)
            if tokens:
                read.append(at + index)
                shown.append(tuple(sorted(set(tokens))))
    return read, shown


def place_of(value: str, solution: str, start: int) -> tuple[int, int] | None:
    """Where a value stands in a solution behind ``start``, as whole words: its begin and end; None where it is not.

    In its own case first: the pole S is not the end of *magnets*, nor the A that begins a sentence the article in it.
    """
    whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])")
    found = whole.search(solution, start) or re.compile(whole.pattern, re.IGNORECASE).search(solution, start)
    return found.span() if found else None


def _spelt(drawn: Drawn, value: str, boxes: Sequence[Box]) -> dict[int, Box]:
    """The box of each character of a value that is written in the picture; empty when it is not written so."""
    if len(boxes) != 1:
        return {}
    x0, y0, x1, y1 = boxes[0]
    inside = [
        glyph for glyph in drawn.glyphs
        if x0 - 1 <= (glyph.box[0] + glyph.box[2]) / 2 <= x1 + 1
        and y0 - 1 <= (glyph.box[1] + glyph.box[3]) / 2 <= y1 + 1
    ]  # fmt: skip
    places = [index for index, character in enumerate(value) if character != " "]
    written = [(c, box) for glyph in inside for c, box in zip(glyph.text, glyph.characters, strict=True)]
    if "".join(c for c, _ in written) != "".join(value[index] for index in places):
        return {}
    return {index: box for index, (_, box) in zip(places, written, strict=True)}


def tokens_of(seen: Cut, width: int, box: Box) -> list[int]:
    """The soft tokens on whose squares a box of the picture lies, its rim left out."""
    x0, y0, x1, y1 = on_tiles(seen, width, box)
    dx, dy = min(2.0, 0.25 * (x1 - x0)), min(2.0, 0.25 * (y1 - y0))
    rows, columns = seen.grid
    left, right = (int(min(max(x, 0), columns * SIDE - 1) // _CELL) for x in (x0 + dx, x1 - dx))
    top, bottom = (int(min(max(y, 0), rows * SIDE - 1) // _CELL) for y in (y0 + dy, y1 - dy))
    found = []
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            view = row // _EDGE * columns + column // _EDGE
            found.append(view * TOKENS + row % _EDGE * _EDGE + column % _EDGE)
    return found


@dataclass(frozen=True)
class Row:
    """A question and its answer as one row of tokens.

    Attributes:
        ids: Token ids; -1 where a soft token stands.
        soft: Places of the soft tokens, in the order of the views.
        learnt: Places whose token is to be foreseen (the model's turn).
        value: Which of them are read from the picture.
        look: By purpose, from which place to which places attention should go: ``read``, from where a value's token is
            foreseen to the soft tokens that show it; ``mark``, from the words of a choice to its letter; ``choose``,
            from where the letter is foreseen to the words of the right choice.
    """

    ids: list[int]
    soft: list[int]
    learnt: list[int]
    value: list[int]
    look: dict[str, list[tuple[int, list[int]]]]


def lay_out(tokenizer: Any, asked: Asked, form: Form, *, picture: bool = True) -> Row:
    """Lay out a question with its answer, in the studio's own words."""
    prompt = prompts.ask(tokenizer, asked.question, asked.grid if picture else None, form)
    ids: list[int] = []
    soft: list[int] = []
    for piece in prompt.pieces:
        if isinstance(piece, View):
            soft += range(len(ids), len(ids) + TOKENS)
            ids += [-1] * TOKENS
        else:
            ids += piece
    begin = len(ids)
    options = _options(tokenizer, ids, len(asked.question.choices))
    ids += prompts.answer(tokenizer, asked.question, form)
    value, read = [], []
    if form == "reasoning":
        for place, shown in _tokens_read(tokenizer, asked):
            value.append(begin + place)
            if picture:
                read.append((begin + place - 1, [soft[token] for token in shown]))
    look = {"read": read, "mark": [(word, [letter]) for letter, words in options for word in words], "choose": []}
    if options and asked.question.answer is not None:
        letter, words = options[asked.question.answer]
        foreseen = max(place for place in range(begin, len(ids)) if ids[place] == ids[letter])
        look["choose"] = [(foreseen - 1, words)]
    return Row(ids, soft, list(range(begin, len(ids))), value, look)


def _options(tokenizer: Any, ids: Sequence[int], count: int) -> list[tuple[int, list[int]]]:
    """Where each choice of a prompt stands: its letter, and its words."""
    (opened, closed, line) = (tokenizer.convert_tokens_to_ids(sign) for sign in "()\n")
    letters = tokenizer.convert_tokens_to_ids(list(LETTERS))
    places = [p for p in range(1, len(ids) - 1) if ids[p] in letters and (ids[p - 1], ids[p + 1]) == (opened, closed)]
    return [(place, list(range(place + 2, ids.index(line, place)))) for place in places[len(places) - count :]]


def _tokens_read(tokenizer: Any, asked: Asked) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Tokens of the solution that write a value, with the soft tokens that show it."""
    spans = tokenizer(asked.question.solution.strip(), add_special_tokens=False, return_offsets_mapping=True)
    for index, (start, stop) in enumerate(spans["offset_mapping"]):
        shown = {
            token
            for place, tokens in zip(asked.read, asked.seen, strict=True)
            if start <= place < stop
            for token in tokens
        }
        if shown:
            yield index, tuple(sorted(shown))


def shuffled(asked: Asked, random: np.random.Generator) -> Asked:
    """The same question with its choices in another order; those of numbers keep theirs mostly as drawn."""
    question = asked.question
    if question.answer is None:
        return asked
    order = random.permutation(len(question.choices))
    choices = tuple(question.choices[i] for i in order)
    return replace(asked, question=replace(question, choices=choices, answer=int(np.argmax(order == question.answer))))
