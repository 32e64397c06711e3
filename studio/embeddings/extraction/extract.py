"""Extract the embeddings of a table of questions: read, run, keep, and go on where it stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from studio.context import Context
from studio.device import collect, is_out_of_memory
from studio.embeddings.config import ExtractConfig
from studio.embeddings.extraction import table
from studio.embeddings.extraction.batches import Batch, ahead, batches, failed, load
from studio.embeddings.extraction.description import describe
from studio.embeddings.extraction.forward import Answer, Reader, Reading
from studio.embeddings.extraction.table import Question
from studio.embeddings.representations import choose_layers
from studio.embeddings.store.records import Failure, ImageRecord, QuestionRecord, Vectors
from studio.embeddings.store.runs import open_run
from studio.embeddings.store.writing import Store
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.gemma import catalog
from studio.gemma.hub import explain, fetch
from studio.gemma.loading import Gemma3
from studio.models import ModelSpec

LONGEST_WAIT = 30.0  # seconds of work that a kill may cost
TRIAL = 3  # questions of --test
ANSWERS = "answers.csv"


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
            loads = ahead(
                batches(self._questions, self._size),
                partial(load, bundle=self._bundle, settings=self._context.settings),
            )
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
        """Say what is safe, what failed, and what was asked last."""
        counts = self.counts()
        told = f"{int(counts['kept']):,} kept in {_count(int(counts['parts']), 'part')}"
        told += f", {int(counts['failed']):,} failed" if counts["failed"] else ""
        return f"{told} · {self._part.questions[-1].question}" if self._part.questions else told

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

    def _read(self, loaded: Batch) -> None:
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

    def _try(self, piece: Batch) -> Reading | None:
        """Read a piece; None when memory ran out and it can be made smaller."""
        try:
            return self._reader.read(torch.cat(piece.pixels), piece.prompts, piece.image_of)
        except Exception as error:
            if not is_out_of_memory(error) or len(piece.questions) == 1:
                raise
            return None

    def _keep(self, piece: Batch, reading: Reading) -> None:
        broken = [not all(bool(vectors[index].isfinite().all()) for vectors in reading.images.values())
                  for index in range(len(piece.images))]  # fmt: skip
        for index, (one, image) in enumerate(zip(piece.questions, piece.image_of, strict=True)):
            own = _row(reading.questions, index)
            if broken[image] or not all(bool(torch.isfinite(torch.from_numpy(each)).all()) for each in own.values()):
                self._part.failures.append(failed(one, "The model gave a vector that is not finite."))
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
