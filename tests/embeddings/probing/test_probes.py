"""Probes find a planted signal, are scikit-learn's and HALP's, end the same for the same seed, and survive a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from studio.embeddings.probing import probes
from studio.embeddings.probing.probes import Epoch, Probe, Sides, fit_linear, fit_logistic, fit_mlp
from studio.errors import StudioError


def sides(
    features: np.ndarray, labels: np.ndarray, train: int, validation: int
) -> tuple[Sides, np.ndarray, np.ndarray]:
    """Shuffle and split; the third and fourth part are the test's."""
    order = np.random.default_rng(0).permutation(len(features))
    features, labels = features[order].astype(np.float32), labels[order].astype(np.int64)
    end = train + validation
    parts = Sides(features[:train], labels[:train], features[train:end], labels[train:end])
    return parts, features[end:], labels[end:]


def mlp(given: Sides, seed: int = 0) -> tuple[list[Epoch], Probe]:
    *epochs, probe = fit_mlp(given, seed)
    assert isinstance(probe, Probe)
    return [each for each in epochs if isinstance(each, Epoch)], probe


@pytest.fixture(scope="module")
def cancer() -> tuple[Sides, np.ndarray, np.ndarray]:
    return sides(*load_breast_cancer(return_X_y=True), 300, 100)


def test_the_linear_probe_is_scikit_learn_s_logistic_regression(cancer: tuple[Sides, np.ndarray, np.ndarray]) -> None:
    given, features, labels = cancer
    probe = fit_linear(given)
    assert probe.card["converged"] and probe.card["strength"] in probes.STRENGTHS
    mean, std = given.train.mean(0), given.train.std(0)
    model = LogisticRegression(C=probe.card["strength"], max_iter=2000, tol=1e-8)
    model.fit((given.train - mean) / std, given.train_labels)
    wanted = model.predict_proba((features - mean) / std)[:, 1]
    assert probe.scores(features) == pytest.approx(wanted, abs=0.02)
    assert roc_auc_score(labels, probe.scores(features)) > 0.98


def test_the_strength_is_the_one_with_the_lowest_validation_loss(cancer: tuple[Sides, np.ndarray, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(300, 200)).astype(np.float32)
    labels = rng.integers(0, 2, 300)
    model, card = fit_logistic(noise[:200], labels[:200], noise[200:], labels[200:])
    assert card["strength"] <= 1e-3  # of noise hardly anything is believed
    assert card["validation_loss"] == pytest.approx(log_loss(labels[200:], model.predict_proba(noise[200:])[:, 1]))
    assert fit_linear(cancer[0]).card["strength"] > card["strength"]


def test_the_mlp_learns_what_no_line_can_tell() -> None:
    features, digits = load_digits(return_X_y=True)
    given, test, labels = sides(features, np.isin(digits, (0, 3, 5, 6, 8)), 1100, 300)
    epochs, probe = mlp(given)
    line, curve = (roc_auc_score(labels, one.scores(test)) for one in (fit_linear(given), probe))
    assert curve > 0.99 > 0.97 > line
    best = min(epochs, key=lambda epoch: epoch.loss)
    assert probe.card == {"epochs": best.number, "validation_loss": best.loss}
    assert len(epochs) == min(probes.EPOCHS, best.number + probes.PATIENCE)


def test_the_mlp_is_halp_s_and_its_tensors_are_the_network() -> None:
    generator = torch.Generator().manual_seed(0)
    network = probes._network(7, generator)
    assert [type(part).__name__ for part in network] == 3 * ["Linear", "ReLU", "BatchNorm1d", "_Dropout"] + ["Linear"]
    for part in network:
        if isinstance(part, torch.nn.BatchNorm1d):
            part.running_mean, part.running_var = torch.randn(part.num_features), torch.rand(part.num_features) + 0.5
            torch.nn.init.normal_(part.weight)
    vectors = torch.randn(5, 7)
    tensors = {"mean": torch.zeros(7), "spread": torch.ones(7), **probes._folded(network)}
    wanted = network.eval()(vectors)[:, 0].detach().double().sigmoid().numpy()
    assert Probe("mlp", tensors, {}).scores(vectors.numpy()) == pytest.approx(wanted, abs=1e-5)
    assert float(network.train()[3](torch.ones(1000, 100)).mean()) == pytest.approx(1, abs=0.02)


def test_the_same_seed_ends_the_same_whatever_else_draws_random_numbers() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(330, 6))
    given, test, _ = sides(features, features[:, 0] > 0, 257, 40)  # 257: a last batch of one
    first = mlp(given, 5)[1].scores(test)
    torch.manual_seed(99)
    torch.rand(7)
    assert np.array_equal(first, mlp(given, 5)[1].scores(test))
    assert not np.array_equal(first, mlp(given, 6)[1].scores(test))


@pytest.mark.parametrize("count", [1, 2, 128, 129, 256, 257])
def test_every_question_is_in_one_batch_and_none_is_alone(count: int) -> None:
    batches = probes._batches(count, torch.Generator())
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    assert count == 1 or min(map(len, batches)) > 1


def test_a_saved_probe_scores_exactly_as_the_live_one_alone_or_among_others(
    cancer: tuple[Sides, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    given, test, _ = cancer
    for probe in (fit_linear(given), mlp(given)[1]):
        kept = Probe(probe.kind, probe.tensors, {**probe.card, "threshold": 0.25, "layer": None})
        kept.save(tmp_path / "one.safetensors")
        read = Probe.load(tmp_path / "one.safetensors")
        assert read.card == kept.card and read.kind == probe.kind and read.dimension == 30
        together = probe.scores(np.concatenate([given.train, test]))[len(given.train) :]
        assert np.array_equal(read.scores(test), probe.scores(test)) and np.array_equal(together, probe.scores(test))
        assert np.array_equal(np.concatenate([read.scores(test[:1]), read.scores(test[1:])]), probe.scores(test))
    assert read.scores(np.empty((0, 30), np.float32)).shape == (0,)


def test_a_vector_that_never_varies_is_no_reason_to_fail() -> None:
    features = np.zeros((100, 3), np.float32)
    given, test, _ = sides(features, np.arange(100) % 2, 60, 20)
    assert fit_linear(given).scores(test) == pytest.approx(0.5, abs=0.1)


def test_what_is_no_probe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with pytest.raises(StudioError, match="There is no file"):
        Probe.load(path)
    path.write_bytes(b"junk")
    with pytest.raises(StudioError, match=r"x.safetensors is no probe"):
        Probe.load(path)
    good = {"mean": torch.zeros(2), "spread": torch.ones(2), "out.weight": torch.ones(1, 2), "out.bias": torch.ones(1)}
    card = {"format": probes.FORMAT, "kind": "linear"}
    for tensors, header in (
        (good, None), (good, {"probe": "{}"}), (good, {"probe": json.dumps({**card, "format": "else"})}),
        ({**good, "out.weight": torch.ones(1, 3)}, {"probe": json.dumps(card)}),
        ({"mean": torch.zeros(2)}, {"probe": json.dumps(card)}),
    ):  # fmt: skip
        path.write_bytes(safetensors.torch.save(tensors, header))
        with pytest.raises(StudioError, match="is no probe"):
            Probe.load(path)
    path.write_bytes(safetensors.torch.save(good, {"probe": json.dumps(card)}))
    assert Probe.load(path).dimension == 2
