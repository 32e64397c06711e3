"""Palettes as the files of design tools, written and read back to the same four colours.

`render` and `write` take a `Palette` and a kind, one of `KINDS`; `read` takes any file of these, from whatever program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from studio.errors import StudioError
from studio.files import write_atomic
from studio.palette.exports import adobe, code, data, pictures
from studio.palette.exports.palette import NotAPaletteError, Palette

__all__ = ["KINDS", "SUFFIXES", "Palette", "read", "read_all", "render", "write"]

KINDS: dict[str, tuple[str, str, Callable[[Palette], bytes]]] = {
    "css": (".css", "CSS variables", code.css),
    "scss": (".scss", "SCSS variables and a map", code.scss),
    "tailwind3": (".tailwind.js", "Tailwind 3, a preset", code.tailwind3),
    "tailwind4": (".tailwind.css", "Tailwind 4, a theme", code.tailwind4),
    "json": (".json", "JSON", data.to_json),
    "tokens": (".tokens.json", "W3C design tokens", data.to_tokens),
    "ase": (".ase", "Adobe Swatch Exchange", adobe.to_ase),
    "aco": (".aco", "Photoshop swatches", adobe.to_aco),
    "gpl": (".gpl", "GIMP, Inkscape and Krita", code.gpl),
    "svg": (".svg", "A picture for Illustrator, Figma and Inkscape", pictures.svg),
    "png": (".png", "A picture", pictures.png),
}
"""By name: the extension, what it is for a person, and what makes the file's bytes."""
SUFFIXES = {kind: suffix for kind, (suffix, _, _) in KINDS.items()}
"""The extension of each kind, with its dot."""

_READERS: dict[str, Callable[[bytes], list[Palette]]] = {
    ".css": lambda file: [code.read(file)],
    ".scss": lambda file: [code.read(file)],
    ".js": lambda file: [code.read(file)],
    ".json": data.read,
    ".tokens": data.read,
    ".ase": lambda file: [adobe.read_ase(file)],
    ".aco": lambda file: [adobe.read_aco(file)],
    ".gpl": lambda file: [code.read_gpl(file)],
    ".svg": lambda file: [pictures.read_svg(file)],
    ".png": lambda file: [pictures.read_png(file)],
}
_MOST_BYTES = 4 * 2**20
_KNOWN = "Give a .css, .scss, .js, .json, .ase, .aco, .gpl, .svg or .png that holds four colours."


def render(palette: Palette, kind: str) -> bytes:
    """Return the content of a palette's file of a kind."""
    return KINDS[kind][2](palette)


def write(path: Path, palette: Palette, kind: str) -> None:
    """Write a palette as a kind of file, whole or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    write_atomic(path, render(palette, kind))


def read(path: Path) -> Palette:
    """Read the palette of a file, the first if it holds several.

    Raises:
        StudioError: As `read_all`.
    """
    return read_all(path)[0]


def read_all(path: Path) -> Sequence[Palette]:
    """Read the palettes of a file, one or more; one without a title is called after the file.

    Raises:
        StudioError: The file is missing, of another kind, damaged, or does not hold exactly four colours.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise StudioError(f"{path.name} is of no kind that palettes are read from.", _KNOWN)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise StudioError(f"{path.name} is larger than any palette.", _KNOWN)
        found = reader(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudioError(f"The palette {path} cannot be read: {reason}.", "Check the path.") from None
    except NotAPaletteError as error:
        raise StudioError(f"{path.name} {error}.", error.todo or _KNOWN) from None
    stem = path.name.removesuffix(path.suffix).removesuffix(".tokens").removesuffix(".tailwind")
    return [each.called(stem, path.name) for each in found]
