"""How good scores tell hallucinations from right answers, each figure with a 95 % interval over images.

A bootstrap draws images with replacement, and with each image all of its questions: questions about one picture are no
independent evidence. Every score of one test meets the same resamples, so that two of them can be compared in pairs.
A resample is a weight per question, and all metrics are computed for many weights at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.charts import BINS, bin_of

NAMES = ("auroc", "auprc", "f1", "accuracy", "ece")
LEAST_RESAMPLES = 0.9
"""Share of the resamples in which a metric must be defined, else it has no interval."""

_AT_ONCE = 2**20  # weights held at once: 8 MB an array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """A figure with its 95 % interval; all NaN where it is undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float | None]:
        """Return plain data, None for what is undefined."""
        return {name: None if math.isnan(value) else round(value, 6) for name, value in vars(self).items()}


class Trial:
    """The labelled questions of a test, and the resamples of its images.

    Args:
        labels: ``[N]``, 1 for a hallucination, 0 for a right answer.
        images: ``[N]`` which image each question is about, any integers.
        resamples: How many; 0 for no intervals.
        seed: Of the resamples.
    """

    def __init__(self, labels: Ints, images: Ints, resamples: int, seed: int) -> None:
        self.labels = labels.astype(np.float64)
        _, self._image = np.unique(images, return_inverse=True)
        count = int(self._image.max()) + 1 if len(labels) else 0
        rng = np.random.default_rng(seed)
        # How often each image was drawn, [B, images]; the same as drawing indices, and a tenth of the memory.
        self._draws = rng.multinomial(count, np.full(count, 1 / max(count, 1)), size=resamples).astype(np.float32)

    def measure(self, scores: Floats, threshold: float) -> tuple[dict[str, Measure], Floats]:
        """Return every metric of `NAMES`, and the AUROC of each resample ``[B]`` for `difference`.

        Args:
            scores: ``[N]`` probabilities of a hallucination, in [0, 1].
            threshold: At and above it an answer is called a hallucination.
        """
        prepared = _Prepared(self.labels, scores, threshold)
        values = prepared.measure(np.ones((1, len(scores))))
        found: dict[str, list[Floats]] = {name: [] for name in NAMES}
        for weights in self._weights():
            for name, one in prepared.measure(weights).items():
                found[name].append(one)
        samples = {name: np.concatenate(each) if each else np.empty(0) for name, each in found.items()}
        measures = {name: with_interval(float(values[name][0]), samples[name]) for name in NAMES}
        return measures, samples["auroc"]

    def within(self, which: NDArray[np.bool_], scores: Floats) -> Measure:
        """Return the AUROC among some of the questions, ``[N]`` bool."""
        prepared = _Prepared(self.labels[which], scores[which], 0.5)
        samples = [prepared.auroc(weights[:, which]) for weights in self._weights()]
        value = float(prepared.auroc(np.ones((1, int(which.sum()))))[0])
        return with_interval(value, np.concatenate(samples) if samples else np.empty(0))

    def _weights(self) -> Iterator[Floats]:
        """Yield the resamples as weights of questions, ``[b, N]`` at a time."""
        step = max(1, _AT_ONCE // max(1, len(self.labels)))
        for start in range(0, len(self._draws), step):
            yield self._draws[start : start + step, self._image].astype(np.float64)


def difference(value: float, other: float, samples: Floats, others: Floats) -> Measure:
    """Return by how much an AUROC is above another on the same resamples."""
    return with_interval(value - other, samples - others)


def with_interval(value: float, samples: Floats) -> Measure:
    """Return a figure with the 2.5th and 97.5th percentile of its resamples."""
    defined = samples[~np.isnan(samples)]
    if math.isnan(value) or not len(defined) or len(defined) < LEAST_RESAMPLES * len(samples):
        return Measure(value)
    low, high = np.percentile(defined, (2.5, 97.5))
    return Measure(value, float(low), float(high))


def figure(measure: Mapping[str, float | None], signed: bool = False) -> str:
    """Return a figure with its interval for a person, ``0.87 (0.83 to 0.91)``."""
    value, low, high = (measure[name] for name in ("value", "low", "high"))
    if value is None:
        return "undefined"
    told = f"{value:+.2f}" if signed else f"{value:.2f}"
    if low is None or high is None:
        return told
    return (f"{told} ({low:+.2f} to {high:+.2f})" if signed else f"{told} ({low:.2f} to {high:.2f})").replace("-", "−")


def best_threshold(labels: Ints, scores: Floats) -> float:
    """Return the threshold with the highest F1: half-way between two neighbouring scores, or the lowest score."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(labels[order])
    last = np.append(ordered[1:] != ordered[:-1], True)  # of equal scores all are above the threshold or none
    called = np.arange(1, len(scores) + 1)[last]
    f1 = 2 * hits[last] / (called + labels.sum())
    at = int(np.argmax(f1))
    values = ordered[last]
    return float((values[at] + values[at + 1]) / 2 if at + 1 < len(values) else values[at])


def risk_coverage(labels: Ints, scores: Floats) -> dict[str, list[float]]:
    """Return what share of the answers is hallucinated (``risk``) among those with the lowest scores (``coverage``).

    Answers with equal scores are kept or left out together.
    """
    order = np.argsort(scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    kept = np.arange(1, len(scores) + 1)
    return {
        "coverage": (kept[last] / len(scores)).tolist(),
        "risk": (np.cumsum(labels[order])[last] / kept[last]).tolist(),
    }


def auroc(labels: Ints, scores: Floats) -> float:
    """Return the area under the ROC curve; NaN with one class only."""
    return float(_Prepared(labels.astype(np.float64), scores, 0.5).auroc(np.ones((1, len(scores))))[0])


class _Prepared:
    """What does not depend on the weights: the order of scores, where equal ones end, the bins."""

    def __init__(self, labels: Floats, scores: Floats, threshold: float) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(scores) else np.empty(0, int)
        self._labels = labels[self._order]
        called = (scores >= threshold).astype(np.float64)
        self._plain = np.stack([labels, called, labels * called, (labels == called).astype(np.float64)], axis=1)
        self._gaps = np.zeros((len(scores), BINS))
        self._gaps[np.arange(len(scores)), bin_of(scores)] = labels - scores

    def measure(self, weights: Floats) -> Mapping[str, Floats]:
        """Return each metric for weights ``[B, N]``, ``[B]``; NaN where it is undefined."""
        positive, called, hit, right = (weights @ self._plain).T
        total = weights.sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                **self._curves(weights),
                "f1": np.where(positive > 0, 2 * hit / (positive + called), np.nan),
                "accuracy": right / total,
                "ece": np.abs(weights @ self._gaps).sum(1) / total,
            }

    def auroc(self, weights: Floats) -> Floats:
        return self._curves(weights)["auroc"]

    def _curves(self, weights: Floats) -> dict[str, Floats]:
        """Areas under both curves, whose points are the distinct scores from high to low."""
        ordered = weights[:, self._order]
        true = np.cumsum(ordered * self._labels, axis=1)[:, self._last]
        called = np.cumsum(ordered, axis=1)[:, self._last]
        zero = np.zeros((len(weights), 1))
        true, called = np.hstack([zero, true]), np.hstack([zero, called])
        false = called - true
        steps = np.diff(true, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            under = (np.diff(false, axis=1) * (true[:, 1:] + true[:, :-1]) / 2).sum(1)
            precision = np.where(called[:, 1:] > 0, true[:, 1:] / called[:, 1:], 0.0)
            return {
                "auroc": under / (true[:, -1] * false[:, -1]),
                "auprc": np.where(false[:, -1] > 0, (steps * precision).sum(1) / true[:, -1], np.nan),
            }
