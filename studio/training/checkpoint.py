"""Where a run stands, on disk, so that one that was stopped or killed ends as if it had not been.

Random numbers need no keeping: the order of the questions and every dropout are drawn from the seed and the number of
the step, whatever else draws random numbers meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from studio.errors import StudioError
from studio.files import write_atomic

INTERVAL = 30.0
"""Seconds of work that a kill may cost; more where keeping takes long."""
FILE = Path("state") / "training.safetensors"

_SHARE = 0.05  # of the time that keeping may take
_KEPT = 0.95  # of the running mean of the loss, in each step
_WEIGHT = "weight"


@dataclass
class Progress:
    """The position of a run.

    Attributes:
        step: Steps done.
        looked: Steps done at the last look at the validation questions; -1 before the first.
        smoothed: The running mean of the loss that `smooth` corrects, nats a token.
        best_step: Steps done at the best look; -1 before the first.
        best_accuracy: Its share of right answers, 0 to 1; None where no validation question has choices.
        best_loss: Its loss.
        worse: Looks since the best one.
    """

    step: int = 0
    looked: int = -1
    smoothed: float = 0.0
    best_step: int = -1
    best_accuracy: float | None = None
    best_loss: float = float("inf")
    worse: int = 0

    def smooth(self, loss: float) -> float:
        """Take in the loss of the next step, and return the mean of the last ones, the newer the weightier."""
        self.smoothed += (1 - _KEPT) * (loss - self.smoothed)
        return self.smoothed / (1 - _KEPT ** (self.step + 1))

    def consider(self, accuracy: float | None, loss: float) -> bool:
        """Take note of a look at the weights as they stand, and return whether no earlier ones did better.

        More right answers are better, and of equally many the lower loss.
        """
        self.looked = self.step
        better = self.best_step < 0 or (accuracy or 0.0, -loss) > (self.best_accuracy or 0.0, -self.best_loss)
        if better:
            self.best_step, self.best_accuracy, self.best_loss = self.step, accuracy, loss
        self.worse = 0 if better else self.worse + 1
        return better


class Checkpoint:
    """The file that holds a run's position, its weights and the optimizer's moments.

    Args:
        folder: The job's folder.
        identity: What the run depends on beside its configuration: its questions and its model.
        weights: What is trained, by name.
        optimizer: What trains it.
    """

    def __init__(
        self, folder: Path, identity: str, weights: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> None:
        self._path = folder / FILE
        self._identity = identity
        self._weights = weights
        self._optimizer = optimizer
        self._kept_at = time.monotonic()
        self._took = 0.0

    def load(self) -> Progress:
        """Put weights and moments where the file says they stood, and return the position; of a new run, its start.

        Raises:
            StudioError: The run began with other questions or another model.
        """
        if not self._path.is_file():
            return Progress()
        with safetensors.safe_open(str(self._path), "pt") as file:
            metadata = file.metadata()
            if metadata["identity"] != self._identity:
                raise StudioError("The questions or the model changed since this run began.", "Start a new run.")
            for key in file.keys():  # noqa: SIM118 - no mapping
                kind, _, name = key.partition(".")
                weight, value = self._weights[name], file.get_tensor(key)
                if kind == _WEIGHT:
                    weight.data.copy_(value)
                else:  # PyTorch counts a weight's steps on the CPU, wherever the weight is
                    self._optimizer.state[weight][kind] = value if kind == "step" else value.to(weight.device)
        return Progress(**json.loads(metadata["progress"]))

    def is_due(self) -> bool:
        """Tell whether a kill would cost too much by now."""
        return time.monotonic() - self._kept_at > max(INTERVAL, self._took / _SHARE)

    def save(self, progress: Progress) -> None:
        """Put everything on disk."""
        begun = time.monotonic()
        tensors = {
            f"{kind}.{name}": value.detach().contiguous().cpu()
            for name, weight in self._weights.items()
            for kind, value in {_WEIGHT: weight, **self._optimizer.state.get(weight, {})}.items()
        }
        metadata = {"progress": json.dumps(asdict(progress)), "identity": self._identity}
        write_atomic(self._path, safetensors.torch.save(tensors, metadata))
        self._kept_at = time.monotonic()
        self._took = self._kept_at - begun
