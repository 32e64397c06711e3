"""Extract the embeddings of a table of questions: read, run, keep, and go on where it stopped."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from studio.context import Context
from studio.device import collect, is_out_of_memory
from studio.embeddings import table
from studio.embeddings.config import ExtractConfig
from studio.embeddings.description import describe
from studio.embeddings.forward import Answer, Reader, Reading
from studio.embeddings.prompts import Prompt, lay_out_question
from studio.embeddings.records import Failure, ImageRecord, QuestionRecord, Vectors
from studio.embeddings.representations import choose_layers
from studio.embeddings.runs import open_run
from studio.embeddings.store import Store
from studio.embeddings.table import Question
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.gemma import catalog
from studio.gemma.hub import explain, fetch
from studio.gemma.loading import Gemma3
from studio.images import admit
from studio.models import ModelSpec
from studio.settings import Settings

LONGEST_WAIT = 30.0  # seconds of work that a kill may cost
TRIAL = 3  # questions of --test
ANSWERS = "answers.csv"
_AHEAD = 2  # batches of pictures decoded while one is read

T = TypeVar("T")
U = TypeVar("U")


def run(config: ExtractConfig, context: Context) -> Iterator[Event]:
    """Extract; what is in ``config.output_dir`` already is not done again.

    Yields:
        An `Event` a batch, counting questions read or failed; metrics are ``failed``, ``kept`` (questions on the disk)
        and ``parts``. Artifacts: ``run`` (run.json), each part, and last ``answers`` (answers.csv).

    Raises:
        StudioError: The table, the pictures' folder or the model cannot be used, or the folder holds another run.
    """
    questions, bad = table.read(config.vqa_dataset, config.images_dir)
    if config.test:
        questions, bad = _draw(questions, TRIAL), []
    yield Event(0, len(questions) + len(bad), _told(questions, bad))
    checkpoint = catalog.resolve(config.model, "vqa")
    if checkpoint.kind != "gemma3":
        raise StudioError(f"{checkpoint.title} has no language model to read.", "Choose a Gemma 3 with vision.")
    source = checkpoint.source if config.cache_dir is None else _fetch(checkpoint.source, config.cache_dir)
    spec = ModelSpec(checkpoint.kind, source, config.dtype, config.quantization)
    with context.models.lease(spec) as bundle:
        layers = choose_layers(config.layers, int(bundle.model.config.get_text_config().num_hidden_layers))
        metadata = describe(config, checkpoint, Path(fetch(source)), bundle, layers)
        with closing(Store.open(config.output_dir, metadata)) as store:
            work = _Work(config, store, bundle, layers, context, questions, bad)
            yield from work.run()
    path = config.output_dir / ANSWERS
    with open_run(config.output_dir) as finished:
        write_atomic(path, finished.questions.to_csv(index=False))
    total = len(questions) + len(bad)
    yield Event(total, total, work.summary(), work.counts(), {"answers": str(path.resolve())})


class _Work:
    """The questions still to do, batch after batch, and the part being filled."""

    def __init__(
        self, config: ExtractConfig, store: Store, bundle: Gemma3, layers: Sequence[int], context: Context,
        questions: Sequence[Question], bad: Sequence[table.BadRow],
    ) -> None:  # fmt: skip
        self._config, self._store, self._bundle, self._context = config, store, bundle, context
        self._reader = Reader(bundle, layers, config.max_new_tokens)
        self._size = min(config.batch_size, config.checkpoint_interval)
        known = {(one.row, one.question_id) for one in store.failures}
        self._retried = known if config.retry_failed else set()
        order = [one for one in table.by_picture(questions) if one.question_id not in store.done]
        self._questions = [one for one in order if ((one.row, one.question_id) in known) == config.retry_failed]
        self._bad = [Failure(one.row, one.question_id, one.image_id, one.reason) for one in bad]
        self._bad = [one for one in self._bad if (one.row, one.question_id) not in known]
        self._total = len(self._questions) + len(self._bad) if config.retry_failed else len(questions) + len(bad)
        self._kept = len([one for one in questions if one.question_id in store.done])
        self._done = self._total - len(self._questions) - len(self._bad)
        self._parts = 0
        self._part = _Part()

    def run(self) -> Iterator[Event]:
        """Do all that is to do."""
        places = {"run": str((self._config.output_dir / "run.json").resolve())}
        yield Event(self._done, self._total, " ".join(self._store.notes), self.counts(), places)
        self._part.failures += self._bad
        self._done += len(self._bad)
        try:
            yield from self._save()
            loads = _ahead(batches(self._questions, self._size), self._load)
            with closing(loads):
                for loaded in loads:
                    with self._context.models.device_lock():
                        self._read(loaded)
                    if self._part.due(self._config.checkpoint_interval):
                        yield from self._save()
                    yield Event(self._done, self._total, self._note(), self.counts())
        finally:
            self._commit()  # a stopped run keeps what it has read
        yield Event(self._done, self._total, self._note(), self.counts(), self._places())

    def counts(self) -> dict[str, float]:
        """Return the metrics of this moment."""
        failed = len(self._store.failures) + len(self._part.failures)
        return {"failed": failed, "kept": self._kept, "parts": len(self._store.parts)}

    def summary(self) -> str:
        """Say how it ended, in one sentence."""
        failed = len(self._store.failures)
        missed = f"; {failed} failed, each with its reason in the manifest" if failed else ""
        parts = len(self._store.parts)
        return f"{_count(self._kept, 'question')} in {_count(parts, 'part')}{missed}"

    def _note(self) -> str:
        return f"{self._part.questions[-1].question}" if self._part.questions else ""

    def _save(self) -> Iterator[Event]:
        if self._commit():
            yield Event(self._done, self._total, self._note(), self.counts(), self._places())

    def _commit(self) -> bool:
        part, self._part = self._part, _Part()
        if not part.questions and not part.failures:
            return False
        self._store.commit(list(part.images.values()), part.questions, part.failures)
        self._kept += len(part.questions)
        return True

    def _places(self) -> dict[str, str]:
        """Return the newest part as an artifact."""
        newest = self._store.parts[-1:]
        return {Path(name).stem[-8:]: str((self._config.output_dir / name).resolve()) for name in newest}

    def _load(self, batch: list[Question]) -> _Loaded:
        """Decode and preprocess a batch's pictures, in a thread of its own; a failure is that of all its questions."""
        loaded = _Loaded()
        for picture, group in itertools.groupby(batch, lambda one: one.picture):
            questions = list(group)
            try:
                image, pixels = _open(questions[0], picture, self._bundle, self._context.settings)
            except StudioError as error:
                loaded.failures += [_failed(one, str(error)) for one in questions]
                continue
            for one in questions:
                try:
                    loaded.prompts.append(lay_out_question(self._bundle.processor, one.question))
                except StudioError as error:
                    loaded.failures.append(_failed(one, error.what))
                else:
                    loaded.questions.append(one)
                    loaded.image_of.append(len(loaded.images))
            loaded.images.append(image)
            loaded.pixels.append(pixels)
        return loaded

    def _read(self, loaded: _Loaded) -> None:
        """Read a batch, in pieces where memory runs out; those that did not fit are not tried again."""
        self._part.failures += loaded.failures
        self._done += len(loaded.failures)
        start = 0
        while start < len(loaded.questions):
            piece = loaded.piece(start, self._size)
            reading = self._try(piece)
            if reading is None:
                collect()  # out here, where the failed batch's frames hold nothing any more
                self._size = (len(piece.questions) + 1) // 2
                continue
            self._keep(piece, reading)
            start += len(piece.questions)

    def _try(self, piece: _Loaded) -> Reading | None:
        """Read a piece; None when memory ran out and it can be made smaller."""
        try:
            return self._reader.read(torch.cat(piece.pixels), piece.prompts, piece.image_of)
        except Exception as error:
            if not is_out_of_memory(error) or len(piece.questions) == 1:
                raise
            return None

    def _keep(self, piece: _Loaded, reading: Reading) -> None:
        broken = [not all(bool(vectors[index].isfinite().all()) for vectors in reading.images.values())
                  for index in range(len(piece.images))]  # fmt: skip
        for index, (one, image) in enumerate(zip(piece.questions, piece.image_of, strict=True)):
            own = _row(reading.questions, index)
            if broken[image] or not all(bool(torch.isfinite(torch.from_numpy(each)).all()) for each in own.values()):
                self._part.failures.append(_failed(one, "The model gave a vector that is not finite."))
                continue
            self._part.images[one.image_id] = replace(piece.images[image], vectors=_row(reading.images, image))
            self._part.questions.append(_record(one, reading, index, own))
        self._done += len(piece.questions)


