"""Probes: from one vector of a question to the probability that the answer is a hallucination; fitted, saved, read.

Two kinds, both on standardised vectors. ``linear`` is L2-regularised logistic regression, its strength chosen on the
validation side. ``mlp`` is the network of HALP (Linear, ReLU, BatchNorm, Dropout 0.3 with 512, 256 and 128 units, then
one output; Adam 1e-3, up to 50 epochs), with larger batches, a seed, and early stopping on the validation side.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor, nn

from studio.errors import StudioError
from studio.files import write_atomic

Kind = Literal["linear", "mlp"]
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""scikit-learn's C: the smaller, the stronger the regularisation."""
WIDTHS = (512, 256, 128)
DROPOUT = 0.3
LEARNING_RATE = 1e-3
BATCH = 128
EPOCHS = 50
PATIENCE = 8
"""Epochs without a lower validation loss before training ends."""

FORMAT = "gemma-studio probe 1"
_ITERATIONS = 500
_ROWS = 4096  # scored at once

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes:
        kind: ``linear`` or ``mlp``.
        tensors: float32: ``mean`` and ``spread`` ``[D]``; for each hidden layer k ``hidden.k.weight``, ``.bias``, and
            ``.scale`` and ``.shift``, which are its batch norm; ``out.weight`` ``[1, H]`` and ``out.bias`` ``[1]``.
            A saved one also has ``seen_images``, int64, see `studio.embeddings.probing.cells.image_number`.
        card: What it is and where it comes from, plain data; ``threshold`` among them.
    """

    kind: Kind
    tensors: Mapping[str, Tensor]
    card: Mapping[str, Any]

    @property
    def dimension(self) -> int:
        """D, the length of the vectors it takes."""
        return len(self.tensors["mean"])

    def scores(self, vectors: Matrix) -> Vector:
        """Return P(hallucination) for vectors ``[N, D]``, ``[N]`` in [0, 1].

        Computed in double precision and rounded to single: a matrix product rounds by where in it a row stands, and a
        question's score must not depend on the questions beside it.
        """
        found = [self._logits(torch.from_numpy(vectors[at : at + _ROWS])) for at in range(0, len(vectors), _ROWS)]
        return torch.cat(found).sigmoid().float().double().numpy() if found else np.empty(0)

    def save(self, path: Path) -> None:
        """Write it as one safetensors file, its card as JSON in the header."""
        card = json.dumps({"format": FORMAT, "kind": self.kind, **self.card}, allow_nan=False)
        write_atomic(path, safetensors.torch.save(dict(self.tensors), {"probe": card}))

    @classmethod
    def load(cls, path: Path) -> Probe:
        """Read what `save` wrote.

        Raises:
            StudioError: The file is missing or no probe.
        """
        if not path.is_file():
            raise StudioError(f"There is no file {path}.", "Give a probe's .safetensors file.")
        try:
            with safetensors.safe_open(str(path), "pt") as file:
                card = json.loads((file.metadata() or {})["probe"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            if card.pop("format") != FORMAT:
                raise ValueError("of another format")
            probe = cls(card.pop("kind"), tensors, card)
            probe.scores(np.zeros((1, probe.dimension), np.float32))
            return probe
        except (OSError, ValueError, LookupError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
            raise StudioError(f"{path.name} is no probe of the studio: {error}.", "Choose another file.") from None

    def _logits(self, vectors: Tensor) -> Tensor:
        tensors = {name: tensor.double() for name, tensor in self.tensors.items() if tensor.is_floating_point()}
        hidden = (vectors.double() - tensors["mean"]) / tensors["spread"]
        for layer in range(sum(name.endswith(".shift") for name in tensors)):
            part = {name: tensors[f"hidden.{layer}.{name}"] for name in ("weight", "bias", "scale", "shift")}
            hidden = torch.relu(hidden @ part["weight"].T + part["bias"]) * part["scale"] + part["shift"]
        return (hidden @ tensors["out.weight"].T + tensors["out.bias"])[:, 0]


@dataclass(frozen=True)
class Sides:
    """What a probe is fitted on: vectors ``[n, D]`` and labels ``[n]`` for training and for validation."""

    train: Matrix
    train_labels: Labels
    validation: Matrix
    validation_labels: Labels


def fit_linear(sides: Sides) -> Probe:
    """Fit a linear probe; its card holds ``strength``, ``converged`` and ``validation_loss``."""
    mean, spread = _standard(sides.train)
    train, validation = ((side - mean) / spread for side in (sides.train, sides.validation))
    model, card = fit_logistic(train, sides.train_labels, validation, sides.validation_labels)
    weights = {"out.weight": model.coef_, "out.bias": model.intercept_}
    tensors = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in weights.items()}
    return Probe("linear", _standardising(mean, spread) | tensors, card)


def fit_logistic(train: Any, labels: Labels, validation: Any, validation_labels: Labels) -> tuple[Any, dict[str, Any]]:
    """Fit a logistic regression from strong to weak regularisation; keep the one of the lowest validation loss.

    Args:
        train: ``[n, D]`` features, dense or sparse.
        labels: ``[n]``.
        validation: ``[m, D]``.
        validation_labels: ``[m]``.

    Returns:
        The scikit-learn model, and ``strength``, ``converged`` and ``validation_loss`` (mean log loss, nats).
    """
    model = LogisticRegression(max_iter=_ITERATIONS, warm_start=True)
    best: tuple[float, dict[str, Any], NDArray[Any], NDArray[Any]] | None = None
    worse = 0
    for strength in STRENGTHS:
        model.set_params(C=strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told in the card
            model.fit(train, labels)
        loss = float(log_loss(validation_labels, model.predict_proba(validation)[:, 1], labels=[0, 1]))
        if best is None or loss < best[0]:
            converged = bool(model.n_iter_.max() < _ITERATIONS)
            card = {"strength": strength, "converged": converged, "validation_loss": loss}
            best, worse = (loss, card, model.coef_.copy(), model.intercept_.copy()), 0
        else:
            worse += 1
            if worse == 2:  # weaker ones would only fit the training side better, and slowly
                break
    assert best is not None
    _, card, model.coef_, model.intercept_ = best
    return model, card


@dataclass(frozen=True)
class Epoch:
    """An epoch done: its number from 1, and the validation loss in nats."""

    number: int
    loss: float


def fit_mlp(sides: Sides, seed: int) -> Iterator[Epoch | Probe]:
    """Fit an MLP; yields each epoch, and last the probe, whose card holds ``epochs`` and ``validation_loss``."""
    mean, spread = _standard(sides.train)
    train, validation = (torch.from_numpy((side - mean) / spread) for side in (sides.train, sides.validation))
    labels = torch.from_numpy(sides.train_labels.astype(np.float32))
    aims = torch.from_numpy(sides.validation_labels.astype(np.float32))
    generator = torch.Generator().manual_seed(seed)
    network = _network(train.shape[1], generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    entropy = nn.BCEWithLogitsLoss()
    best, least, at = _folded(network), math.inf, 0
    for epoch in range(1, EPOCHS + 1):
        network.train()
        for batch in _batches(len(train), generator):
            optimizer.zero_grad()
            entropy(network(train[batch])[:, 0], labels[batch]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            loss = float(entropy(network(validation)[:, 0], aims))
        if loss < least:
            best, least, at = _folded(network), loss, epoch
        yield Epoch(epoch, loss)
        if epoch - at >= PATIENCE:
            break
    yield Probe("mlp", _standardising(mean, spread) | best, {"epochs": at, "validation_loss": least})


class _Dropout(nn.Module):
    """Dropout with its own generator: PyTorch's draws from the one of the process, which other jobs share."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self._generator = generator

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        kept = torch.rand(values.shape, generator=self._generator) >= DROPOUT
        return values * kept / (1 - DROPOUT)


