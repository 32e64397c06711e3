"""The task that takes a palette from a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.images import load_view
from studio.palette.config import PicturePaletteConfig
from studio.palette.description import Description, describe
from studio.palette.extraction import EDGE, Extracted, extract

REPORT = "palette.json"


def run(config: PicturePaletteConfig, context: Context) -> Iterator[Event]:
    """Take four colours from a picture.

    The report has ``summary``, ``lines`` (all for a person), ``title``, ``origin``, ``colours`` (the largest first),
    ``shares`` of the area, and ``description`` (as `Description`); `studio.palette.exports.read` reads it.

    Yields:
        One `Event` with the artifact ``report`` (.json).

    Raises:
        StudioError: The picture cannot be read, or has fewer than four colours that can be told apart.
    """
    try:
        found = extract(load_view(config.image, EDGE, context.cache, context.settings))
    except StudioError as error:
        named = error.what.replace("The picture has", f"{config.image.name} has")
        raise StudioError(named, error.todo) from None
    about = report(config.image.name, found)
    text = json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomic(context.folder / REPORT, text)
    artifacts = {"report": REPORT}
    if config.output_path is not None:
        try:
            write_atomic(config.output_path, text)
        except OSError as error:
            what = f"The palette cannot be written to '{config.output_path}': {error.strerror or error}."
            raise StudioError(what, "Name another output path.") from None
        artifacts["palette"] = str(config.output_path.resolve())
    yield Event(1, 1, about["summary"], artifacts=artifacts)


def report(name: str, found: Sequence[Extracted]) -> dict[str, Any]:
    """Return what `run` writes about the colours of a picture of this name."""
    hexes = [each.hex for each in found]
    description = describe(hexes)
    return {
        "summary": f"{name}: {' '.join(hexes)}",
        "lines": [*_rows(found, description), *description.notes],
        "title": name.rpartition(".")[0] or name,
        "origin": f"the picture {name}",
        "colours": hexes,
        "shares": [round(each.share, 4) for each in found],
        "description": description.to_json(),
    }


def _rows(found: Sequence[Extracted], description: Description) -> list[str]:
    return [
        f"{each.hex}  {swatch.name} ({swatch.family}), {each.share:.0%} of the picture, for {swatch.role}"
        for each, swatch in zip(found, description.colours, strict=True)
    ]
