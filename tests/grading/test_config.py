"""The configuration is the one place where a setting is declared."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from studio.config import validate
from studio.errors import StudioError
from studio.grading.config import (
    DISPLAYS,
    LOG_SIZE,
    ApplyConfig,
    InputEncoding,
    JudgeConfig,
    OptimizeConfig,
    weighted_looks,
)
from studio.grading.encodings import ENCODINGS

NEEDED = {"prompt": "warm", "image_folder": "."}


def test_the_seed_s_names_and_defaults_are_kept() -> None:
    config = validate(OptimizeConfig, NEEDED)
    weights = ("image_text_weight", "image_smoothness", "image_regularization", "black_preservation", "lut_smoothness")
    assert [getattr(config, weight) for weight in weights] == [1.0] * 5
    assert config.model_type == "embedded" and config.batch_size == 4


@pytest.mark.parametrize(
    ("values", "names"),
    [
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
    for wrong in ("", " \n"):
        with pytest.raises(StudioError, match=r"(?i)say a look in words, such as"):
            validate(config, needed | {"prompt": wrong})
    with pytest.raises(StudioError, match="'prompt' cannot be"):
        validate(config, needed | {"prompt": "x" * 301})


def test_several_looks_are_weighed_and_a_colon_may_belong_to_the_words() -> None:
    assert weighted_looks("teal and orange: 3 |  faded") == (("teal and orange", 0.75), ("faded", 0.25))
    assert weighted_looks("blade runner: 2049 neon") == (("blade runner: 2049 neon", 1.0),)
    for wrong in ("warm ||cold", "warm: 0", "warm: -1", "| warm", "warm:nan", ":2", "|".join("abcdefghi")):
        with pytest.raises(StudioError, match="'prompt' cannot be"):
            validate(OptimizeConfig, NEEDED | {"prompt": wrong})


def test_a_reference_picture_stands_in_for_words() -> None:
    config = validate(OptimizeConfig, {"image_folder": ".", "reference": "some/sunset.jpg"})
    assert config.looks == () and config.name == "like sunset"
    with pytest.raises(StudioError, match="or name a reference picture"):
        validate(OptimizeConfig, {"image_folder": "."})


def test_a_log_gets_the_points_its_shadows_need_unless_told_otherwise() -> None:
    assert validate(OptimizeConfig, NEEDED | {"input_encoding": "slog3"}).lut_size == LOG_SIZE
    assert validate(OptimizeConfig, NEEDED | {"input_encoding": "slog3", "lut_size": 17}).lut_size == 17
    assert validate(OptimizeConfig, NEEDED | {"input_encoding": "rec709"}).lut_size == 33


@pytest.mark.parametrize(
    ("given", "chosen", "output"),
    [("srgb", "auto", "srgb"), ("rec709", "auto", "rec709"), ("vlog", "auto", "srgb"), ("vlog", "rec709", "rec709")],
)
def test_a_display_s_encoding_stays_and_a_log_becomes_one(given: str, chosen: str, output: str) -> None:
    assert validate(OptimizeConfig, NEEDED | {"input_encoding": given, "output_encoding": chosen}).output == output


def test_the_encodings_offered_are_those_there_are() -> None:
    assert get_args(InputEncoding) == tuple(ENCODINGS)
    assert tuple(name for name, each in ENCODINGS.items() if not each.is_log) == DISPLAYS


@pytest.mark.parametrize("config", [OptimizeConfig, ApplyConfig, JudgeConfig])
def test_every_field_says_what_it_does(config: Any) -> None:
    for name, field in config.model_fields.items():
        assert field.description and field.description.endswith("."), name
