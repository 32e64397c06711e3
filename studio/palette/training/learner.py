"""What learns: the adapters of a palette model, their optimizer, and one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.errors import StudioError
from studio.gemma import adapters
from studio.palette.config import TrainPaletteConfig
from studio.palette.loading import PaletteModel
from studio.palette.training.lessons import IGNORED, Lesson, collate
from studio.training.schedule import share

TOGETHER = 8
"""Palettes validated in one pass."""
_FROM_STEPS = 1  # random numbers of step n are drawn with n + 1, those of what precedes the first with 0


class Learner:
    """A model made ready to be trained: adapters on the seven projections of every layer, all else frozen.

    Args:
        model: In float32 and leased for training alone; one that has adapters goes on with those.
        config: Rank, learning rate, dropout, seed.
        steps: Steps of the whole run.

    Attributes:
        weights: What is trained, by name.
        optimizer: AdamW over them.
    """

    def __init__(self, model: PaletteModel, config: TrainPaletteConfig, steps: int) -> None:
        self.model = model
        self._config = config
        self._steps = steps
        with self._seeded(0):
            model.language = adapters.attach(model.language, config.lora_r, config.lora_alpha, config.lora_dropout)
        self.weights: Mapping[str, nn.Parameter] = {
            name: weight for name, weight in model.language.named_parameters() if weight.requires_grad
        }
        self.optimizer = torch.optim.AdamW(self.weights.values(), weight_decay=config.weight_decay)
        model.language.eval()

    @property
    def told(self) -> str:
        """A sentence about what is trained."""
        count = sum(weight.numel() for weight in self.weights.values())
        return f"Adapters of rank {self.model.language.active_peft_config.r} are trained, {count:,} weights"

    def rate(self, done: int) -> float:
        """Return the learning rate of the step after ``done`` steps."""
        return self._config.learning_rate * share(done, self._steps, self._config.warmup_ratio, self._config.schedule)

    def step(self, number: int, batches: Sequence[Sequence[Lesson]]) -> float:
        """Take one step on batches that are read one after another, and return the loss in nats a token.

        Every answered token of the step counts the same, so the result is that of one large batch.

        Args:
            number: Of the step, from 0.
            batches: Its lessons.

        Raises:
            StudioError: The loss or its gradient is not a number; no weight has changed.
        """
        self.model.language.train()
        self.optimizer.zero_grad()
        total = sum(len(lesson.answer) for batch in batches for lesson in batch)
        loss = 0.0
        for index, batch in enumerate(batches):
            with self._seeded(number + _FROM_STEPS, index):
                part = self.loss(batch) / total
                part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
        self.model.language.eval()
        norm = nn.utils.clip_grad_norm_(self.weights.values(), self._config.max_grad_norm)
        if not bool(torch.isfinite(norm)):
            raise StudioError("The loss is not a number.", "Try a smaller learning rate.")
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(number)
        self.optimizer.step()
        return loss

    def loss(self, lessons: Sequence[Lesson]) -> Tensor:
        """Return the summed cross entropy of lessons' answers, nats."""
        batch = collate(self.model, lessons)
        base = self.model.base
        states = base.model(input_ids=batch.ids, use_cache=False).last_hidden_state
        labels = batch.labels[:, 1:]
        learnt = labels != IGNORED
        scores = self.model.capped(base.get_output_embeddings()(states[:, :-1][learnt]).float())
        return functional.cross_entropy(scores, labels[learnt], reduction="sum")

    @torch.no_grad()
    def validate(self, lessons: Sequence[Lesson]) -> Iterator[float]:
        """Yield the summed cross entropy of some lessons after another, nats."""
        for start in range(0, len(lessons), TOGETHER):
            yield float(self.loss(lessons[start : start + TOGETHER]))

    @contextmanager
    def _seeded(self, *place: int) -> Iterator[None]:
        """Draw random numbers from the seed and a place in the run, and leave everybody else's alone."""
        device = self.model.device
        number = self._config.seed
        for each in place:
            number = number * 1_000_003 + each
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(number % 2**63)
            yield
