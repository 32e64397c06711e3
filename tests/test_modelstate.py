from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from studio.modelstate import ModelState, measure, modules


def test_modules_are_found_in_bundles_and_alone() -> None:
    first, second = nn.Linear(2, 3), nn.Linear(3, 4)
    assert modules(first) == [first]
    assert modules(SimpleNamespace(a=first, b="text", c=second)) == [first, second]
    assert modules("text") == []


def test_bytes_are_those_of_weights_and_buffers_and_shared_ones_count_once() -> None:
    layer = nn.BatchNorm1d(10)  # two weights and two buffers of ten floats, and a counter
    assert measure(layer) == 4 * 10 * 4 + 8
    tied = nn.Sequential(nn.Linear(10, 10, bias=False), nn.Linear(10, 10, bias=False))
    tied[1].weight = tied[0].weight
    assert measure(tied) == 400
    assert measure(SimpleNamespace(one=tied, same=tied)) == 400
    assert measure(tied.to(torch.bfloat16)) == 200
    assert measure(SimpleNamespace(nbytes=123)) == 123 and measure("text") == 0


def test_flags_come_back_one_by_one() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    model[0].bias.requires_grad_(False)
    model[1].eval()
    state = ModelState(model)
    model.eval().requires_grad_(True)
    model[0].weight.grad = torch.ones(2, 2)
    assert state.restore()
    assert (model.training, model[0].training, model[1].training) == (True, True, False)
    assert (model[0].weight.requires_grad, model[0].bias.requires_grad) == (True, False)
    assert model[0].weight.grad is None


def test_written_weights_are_noticed_even_behind_the_version_counter() -> None:
    for write in (lambda weight: weight.data.mul_(1.01), lambda weight: weight.data.__setitem__((0, 0), float("nan"))):
        model = nn.Linear(4, 4)
        state = ModelState(model)
        assert state.restore()
        write(model.weight)
        assert not state.restore()


def test_a_replaced_weight_or_layer_is_noticed() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    state = ModelState(model)
    model[0].weight = nn.Parameter(model[0].weight.detach().clone())
    assert not state.restore()
    state = ModelState(model)
    model[0] = nn.Linear(4, 4)
    assert not state.restore()
