"""One step: what is learnt from several batches is what one large batch teaches, and nothing else moves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.context import Context
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import load
from studio.scienceqa.model.source import Source
from studio.scienceqa.training import lessons
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.learner import Learner, Shown
from studio.scienceqa.training.lessons import prepare
from tests.scienceqa.training.lessons import changed, questions

CPU = torch.device("cpu")
Taught = tuple[Learner, list[Shown]]


def load_fresh(place: Path) -> GemmaClip:
    source = Source(vision=str(place / "vision"), language=str(place / "language"), views="pad")
    return load(source.spec(), CPU)


def taught(place: Path, config: TrainScienceqaConfig, context: Context) -> Taught:
    """A fresh model made ready, and seven turns: of different length, two without a picture."""
    model = load_fresh(place)
    given = questions(7, 0)
    given[2:4] = [type(one)(**{**one.__dict__, "image": None}) for one in given[2:4]]
    with Features(model, context.settings) as features:
        work = prepare(model, given, features, lessons.taught("both"), [])
        shown = [Shown(one.turn(1), features.of(one.question, one.picture)) for one in drain(work)]
    return Learner(model, config, 10), shown


def drain(work: Any) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture
def plain(config: TrainScienceqaConfig) -> TrainScienceqaConfig:
    return changed(config, lora_dropout=0.0, max_grad_norm=0.1)


def test_accumulated_batches_teach_what_one_large_one_does(
    place: Path, plain: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    found = []
    for cuts in ([0, 7], [0, 3, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]):
        learner, shown = taught(place, plain, house("job"))
        loss = learner.step(3, [shown[start:end] for start, end in itertools.pairwise(cuts)])
        found.append((loss, {name: weight.grad for name, weight in learner.weights.items()}))
    (loss, gradients), *others = found
    for other_loss, other in others:
        assert other_loss == pytest.approx(loss, rel=1e-5)
        for name, gradient in gradients.items():
            assert gradient is not None and (other[name] - gradient).norm() <= 1e-4 * gradient.norm(), name


def test_the_last_batch_counts_though_it_is_small(
    place: Path, plain: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    found = []
    for batches in (2, 3):
        learner, shown = taught(place, plain, house("job"))
        learner.step(3, [shown[:3], shown[3:6], shown[6:]][:batches])
        found.append(learner.weights["projector.net.2.weight"].detach().clone())
    assert not torch.equal(*found)


def test_the_loss_is_the_mean_over_answered_tokens(
    place: Path, plain: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    learner, shown = taught(place, plain, house("job"))
    with torch.no_grad():
        single = [(float(learner.loss([one])), len(one.turn.answer)) for one in shown]
    mean = sum(loss * count for loss, count in single) / sum(count for _, count in single)
    assert learner.step(0, [shown[:4], shown[4:]]) == pytest.approx(mean, rel=1e-5)


def test_nothing_but_projector_and_adapters_moves(
    place: Path, plain: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    learner, shown = taught(place, plain, house("job"))
    learner.step(4, [shown])
    fresh = load_fresh(place)
    kept = {name.replace("base_layer.", ""): weight for name, weight in named(learner.model)}
    for name, weight in named(fresh):
        assert torch.equal(weight, kept[name]), name
    assert learner.weights.keys() == {
        name for name, weight in learner.model.language.named_parameters(prefix="language") if "lora" in name
    } | {f"projector.{name}" for name, _ in fresh.projector.named_parameters()}


def named(model: GemmaClip) -> Iterator[tuple[str, torch.Tensor]]:
    language = model.language
    base = language.get_base_model() if hasattr(language, "get_base_model") else language
    for part in (model.vision, base):
        yield from ((name, weight) for name, weight in part.named_parameters() if "lora" not in name)


def test_rates_are_those_of_the_schedule_and_the_projector_s_own(
    place: Path, plain: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    learner, shown = taught(place, changed(plain, projector_learning_rate=1e-2), house("job"))
    rates = [learner.rates(done) for done in range(11)]
    assert rates[1] == {"learning_rate": 3e-3, "projector_learning_rate": 1e-2}
    assert rates[10] == {"learning_rate": 0.0, "projector_learning_rate": 0.0}
    learner.step(7, [shown])
    assert {group["rate"]: group["lr"] for group in learner.optimizer.param_groups} == learner.rates(7)


def test_random_numbers_are_the_step_s_own_and_nobody_else_s(
    place: Path, config: TrainScienceqaConfig, house: Callable[[str], Context]
) -> None:
    config = changed(config, lora_dropout=0.5)
    found = []
    for disturbed in (False, True):
        learner, shown = taught(place, config, house("job"))
        torch.manual_seed(int(disturbed))
        before = torch.get_rng_state()
        found.append([learner.step(number, [shown]) for number in range(3)])
        assert torch.equal(torch.get_rng_state(), before)
    assert found[0] == found[1]
