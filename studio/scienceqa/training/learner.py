"""What learns: the projector and the adapters of a model, their optimizer, and one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from studio.errors import StudioError
from studio.gemma import adapters
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.training.lessons import Turn
from studio.training.schedule import share

_FROM_STEPS = 1  # random numbers of step n are drawn with n + 1, those of what precedes the first with 0


class Shown(NamedTuple):
    """A turn, and the features of its picture ``[views, patches, width]``, or None without one."""

    turn: Turn
    features: Tensor | None


class Learner:
    """A model made ready to be trained.

    The projector computes in float32 and the adapters likewise, under autocast where the language model is in
    bfloat16; what else there is stays frozen.

    Args:
        model: Leased for training alone; adapters are put on unless it has some.
        config: Ranks, learning rates, dropout, seed.
        steps: Steps of the whole run.

    Attributes:
        weights: What is trained, by name.
        optimizer: AdamW over them.
    """

    def __init__(self, model: GemmaClip, config: TrainScienceqaConfig, steps: int) -> None:
        self.model = model
        self._config = config
        self._steps = steps
        if model.info.projector is None:
            model.projector.reset(config.seed)
        if config.lora_r:  # with 0 a bundle's adapters stay as they are
            with self._seeded(0):
                model.language = adapters.attach(model.language, config.lora_r, config.lora_alpha, config.lora_dropout)
        if config.gradient_checkpointing:
            new, old = "activation_checkpointing_enable", "gradient_checkpointing_enable"  # as transformers names it
            getattr(model.language, new if hasattr(model.language, new) else old)({"use_reentrant": False})
        model.projector.requires_grad_(True)
        trained = {"projector": model.projector, "language": model.language}
        self.weights: Mapping[str, nn.Parameter] = {
            f"{part}.{name}": weight
            for part, module in trained.items()
            for name, weight in module.named_parameters()
            if weight.requires_grad
        }
        self.optimizer = torch.optim.AdamW(self._groups(), weight_decay=config.weight_decay)
        self._train(False)

    def rates(self, done: int) -> dict[str, float]:
        """Return the learning rates of the step after ``done`` steps: of the adapters, and of the projector."""
        part = share(done, self._steps, self._config.warmup_ratio, self._config.schedule)
        own = self._config.projector_learning_rate or self._config.learning_rate
        return {"learning_rate": self._config.learning_rate * part, "projector_learning_rate": own * part}

    def step(self, number: int, batches: Sequence[Sequence[Shown]]) -> float:
        """Take one step on batches that are read one after another, and return the loss in nats a token.

        Every answered token of the step counts the same, in whatever batch it stands; so the result is that of one
        large batch, also where the last one is smaller.

        Args:
            number: Of the step, from 0.
            batches: Its turns.

        Raises:
            StudioError: The loss or its gradient is not a number; no weight has changed.
        """
        self._train(True)
        self.optimizer.zero_grad()
        total = sum(len(shown.turn.answer) for batch in batches for shown in batch)
        loss = 0.0
        for index, batch in enumerate(batches):
            with self._seeded(number + _FROM_STEPS, index):
                part = self.loss(batch) * (sum(len(shown.turn.answer) for shown in batch) / total)
                if part.requires_grad:  # the projector alone learns nothing from questions without a picture
                    part.backward()  # type: ignore[no-untyped-call]
            loss += part.item()
        norm = nn.utils.clip_grad_norm_(self.weights.values(), self._config.max_grad_norm)
        if not bool(torch.isfinite(norm)):
            raise StudioError("The loss is not a number.", "Try a smaller learning rate, or without 4 bits.")
        rates = self.rates(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["rate"]]
        self.optimizer.step()
        self._train(False)
        return loss

    def loss(self, batch: Sequence[Shown]) -> Tensor:
        """Return the mean cross entropy of a batch's answers, nats a token."""
        model = self.model
        asked, answers = [shown.turn.asked for shown in batch], [shown.turn.answer for shown in batch]
        half = next(model.decoder.parameters()).dtype == torch.bfloat16
        with torch.autocast(model.device.type, torch.bfloat16, enabled=half):
            return model.loss(model.batch(asked, [shown.features for shown in batch], answers=answers))

    def gradients(self, batch: Sequence[Shown], names: Iterable[str]) -> dict[str, Tensor]:
        """Return the gradients that a batch gives some weights, by name; nothing is left behind."""
        self._train(True)
        self.optimizer.zero_grad()
        with self._seeded(0):
            self.loss(batch).backward()  # type: ignore[no-untyped-call]
        weights = {name: self.weights[name] for name in names}
        found = {name: torch.zeros_like(each) if each.grad is None else each.grad for name, each in weights.items()}
        self.optimizer.zero_grad()
        self._train(False)
        return found

    def _train(self, on: bool) -> None:
        """Turn dropout on or off, and with it gradient checkpointing."""
        self.model.language.train(on)
        self.model.projector.train(on)

    def _groups(self) -> list[dict[str, object]]:
        own = [weight for name, weight in self.weights.items() if name.startswith("projector.")]
        others = [weight for name, weight in self.weights.items() if not name.startswith("projector.")]
        groups: list[dict[str, object]] = [{"params": own, "rate": "projector_learning_rate"}]
        return [*groups, {"params": others, "rate": "learning_rate"}] if others else groups

    @property
    def told(self) -> str:
        """A sentence about what is trained."""
        count = sum(weight.numel() for weight in self.weights.values())
        adapted = getattr(self.model.language, "active_peft_config", None)
        if adapted is None or not self._config.lora_r:
            return f"The projector is trained, {count:,} weights"
        told = f"Projector and adapters of rank {adapted.r} are trained, {count:,} weights"
        asked = (self._config.lora_r, self._config.lora_alpha)
        return told if (adapted.r, adapted.lora_alpha) == asked else f"{told}: the bundle's own adapters go on"

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
