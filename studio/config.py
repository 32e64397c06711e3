"""The base of every task's configuration: one declaration for flags, forms, endpoints and presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.errors import StudioError

C = TypeVar("C", bound="Config")


class Config(BaseModel):
    """A frozen configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def option(
    default: Any,
    sentence: str,
    *,
    unit: str = "",
    ge: float | None = None,
    le: float | None = None,
    advanced: bool = False,
    positional: bool = False,
    widget: str = "",
) -> Any:
    """Declare one field of a configuration.

    Args:
        default: Its default; ``...`` makes it required.
        sentence: What it does, for help texts, labels and documentation.
        unit: Its unit, shown beside the value (``"steps"``, ``"px"``).
        ge: Smallest allowed value.
        le: Largest allowed value.
        advanced: Folded away in the form.
        positional: A positional argument on the command line.
        widget: A hint for the form: ``"images"``, ``"folder"``, ``"file"``, ``"text"``, ``"model"``,
            ``"colours"`` or ``"hidden"``.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced, "positional": positional, "widget": widget}
    return Field(default, description=sentence, ge=ge, le=le, json_schema_extra=extra)


def validate(config: type[C], values: Mapping[str, Any]) -> C:
    """Build a configuration from loose values.

    Raises:
        StudioError: One sentence naming every wrong field and why.
    """
    try:
        return config(**{key.replace("-", "_"): value for key, value in values.items()})
    except ValidationError as error:
        raise StudioError("; ".join(_sentence(config, one) for one in error.errors()) + ".") from None


def _sentence(config: type[Config], error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "the settings"
    if error["type"] == "extra_forbidden":
        return f"'{name}' is not a setting; known are {', '.join(config.model_fields)}"
    if error["type"] == "missing":
        return f"'{name}' is required"
    reason = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:  # the values do not go together
        return f"{reason[0].upper()}{reason[1:]}"
    return f"'{name}' cannot be {error['input']!r}: {reason[0].lower()}{reason[1:]}"
