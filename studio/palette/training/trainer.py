"""The task ``train-palette``: the loop, and the order in which things reach the disk."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import Any

import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import content_hash, write_atomic
from studio.gemma import languages
from studio.palette.config import LONGEST_DESCRIPTION, TrainPaletteConfig
from studio.palette.decoding import Drawing, draw
from studio.palette.loading import PaletteModel, base_name, find, spec_of
from studio.palette.locks import Locks
from studio.palette.pairs import Pair, Table, read, split
from studio.palette.training.board import NAME as BOARD
from studio.palette.training.board import Board
from studio.palette.training.bundles import BEST, LAST, Bundles
from studio.palette.training.learner import TOGETHER, Learner
from studio.palette.training.lessons import prepare
from studio.training import history
from studio.training.batching import Plan, Step, evenly
from studio.training.checkpoint import Checkpoint
from studio.training.history import History
from studio.training.meter import Meter

REJECTED = "rejected.jsonl"
"""What was passed over: a line with ``row`` and ``reason`` for each row."""


def run(config: TrainPaletteConfig, context: Context) -> Iterator[Event]:
    """Fine-tune a palette model; stops within one step, resumes exactly, and keeps what did best on validation.

    Yields:
        An `Event` a step: metrics ``loss`` and ``smoothed_loss`` (nats a token), ``learning_rate``,
        ``tokens_per_second``, ``memory`` (GiB, the most so far), and after a look at the validation palettes
        ``validation_loss``. Artifacts: ``best``, the adapters of the best look so far in PEFT's layout, which a stopped
        run leaves too; ``history`` (history.jsonl), whose lines of looks hold the ``samples``; ``checkpoints``;
        ``tensorboard``, event files; ``rejected`` (rejected.jsonl) where rows were passed over; ``last``.

    Raises:
        StudioError: The table, the model or the output folder cannot be used, the loss is no number, or on a resume
            table or model have changed.
    """
    samples = _samples(config.samples)
    bundles = Bundles(config, context.folder, base_name(config.model))
    yield Event(0, None, "Reading the table")
    table = read(config.data)
    train, validation = split(table.pairs, config.validation_share, config.seed)
    yield Event(0, None, f"{len(train):,} palettes to train on. Loading the model")
    with context.models.lease(spec_of(config.model, "float32"), exclusive=True) as model:
        training = _Training(config, context, model, bundles, samples)
        yield from training.prepare(table, train, evenly(validation, config.max_eval_samples))
        yield from training.run()
        summary = training.summary()
        with context.models.device_lock():
            delivered = bundles.deliver(model)
    yield replace(summary, note=f"{summary.note}; {delivered}")


class _Training:
    """A run: its palettes made ready, then its steps."""

    def __init__(
        self, config: TrainPaletteConfig, context: Context, model: PaletteModel, bundles: Bundles, samples: list[str]
    ) -> None:
        self._config, self._context, self._bundles = config, context, bundles
        self._model, self._samples = model, samples
        self._lock = context.models.device_lock()
        self._meter = Meter(model.device)
        self._artifacts: dict[str, str] = {"history": history.NAME, "tensorboard": BOARD}

    def prepare(self, table: Table, train: Sequence[Pair], validation: Sequence[Pair]) -> Iterator[Event]:
        """Encode the palettes, put the adapters on, and take up where an earlier run stopped."""
        config = self._config
        told = self._list(table)
        self._lessons, self._validation = prepare(self._model, train), prepare(self._model, validation)
        self._plan = Plan(
            [len(one.asked) + len(one.answer) for one in self._lessons], config.per_device_train_batch_size,
            config.gradient_accumulation_steps, config.num_train_epochs, config.seed,
        )  # fmt: skip
        self._total = self._plan.steps + 1  # the last one is handing over
        self._learner = learner = Learner(self._model, config, self._plan.steps)
        self._checkpoint = Checkpoint(self._context.folder, self._identity(), learner.weights, learner.optimizer)
        self._progress = self._checkpoint.load()
        self._history = History(self._context.folder, self._progress)
        self._board = Board(self._context.folder, self._progress.step)
        self._artifacts |= self._bundles.known()
        yield self._event(f"{learner.told}{told}")

    def run(self) -> Iterator[Event]:
        """Train to the end."""
        with closing(self._board):
            progress = self._progress
            steps = self._plan.remaining(progress.step)
            try:
                while True:
                    if self._is_look_due():
                        yield from self._look()
                    if (step := next(steps, None)) is None:
                        break
                    with self._lock:
                        numbers = self._step(step)
                    progress.step += 1
                    self._note(numbers)
                    yield self._event(self._standing(), numbers)
            except GeneratorExit:  # stopped between two steps; after an error the last checkpoint stands
                self._keep()
                raise
            self._keep()

    def summary(self) -> Event:
        """Say how it ended; metrics are ``best_step`` and, where there was validation, ``best_loss``."""
        progress = self._progress
        numbers = {"best_step": float(progress.best_step)}
        numbers |= {"best_loss": progress.best_loss} if self._validation else {}
        event = self._event(f"Finished: {self._best()}", numbers)
        return replace(event, done=event.done + 1)

    def _step(self, step: Step) -> dict[str, float]:
        self._meter.start()
        batches = [[self._lessons[one] for one in batch] for batch in step.batches]
        loss = self._learner.step(step.number, batches)
        tokens = sum(len(one.asked) + len(one.answer) for batch in batches for one in batch)
        rate = self._learner.rate(step.number)
        smoothed = self._progress.smooth(loss)
        return {"loss": loss, "smoothed_loss": smoothed, "learning_rate": rate, **self._meter.stop(tokens)}

    def _note(self, numbers: Mapping[str, float]) -> None:
        """Put a step on disk, as far as it is due."""
        step = self._progress.step
        self._history.add(step, numbers)
        self._board.add(step, numbers)
        if step % self._config.save_steps == 0:
            self._bundles.checkpoint(self._model, step)
            self._artifacts |= self._bundles.known()
        if step % self._config.save_steps == 0 or self._checkpoint.is_due():
            self._checkpoint.save(self._progress)

    def _look(self) -> Iterator[Event]:
        """Look at the validation palettes, make samples, and keep the model if none before did better."""
        progress, loss = self._progress, 0.0
        losses = self._learner.validate(self._validation)
        for done in range(0, len(self._validation), TOGETHER):
            yield self._event(f"Looking at the validation palettes: {done:,} of {len(self._validation):,}")
            with self._lock:
                loss += next(losses)
        tokens = sum(len(one.answer) for one in self._validation)
        numbers = {"validation_loss": loss / tokens} if tokens else {}
        made = {}
        for description in self._samples:
            with self._lock:
                made[description] = _greedy(self._model, description)
        # With nothing to tell which step is best, the last one is.
        if progress.consider(None, numbers.get("validation_loss", -float(progress.step))):
            self._bundles.keep(BEST, self._model, {"step": progress.step, **numbers})
            self._artifacts |= self._bundles.known()
        self._history.add(progress.step, {**numbers, "samples": made}, looked=True)
        self._board.add(progress.step, numbers)
        self._board.samples(progress.step, {words: " ".join(colours) for words, colours in made.items()})
        self._checkpoint.save(progress)
        yield self._event(self._standing(), numbers)

    def _is_look_due(self) -> bool:
        """Tell whether to look: before the first step, every so many, and after the last one."""
        step = self._progress.step
        due = step % self._config.eval_steps == 0 or step == self._plan.steps
        return due and self._progress.looked < step

    def _keep(self) -> None:
        """Put on disk where the run stands."""
        self._checkpoint.save(self._progress)
        if self._progress.step:
            self._bundles.keep(LAST, self._model, {"step": self._progress.step})
            self._artifacts |= self._bundles.known()

    def _identity(self) -> str:
        """Return a hash of what the run depends on beside its configuration."""
        shapes = {name: list(weight.shape) for name, weight in self._learner.weights.items()}
        print_ = languages.fingerprint(str(find(self._config.model)))
        return content_hash(repr((self._lessons, self._validation, self._model.spelling)), json.dumps(shapes), print_)

    def _list(self, table: Table) -> str:
        """Write which rows were passed over, and return what to say of them."""
        told = f"; of {table.longer:,} palettes the first four colours are taken" if table.longer else ""
        if table.rejected:
            lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in table.rejected]
            write_atomic(self._context.folder / REJECTED, "".join(lines))
            self._artifacts["rejected"] = REJECTED
            first = table.rejected[0]
            reason = first.reason.rstrip(".")
            told += f"; {len(table.rejected):,} rows are passed over, such as row {first.row}: {reason}"
        return told

    def _event(self, note: str, numbers: Mapping[str, float] | None = None) -> Event:
        return Event(self._progress.step, self._total, note, numbers or {}, dict(self._artifacts))

    def _standing(self) -> str:
        epoch = max(0, self._progress.step - 1) // self._plan.steps_per_epoch + 1
        return f"Epoch {epoch} of {math.ceil(self._config.num_train_epochs)}; {self._best()}"

    def _best(self) -> str:
        if not self._validation:
            return "nothing to validate on, so the last step counts"
        progress = self._progress
        loss = f"a validation loss of {progress.best_loss:.3f}"
        return f"best after {progress.best_step:,} of {self._plan.steps:,} steps: {loss}"


def _greedy(model: PaletteModel, description: str) -> tuple[str, ...]:
    work: Generator[int, None, Any] = draw(model, description, Locks(), 1, Drawing(0.0, 1.0), torch.Generator())
    while True:
        try:
            next(work)
        except StopIteration as end:
            return tuple(end.value[0].colours)


def _samples(text: str) -> list[str]:
    descriptions = [" ".join(part.split()) for part in text.split(";") if part.strip()]
    if long := [one for one in descriptions if len(one) > LONGEST_DESCRIPTION]:
        raise StudioError(f"The sample '{long[0][:40]}…' is longer than {LONGEST_DESCRIPTION} characters.")
    return descriptions
