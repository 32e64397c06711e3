"""Batches of questions: which stand together, and their pictures and prompts made ready ahead of the reading."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from torch import Tensor

from studio.embeddings.extraction.prompts import Prompt, lay_out_question
from studio.embeddings.extraction.table import Question
from studio.embeddings.store.records import Failure, ImageRecord
from studio.errors import StudioError
from studio.gemma.loading import Gemma3
from studio.images import admit
from studio.settings import Settings

_AHEAD = 2  # batches made ready while one is read

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Batch:
    """A batch ready to be read: I images with their pixels ``[1, 3, S, S]``, Q questions with their prompts."""

    images: list[ImageRecord] = field(default_factory=list)
    pixels: list[Tensor] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def piece(self, start: int, size: int) -> Batch:
        """Return at most ``size`` of its questions from number ``start`` on."""
        image_of = self.image_of[start : start + size]
        first, last = image_of[0], image_of[-1] + 1
        return Batch(
            self.images[first:last], self.pixels[first:last], self.questions[start : start + size],
            self.prompts[start : start + size], [image - first for image in image_of],
        )  # fmt: skip


def batches(questions: Sequence[Question], size: int) -> Iterator[list[Question]]:
    """Cut questions ordered by picture into batches; those about one picture stay together where they fit.

    Where a batch ends depends on what precedes it only up to its own beginning, so a run that goes on after a batch
    makes the same batches as one that was never stopped, and the same numbers to the last bit.
    """
    batch: list[Question] = []
    for _, group in itertools.groupby(questions, lambda one: one.image_id):
        together = list(group)
        if batch and len(batch) + len(together) > size:
            yield batch
            batch = []
        while len(together) > size:
            yield together[:size]
            together = together[size:]
        batch += together
    if batch:
        yield batch


def load(questions: Sequence[Question], bundle: Gemma3, settings: Settings) -> Batch:
    """Decode and preprocess the pictures of a batch; a failure of one is that of all questions about it."""
    loaded = Batch()
    for _, group in itertools.groupby(questions, lambda one: one.image_id):
        about = list(group)
        try:
            image, pixels = _open(about[0], bundle, settings)
        except StudioError as error:
            loaded.failures += [failed(one, str(error)) for one in about]
            continue
        for one in about:
            try:
                loaded.prompts.append(lay_out_question(bundle.processor, one.question))
            except StudioError as error:
                loaded.failures.append(failed(one, error.what))
            else:
                loaded.questions.append(one)
                loaded.image_of.append(len(loaded.images))
        loaded.images.append(image)
        loaded.pixels.append(pixels)
    return loaded


def ahead(items: Iterator[T], work: Callable[[T], U]) -> Generator[U]:
    """Yield ``work(item)`` in order, done in a thread that keeps a little ahead."""
    with ThreadPoolExecutor(1, "pictures") as pool:
        waiting: deque[Future[U]] = deque(pool.submit(work, item) for item in itertools.islice(items, _AHEAD))
        try:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in itertools.islice(items, 1))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)


def _open(question: Question, bundle: Gemma3, settings: Settings) -> tuple[ImageRecord, Tensor]:
    """Read a question's picture and preprocess it as the checkpoint's own processor does."""
    image = admit(question.picture, settings)
    pixels: Tensor = bundle.processor.image_processor(images=[image], return_tensors="pt")["pixel_values"]
    with open(question.picture, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ImageRecord(question.image_id, digest, image.width, image.height, {}), pixels


def failed(one: Question, reason: str) -> Failure:
    """Return the record of a question that failed, with a sentence that says why."""
    return Failure(one.row, one.question_id, one.image_id, reason)
