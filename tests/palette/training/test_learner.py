from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from studio.config import validate
from studio.errors import StudioError
from studio.palette.config import TrainPaletteConfig
from studio.palette.loading import PaletteModel, load, spec_of
from studio.palette.training.learner import TOGETHER, Learner
from studio.palette.training.lessons import Lesson, collate, prepare
from tests.palette.training.test_lessons import PAIRS

SEVEN = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def learner(folder: Path, **values: Any) -> tuple[Learner, list[Lesson]]:
    model = load(spec_of(str(folder), "float32"), torch.device("cpu"))
    config = validate(TrainPaletteConfig, {"data": "x.csv", "lora_dropout": 0.0, **values})
    return Learner(model, config, 10), prepare(model, PAIRS)


def state(one: Learner) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in one.weights.values()])


def test_the_recipe_is_the_seed_s() -> None:
    config = validate(TrainPaletteConfig, {"data": "x.csv"})
    assert (config.lora_r, config.lora_alpha, config.lora_dropout) == (16, 32, 0.05)
    assert (config.num_train_epochs, config.gradient_accumulation_steps, config.learning_rate) == (3, 16, 5e-5)
    assert (config.max_grad_norm, config.eval_steps, config.save_steps, config.save_total_limit) == (1.0, 100, 200, 2)
    assert (config.per_device_train_batch_size, config.warmup_ratio, config.schedule) == (1, 0.0, "linear")


def test_adapters_on_the_seven_projections_are_all_that_learns(folder: Path) -> None:
    one, lessons = learner(folder, learning_rate=1e-2)
    names = {name.split(".lora_")[0].rpartition(".")[2] for name in one.weights}
    assert names == SEVEN and all("lora_" in name for name in one.weights)
    assert all(weight.dtype == torch.float32 for weight in one.model.language.parameters())
    before = {name: weight.clone() for name, weight in one.model.language.named_parameters()}
    one.step(0, [lessons])
    changed = {name for name, weight in one.model.language.named_parameters() if not torch.equal(weight, before[name])}
    assert changed and changed <= set(one.weights)


def test_the_loss_is_the_library_s(folder: Path) -> None:
    one, lessons = learner(folder)
    ids, labels = collate(one.model, lessons)
    expected = one.model.language(input_ids=ids, labels=labels).loss
    tokens = sum(len(lesson.answer) for lesson in lessons)
    assert float(one.loss(lessons).detach()) / tokens == pytest.approx(float(expected.detach()), abs=1e-5)
    assert sum(one.validate(lessons * TOGETHER)) == pytest.approx(
        TOGETHER * float(one.loss(lessons).detach()), rel=1e-5
    )


def test_accumulated_batches_are_one_large_batch(folder: Path) -> None:
    one, lessons = learner(folder, learning_rate=1e-2)
    other, _ = learner(folder, learning_rate=1e-2)
    losses = one.step(0, [lessons]), other.step(0, [[lesson] for lesson in lessons])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    gradients = [torch.cat([weight.grad.flatten() for weight in each.weights.values()]) for each in (one, other)]  # type: ignore[union-attr]
    assert torch.allclose(*gradients, atol=1e-6)


def test_training_learns_what_is_shown(folder: Path) -> None:
    one, lessons = learner(folder, learning_rate=2e-2)
    losses = [one.step(number % 5, [lessons]) for number in range(25)]
    assert losses[-1] < 0.6 * losses[0]


def test_dropout_and_adapters_come_from_the_seed(folder: Path) -> None:
    torch.manual_seed(5)
    one, lessons = learner(folder, lora_dropout=0.5, seed=3)
    torch.manual_seed(6)
    same, _ = learner(folder, lora_dropout=0.5, seed=3)
    other, _ = learner(folder, lora_dropout=0.5, seed=4)
    assert torch.equal(state(one), state(same)) and not torch.equal(state(one), state(other))
    assert one.step(0, [lessons]) == same.step(0, [lessons])
    assert one.step(1, [lessons]) == same.step(1, [lessons]) and torch.equal(state(one), state(same))


def test_what_is_no_number_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, lessons = learner(folder)
    before = state(one)
    monkeypatch.setattr(PaletteModel, "capped", lambda _, scores: scores * torch.nan)
    with pytest.raises(StudioError, match="The loss is not a number"):
        one.step(0, [lessons])
    assert torch.equal(state(one), before)
