"""Form fields made from a configuration, so that a form can never drift from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor, log10
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import gradio as gr
from gradio.components import Component
from pydantic.fields import FieldInfo

from studio.config import Config

ACRONYMS = {"lut": "LUT", "clip": "CLIP", "halp": "HALP"}
SLIDER_STEPS = 200  # a longer range is easier typed than dragged


def extra(field: FieldInfo, name: str) -> Any:
    """Return what `studio.config.option` noted beside a field."""
    notes = field.json_schema_extra
    return notes.get(name) if isinstance(notes, dict) else None


def fields(config: type[Config], *, advanced: bool | None = None, leave_out: Iterable[str] = ()) -> list[str]:
    """Name the fields a form shows, in their declared order.

    Args:
        config: The configuration.
        advanced: Only the folded ones, only the others, or (None) both.
        leave_out: Fields the page places by hand.
    """
    names = []
    for name, field in config.model_fields.items():
        hidden = extra(field, "widget") == "hidden" or name in set(leave_out)
        if not hidden and advanced in (None, bool(extra(field, "advanced"))):
            names.append(name)
    return names


def label(name: str, field: FieldInfo) -> str:
    """Return a field's name for a person, with its unit."""
    words = [ACRONYMS.get(word, word) for word in name.split("_")]
    title = " ".join(words)
    title = title[0].upper() + title[1:]
    unit = extra(field, "unit")
    return title if not unit or unit in title.lower() else f"{title} ({unit})"


def bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """Return the smallest and the largest allowed value, None where there is none."""
    lowest = next((one.ge for one in field.metadata if hasattr(one, "ge")), None)
    highest = next((one.le for one in field.metadata if hasattr(one, "le")), None)
    return lowest, highest


def kind(field: FieldInfo) -> Any:
    """Return a field's type without ``| None``."""
    if get_origin(field.annotation) in (Union, UnionType):
        return next(one for one in get_args(field.annotation) if one is not NoneType)
    return field.annotation


def component(
    config: type[Config],
    name: str,
    *,
    choices: Iterable[tuple[str, str]] = (),
    titles: Mapping[str, str] | None = None,
    **more: Any,
) -> Component:
    """Make the form field of one configuration field.

    Args:
        config: The configuration.
        name: The field.
        choices: (title, value) pairs, for fields whose widget is ``"model"``.
        titles: Values' names for a person, for fields that take a few values.
        more: Passed on to the Gradio component.
    """
    field = config.model_fields[name]
    value = None if field.is_required() else field.default
    shared: dict[str, Any] = {
        "label": label(name, field), "info": field.description, "value": value, "elem_id": f"field-{name}", **more
    }  # fmt: skip
    if extra(field, "widget") == "model":
        return gr.Dropdown(list(choices), allow_custom_value=True, **shared)
    if kind(field) is bool:
        return gr.Checkbox(**shared)
    if get_origin(kind(field)) is Literal:
        return gr.Dropdown([((titles or {}).get(each, each), each) for each in get_args(kind(field))], **shared)
    if kind(field) in (int, float):
        return _number(field, shared)
    if isinstance(value, Path):
        shared["value"] = str(value)
    return gr.Textbox(**shared)


def chips(names: Iterable[str], elem_id: str) -> gr.Radio:
    """Make the row of a task's presets; without any, it is not shown."""
    words = {name: name.replace("-", " ").replace("_", " ").split() for name in names}
    titles = [(" ".join(ACRONYMS.get(word, word) for word in told), name) for name, told in words.items()]
    return gr.Radio(
        titles, show_label=False, container=False, elem_classes="chips", elem_id=elem_id, visible=bool(titles)
    )


def _number(field: FieldInfo, shared: Mapping[str, Any]) -> Component:
    lowest, highest = bounds(field)
    whole = kind(field) is int
    if lowest is not None and highest is not None and _draggable(lowest, highest, whole):
        step = 1 if whole else (highest - lowest) / SLIDER_STEPS
        # A slider cannot be left empty, nor set to what lies between two of its steps.
        if field.is_required() or (field.default is not None and (not field.default or abs(field.default) >= step)):
            return gr.Slider(lowest, highest, step=step, **shared)
    step = 1 if whole else _step(field.default)
    return gr.Number(minimum=lowest, maximum=highest, step=step, precision=0 if whole else None, **shared)


def _draggable(lowest: float, highest: float, whole: bool) -> bool:
    return highest - lowest <= (SLIDER_STEPS if whole else 1)


def _step(default: Any) -> float:
    """Return a tenth of the default's leading digit: 1.0 -> 0.1, 0.006 -> 0.0001."""
    return float(10.0 ** (floor(log10(abs(default))) - 1)) if default else 0.1
