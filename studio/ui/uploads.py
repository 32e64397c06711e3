"""Uploaded files, moved out of Gradio's passing folder into the studio's home."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from studio.errors import StudioError
from studio.files import content_hash
from studio.settings import Settings
from studio.ui.theme import ASSETS

EXAMPLES = ASSETS / "examples"


def passing_folder() -> Path:
    """Return the folder Gradio keeps uploaded and served files in."""
    return Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio").resolve()


def own_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of pictures that any visitor may name."""
    return settings.folder("uploads"), EXAMPLES


def adopt(files: Sequence[str | Path], settings: Settings) -> Path:
    """Copy uploaded files into one folder of the studio's home, named by their contents.

    Args:
        files: Paths inside Gradio's passing folder.
        settings: The studio's settings; its limits on count and size hold here.

    Returns:
        The folder; the same files always give the same one.

    Raises:
        StudioError: There are none or too many, one is too large, or one is not an upload.
    """
    sources = sorted({_uploaded(Path(file)) for file in files}, key=lambda path: path.name)
    if not sources:
        raise StudioError("No files were given.", "Drop one or more photographs.")
    if len(sources) > settings.max_files:
        raise StudioError(f"{len(sources)} files are more than the {settings.max_files} allowed at once.")
    for source in sources:
        if source.stat().st_size > settings.max_file_bytes:
            limit = settings.max_file_bytes // 2**20
            raise StudioError(f"'{source.name}' is larger than {limit} MiB.", "Save it smaller, then drop it again.")
    return _copy(sources, settings.folder("uploads"))


def adopt_one(file: str | Path, settings: Settings) -> Path:
    """Copy one uploaded file into the studio's home, as `adopt` does, and return the copy's path."""
    folder = adopt([file], settings)
    return next(path for path in folder.iterdir() if not path.name.startswith("."))


def name_of(path: Path) -> str:
    """Return what stands for an adopted file in a page; it names no path."""
    return f"{path.parent.name}/{path.name}"


def uploaded(name: str, settings: Settings) -> Path:
    """Return the adopted file that `name_of` gave a name.

    Raises:
        StudioError: There is none.
    """
    home = settings.folder("uploads").resolve()
    path = (home / name).resolve()
    if not path.is_relative_to(home) or not path.is_file():
        raise StudioError("This file is no longer there.", "Drop it again.")
    return path


def serve(path: Path) -> str:
    """Copy a file to where Gradio may serve it from, and return the copy's path.

    Nothing else of the home can be reached through the browser; the copy's folder is named by its contents, which
    a stranger cannot guess.
    """
    folder = passing_folder() / content_hash(path)
    target = folder / path.name
    if not target.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = folder / f".{path.name}"
        shutil.copyfile(path, unfinished)
        unfinished.replace(target)
    return str(target)


def _uploaded(path: Path) -> Path:
    resolved = path.resolve()
    if not resolved.is_relative_to(passing_folder()) or not resolved.is_file():
        raise StudioError(f"'{path.name}' is not an uploaded file.", "Upload it again.")
    return resolved


def _copy(sources: Sequence[Path], home: Path) -> Path:
    folder = home / content_hash(*(part for source in sources for part in (source.name, source)))[:32]
    folder.mkdir(mode=0o700, exist_ok=True)
    taken: set[str] = set()
    for source in sources:
        name = _free(source.name, taken)
        taken.add(name.casefold())
        if not (folder / name).exists():
            unfinished = folder / f".{name}"
            shutil.copyfile(source, unfinished)
            unfinished.replace(folder / name)
    return folder


def _free(name: str, taken: set[str]) -> str:
    path = Path(name.lstrip(".") or "picture")
    count, free = 2, path.name
    while free.casefold() in taken:
        count, free = count + 1, f"{path.stem} {count}{path.suffix}"
    return free
