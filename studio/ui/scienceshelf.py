"""What can be named in the Science tab: sets of questions and models, the visitor's own and those at hand."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from studio.context import Context
from studio.errors import StudioError
from studio.jobs import Job
from studio.scienceqa.config import DrawConfig
from studio.scienceqa.model import bundle
from studio.ui import access, uploads
from studio.ui.shelf import NEWEST, Shelved

if TYPE_CHECKING:
    from studio.tasks import Studio

DRAWN, EMBEDDED, NEW = "drawn", "embedded", "new"
TABLES = (".csv", ".json", ".jsonl", ".parquet")
EXAMPLE = DrawConfig(train=240, val=60, test=120, style="held-out", seed=7)
NO_MODEL = ("No science model ships with this copy of the studio.", "Train one, or type a bundle's folder.")
GONE = ("What was chosen is no longer there.", "Choose another one.")
_ON_HUB = re.compile(r"\w[\w.-]*(/\w[\w.-]*)+")


def sets(studio: Studio, visitor: str) -> list[Shelved]:
    """Return the sets of questions to choose from: the example, then those the visitor's jobs drew."""
    count = EXAMPLE.train + EXAMPLE.val + EXAMPLE.test
    found = [Shelved(DRAWN, f"Example: {count} drawn questions", example_folder(studio))]
    for job in studio.jobs.list(access.owner(visitor) or None)[:NEWEST]:
        if (folder := _drawn_by(job)) is not None and job.state.finished:
            found.append(Shelved(f"job/{job.id}", f"Drawn: {_counted(job)}", folder))
    return found


def find_set(studio: Studio, visitor: str, key: str) -> str:
    """Return what the tasks take as ``data``; the example is drawn when it is wanted for the first time.

    Raises:
        StudioError: It is gone, or another visitor's.
    """
    kind, _, rest = key.partition("/")
    if kind == DRAWN:
        return str(example(studio))
    if kind == "file":
        return str(uploads.uploaded(rest, studio.settings))
    if kind == "job" and (folder := _drawn_by(access.own_job(studio.jobs, rest, visitor))) is not None:
        return str(folder)
    raise StudioError(*GONE)


def typed_set(studio: Studio, text: str) -> str:
    """Return a set that was typed: a path where the visitor may name one, else only a name on the Hub.

    Raises:
        StudioError: The visitor may not name it.
    """
    on_hub = _ON_HUB.fullmatch(text) is not None and not Path(text).exists()
    return text if on_hub else str(access.admit_path(Path(text), studio.settings, uploads.own_folders(studio.settings)))


def dropped_set(studio: Studio, files: list[str]) -> Shelved:
    """Take a table of questions in, and the pictures dropped with it.

    Raises:
        StudioError: There is not exactly one table among them, or `uploads.adopt` refuses one.
    """
    if sum(Path(file).suffix.lower() in TABLES for file in files) != 1:
        raise StudioError("One table is wanted, and its pictures.", f"Drop one of {', '.join(TABLES)}.")
    folder = uploads.adopt(files, studio.settings)
    path = next(each for each in sorted(folder.iterdir()) if each.suffix.lower() in TABLES)
    return Shelved(f"file/{uploads.name_of(path)}", path.name, path)


def example_folder(studio: Studio) -> Path:
    """Return where the example's questions lie, or will."""
    return studio.settings.folder("uploads") / f"drawn-questions-{EXAMPLE.train}"


def example(studio: Studio) -> Path:
    """Return the example's questions, drawn now where nobody wanted them before."""
    from studio.scienceqa.diagrams import series

    folder = example_folder(studio)
    if folder.is_dir():
        return folder
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    place = studio.settings.folder("exports") / f"drawing-{secrets.token_hex(4)}"
    place.mkdir(mode=0o700)
    try:
        config = EXAMPLE.model_copy(update={"output_dir": draft})
        for _ in series.run(config, Context(place, studio.models, studio.cache, studio.settings)):
            pass
        if not folder.is_dir():  # somebody else may have drawn them meanwhile
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
    return folder


def models(studio: Studio, visitor: str) -> list[Shelved]:
    """Return the models to choose from: the one that ships, then those the visitor's jobs trained."""
    found = [Shelved(EMBEDDED, "Small model that ships with the studio", bundle.EMBEDDED)] if ships() else []
    for job in studio.jobs.list(access.owner(visitor) or None)[:NEWEST]:
        if (folder := trained(job)) is not None:
            found.append(Shelved(f"job/{job.id}", job.title, folder))
    return found


def ships() -> bool:
    """Return whether a science model ships with this copy of the studio."""
    return (bundle.EMBEDDED / bundle.FILE).is_file()


def find_model(studio: Studio, visitor: str, key: str) -> str:
    """Return what the tasks take as ``bundle``.

    Raises:
        StudioError: It is gone, or another visitor's.
    """
    kind, _, rest = key.partition("/")
    if kind == EMBEDDED and ships():
        return EMBEDDED
    if kind == "job" and (folder := trained(access.own_job(studio.jobs, rest, visitor))) is not None:
        return str(folder)
    raise StudioError(*(NO_MODEL if not key or kind == EMBEDDED else GONE))


def typed_model(studio: Studio, text: str) -> str:
    """Return the bundle whose folder was typed.

    Raises:
        StudioError: The visitor may not name it.
    """
    return str(access.admit_path(Path(text), studio.settings, uploads.own_folders(studio.settings)))


def trained(job: Job | None) -> Path | None:
    """Return the best bundle of a training so far, or None."""
    name = job.artifacts.get("bundle") if job and job.task == "train-scienceqa" else None
    path = job.folder / name if job and name else None
    return path if path and (path / bundle.FILE).is_file() else None


def _drawn_by(job: Job) -> Path | None:
    path = Path(str(job.config.get("output_dir", ""))) if job.task == "draw-questions" else None
    return path if path and (path / "problems.json").is_file() else None


def _counted(job: Job) -> str:
    count = sum(int(job.config.get(split, 0)) for split in ("train", "val", "test"))
    return f"{count:,} questions, {job.config.get('families') or 'all kinds'}"
