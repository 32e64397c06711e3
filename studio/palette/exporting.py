"""The task that writes a palette as the file of a design tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import slug
from studio.palette import exports
from studio.palette.config import ExportPaletteConfig
from studio.palette.exports import SUFFIXES, Palette
from studio.palette.exports.palette import title_of


def run(config: ExportPaletteConfig, context: Context) -> Iterator[Event]:
    """Write one file; the only event names it as the artifact ``palette``.

    Raises:
        StudioError: There is no palette of four colours to be read, or the file cannot be written.
    """
    palette = _given(config)
    if config.title:
        palette = replace(palette, title=Palette.of(palette.colours, config.title).title)
    target, kind = _target(config, title_of(palette))
    if any(Path(each).exists() and target.resolve() == Path(each).resolve() for each in config.palette):
        raise StudioError(f"'{target.name}' would be written over itself.", "Choose another --output-path.")
    try:
        exports.write(target, palette, kind)
    except OSError as error:
        what = f"The palette cannot be written to '{target}': {error.strerror or error}."
        raise StudioError(what, "Name another output path.") from None
    yield Event(1, 1, f"{' '.join(palette.colours)} → {target}", artifacts={"palette": str(target.resolve())})


def _given(config: ExportPaletteConfig) -> Palette:
    """Return the palette of four colours, which may be parted by commas, or of a file."""
    words = [word for each in config.palette for word in each.replace(",", " ").split()]
    path = Path(" ".join(config.palette))
    if len(config.palette) > 1 or (len(words) > 1 and not path.exists()):
        return Palette.of(words)
    if not path.suffix and not path.exists():
        return Palette.of(words)  # which says that one colour is no palette, or that it is none
    found = exports.read_all(path)
    if config.number > len(found):
        several = "one palette" if len(found) == 1 else f"{len(found)} palettes"
        raise StudioError(
            f"{path.name} holds {several}, and number {config.number} is asked for.", "Take one of these."
        )
    return found[config.number - 1]


def _target(config: ExportPaletteConfig, title: str) -> tuple[Path, str]:
    """Return where the file goes, and its kind: the format, or else as the extension says, or else CSS."""
    place = config.output_path
    is_folder = place.is_dir() or not place.suffix
    kind: str = config.format
    if kind == "auto":
        ends = [each for each, suffix in SUFFIXES.items() if place.name.lower().endswith(suffix)]
        if not is_folder and not ends:
            known = ", ".join(SUFFIXES.values())
            raise StudioError(f"'{place.suffix}' is no kind of palette.", f"Use --format, or one of {known}.")
        kind = "css" if is_folder else max(ends, key=lambda each: len(SUFFIXES[each]))
    suffix = SUFFIXES[kind]
    if is_folder:
        return place / f"{slug(title)}{suffix}", kind
    fits = place.name.lower().endswith(f".{suffix.rpartition('.')[2]}")
    return (place if fits else place.with_name(place.name + suffix)), kind
