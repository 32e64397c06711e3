"""Write a LUT of any program as another kind of file, at any strength and size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from studio import __version__
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import slug
from studio.grading import lutexport, lutfiles
from studio.grading.config import ExportConfig
from studio.grading.lut import strengthen
from studio.grading.lutfiles import LUT
from studio.grading.sidecar import base_of


def run(config: ExportConfig, context: Context) -> Iterator[Event]:
    """Write one file; the only event names it as the artifact ``lut`` and says what the format changed, if anything.

    Raises:
        StudioError: The LUT is unreadable, or the file cannot be written.
    """
    lut = lutfiles.read(config.lut)
    target, flavour = _target(config, lut.title)
    if target.resolve() == config.lut.resolve():
        raise StudioError(f"'{target.name}' would be written over itself.", "Choose another --output-path.")
    table = lut.table(config.size or None)
    table = strengthen(table, config.strength, base_of(config.lut, table.shape[-1]))
    origin = f"From {config.lut.name} at strength {config.strength:g} by Gemma Studio {__version__}"
    try:
        lutexport.write(target, table, lut.title, (origin,), flavour)
    except OSError as error:
        what = f"The LUT cannot be written to '{target}': {error.strerror or error}."
        raise StudioError(what, "Name another output path.") from None
    note = f"{config.lut.name} → {target}{_changes(lut, table.shape[-1], target)}"
    yield Event(1, 1, note, artifacts={"lut": str(target.resolve())})


def _target(config: ExportConfig, title: str) -> tuple[Path, str]:
    """Return where the file goes, and its flavour: what the format names, or else the extension, or else Adobe's."""
    place = config.output_path
    is_folder = place.is_dir() or not place.suffix
    flavour: str = config.format
    if flavour == "auto":
        flavour = "cube" if is_folder else lutexport.flavour_of(place)
    suffix = lutexport.SUFFIXES[flavour]
    if is_folder:
        return place / f"{slug(title)}{suffix}", flavour
    return (place if place.suffix.lower() == suffix else place.with_name(place.name + suffix)), flavour


def _changes(lut: LUT, size: int, target: Path) -> str:
    """Say where the file is not the same table, for the end of the note."""
    held = lutfiles.read(target).size
    changes = [] if lut.exact else [f"its shaper or domain sampled with {size} points"]
    changes += [f"{size} points sampled with {held}"] if held != size else []
    changes += ["rounded to 12 bits"] if target.suffix.lower() == ".3dl" else []
    return f" ({', '.join(changes)})" if changes else ""
