"""Train a Gemma-CLIP model: the loop, and the order in which things reach the disk."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TypeVar

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import content_hash, write_atomic
from studio.models import ModelSpec
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model.bundle import BundleInfo, describe
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import choose_quantization
from studio.scienceqa.model.prompts import Form
from studio.scienceqa.model.source import Source, named
from studio.scienceqa.questions.reading import read
from studio.scienceqa.questions.record import Question, Rejected
from studio.scienceqa.training import selfcheck
from studio.scienceqa.training.bundles import BEST, LAST, Bundles, answering_form
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.learner import Learner, Shown
from studio.scienceqa.training.lessons import Forms, Lesson, Material, choose, length, prepare, taught
from studio.scienceqa.training.validation import FEW, MANNER, Look, look
from studio.training import history
from studio.training.batching import Plan, Step, evenly
from studio.training.checkpoint import Checkpoint, Progress
from studio.training.history import History
from studio.training.meter import Meter

SKIPPED = "skipped.jsonl"
"""What was passed over: a line with ``pid`` and ``reason`` for each question."""

_TELL = 0.5  # seconds between two events of preparing and of looking

T = TypeVar("T")


def run(config: TrainScienceqaConfig, context: Context) -> Iterator[Event]:
    """Train projector and adapters; stops within one step, resumes exactly, and keeps what did best on validation.

    Yields:
        An `Event` a step: metrics ``loss`` and ``smoothed_loss`` (nats a token), ``learning_rate`` and
        ``projector_learning_rate``, ``tokens_per_second``, ``memory`` (GiB, the most so far), and after a look at the
        validation questions ``accuracy`` (0 to 1) and ``validation_loss``. Artifacts: ``bundle``, the folder of the
        best so far, from the first look on, which a stopped run leaves too; ``history`` (history.jsonl); ``skipped``
        (skipped.jsonl) where questions were passed over; ``last``, the bundle of the last step. The last event has the
        metrics that `_Training.summary` names.

    Raises:
        StudioError: The questions, the model or the output folder cannot be used, the self-check fails, the loss is
            no number, or on a resume questions or model have changed.
    """
    bundles = Bundles(config, context.folder)
    yield Event(0, None, "Reading the questions")
    found = read(config.data, config.images_dir, splits=("train", "val"), settings=context.settings)
    material = choose(found, config)
    yield Event(0, None, f"{material.told}. Loading the model")
    with (
        context.models.lease(_spec(config, context), exclusive=True) as model,
        Features(model, context.settings) as features,
    ):
        training = _Training(config, context, model, features, bundles)
        yield from training.prepare(material, found.rejected)
        yield from training.run()
        summary = training.summary()
    yield replace(summary, note=f"{summary.note}; {bundles.deliver()}")


class _Training:
    """A run: its questions made ready, then its steps."""

    def __init__(
        self, config: TrainScienceqaConfig, context: Context, model: GemmaClip, features: Features, bundles: Bundles
    ) -> None:
        self._config, self._context, self._bundles = config, context, bundles
        self._model, self._features = model, features
        self._lock = context.models.device_lock()
        self._meter = Meter(model.device)
        self._form = answering_form(config, model.info)
        self._other: Form = "letter" if self._form == "reasoning" else "reasoning"
        self._other_accuracy: float | None = None
        self._total: int | None = None
        self._progress = Progress()
        self._artifacts: dict[str, str] = {"history": history.NAME}

    def prepare(self, material: Material, rejected: Sequence[Rejected]) -> Iterator[Event]:
        """Compute features, put the adapters on, check them, and take up where an earlier run stopped."""
        config, model = self._config, self._model
        left_out = list(rejected)
        self._lessons = yield from self._ready(material.train, taught(config.answer_form), left_out)
        self._validation = yield from self._ready(material.validation, lambda _: (self._form,), left_out)
        both = [one.question for one in self._validation if one.question.choices and config.answer_form == "both"]
        self._otherwise = yield from self._ready(evenly(both, FEW), lambda _: (self._other,), [])
        if not self._lessons:
            raise StudioError(f"No question can be trained on: {left_out[0].reason}", "Give other questions.")
        told = self._list(left_out)
        self._plan = Plan(
            [length(model, lesson) for lesson in self._lessons], config.per_device_train_batch_size,
            config.gradient_accumulation_steps, config.num_train_epochs, config.seed,
        )  # fmt: skip
        self._total = self._plan.steps + 1  # the last one is handing over
        self._learner = Learner(model, config, self._plan.steps)
        yield self._event(f"{self._learner.told}{told}. Checking the gradients")
        with self._lock:
            selfcheck.check(self._learner, self._sample())
        learner = self._learner
        self._checkpoint = Checkpoint(self._context.folder, self._identity(), learner.weights, learner.optimizer)
        self._progress = self._checkpoint.load()
        self._history = History(self._context.folder, self._progress)
        self._artifacts |= self._bundles.known()

    def run(self) -> Iterator[Event]:
        """Train to the end, or until it no longer helps."""
        progress = self._progress
        steps = self._plan.remaining(progress.step)
        try:
            while True:
                if self._is_look_due():
                    yield from self._look()
                if self._is_stale() or (step := next(steps, None)) is None:
                    break
                with self._lock:
                    numbers = self._step(step)
                progress.step += 1
                self._history.add(progress.step, numbers)
                if self._checkpoint.is_due():
                    self._checkpoint.save(progress)
                yield self._event(self._standing(), numbers)
        except GeneratorExit:  # stopped between two steps; after an error the last checkpoint stands
            self._keep()
            raise
        self._keep()
        if self._otherwise:
            looking = look(self._learner, self._otherwise, self._features, self._other)
            doing = f"Asking some {MANNER[self._other]}"
            self._other_accuracy, _ = yield from self._told(looking, doing, len(self._otherwise))

    def summary(self) -> Event:
        """Say how it ended.

        Metrics are ``best_step``, and where they were measured ``best_accuracy`` and that of the last step in the other
        form that is learnt: ``reasoning_accuracy`` or ``letter_accuracy``.
        """
        progress, note = self._progress, f"Finished: {self._best()}"
        if early := progress.step < self._plan.steps:
            note = f"Finished early, after {self._config.patience} looks without a better one: {self._best()}"
        numbers = {"best_step": float(progress.best_step)}
        numbers |= {} if progress.best_accuracy is None else {"best_accuracy": progress.best_accuracy}
        if self._other_accuracy is not None:
            numbers[f"{self._other}_accuracy"] = self._other_accuracy
            note += f"; {MANNER[self._other]}, the last step has {self._other_accuracy:.1%} of "
            note += f"{len(self._otherwise)} right"
        event = self._event(note, numbers)
        return event if early else replace(event, done=event.done + 1)

    def _step(self, step: Step) -> dict[str, float]:
        """Learn from the questions of one step."""
        self._meter.start()
        batches = [[self._shown(self._lessons[one], one + step.epoch) for one in batch] for batch in step.batches]
        rates = self._learner.rates(step.number)
        loss = self._learner.step(step.number, batches)
        tokens = sum(shown.turn.length(self._model.tokens_per_view) for batch in batches for shown in batch)
        return {"loss": loss, "smoothed_loss": self._progress.smooth(loss), **rates, **self._meter.stop(tokens)}

    def _look(self) -> Iterator[Event]:
        """Look at the validation questions, and keep the model if none before did better."""
        numbers, progress = {}, self._progress
        found = Look(None, -float(progress.step))  # with nothing to tell which step is best, the last one is
        if self._validation:
            looking = look(self._learner, self._validation, self._features, self._form)
            found = yield from self._told(looking, "Looking at the validation questions", len(self._validation))
            numbers = {"validation_loss": found.loss}
            numbers |= {} if found.accuracy is None else {"accuracy": found.accuracy}
        if progress.consider(*found):
            self._bundles.keep(BEST, self._model, {"step": progress.step, **numbers})
            self._artifacts |= self._bundles.known()
        self._history.add(progress.step, numbers, looked=True)
        self._checkpoint.save(progress)
        yield self._event(self._standing(), numbers)

    def _is_look_due(self) -> bool:
        """Tell whether to look: before the first step, every so many, and after the last one."""
        step = self._progress.step
        due = step % self._config.eval_steps == 0 or step == self._plan.steps
        return due and self._progress.looked < step

    def _is_stale(self) -> bool:
        return 0 < self._config.patience <= self._progress.worse

    def _keep(self) -> None:
        """Put on disk where the run stands."""
        self._checkpoint.save(self._progress)
        if self._progress.step:
            self._bundles.keep(LAST, self._model, {"step": self._progress.step})
            self._artifacts |= self._bundles.known()

    def _ready(
        self, questions: Sequence[Question], forms: Forms, left_out: list[Rejected]
    ) -> Generator[Event, None, list[Lesson]]:
        work = prepare(self._model, questions, self._features, forms, left_out)
        return (yield from self._told(work, "Looking at the pictures", len(questions)))

    def _told(self, work: Generator[int, None, T], doing: str, total: int) -> Generator[Event, None, T]:
        """Do work that yields how far it is, and tell it now and then; return what it returns."""
        told = -math.inf
        while True:
            with self._lock:
                try:
                    done = next(work)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
            if time.monotonic() - told > _TELL:
                yield self._event(f"{doing}: {done:,} of {total:,}")
                told = time.monotonic()

    def _shown(self, lesson: Lesson, occasion: int) -> Shown:
        return Shown(lesson.turn(occasion), self._features.of(lesson.question, lesson.picture))

    def _sample(self) -> list[Shown]:
        """Return what the gradients are checked on: a question with a picture if there is one, in every form."""
        lesson = next((one for one in self._lessons if one.picture is not None), self._lessons[0])
        both = [self._shown(lesson, occasion) for occasion in range(len(lesson.turns))]
        return both[: self._config.per_device_train_batch_size]

    def _identity(self) -> str:
        """Return a hash of what the run depends on beside its configuration."""
        taught = [repr((one.question.pid, one.picture, one.turns)) for one in [*self._lessons, *self._validation]]
        shapes = {name: list(weight.shape) for name, weight in self._learner.weights.items()}
        return content_hash(*taught, json.dumps([shapes, dict(self._model.info.fingerprints)], sort_keys=True))

    def _list(self, left_out: Sequence[Rejected]) -> str:
        """Write what was passed over, and return what to say of it."""
        if not left_out:
            return ""
        lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in left_out]
        write_atomic(self._context.folder / SKIPPED, "".join(lines))
        self._artifacts["skipped"] = SKIPPED
        first = f"{left_out[0].pid}: {left_out[0].reason}".rstrip(".")
        return f"; {len(left_out):,} questions are passed over, such as {first}"

    def _event(self, note: str, numbers: Mapping[str, float] | None = None) -> Event:
        return Event(self._progress.step, self._total, note, numbers or {}, dict(self._artifacts))

    def _standing(self) -> str:
        epoch = max(0, self._progress.step - 1) // self._plan.steps_per_epoch + 1
        again = "; the disk has no room for all features of pictures" if self._features.again else ""
        return f"Epoch {epoch} of {math.ceil(self._config.num_train_epochs)}; {self._best()}{again}"

    def _best(self) -> str:
        """Say which step was best, and how good."""
        progress = self._progress
        if not self._validation:
            return "no question to validate on, so the last step counts"
        accuracy, count = progress.best_accuracy, len(self._validation)
        right = f"a loss of {progress.best_loss:.3f}" if accuracy is None else f"{accuracy:.1%} of {count:,} right"
        return f"best after {progress.best_step:,} of {self._plan.steps:,} steps: {right}"


def _spec(config: TrainScienceqaConfig, context: Context) -> ModelSpec:
    """Return the model that training starts from."""
    if config.bundle:
        source = replace(named(config.bundle), views=config.views, flash=config.use_flash_attention_2)
        language = describe(source.bundle).tower("language")
    else:
        source = Source(
            language=config.llm_name,
            vision=config.vision_name,
            vision_layer=config.vision_layer,
            views=config.views,
            flash=config.use_flash_attention_2,
        )
        language = BundleInfo(source.vision, source.language).tower("language")
    quantization = choose_quantization(config.quantization, language, context.models.device)
    return source.spec(quantization, "bfloat16" if config.bf16 else "auto")
