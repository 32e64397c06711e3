"""Jobs: run tasks outside any request, one after another in each lane, and keep everything on disk.

Five verbs: submit, watch, cancel, resume, list. A page, a command or a client only looks at a job and asks; nobody
has to keep listening for it to go on. Whoever runs a job holds the lock in its folder, so a job that is said to be
alive and whose lock is free has lost its process: it is interrupted, and can be resumed. Of all processes only one
at a time runs a job on the device; the others' wait in their queues.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from filelock import Timeout

from studio.errors import StudioError
from studio.events import Event
from studio.joblocks import JobLocks
from studio.joblog import explain
from studio.jobstore import Job, State, Store, newest_first

__all__ = ["LANES", "Job", "Jobs", "Runner", "State"]

LANES = ("device", "light")
"""The lanes: one for work on the device, one for light work beside it."""

Runner = Callable[[str, Mapping[str, Any], Path], Iterator[Event]]
"""Runs a task by name with its configuration's values in the job's folder."""

_POLL = 0.2  # seconds between two looks at what other processes do
_log = logging.getLogger(__name__)


class _Outcome(NamedTuple):
    state: State
    error: str = ""
    todo: str = ""


class Jobs:
    """Every job of a studio.

    Args:
        folder: Where the jobs live.
        runner: Runs a task.
        start: Start the workers; without them jobs can be looked at, cancelled and removed, and wait when submitted.
    """

    def __init__(self, folder: Path, runner: Runner, *, start: bool = True) -> None:
        self._store = Store(folder)
        self._runner = runner
        self._locks = JobLocks(folder)
        self._queues: dict[str, deque[str]] = {lane: deque() for lane in LANES}
        self._changed = threading.Condition()
        self._closing = False
        self.list()  # looking at the jobs finds those that lost their process
        self._workers = [
            threading.Thread(target=self._work, args=(lane,), name=f"jobs {lane}", daemon=True)
            for lane in (LANES if start else ())
        ]
        for worker in self._workers:
            worker.start()

    def submit(
        self, task: str, config: Mapping[str, Any], *, lane: str = "device", title: str = "", owner: str = ""
    ) -> Job:
        """Queue a task.

        Args:
            task: Its name.
            config: Its configuration, plain values; taken as valid.
            lane: ``device`` or ``light``.
            title: What a person calls the job; the task's name when empty.
            owner: Who submits it.
        """
        if lane not in LANES:
            raise ValueError(f"'{lane}' is not a lane")
        job_id = self._store.create()
        folder = self._store.folder(job_id)
        self._store.save_config(job_id, config)
        self._locks.hold(job_id)
        job = Job(job_id, task, title or task, {}, lane, State.QUEUED, owner, created=time.time(), folder=folder)
        return self._enqueue(job)

    def get(self, job_id: str) -> Job:
        """Return a job as it stands.

        Raises:
            StudioError: There is no such job.
        """
        job = self._store.load(job_id)
        with self._changed:
            if job.state.finished or job_id in self._locks:
                return replace(job, position=self._position(job)) if job.state is State.QUEUED else job
        return self._bury(job)

    def events(self, job_id: str, since: int = 0) -> list[Event]:
        """Return a job's events from number ``since`` (from 0).

        Raises:
            StudioError: There is no such job.
        """
        return self._store.events(job_id)[since:]

    def list(self, owner: str | None = None) -> list[Job]:
        """Return the jobs of an owner, or all, newest first."""
        return newest_first(job for job in self._all() if owner is None or job.owner == owner)

    def watch(self, job_id: str, poll: float = _POLL) -> Iterator[Job]:
        """Yield a job now and whenever it has changed, until it is finished.

        Args:
            job_id: Which job; another process may be running it.
            poll: Seconds between two looks at what other processes do.
        """
        seen = None
        while True:
            job = self.get(job_id)
            if (look := replace(job, seconds_left=None)) != seen:
                seen = look
                yield job
            if job.state.finished:
                return
            with self._changed:
                self._changed.wait(poll)

    def cancel(self, job_id: str) -> Job:
        """Take a job out of the queue, or have it stop after its current step; a finished one is left as it is."""
        job = self.get(job_id)
        if job.state.finished:
            return job
        (job.folder / "cancel").touch()
        with self._changed:
            if job_id in self._queues[job.lane]:
                self._queues[job.lane].remove(job_id)
                self._settle(job_id, _Outcome(State.CANCELLED))
        return self.get(job_id)

    def resume(self, job_id: str) -> Job:
        """Queue a job again that failed, was cancelled or was interrupted; it goes on in its folder.

        Raises:
            StudioError: It is done or alive, or its record is damaged.
        """
        job = self.get(job_id)
        if not job.state.resumable or job.task == "unknown":
            raise StudioError(f"The job {job_id} is {job.state} and cannot be resumed.", "Start a new one.")
        self._locks.hold(job_id)
        (job.folder / "cancel").unlink(missing_ok=True)
        return self._enqueue(replace(job, state=State.QUEUED, finished=None, error="", todo=""))

    def remove(self, job_id: str) -> None:
        """Delete a finished job and its folder.

        Raises:
            StudioError: It is not finished.
        """
        job = self.get(job_id)
        if not job.state.finished:
            raise StudioError(f"The job {job_id} is {job.state}.", "Cancel it first.")
        self._store.delete(job_id)

    def close(self, timeout: float = 10.0) -> None:
        """Interrupt what runs or waits here, resumably, and end the workers.

        Args:
            timeout: Seconds to wait for the current steps to end.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        until = time.monotonic() + timeout
        for worker in self._workers:
            worker.join(max(0.0, until - time.monotonic()))
        with self._changed:
            for queue in self._queues.values():
                while queue:
                    self._settle(queue.popleft(), _Outcome(State.INTERRUPTED))

    def _all(self) -> Iterator[Job]:
        for job_id in self._store.ids():
            try:
                yield self.get(job_id)
            except StudioError:  # being made or removed at this moment
                continue

    def _position(self, job: Job) -> int | None:
        queue = self._queues[job.lane]
        return queue.index(job.id) + 1 if job.id in queue else None

    def _bury(self, job: Job) -> Job:
        """Mark a job interrupted that nobody runs any more; another process's live job is left alone."""
        lock = self._locks.of(job.id)
        try:
            with lock.acquire(blocking=False):
                fresh = self._store.load(job.id)  # it may have ended between our look and the lock
                if not fresh.state.finished:
                    fresh = replace(fresh, state=State.INTERRUPTED, finished=time.time())
                    self._store.save(fresh)
                return fresh
        except Timeout:
            return job

    def _release(self, job_id: str) -> None:
        with self._changed:
            self._locks.release(job_id)
            self._changed.notify_all()

    def _enqueue(self, job: Job) -> Job:
        with self._changed:
            try:
                self._store.save(job)
            except StudioError:
                self._release(job.id)
                raise
            self._queues[job.lane].append(job.id)
            self._changed.notify_all()
        return self.get(job.id)

    def _work(self, lane: str) -> None:
        while (job_id := self._next(lane)) is not None:
            try:
                self._settle(job_id, self._attempt(job_id))
            finally:
                self._locks.end_turn(lane)

    def _next(self, lane: str) -> str | None:
        """Wait for a job and for the lane; the lane is then taken. None when the studio closes."""
        queue = self._queues[lane]
        with self._changed:
            while not self._closing:
                if queue and self._locks.take_turn(lane):
                    return queue.popleft()
                self._changed.wait(_POLL if queue else None)
                self._drop_cancelled(queue)
        return None

    def _drop_cancelled(self, queue: deque[str]) -> None:
        """Take out of the queue what another process has cancelled."""
        for job_id in [each for each in queue if (self._store.folder(each) / "cancel").exists()]:
            queue.remove(job_id)
            self._settle(job_id, _Outcome(State.CANCELLED))

    def _attempt(self, job_id: str) -> _Outcome:
        try:
            job = replace(self._store.load(job_id), state=State.RUNNING, started=time.time())
            self._store.save(job)
            return self._drive(job)
        except StudioError as error:
            return _Outcome(State.FAILED, error.what, error.todo)
        except BaseException as error:  # whatever a task does, even leaving, must not end the lane
            _log.warning("job %s failed; the trace is in its log.txt", job_id)
            told = explain(error, self._store.folder(job_id))
            return _Outcome(State.FAILED, told.what, told.todo)

    def _drive(self, job: Job) -> _Outcome:
        """Run a task to its end, to its cancellation or to the closing of the studio; nobody needs to look on."""
        record, marker = job.folder / "job.json", job.folder / "cancel"
        stream = self._runner(job.task, job.config, job.folder)
        try:
            with self._store.writer(job) as log:
                event = None
                while record.exists() and (_is_last(event) or not marker.exists()):  # a deleted folder is a cancel too
                    event = next(stream, None)
                    if event is None:
                        return _Outcome(State.DONE)
                    self._store.append(log, event)
                    with self._changed:
                        self._changed.notify_all()
                        if self._closing and not _is_last(event):
                            return _Outcome(State.INTERRUPTED)
            return _Outcome(State.CANCELLED)
        finally:
            if isinstance(stream, Generator):
                stream.close()

    def _settle(self, job_id: str, outcome: _Outcome) -> None:
        """Write how a run ended, then let go of the job."""
        try:
            with self._changed:
                self._store.save(replace(self._store.load(job_id), finished=time.time(), **outcome._asdict()))
        except (OSError, StudioError):  # a full disk, a folder deleted by hand: the next job may still run
            _log.exception("the end of job %s cannot be written", job_id)
        finally:
            self._release(job_id)


def _is_last(event: Event | None) -> bool:
    """Whether the work is done and only its end is left, which no cancel should lose."""
    return event is not None and event.done == event.total