@dataclass
class _Part:
    """What has been read and is not yet on the disk."""

    images: dict[str, ImageRecord] = field(default_factory=dict)
    questions: list[QuestionRecord] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def due(self, interval: int) -> bool:
        """Tell whether it is time to write it."""
        late = time.monotonic() - self.begun > LONGEST_WAIT and bool(self.questions or self.failures)
        return late or len(self.questions) >= interval


@dataclass
class _Loaded:
    """A batch ready to be read: I images with their pixels ``[1, 3, S, S]``, Q questions with their prompts."""

    images: list[ImageRecord] = field(default_factory=list)
    pixels: list[Tensor] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    image_of: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def piece(self, start: int, size: int) -> _Loaded:
        """Return at most ``size`` of its questions from number ``start`` on."""
        image_of = self.image_of[start : start + size]
        first, last = image_of[0], image_of[-1] + 1
        return _Loaded(
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


def _ahead(items: Iterator[T], work: Callable[[T], U]) -> Generator[U]:
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


def _open(question: Question, picture: Path, bundle: Gemma3, settings: Settings) -> tuple[ImageRecord, Tensor]:
    """Read a picture and preprocess it as the checkpoint's own processor does."""
    image = admit(picture, settings)
    pixels: Tensor = bundle.processor.image_processor(images=[image], return_tensors="pt")["pixel_values"]
    with open(picture, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ImageRecord(question.image_id, digest, image.width, image.height, {}), pixels


def _record(one: Question, reading: Reading, index: int, vectors: Vectors) -> QuestionRecord:
    said = reading.answers[index] or Answer("", "", float("nan"), 0, False)
    return QuestionRecord(
        one.question_id, one.image_id, one.row, one.question, one.answer, said.text, said.first,
        said.first_probability, said.tokens, said.finished, one.extra, vectors,
    )  # fmt: skip


def _row(vectors: Any, index: int) -> dict[str, Any]:
    return {name: values[index].numpy() for name, values in vectors.items()}


def _fetch(source: str, cache: Path) -> str:
    try:
        return fetch(source, cache=cache)
    except Exception as error:  # the Hub's client has many
        raise explain(error, source) from error


def _failed(one: Question, reason: str) -> Failure:
    return Failure(one.row, one.question_id, one.image_id, reason)


def _draw(questions: list[Question], count: int) -> list[Question]:
    """Draw a few rows at random, always the same ones of a table."""
    generator = torch.Generator().manual_seed(42)
    chosen = torch.randperm(len(questions), generator=generator)[:count].tolist()
    return [questions[index] for index in sorted(chosen)]


def _told(questions: Sequence[Question], bad: Sequence[table.BadRow]) -> str:
    pictures = len({one.image_id for one in questions})
    failed = f"; {_count(len(bad), 'row')} cannot be used" if bad else ""
    return f"{_count(len(questions), 'question')} about {_count(pictures, 'picture')}{failed}. Loading the model"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
