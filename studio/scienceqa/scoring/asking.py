"""Putting questions to a model in batches: each in every way that is to be compared."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from studio.device import collect, is_out_of_memory
from studio.errors import StudioError
from studio.scienceqa.answering.answer import Asked, probabilities
from studio.scienceqa.answering.generation import Said, Sampling, complete, room
from studio.scienceqa.answering.reasoning import take_apart
from studio.scienceqa.config import EvaluateScienceqaConfig
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.model.views import Cut
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import ablations, families
from studio.scienceqa.scoring.ledger import Row
from studio.settings import Settings

T = TypeVar("T")
U = TypeVar("U")

WINDOW = 8
"""Batches' worth of questions among which those of like length are put together."""


@dataclass(frozen=True)
class Ready:
    """A question whose picture has been looked at.

    Attributes:
        question: It.
        cut: The picture's views; None without a picture.
        length: Tokens of its prompt.
    """

    question: Question
    cut: Cut | None
    length: int


def windows(questions: Sequence[Question], size: int) -> list[list[Question]]:
    """Cut questions into windows of like length, always the same ones."""
    ordered = sorted(questions, key=lambda one: (one.image is not None, _letters(one), one.pid))
    step = size * WINDOW
    return [ordered[start : start + step] for start in range(0, len(ordered), step)]


