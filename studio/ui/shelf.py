"""The LUTs a visitor can open: looks that ship, those of their jobs and libraries, and files they dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.grading.library import Entry, entries
from studio.jobs import Job
from studio.tasks import PRESETS
from studio.ui import access, uploads

if TYPE_CHECKING:
    from studio.tasks import Studio

READY = PRESETS / "looks"
"""The library that ships."""
NEWEST = 40  # jobs whose LUTs are offered; the drawer and the command line know all


@dataclass(frozen=True)
class Shelved:
    """A LUT that can be opened.

    Attributes:
        key: What stands for it in the page; it names no path.
        title: Its name for a person.
        path: Its file.
        score: What its judge made of it, 0 to 1, or None.
    """

    key: str
    title: str
    path: Path
    score: float | None = None


def ready() -> list[Shelved]:
    """Return the looks that ship."""
    return list(_library("ready", READY))


def libraries(studio: Studio, visitor: str) -> dict[str, str]:
    """Return the keys and titles of the libraries a visitor may browse: the one that ships, then theirs."""
    own = {f"library/{job.id}": job.title for job in _jobs(studio, visitor) if job.task == "library" and _index(job)}
    return {"ready": "Ready looks", **own}


def library(studio: Studio, visitor: str, key: str) -> list[Shelved]:
    """Return the LUTs of a library.

    Raises:
        StudioError: There is no such library, or it is another visitor's.
    """
    if key == "ready":
        return ready()
    job = access.own_job(studio.jobs, key.removeprefix("library/"), visitor)
    index = _index(job)
    if index is None:
        raise StudioError("This library holds no LUT yet.", "Wait for its first look.")
    return list(_library(key, index.parent))


def offered(studio: Studio, visitor: str) -> list[Shelved]:
    """Return what can be opened without dropping a file: the newest runs' LUTs, then the looks that ship."""
    runs = [one for job in _jobs(studio, visitor) if (one := _run(job)) is not None]
    return [*runs, *ready()]


def find(studio: Studio, visitor: str, key: str) -> Shelved:
    """Return the LUT behind a key.

    Raises:
        StudioError: There is none, or it is another visitor's.
    """
    kind, _, rest = key.partition("/")
    if kind == "file":
        path = uploads.uploaded(rest, studio.settings)
        return Shelved(key, path.name, path)
    elif kind == "job":
        one = _run(access.own_job(studio.jobs, rest, visitor))
        if one is not None:
            return one
    else:
        shelf, _, _name = key.rpartition("/")
        for each in library(studio, visitor, shelf) if shelf else ():
            if each.key == key:
                return each
    raise StudioError("This LUT is no longer there.", "Choose another one.")


def dropped(studio: Studio, file: str) -> Shelved:
    """Take a dropped file in.

    Raises:
        StudioError: It is too large, or no upload.
    """
    path = uploads.adopt_one(file, studio.settings)
    return Shelved(f"file/{uploads.name_of(path)}", path.name, path)


def _library(key: str, folder: Path) -> Iterator[Shelved]:
    for entry in _finished(folder):
        yield Shelved(f"{key}/{entry.name}", entry.prompt, entry.file("lut"), entry.score)


def _finished(folder: Path) -> list[Entry]:
    try:
        return [entry for entry in entries(folder) if not entry.error and entry.file("lut").is_file()]
    except StudioError:
        return []


def _jobs(studio: Studio, visitor: str) -> Sequence[Job]:
    return studio.jobs.list(access.owner(visitor) or None)[:NEWEST]


def _run(job: Job) -> Shelved | None:
    name = job.artifacts.get("lut") if job.task == "optimize" and job.state.finished else None
    path = job.folder / name if name else None
    return Shelved(f"job/{job.id}", job.title, path) if path and path.is_file() else None


def _index(job: Job) -> Path | None:
    name = job.artifacts.get("library")
    path = job.folder / name if name else None
    return path if path and path.is_file() else None
