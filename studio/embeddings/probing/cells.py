"""The cells of a probing: each representation, layer and kind of probe, fitted once, and kept when it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.embeddings import representations
from studio.embeddings.config import ProbeConfig
from studio.embeddings.probing.metrics import Floats, Measure, Trial, auroc, best_threshold, difference
from studio.embeddings.probing.probes import Epoch, Kind, Matrix, Probe, Sides, fit_linear, fit_mlp
from studio.embeddings.probing.splits import Indices, Split
from studio.embeddings.store.runs import Run
from studio.errors import StudioError
from studio.files import content_hash, write_atomic

KINDS: tuple[Kind, ...] = ("linear", "mlp")


@dataclass(frozen=True)
class Place:
    """Where a vector is read: a representation and its layer, None for one without layers."""

    representation: str
    layer: int | None

    @property
    def key(self) -> str:
        """The name its vectors are stored under."""
        return representations.key(self.representation, self.layer)

    @property
    def title(self) -> str:
        """Its name for a person."""
        name = title(self.representation)
        return name if self.layer is None else f"{name} at layer {self.layer}"


@dataclass(frozen=True)
class Data:
    """What every cell is fitted and tested on.

    Attributes:
        labels: ``[N]``, below 0 for unlabelled.
        images: ``[N]`` which image each question is about.
        image_names: What identifies each image.
        split: By image.
        leaky: By question, for comparison; None when none is wanted.
        trial: The test of `split` with its resamples.
        seed: Of the probes.
        resamples: Of an interval.
    """

    labels: NDArray[np.int64]
    images: Indices
    image_names: Sequence[str]
    split: Split
    leaky: Split | None
    trial: Trial
    seed: int
    resamples: int

    def seen(self) -> NDArray[np.int64]:
        """Return the images that probes are fitted or chosen on, as sorted numbers, see `image_number`."""
        which = np.unique(self.images[np.concatenate([self.split.train, self.split.validation])])
        return np.sort(np.array([image_number(self.image_names[one]) for one in which], dtype=np.int64))


@dataclass(frozen=True)
class Scored:
    """A probe or baseline on the test: plain data, its scores ``[n]``, and the AUROC of each resample ``[B]``."""

    result: dict[str, Any]
    scores: Floats
    samples: Floats


class Ledger:
    """Results that are done, on disk, so that a resumed run goes on after them.

    Args:
        folder: The job's.
        plan: Identifies all that results depend on.

    Raises:
        StudioError: The folder holds the results of another plan.
    """

    def __init__(self, folder: Path, plan: str) -> None:
        self._folder = folder / "cells"
        path = self._folder / "plan.json"
        if path.is_file() and json.loads(path.read_text("utf-8"))["plan"] != plan:
            raise StudioError("The run, its labels or the settings changed since this began.", "Start a new probing.")
        write_atomic(path, json.dumps({"plan": plan}))

    def find(self, name: str) -> tuple[dict[str, Any], Floats] | None:
        """Return a result and its scores on the test, or None when it is not done."""
        path = self._folder / f"{name}.json"
        if not path.is_file():
            return None
        kept = json.loads(path.read_text("utf-8"))
        return kept["result"], np.array(kept["scores"], dtype=np.float64)

    def add(self, name: str, result: Mapping[str, Any], scores: Floats) -> None:
        """Keep a result."""
        data = {"result": result, "scores": scores.tolist()}
        write_atomic(self._folder / f"{name}.json", json.dumps(data, allow_nan=False))


def title(representation: str) -> str:
    """Return the name of a representation for a person: ``query token``."""
    return representation.removesuffix("_representation").replace("_", " ")


def image_number(name: str) -> int:
    """Return the number an image is remembered by in a probe: 64 bits of a hash of what identifies it."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def places(run: Run, config: ProbeConfig) -> list[Place]:
    """Return what is to be probed, in the run's order.

    Raises:
        StudioError: The run does not hold it.
    """
    wanted = [f"{name}_representation" for name in config.representations.split(",") if name] or list(run.layers)
    missing = [name for name in wanted if name not in run.layers]
    if missing or not wanted:
        what = f"The run holds no {title(missing[0])} representation." if missing else "The run holds no vectors."
        raise StudioError(what, f"It holds {', '.join(map(title, run.layers)) or 'none at all'}.")
    held = sorted({layer for name in wanted for layer in run.layers[name]})
    layers = held
    if config.layers:
        count = int(run.metadata.get("layer_count") or max(held, default=0) + 1)
        layers = list(representations.choose_layers(config.layers, count))
        if absent := [layer for layer in layers if layer not in held]:
            what = f"The run does not hold layer {absent[0]}."
            raise StudioError(what, f"It holds {', '.join(map(str, held)) or 'no layers'}.")
    return [
        Place(name, layer)
        for name in wanted
        for layer in (run.layers[name] or (None,))
        if layer is None or layer in layers
    ]


def fit(place: Place, kind: Kind, vectors: Matrix, data: Data) -> Iterator[Epoch | tuple[Scored, Probe]]:
    """Fit and test one cell; yields the epochs of an MLP, and last the result with the probe, its card still bare.

    Args:
        place: Where the vectors were read.
        kind: Of the probe.
        vectors: ``[N, D]``, finite.
        data: What to fit and test on.
    """
    seed = int(content_hash(str(data.seed), place.key, kind)[:8], 16)
    probe = None
    for step in _fitted(kind, vectors, data.labels, data.split, seed):
        if isinstance(step, Probe):
            probe = step
        else:
            yield step
    assert probe is not None
    validation, test = (probe.scores(vectors[side]) for side in (data.split.validation, data.split.test))
    scored = score(data, validation, test)
    scored.result.update({"kind": kind, "dimension": probe.dimension, "fit": dict(probe.card)})
    if data.leaky is not None:
        for step in _fitted(kind, vectors, data.labels, data.leaky, seed):
            if isinstance(step, Probe):
                scored.result["leaky"] = flattered(data, step.scores(vectors[data.leaky.test])).to_json()
            else:
                yield step
    yield scored, probe


def score(data: Data, validation: Floats, test: Floats) -> Scored:
    """Measure scores on the test side, with the threshold that is best on the validation side."""
    aims = data.labels[data.split.validation]
    threshold = best_threshold(aims, validation)
    measures, samples = data.trial.measure(test, threshold)
    result = {
        "metrics": {name: measure.to_json() for name, measure in measures.items()},
        "threshold": threshold,
        "validation_auroc": auroc(aims, validation),
    }
    return Scored(result, test, samples)


def flattered(data: Data, test: Floats) -> Measure:
    """Return the AUROC on the leaky test."""
    assert data.leaky is not None
    side = data.leaky.test
    trial = Trial(data.labels[side], data.images[side], data.resamples, data.seed)
    return trial.measure(test, 0.5)[0]["auroc"]


def compare(scored: Scored, baseline: Scored) -> dict[str, Any]:
    """Return the ``lead`` of a probe's AUROC over a baseline's, and whether it ``beats`` it: by an interval above 0."""
    value, other = (each.result["metrics"]["auroc"]["value"] for each in (scored, baseline))
    lead = difference(value, other, scored.samples, baseline.samples)
    return {"lead": lead.to_json(), "beats": lead.low > 0}


def _fitted(kind: Kind, vectors: Matrix, labels: NDArray[np.int64], split: Split, seed: int) -> Iterator[Epoch | Probe]:
    train, validation = split.train, split.validation
    sides = Sides(vectors[train], labels[train], vectors[validation], labels[validation])
    if kind == "linear":
        yield fit_linear(sides)
    else:
        yield from fit_mlp(sides, seed)
