"""Jobs on disk: a folder for each, whose ``job.json`` is the truth and whose events are appended to a log.

Any process may read; only the one that holds the job's lock writes. Reading is cheap: what a file told is kept until
the file changes, and of a log only the new lines are read.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.joblog import EventLog

_ID = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{16}")
_KEPT_LOGS = 32  # logs kept in memory
_IDENTITY = ("id", "task", "title", "lane", "owner", "created")
_PROGRESS = ("state", "started", "finished", "artifacts", "error", "todo")
_SAVED = (*_IDENTITY, *_PROGRESS)


class State(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self not in (State.QUEUED, State.RUNNING)

    @property
    def resumable(self) -> bool:
        """Whether the job can be resumed."""
        return self in (State.FAILED, State.CANCELLED, State.INTERRUPTED)


@dataclass(frozen=True)
class Job:
    """A job as it stands.

    Attributes:
        id: Sorts by time and cannot be guessed.
        task: Name of the task.
        title: What a person calls it.
        config: The task's configuration, plain values.
        lane: ``device`` or ``light``; the jobs of a lane run one after another.
        state: Where it is in its life.
        owner: Who submitted it; may be empty.
        created: When it was submitted, seconds since the epoch.
        started: When its last run began; None before.
        finished: When its last run ended; None before.
        last: Its newest event.
        artifacts: Every artifact its events named, by name: file paths relative to the folder.
        error: What went wrong, one sentence.
        todo: What to do about it, one sentence.
        folder: Its folder.
        position: Place in the lane's queue from 1, when queued in this process.
        seconds_left: Time left as the last events suggest; None when unknown.
        rate: Units a second over the last events; None when unknown.
        stopping: Cancelled, but its current step is not over.
    """

    id: str
    task: str
    title: str
    config: dict[str, Any]
    lane: str
    state: State
    owner: str
    created: float
    started: float | None = None
    finished: float | None = None
    last: Event | None = None
    artifacts: dict[str, str] = field(default_factory=dict)
    error: str = ""
    todo: str = ""
    folder: Path = Path()
    position: int | None = None
    seconds_left: float | None = None
    rate: float | None = None
    stopping: bool = False


class Store:
    """The folder of all jobs.

    Args:
        folder: Created with mode 0700 when missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.RLock()
        self._read: dict[str, tuple[tuple[int, int, int], Job]] = {}
        self._logs: dict[str, EventLog] = {}

    def create(self) -> str:
        """Make an empty folder for a new job and return the job's id."""
        job_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(8)}"
        self.folder(job_id).mkdir(mode=0o700)
        return job_id

    def folder(self, job_id: str) -> Path:
        """Return a job's folder.

        Raises:
            StudioError: This is not the id of a job.
        """
        if not _ID.fullmatch(job_id):
            raise StudioError(f"There is no job '{job_id[:60]}'.", "List the jobs to see their ids.")
        return self._folder / job_id

    def ids(self) -> list[str]:
        """Return the ids of all jobs, newest first."""
        return sorted((each for each in os.listdir(self._folder) if _ID.fullmatch(each)), reverse=True)

    def save_config(self, job_id: str, config: Mapping[str, Any]) -> None:
        """Write the configuration of a new job; StudioError when the disk is full."""
        _write(self.folder(job_id) / "config.json", json.dumps(dict(config), indent=1, default=str))

    def save(self, job: Job) -> None:
        """Write ``job.json``; StudioError when the disk is full."""
        data = {name: getattr(job, name) for name in _SAVED}
        data["last"] = job.last.to_json() if job.last else None
        with self._lock:  # Windows does not replace a file that another thread is reading
            _write(self.folder(job.id) / "job.json", json.dumps(data, indent=1))

    def load(self, job_id: str) -> Job:
        """Read a job; while it is alive also its log, for the newest event and the pace.

        Raises:
            StudioError: There is no such job.
        """
        path = self.folder(job_id) / "job.json"
        with self._lock:
            try:
                stat = path.stat()
            except OSError:
                raise StudioError(f"There is no job '{job_id}'.", "List the jobs to see their ids.") from None
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._read.get(job_id, (None,))[0] != stamp:
                self._read[job_id] = (stamp, _parse(path, stat.st_mtime))
            job = self._read[job_id][1]
            return job if job.state.finished else self._follow(job)

    def events(self, job_id: str) -> list[Event]:
        """Return all events of a job.

        Raises:
            StudioError: There is no such job.
        """
        with self._lock:
            self.load(job_id)
            return self._log(job_id).events

    @staticmethod
    def writer(job: Job) -> BinaryIO:
        """Open the log of events for appending."""
        file = open(job.folder / "events.jsonl", "a+b")  # noqa: SIM115  # the caller closes it
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":  # a line torn by a power cut must not swallow the next
                file.write(b"\n")
        return file

    @staticmethod
    def append(file: BinaryIO, event: Event) -> None:
        """Append an event to an open log and hand it to the system, so that it outlives this process."""
        line = json.dumps({"time": time.time(), **event.to_json()}, default=float)
        file.write(line.encode() + b"\n")
        file.flush()

    def delete(self, job_id: str) -> None:
        """Delete a job's folder; a link planted in its place is not followed."""
        folder = self.folder(job_id)
        with self._lock:
            self._read.pop(job_id, None)
            self._logs.pop(job_id, None)
            if folder.is_symlink():
                folder.unlink()
            else:
                shutil.rmtree(folder)

    def _follow(self, job: Job) -> Job:
        log = self._log(job.id)
        rate, left = None, None
        if job.state is State.RUNNING:
            rate, left = log.pace(job.started or 0.0, time.time())
        stopping = (job.folder / "cancel").exists()
        last = log.events[-1] if log.events else job.last
        return replace(job, last=last, artifacts=dict(log.artifacts), rate=rate, seconds_left=left, stopping=stopping)

    def _log(self, job_id: str) -> EventLog:
        log = self._logs.pop(job_id, None) or EventLog(self.folder(job_id) / "events.jsonl")
        self._logs[job_id] = log  # last, so that the first is the least recently used
        if len(self._logs) > _KEPT_LOGS:
            del self._logs[next(iter(self._logs))]
        log.read()
        return log


def _write(path: Path, text: str) -> None:
    try:
        write_atomic(path, text)
    except OSError as error:
        what = f"{path} cannot be written: {(error.strerror or str(error)).lower()}."
        raise StudioError(what, "Make room on its disk, or set STUDIO_HOME to another.") from None


def _parse(path: Path, modified: float) -> Job:
    folder = path.parent
    try:
        data = json.loads(path.read_bytes())
        last = Event.from_json(data["last"]) if data["last"] else None
        config = json.loads((folder / "config.json").read_bytes())
        saved = {name: data[name] for name in _SAVED}
        return Job(**{**saved, "state": State(data["state"]), "last": last, "config": config, "folder": folder})
    except (OSError, ValueError, TypeError, KeyError):
        what = "The record of this job is damaged."
        return Job(
            folder.name, "unknown", "Damaged job", {}, "light", State.FAILED, "", created=modified,
            error=what, todo="Remove the job; its files stay readable in its folder until then.", folder=folder,
        )  # fmt: skip


def newest_first(jobs: Iterator[Job]) -> list[Job]:
    """Return jobs by the time they were submitted."""
    return sorted(jobs, key=lambda job: (job.created, job.id), reverse=True)
