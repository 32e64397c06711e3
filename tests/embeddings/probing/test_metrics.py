"""The figures are scikit-learn's, with weights and ties, and the intervals cover what they say."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from studio import charts
from studio.embeddings.probing import metrics
from studio.embeddings.probing.metrics import Trial


@pytest.fixture(scope="module")
def cancer() -> tuple[np.ndarray, np.ndarray]:
    """Labels and cross-validated scores on a real data set."""
    features, labels = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return labels.astype(np.int64), cross_val_predict(model, features[:, :3], labels, method="predict_proba")[:, 1]


@pytest.mark.parametrize("decimals", [16, 1])
def test_the_metrics_are_scikit_learns(cancer: tuple[np.ndarray, np.ndarray], decimals: int) -> None:
    labels, scores = cancer[0], cancer[1].round(decimals)  # rounded, many scores are equal
    found, _ = Trial(labels, np.arange(len(labels)), 0, 0).measure(scores, 0.4)
    called = scores >= 0.4
    assert found["auroc"].value == pytest.approx(reference.roc_auc_score(labels, scores))
    assert found["auprc"].value == pytest.approx(reference.average_precision_score(labels, scores))
    assert found["f1"].value == pytest.approx(reference.f1_score(labels, called))
    assert found["accuracy"].value == pytest.approx(reference.accuracy_score(labels, called))
    assert metrics.auroc(labels, scores) == found["auroc"].value
    bins = np.minimum((scores * 10).astype(int), 9)
    gaps = [abs(labels[bins == one].mean() - scores[bins == one].mean()) * (bins == one).mean() for one in set(bins)]
    assert found["ece"].value == pytest.approx(sum(gaps))
    assert math.isnan(found["auroc"].low)


def test_a_resample_is_the_metric_on_the_images_drawn(cancer: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = cancer[0], cancer[1].round(2)
    images = np.arange(len(labels)) // 4
    trial = Trial(labels, images, 20, 7)
    _, samples = trial.measure(scores, 0.5)
    for draw, sample in zip(trial._draws, samples, strict=True):
        rows = np.concatenate([np.flatnonzero(images == image).repeat(int(n)) for image, n in enumerate(draw)])
        assert sample == pytest.approx(reference.roc_auc_score(labels[rows], scores[rows]))


def test_the_threshold_has_the_best_f1_there_is(cancer: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = cancer[0], cancer[1].round(2)
    threshold = metrics.best_threshold(labels, scores)
    best = max(reference.f1_score(labels, scores >= each) for each in scores)
    assert reference.f1_score(labels, scores >= threshold) == pytest.approx(best)


def grouped(rng: np.random.Generator, images: int, each: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Questions whose label and score both depend on their image, as they do where an image is hard."""
    hard = rng.normal(size=images).repeat(each)
    labels = (hard + rng.normal(size=len(hard)) > 0.5).astype(np.int64)
    scores = 1 / (1 + np.exp(-(hard + rng.normal(size=len(hard)))))
    return labels, scores, np.arange(images).repeat(each)


def test_intervals_over_images_cover_the_truth_and_those_over_questions_do_not() -> None:
    rng = np.random.default_rng(0)
    labels, scores, _ = grouped(rng, 20_000, 10)
    truth = metrics.auroc(labels, scores)
    hit = {"images": 0, "questions": 0}
    for run in range(150):
        labels, scores, images = grouped(rng, 40, 10)
        for name, groups in (("images", images), ("questions", np.arange(len(labels)))):
            found = Trial(labels, groups, 200, run).measure(scores, 0.5)[0]["auroc"]
            hit[name] += found.low <= truth <= found.high
    assert 0.88 <= hit["images"] / 150 <= 0.99
    assert hit["questions"] < hit["images"] - 10


def test_a_difference_is_taken_in_pairs() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 400)
    one = labels + rng.normal(size=400)
    other = one + 0.1 * rng.normal(size=400) - 0.15 * labels
    trial = Trial(labels, np.arange(400) // 2, 500, 0)
    (a, first), (b, second) = (trial.measure(1 / (1 + np.exp(-x)), 0.5) for x in (one, other))
    found = metrics.difference(a["auroc"].value, b["auroc"].value, first, second)
    assert 0 < found.low < found.value < found.high  # though the two intervals overlap widely
    assert b["auroc"].high > a["auroc"].low
    same = metrics.difference(0.7, 0.7, first, first)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_what_is_undefined_is_none_and_not_a_number() -> None:
    trial = Trial(np.ones(6, dtype=np.int64), np.arange(6), 50, 0)
    found, _ = trial.measure(np.linspace(0, 1, 6), 0.5)
    assert found["auroc"].to_json() == {"value": None, "low": None, "high": None}
    assert found["auprc"].to_json()["value"] is None and found["f1"].value > 0
    rare = Trial(np.array([1] + 9 * [0]), np.arange(10), 200, 0)  # a third of the resamples hold no hallucination
    auroc = rare.measure(np.linspace(1, 0, 10), 0.5)[0]["auroc"]
    assert auroc.value == 1 and auroc.to_json()["low"] is None
    assert rare.within(np.zeros(10, dtype=bool), np.zeros(10)).to_json()["value"] is None


def test_a_thousand_resamples_of_two_thousand_questions_take_a_moment() -> None:
    rng = np.random.default_rng(0)
    trial = Trial(rng.integers(0, 2, 2000), np.arange(2000) // 4, 1000, 0)
    start = time.process_time()
    trial.measure(rng.random(2000), 0.5)
    assert time.process_time() - start < 3


def test_risk_falls_with_coverage_for_a_good_score_and_bins_count_everything() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    curve = metrics.risk_coverage(labels, np.array([0.1, 0.2, 0.2, 0.8, 0.9]))
    assert curve == {"coverage": [0.2, 0.6, 0.8, 1.0], "risk": [0, 0, 0.25, 0.4]}
    bins = charts.calibration_bins(labels, np.array([0.0, 0.05, 0.55, 0.5, 1.0]))
    assert [(one["share"], one["count"]) for one in bins] == [(0, 2), (0.5, 2), (1, 1)]
