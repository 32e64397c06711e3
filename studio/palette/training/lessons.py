"""What is taught: a prompt's tokens and those of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from studio.errors import StudioError
from studio.palette.loading import PaletteModel
from studio.palette.pairs import Pair
from studio.palette.spelling import ask

IGNORED = -100
"""The label of a token that is not learnt."""


class Lesson(NamedTuple):
    """A pair made ready: what is asked, and what is to be answered, with the end token."""

    asked: tuple[int, ...]
    answer: tuple[int, ...]


class Batch(NamedTuple):
    """Lessons side by side, ``[N, T]`` token ids and labels, padded on the right.

    No mask is needed: attention looks back alone, so nothing that counts sees the padding.
    """

    ids: Tensor
    labels: Tensor


def prepare(model: PaletteModel, pairs: Sequence[Pair]) -> list[Lesson]:
    """Make pairs ready for a model.

    Raises:
        StudioError: One is longer than the model reads.
    """
    lessons = [Lesson(ask(model.tokenizer, pair.description), model.spelling.answer(pair.colours)) for pair in pairs]
    for pair, lesson in zip(pairs, lessons, strict=True):
        if len(lesson.asked) + len(lesson.answer) > model.longest:
            raise StudioError(
                f"The description of row {pair.row} is longer than the model reads ({model.longest:,} tokens).",
                "Shorten it.",
            )
    return lessons


def collate(model: PaletteModel, lessons: Sequence[Lesson]) -> Batch:
    """Put lessons side by side; prompt and padding have the label `IGNORED`."""
    longest = max(len(lesson.asked) + len(lesson.answer) for lesson in lessons)
    padding = model.tokenizer.pad_token_id
    ids = torch.full((len(lessons), longest), model.tokenizer.eos_token_id if padding is None else padding)
    labels = torch.full_like(ids, IGNORED)
    for row, (asked, answer) in enumerate(lessons):
        ids[row, : len(asked) + len(answer)] = torch.tensor((*asked, *answer))
        labels[row, len(asked) : len(asked) + len(answer)] = torch.tensor(answer)
    return Batch(ids.to(model.device), labels.to(model.device))
