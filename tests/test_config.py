from __future__ import annotations

import pydantic
import pytest

from studio.config import Config, option, validate
from studio.errors import StudioError


class Walk(Config):
    steps: int = option(3, "Steps to take.", unit="steps", ge=1, le=9)
    name: str = option(..., "Who walks.")
    fast: bool = option(False, "Whether to run.", advanced=True)


def test_defaults_fill_what_is_left_out() -> None:
    assert validate(Walk, {"name": "Ada"}) == Walk(name="Ada", steps=3, fast=False)


def test_hyphens_are_underscores() -> None:
    class Longer(Config):
        batch_size: int = option(1, "Size.")

    assert validate(Longer, {"batch-size": 4}).batch_size == 4


def test_every_wrong_field_is_named_in_one_sentence() -> None:
    with pytest.raises(StudioError) as caught:
        validate(Walk, {"steps": 99, "speed": 1})
    sentence = caught.value.what
    assert "'steps' cannot be 99" in sentence and "less than or equal to 9" in sentence
    assert "'name' is required" in sentence
    assert "'speed' is not a setting; known are steps, name, fast" in sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_a_configuration_cannot_be_changed() -> None:
    walk = Walk(name="Ada")
    with pytest.raises(pydantic.ValidationError):
        walk.steps = 5


def test_defaults_are_validated_too() -> None:
    class Wrong(Config):
        steps: int = option(0, "Steps.", ge=1)

    with pytest.raises(StudioError, match="'steps' cannot be 0"):
        validate(Wrong, {})


def test_bounds_units_and_hints_reach_the_schema() -> None:
    steps = Walk.model_json_schema()["properties"]["steps"]
    assert (steps["minimum"], steps["maximum"], steps["unit"], steps["advanced"]) == (1, 9, "steps", False)
    assert steps["description"] == "Steps to take."
