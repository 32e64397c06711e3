"""A table of questions and its pictures, taken in: a browser's upload keeps no folders, and a table may name some."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from studio.embeddings.extraction import table
from studio.errors import StudioError
from studio.files import content_hash
from studio.settings import Settings
from studio.ui import uploads

HERE = "Rename one of them, or type the folder on the machine that holds it."


def take_pictures(files: Sequence[str | Path], settings: Settings) -> Path:
    """Copy uploaded pictures into one folder of the studio's home, under their own names.

    Raises:
        StudioError: As `studio.ui.uploads.adopt`, or two pictures of one name differ.
    """
    seen: dict[str, Path] = {}
    for path in map(Path, files):
        other = seen.setdefault(path.name.casefold(), path)
        if other != path and content_hash(other) != content_hash(path):
            raise StudioError(f"Two of the pictures are called '{path.name}', and an upload keeps no folders.", HERE)
    return uploads.adopt(list(seen.values()), settings)


def arrange(path: Path, pictures: Path, settings: Settings) -> Path:
    """Return a folder in which a table's names of pictures work.

    Args:
        path: The table.
        pictures: A folder of pictures taken in, without sub-folders.
        settings: The studio's settings.

    Returns:
        The folder itself when the table names no sub-folder; else another with the pictures in their places.

    Raises:
        StudioError: The table cannot be read, or two of its names mean one and the same uploaded file.
    """
    places = _places(table.pictures(path), pictures)
    if all(len(PurePath(place).parts) == 1 for place in places):
        return pictures
    folder = settings.folder("uploads") / content_hash("arranged", str(pictures), *sorted(places))[:32]
    for place, source in places.items():
        target = folder / place
        if not target.exists():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(source, target)
    return folder


def _places(names: Sequence[str], pictures: Path) -> dict[str, Path]:
    """Return the places in a folder where the uploaded files belong; names that fit no file have none."""
    places: dict[str, Path] = {}
    takers: dict[Path, str] = {}
    for pure in map(PurePath, names):
        source = _upload(pictures, pure)
        if source is None:
            continue
        place = str(pure.with_name(source.name))
        if takers.setdefault(source, place) != place:
            what = f"The table names both '{takers[source]}' and '{place}', and an upload keeps only '{source.name}'."
            raise StudioError(what, HERE)
        places[place] = source
    return places


def _upload(pictures: Path, pure: PurePath) -> Path | None:
    """Return the uploaded file a name means when its folders are left out."""
    if pure.is_absolute() or ".." in pure.parts:
        return None
    try:
        return table.find_picture(pictures, pure.name)
    except ValueError:
        return None
