"""Features are computed once for a picture, in whichever epoch or run, and are the same either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CLIPVisionModel

from studio.context import Context
from studio.errors import StudioError
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.model.views import usual
from studio.scienceqa.training import features as module
from studio.scienceqa.training.features import Features
from studio.scienceqa.training.trainer import run
from tests.scienceqa.training.lessons import changed, contents, questions
from tests.scienceqa.training.test_learner import load_fresh

House = Callable[[str], Context]


@pytest.fixture
def calls() -> Iterator[list[int]]:
    """How many views each call of a vision tower encoded, the blank one left out that a loaded model is tried on."""
    found: list[int] = []

    def count(called: Any, given: Any, named: dict[str, Any], result: Any) -> None:
        if not isinstance(called, CLIPVisionModel):
            return
        pixels = named["pixel_values"]
        if not torch.equal(pixels.amax((-2, -1)), pixels.amin((-2, -1))):
            found.append(len(pixels))

    handle = torch.nn.modules.module.register_module_forward_hook(count, with_kwargs=True)
    yield found
    handle.remove()


def test_a_picture_is_encoded_once_in_all_epochs_and_runs(
    config: TrainScienceqaConfig, house: House, calls: list[int]
) -> None:
    list(run(config, house("first")))
    assert len(calls) == 28  # 22 to train on twice, 6 to look at four times
    list(run(changed(config, seed=1), house("second")))
    assert len(calls) == 28
    list(run(changed(config, vision_layer=-1), house("other layer")))
    assert len(calls) == 56


def test_without_room_they_are_computed_again_and_nothing_else_changes(
    config: TrainScienceqaConfig, house: House, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed(config, num_train_epochs=1)
    list(run(config, house("roomy")))
    assert len(calls) == 28
    monkeypatch.setattr(module, "_NAME", "elsewhere")
    monkeypatch.setattr(module, "LIMIT", 20 * 2**10)
    events = list(run(config, house("narrow")))
    assert len(calls) > 56 and any("no room" in event.note for event in events)
    assert contents(house("roomy").folder / "last") == contents(house("narrow").folder / "last")


def test_they_are_the_encoder_s_to_half_precision(place: Path, house: House) -> None:
    model = load_fresh(place)
    model.views = usual("tiles", model.views.size)
    one = questions(1, 0)[0]
    with Features(model, house("job").settings) as features:
        picture = features.admit(one)
        assert picture is not None and picture.grid == (1, 2) and features.admit(one) == picture
        found = features.of(one, picture)
    from studio.scienceqa.questions.pictures import open_picture

    exact = model.features(model.cut(open_picture(one)).tiles)
    assert found is not None and found.shape == exact.shape == (2, 16, 32)
    assert torch.equal(found, exact.half().float())


def test_what_does_not_fit_into_half_precision_is_kept_whole(place: Path, house: House) -> None:
    model = load_fresh(place)
    with torch.no_grad():
        model.vision.encoder.layers[0].mlp.fc2.bias[3] += 1e6
    one = questions(1, 0)[0]
    with Features(model, house("job").settings) as features:
        first = features.of(one, features.admit(one))
        again = features.of(one, features.admit(one))
    assert first is not None and again is not None
    assert first.max() > 1e5 and torch.equal(first, again) and features.again == 0


def test_a_picture_that_cannot_be_used_is_a_sentence(place: Path, house: House, tmp_path: Path) -> None:
    one = questions(1, 0)[0]
    model = load_fresh(place)
    with Features(model, house("job").settings) as features:
        assert features.admit(replace(one, image=None)) is None and features.of(one, None) is None
        with pytest.raises(StudioError, match="question 0 cannot be read: no such file"):
            features.admit(replace(one, image=tmp_path / "gone.png"))
        with pytest.raises(StudioError):
            features.admit(replace(one, image=b"no picture"))
