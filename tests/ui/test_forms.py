"""A form is its configuration: every field, the same bounds, and values that come back valid."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import gradio as gr
import pytest

from studio.config import Config, option, validate
from studio.grading.config import OptimizeConfig
from studio.ui import forms


class Everything(Config):
    words: str = option(..., "Words.")
    flag: bool = option(True, "A switch.")
    few: int = option(3, "Few.", unit="pieces", ge=1, le=9)
    many: int = option(10, "Many.", ge=0, le=10_000)
    share: float = option(0.5, "A share.", ge=0, le=1)
    slow: float = option(0.0001, "A rate too small for a slider's steps.", ge=1e-8, le=1)
    unset: float | None = option(None, "Perhaps a share; a slider could not be empty.", ge=0, le=1)
    rate: float = option(0.006, "A rate.", ge=1e-6, le=10, advanced=True)
    choice: Literal["one", "two"] = option("two", "A choice.")
    where: Path = option(Path("here"), "A folder.")
    maybe: Path | None = option(None, "Perhaps a folder.")
    secret: str = option("", "Never in a form.", widget="hidden")
    judge: str = option("embedded", "A judge.", widget="model")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("words", gr.Textbox),
        ("flag", gr.Checkbox),
        ("few", gr.Slider),
        ("many", gr.Number),
        ("share", gr.Slider),
        ("slow", gr.Number),
        ("unset", gr.Number),
        ("rate", gr.Number),
        ("choice", gr.Dropdown),
        ("where", gr.Textbox),
        ("maybe", gr.Textbox),
        ("judge", gr.Dropdown),
    ],
)
def test_the_component_fits_the_field(name: str, kind: type) -> None:
    made = forms.component(Everything, name, choices=[("Embedded judge", "embedded")])
    assert type(made) is kind
    assert made.info == Everything.model_fields[name].description


@pytest.mark.parametrize("name", forms.fields(OptimizeConfig))
def test_every_field_of_the_main_task_keeps_its_bounds_and_default(name: str) -> None:
    field = OptimizeConfig.model_fields[name]
    made = forms.component(OptimizeConfig, name, choices=[("Embedded judge", "embedded")])
    lowest, highest = forms.bounds(field)
    if isinstance(made, gr.Slider | gr.Number):
        assert (made.minimum, made.maximum) == (lowest, highest)
    if not field.is_required():
        assert made.value == field.default


def test_values_come_back_as_the_configuration() -> None:
    defaults = {name: forms.component(OptimizeConfig, name).value for name in forms.fields(OptimizeConfig)}
    defaults |= {"prompt": "warm", "image_folder": "."}
    assert validate(OptimizeConfig, defaults) == OptimizeConfig(prompt="warm", image_folder=Path("."))


def test_hidden_fields_stay_out_and_advanced_ones_are_folded() -> None:
    assert "secret" not in forms.fields(Everything)
    assert forms.fields(Everything, advanced=True) == ["rate"]
    assert "rate" not in forms.fields(Everything, advanced=False)
    assert "words" not in forms.fields(Everything, leave_out=["words"])


@pytest.mark.parametrize(
    ("config", "name", "label"),
    [
        (Everything, "few", "Few (pieces)"),
        (OptimizeConfig, "lut_size", "LUT size (points)"),
        (OptimizeConfig, "steps", "Steps"),
        (OptimizeConfig, "learning_rate", "Learning rate"),
    ],
)
def test_labels_are_words_with_units(config: type[Config], name: str, label: str) -> None:
    assert forms.label(name, config.model_fields[name]) == label


def test_a_typed_number_steps_by_a_tenth_of_its_leading_digit() -> None:
    rate = forms.component(Everything, "rate")
    assert isinstance(rate, gr.Number)
    assert rate.step == pytest.approx(0.0001)
