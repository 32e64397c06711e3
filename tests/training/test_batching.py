"""Every question once an epoch, the last ones too, and the same steps however often a run was stopped."""

from __future__ import annotations

import random
from itertools import chain

import pytest

from studio.training.batching import Plan, evenly

LENGTHS = random.Random(3).choices(range(20, 700), k=23)


def plan(epochs: float = 3, *, batch: int = 4, accumulation: int = 2, seed: int = 1) -> Plan:
    return Plan(LENGTHS, batch, accumulation, epochs, seed)


def test_every_epoch_meets_every_question_once() -> None:
    steps = list(plan().remaining(0))
    assert [step.number for step in steps] == list(range(9)) and plan().steps == 9
    for epoch in range(3):
        batches = [batch for step in steps if step.epoch == epoch for batch in step.batches]
        assert sorted(chain.from_iterable(batches)) == list(range(23))
        assert sorted(map(len, batches)) == [3, 4, 4, 4, 4, 4]


def test_what_does_not_fill_a_step_is_a_step_of_its_own() -> None:
    steps = list(plan(1, batch=5, accumulation=3).remaining(0))
    assert [len(step.batches) for step in steps] == [3, 2]
    assert sum(len(batch) for step in steps for batch in step.batches) == 23


@pytest.mark.parametrize("done", range(10))
def test_a_resumed_run_meets_the_same_steps(done: int) -> None:
    assert list(plan().remaining(done)) == list(plan().remaining(0))[done:]


def test_epochs_and_seeds_differ() -> None:
    steps = list(plan().remaining(0))
    assert steps[0].batches != steps[3].batches
    assert list(plan(seed=2).remaining(0)) != steps


@pytest.mark.parametrize(("epochs", "steps"), [(0.01, 1), (0.34, 2), (1.0, 3), (1.5, 5), (2.0, 6)])
def test_a_broken_number_of_epochs_ends_within_one(epochs: float, steps: int) -> None:
    assert plan(epochs).steps == steps
    assert list(plan(epochs).remaining(0)) == list(plan(9).remaining(0))[:steps]


def test_questions_of_like_length_stand_together() -> None:
    lengths = random.Random(0).choices((60, 640), k=512)
    batches = [step.batches[0] for step in Plan(lengths, 8, 1, 1, 0).remaining(0)]
    padding = [max(lengths[index] for index in batch) * len(batch) for batch in batches]
    assert sum(padding) < 1.05 * sum(lengths)
    means = [sum(lengths[index] for index in batch) / 8 for batch in batches]
    assert means != sorted(means)  # but short and long batches come mixed


def test_some_are_taken_at_equal_distances() -> None:
    assert evenly("abcdefghi", 3) == ["a", "e", "i"]
    assert evenly("abc", 0) == evenly("abc", 3) == evenly("abc", 9) == ["a", "b", "c"]
    assert evenly("abc", 1) == ["a"]
