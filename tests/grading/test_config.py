"""The configuration is the one place where a setting is declared."""

from __future__ import annotations

from typing import Any

import pytest

from studio.config import validate
from studio.errors import StudioError
from studio.grading.config import ApplyConfig, JudgeConfig, OptimizeConfig

NEEDED = {"prompt": "warm", "image_folder": "."}


def test_the_seed_s_names_and_defaults_are_kept() -> None:
    config = validate(OptimizeConfig, NEEDED)
    weights = ("image_text_weight", "image_smoothness", "image_regularization", "black_preservation", "lut_smoothness")
    assert [getattr(config, weight) for weight in weights] == [1.0] * 5
    assert config.model_type == "embedded" and config.batch_size == 4


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"prompt": "  "}, "prompt"),
        ({"prompt": "x" * 301}, "prompt"),
        ({"steps": 0}, "steps"),
        ({"lut_size": 1}, "lut_size"),
        ({"image_smoothness": -1}, "image_smoothness"),
        ({"quantization": "int3"}, "quantization"),
        ({"stepz": 3}, "stepz"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], names: str) -> None:
    with pytest.raises(StudioError, match=f"'{names}'"):
        validate(OptimizeConfig, NEEDED | values)


PROMPTED: list[tuple[Any, dict[str, Any]]] = [(OptimizeConfig, NEEDED), (JudgeConfig, {"before": "a", "after": "b"})]


@pytest.mark.parametrize(("config", "needed"), PROMPTED)
def test_a_prompt_is_some_words_in_one_line(config: Any, needed: dict[str, Any]) -> None:
    assert validate(config, needed | {"prompt": " warm\n golden\thour "}).prompt == "warm golden hour"
    assert len(validate(config, needed | {"prompt": "x" * 300}).prompt) == 300
    for wrong in ("", " \n", "x" * 301):
        with pytest.raises(StudioError, match="'prompt' cannot be"):
            validate(config, needed | {"prompt": wrong})


@pytest.mark.parametrize("config", [OptimizeConfig, ApplyConfig, JudgeConfig])
def test_every_field_says_what_it_does(config: Any) -> None:
    for name, field in config.model_fields.items():
        assert field.description and field.description.endswith("."), name
