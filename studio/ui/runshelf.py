"""The runs of extraction a visitor can open: those of their jobs, and files they dropped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.jobs import Job
from studio.ui import access, uploads
from studio.ui.shelf import NEWEST, Shelved

if TYPE_CHECKING:
    from studio.tasks import Studio

TASK = "extract"


def folder(job: Job | None) -> Path | None:
    """Return the folder of an extraction's run; None before it is made."""
    path = Path(str(job.config["output_dir"])) if job and job.task == TASK else None
    return path if path and (path / "run.json").is_file() else None


def offered(studio: Studio, visitor: str) -> list[Shelved]:
    """Return the newest runs; of several jobs in one folder, the newest."""
    found: dict[Path, Shelved] = {}
    for job in studio.jobs.list(access.owner(visitor) or None)[:NEWEST]:
        path = folder(job)
        if path and path not in found and job.state.finished:
            kept = job.last.metrics.get("kept") if job.last else None
            count = f" · {kept:,.0f} questions" if kept is not None else ""
            found[path] = Shelved(f"job/{job.id}", f"{job.title}{count}", path)
    return list(found.values())


def find(studio: Studio, visitor: str, key: str) -> Shelved:
    """Return the run behind a key.

    Raises:
        StudioError: There is none, or it is another visitor's.
    """
    kind, _, rest = key.partition("/")
    if kind == "file":
        path = uploads.uploaded(rest, studio.settings)
        return Shelved(key, path.name, path)
    if kind == "job":
        job = access.own_job(studio.jobs, rest, visitor)
        if (run := folder(job)) is not None:
            return Shelved(key, job.title, run)
    raise StudioError("This run is no longer there.", "Choose another one.")


def dropped(studio: Studio, file: str) -> Shelved:
    """Take a dropped file in.

    Raises:
        StudioError: It is too large, or no upload.
    """
    path = uploads.adopt_one(file, studio.settings)
    return Shelved(f"file/{uploads.name_of(path)}", path.name, path)
