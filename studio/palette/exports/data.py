"""Palettes as data: JSON, the studio's and others', and the design tokens of the W3C's community group; and back.

Design Tokens Format and Color Modules, 2025.10 (designtokens.org): a colour's value is an object of its space and
components. Earlier drafts had a hex string there, which is read too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from studio.errors import StudioError
from studio.palette import harmony
from studio.palette.colours import to_srgb
from studio.palette.exports.code import decoded, wanted
from studio.palette.exports.palette import (
    PROGRAM,
    NotAPaletteError,
    Palette,
    by_role,
    headline,
    title_of,
    tokens,
)

_VENDOR = "studio.gemma"
_DEEPEST = 32  # groups in groups of tokens


def to_json(palette: Palette) -> bytes:
    """The studio's own JSON, plain enough for any script."""
    parts = tokens(palette)
    content = {
        "title": title_of(palette),
        "origin": palette.origin,
        "made_by": PROGRAM,
        "harmony": harmony.describe(palette.colours).sentence,
        "colours": [{"hex": each.hex, "name": each.name, "family": each.family, "role": each.role} for each in parts],
    }
    return _dumped(content)


def to_tokens(palette: Palette) -> bytes:
    """Design tokens: a group of the colours by name, and a group of the roles as aliases of them."""
    parts = tokens(palette)
    title, *rest = headline(palette)
    group: dict[str, Any] = {each.slug: {"$value": _value(each.hex), "$description": each.name} for each in parts}
    roles = {role: {"$value": f"{{palette.{each.slug}}}"} for role, each in by_role(parts)}
    return _dumped(
        {
            "$description": " ".join([f"{title}.", *rest]),
            "$extensions": {_VENDOR: {"title": title, "origin": palette.origin}},
            "palette": {"$type": "color", **group},
            "role": {"$type": "color", **roles},
        }
    )


def read(file: bytes) -> list[Palette]:
    """Read the palettes of JSON: tokens, a list of four colours, an object with ``colours``, or a list of palettes.

    Raises:
        NotAPaletteError: It is damaged or none of these.
    """
    try:
        content = json.loads(decoded(file))
    except (ValueError, RecursionError):
        raise NotAPaletteError("is not JSON") from None
    try:
        if isinstance(content, dict) and (found := list(_tokens(content))):
            extension = (content.get("$extensions") or {}).get(_VENDOR) or {}
            colours = wanted([code for _, code in found])
            about = _text(extension, "title"), _text(extension, "origin")
            return [Palette.of(colours, *about, [name for name, _ in found])]
        if not (listed := _listed(content)):
            raise NotAPaletteError("holds no palettes")
        return [_palette(each) for each in listed]
    except StudioError as error:
        raise NotAPaletteError(f"cannot be used: {error.what[0].lower()}{error.what[1:-1]}", error.todo) from None
    except (AttributeError, TypeError, ValueError):
        raise NotAPaletteError("is JSON of another kind") from None


def _listed(content: Any) -> list[Any]:
    """Return each palette of JSON, be it one or several."""
    if isinstance(content, dict) and "palettes" in content:
        common = {key: content[key] for key in ("title", "origin", "description") if key in content}
        return [
            common | each if isinstance(each, dict) else {**common, "colours": each} for each in content["palettes"]
        ]
    if isinstance(content, list) and content and not isinstance(content[0], str | dict):
        return content
    return [content]


def _palette(content: Any) -> Palette:
    if isinstance(content, list):
        content = {"colours": content}
    found = content.get("colours", content.get("colors"))
    if not isinstance(found, list):
        raise NotAPaletteError("holds no list of colours")
    codes = [each["hex"] if isinstance(each, dict) else each for each in found]
    names = [_text(each, "name") for each in found if isinstance(each, dict)]
    wanted(codes)
    words = _text(content, "description")  # of the palettes that were made of them
    origin = _text(content, "origin") or (f"the words “{words}”" if words else "")
    return Palette.of(codes, _text(content, "title") or words, origin, names)


def _tokens(group: dict[str, Any], kind: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield name and hex of every colour in groups of tokens; aliases aside, which repeat one."""
    kind = group.get("$type", kind)
    for name, token in group.items():
        if name.startswith("$") or not isinstance(token, dict) or depth == _DEEPEST:
            continue
        if "$value" not in token:
            yield from _tokens(token, kind, depth + 1)
        elif token.get("$type", kind) == "color" and not _is_alias(token["$value"]):
            words = _text(token, "$description") or " ".join(name.split("-")).title()
            yield words, _hex(token["$value"])


def _is_alias(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("{")


def _hex(value: Any) -> str:
    """Return the colour of a token's value: an object, or a hex string as before 2025."""
    if isinstance(value, str):
        return value
    if value.get("colorSpace") == "srgb":
        red, green, blue = (min(max(round(float(each) * 255), 0), 255) for each in value["components"])
        return f"#{red:02x}{green:02x}{blue:02x}"
    return str(value["hex"])  # which the format asks of other spaces for programs such as this one


def _value(code: str) -> dict[str, Any]:
    return {"colorSpace": "srgb", "components": [round(each, 5) for each in to_srgb([code])[0].tolist()], "hex": code}


def _text(content: Any, key: str) -> str:
    value = content.get(key, "")
    return value if isinstance(value, str) else ""


def _dumped(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