def _network(dimension: int, generator: torch.Generator) -> nn.Sequential:
    parts: list[nn.Module] = []
    before = dimension
    for width in WIDTHS:
        parts += [nn.Linear(before, width), nn.ReLU(), nn.BatchNorm1d(width), _Dropout(generator)]
        before = width
    parts.append(nn.Linear(before, 1))
    for part in parts:
        if isinstance(part, nn.Linear):  # as PyTorch does, from our generator
            reach = 1 / math.sqrt(part.in_features)
            nn.init.uniform_(part.weight, -reach, reach, generator=generator)
            nn.init.uniform_(part.bias, -reach, reach, generator=generator)
    return nn.Sequential(*parts)


def _batches(count: int, generator: torch.Generator) -> list[Tensor]:
    """Shuffle into batches; a last one of one question goes with its neighbour, since batch norm cannot take it."""
    order = torch.randperm(count, generator=generator)
    batches = list(torch.split(order, BATCH))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _folded(network: nn.Sequential) -> dict[str, Tensor]:
    """Return the network's tensors, each batch norm as a scale and a shift."""
    found: dict[str, Tensor] = {}
    linear = [part for part in network if isinstance(part, nn.Linear)]
    norms = [part for part in network if isinstance(part, nn.BatchNorm1d)]
    for index, (part, norm) in enumerate(zip(linear, norms, strict=False)):
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        found |= {f"hidden.{index}.weight": part.weight, f"hidden.{index}.bias": part.bias}
        found |= {f"hidden.{index}.scale": scale, f"hidden.{index}.shift": norm.bias - norm.running_mean * scale}
    found |= {"out.weight": linear[-1].weight, "out.bias": linear[-1].bias}
    return {name: tensor.detach().clone() for name, tensor in found.items()}


def _standard(vectors: Matrix) -> tuple[Matrix, Matrix]:
    """Return mean and standard deviation ``[D]``; what never varies gets a deviation of 1."""
    mean, spread = vectors.mean(0, dtype=np.float64), vectors.std(0, dtype=np.float64)
    return mean.astype(np.float32), np.where(spread > 1e-6, spread, 1).astype(np.float32)


def _standardising(mean: Matrix, spread: Matrix) -> dict[str, Tensor]:
    return {"mean": torch.from_numpy(mean), "spread": torch.from_numpy(spread)}