class Asker:
    """Asks a model.

    Args:
        model: Which model.
        form: Whether the letter is asked for at once, or behind reasoning.
        config: In which ways to ask, and how many at once.
        settings: Whose limits pictures are admitted by.
        others: Whose picture another question is asked with, by id.
        compared: Ids of the questions whose reasoning is compared with the letter at once.
    """

    def __init__(
        self, model: GemmaClip, form: Form, config: EvaluateScienceqaConfig, settings: Settings,
        others: Mapping[str, Question], compared: frozenset[str],
    ) -> None:  # fmt: skip
        self._model, self._form, self._config, self._settings = model, form, config, settings
        self._others, self._compared = others, compared
        self._size = config.batch_size

    def prepare(self, window: Sequence[Question]) -> tuple[list[list[Ready]], list[Row]]:
        """Look at the pictures of a window.

        Returns:
            Batches of questions of like length, and rows of those that cannot be asked.
        """
        ready: list[Ready] = []
        failed: list[Row] = []
        for question in window:
            try:
                ready.append(self._look(question))
            except StudioError as error:
                failed.append({**_head(question), "failed": error.what})
        ready.sort(key=lambda one: (one.length, one.question.pid))
        size = self._config.batch_size
        return [ready[start : start + size] for start in range(0, len(ready), size)], failed

    def ask(self, batch: Sequence[Ready]) -> Generator[list[dict[str, Any]]]:
        """Ask a batch in every way; after each, yield what is known of every question, at last a whole `Row`."""
        seen = self._seen([(one.question, one.cut) for one in batch])
        rows: list[dict[str, Any]] = [_head(one.question) for one in batch]
        for row, found in zip(rows, self._choose(seen, self._form), strict=True):
            row |= found
        yield rows
        pictured = [at for at, one in enumerate(batch) if one.cut is not None]
        if self._config.without_picture:
            blank = [Asked(batch[at].question) for at in pictured]
            _note(rows, pictured, "without_picture", self._choose(blank, self._form))
            yield rows
        if self._config.another_picture:
            exchanged = self._exchanged(batch, pictured)
            asked = self._seen([(batch[at].question, cut) for at, cut in exchanged.items()])
            _note(rows, list(exchanged), "another_picture", self._choose(asked, self._form))
            yield rows
        for number in range(self._config.permutations):
            self._reorder(rows, seen, number)
            yield rows
        if any(one.question.pid in self._compared for one in batch):
            self._compare(rows, seen)
            yield rows

    def _look(self, question: Question) -> Ready:
        picture = open_picture(question, self._settings)
        cut = None if picture is None else self._model.cut(picture)
        prompt = Asked(question, None if cut is None else cut.grid).prompt(self._model, self._form)
        room(self._model, prompt, 1)  # refuses a question longer than the model reads
        return Ready(question, cut, prompt.length(self._model.tokens_per_view))

    def _seen(self, pairs: Sequence[tuple[Question, Cut | None]]) -> list[Asked]:
        """Encode the pictures of questions."""
        cuts = [cut for _, cut in pairs if cut is not None]
        features = iter(self._in_pieces(cuts, self._features))
        return [Asked(one, cut.grid, next(features)) if cut else Asked(one) for one, cut in pairs]

    def _features(self, cuts: Sequence[Cut]) -> list[Tensor]:
        found = self._model.features([tile for cut in cuts for tile in cut.tiles])
        return list(torch.split(found, [len(cut.tiles) for cut in cuts]))

    def _exchanged(self, batch: Sequence[Ready], pictured: Sequence[int]) -> dict[int, Cut]:
        found = {}
        for at in pictured:
            other = self._others.get(batch[at].question.pid)
            try:
                picture = open_picture(other, self._settings) if other else None
            except StudioError:  # told where that question is asked itself
                continue
            if picture is not None:
                found[at] = self._model.cut(picture)
        return found

    def _reorder(self, rows: Sequence[dict[str, Any]], seen: Sequence[Asked], number: int) -> None:
        """Ask in the next order, where a question's choices have one more."""
        asked, where = [], []
        for at, one in enumerate(seen):
            found = ablations.orders(one.question, self._config.permutations)
            rows[at].setdefault("orders", [])
            if number < len(found):
                shown = replace(one.question, choices=ablations.shuffled(one.question, found[number]))
                asked.append(replace(one, question=shown))
                where.append((at, found[number]))
        for (at, order), found_one in zip(where, self._choose(asked, self._form), strict=True):
            own = ablations.put_back(found_one["probabilities"], order)
            chosen, answer = own.index(max(own)), seen[at].question.answer
            told = {"order": list(order), "probabilities": list(own), "chosen": chosen, "right": chosen == answer}
            rows[at]["orders"].append(told)

    def _compare(self, rows: Sequence[dict[str, Any]], seen: Sequence[Asked]) -> None:
        """Write the reasoning of some, or ask them for the letter at once where it was written already."""
        chosen = [at for at, one in enumerate(seen) if one.question.pid in self._compared]
        asked = [seen[at] for at in chosen]
        if self._form == "reasoning":
            for at, found in zip(chosen, self._choose(asked, "letter"), strict=True):
                rows[at]["at_once"] = found["chosen"]
        else:
            for at, said in zip(chosen, self._in_pieces(asked, self._write), strict=True):
                rows[at] |= {"at_once": rows[at]["chosen"], **self._reasoned(seen[at], said)}

    def _choose(self, asked: Sequence[Asked], form: Form) -> list[dict[str, Any]]:
        return self._in_pieces(asked, lambda some: self._choices(some, form))

    def _choices(self, asked: Sequence[Asked], form: Form) -> list[dict[str, Any]]:
        written = self._write(asked) if form == "reasoning" else None
        found = []
        for at, (one, chances) in enumerate(zip(asked, probabilities(self._model, asked, written), strict=True)):
            rounded = [round(chance, 6) for chance in chances]
            chosen = rounded.index(max(rounded))
            row = {"probabilities": rounded, "chosen": chosen, "right": chosen == one.question.answer}
            found.append(row if written is None else {**row, **self._reasoned(one, written[at])})
        return found

    def _write(self, asked: Sequence[Asked]) -> list[Said]:
        prompts = [one.prompt(self._model, "reasoning") for one in asked]
        longest = min(room(self._model, prompt, self._config.max_new_tokens) for prompt in prompts)
        return complete(self._model, prompts, [one.features for one in asked], Sampling(longest))

    def _reasoned(self, one: Asked, said: Said) -> dict[str, Any]:
        found = take_apart(said.text, one.question.choices, self._model.info.template)
        return {"reasoning": said.text.strip(), "reasoned": found.choice, "finished": said.finished}

    def _in_pieces(self, items: Sequence[T], work: Callable[[Sequence[T]], Sequence[U]]) -> list[U]:
        """Do a work on all items, in pieces half as large where memory runs out."""
        found: list[U] = []
        while len(found) < len(items):
            done = _try(work, items[len(found) : len(found) + self._size])
            if done is None:
                collect()  # out here, where the failed pass's frames hold nothing any more
                self._size = (self._size + 1) // 2
            else:
                found += done
        return found


def _try(work: Callable[[Sequence[T]], Sequence[U]], items: Sequence[T]) -> Sequence[U] | None:
    """Do a work; None when memory ran out and there is more than one item."""
    try:
        return work(items)
    except Exception as error:
        if not is_out_of_memory(error) or len(items) == 1:
            raise
        return None


def _note(rows: Sequence[dict[str, Any]], where: Sequence[int], name: str, found: Sequence[dict[str, Any]]) -> None:
    for at, one in zip(where, found, strict=True):
        rows[at][name] = one


def _head(question: Question) -> dict[str, Any]:
    family = families.family_of(question)
    return {"pid": question.pid, "family": family, "topic": question.topic, "answer": question.answer}


def _letters(question: Question) -> int:
    return len(question.question) + len(question.hint) + sum(map(len, question.choices))
