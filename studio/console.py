"""What the commands say: progress and errors on standard error, the outcome on standard output, as JSON if wanted."""

from __future__ import annotations

import collections
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from studio.events import Event
from studio.jobs import Job, Jobs, State

DONE, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses; a command that cannot be read exits with 2."""
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")


def tell(values: Mapping[str, Any], text: str, as_json: bool) -> None:
    """Print an outcome: for a script one JSON object in one line, for a person the text, if there is any."""
    if as_json or text:
        print(json.dumps(values) if as_json else text)


def shown(text: str) -> str:
    """Return text for standard output: where that is a terminal with colours, each ``#rrggbb`` has a block before it.

    ``NO_COLOR`` and ``TERM=dumb`` are honoured; a terminal that does not say it shows all colours gets the nearest of
    its 256.
    """
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return text
    return _COLOUR.sub(lambda found: f"\033[48;{_background(found[0])}m    \033[0m {found[0]}", text)


def report(folder: Path, event: Event) -> dict[str, Any]:
    """Return the report that a task left as its artifact ``report``; its ``lines`` are for a person. Empty without."""
    if "report" not in event.artifacts:
        return {}
    found: dict[str, Any] = json.loads((folder / event.artifacts["report"]).read_text("utf-8"))
    return found


def _background(colour: str) -> str:
    red, green, blue = bytes.fromhex(colour[1:])
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return f"2;{red};{green};{blue}"
    cube = [round(each / 255 * 5) for each in (red, green, blue)]  # near enough to the terminals' uneven steps
    return f"5;{16 + 36 * cube[0] + 6 * cube[1] + cube[2]}"


class Notes:
    """What a short task says while it runs, on standard error; a note that goes on from the last continues its line."""

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last:
            print(file=sys.stderr)

    def show(self, note: str) -> None:
        """Show a note; an empty one, or the last again, shows nothing."""
        if not note or note == self._last:
            return
        fresh = note[len(self._last) :] if note.startswith(self._last) else f"\n{note}"
        print(fresh, end="", file=sys.stderr, flush=True)
        self._last = note

    def seen(self, line: str) -> bool:
        """Whether the person at the terminal has just read a line, and need not read it again."""
        return line == self._last.strip() and sys.stderr.isatty() and sys.stdout.isatty()


def fail(what: str, todo: str, as_json: bool) -> int:
    """Say what went wrong and what to do; return the exit status."""
    print(f"gemma-studio: {what} {todo}".rstrip(), file=sys.stderr)
    tell({"state": "failed", "error": what, "todo": todo}, "", as_json)
    return FAILED


def interrupted(as_json: bool, **values: Any) -> int:
    """Say that Ctrl-C ended the command; return the exit status."""
    tell({"state": "interrupted", **values}, "", as_json)
    return INTERRUPTED


def follow(jobs: Jobs, job_id: str, as_json: bool, *, own: bool) -> int:
    """Show a job's progress until it ends; return the exit status.

    Args:
        jobs: The store that knows it.
        job_id: Which job.
        as_json: Print how it ended as JSON.
        own: This process runs it: Ctrl-C stops the job and says how to go on, and not only the looking on.
    """
    try:
        if own:
            print(f"Job {job_id}", file=sys.stderr)
        job = jobs.get(job_id)
        for job in jobs.watch(job_id):
            _show(job)
    except KeyboardInterrupt:
        if not own:
            return interrupted(as_json, id=job_id)
        job = _stop(jobs, job_id)
        if job.state is not State.DONE:  # it may have come to its end at that very moment
            return interrupted(as_json, id=job_id)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return _ended(job, as_json)


def describe(job: Job) -> dict[str, Any]:
    """Return a job as plain data, its artifacts as absolute paths."""
    return {
        "id": job.id,
        "task": job.task,
        "title": job.title,
        "state": job.state.value,
        "done": job.last.done if job.last else 0,
        "total": job.last.total if job.last else None,
        "metrics": dict(job.last.metrics) if job.last else {},
        "artifacts": {name: str(job.folder / path) for name, path in job.artifacts.items()},
        "error": job.error,
        "todo": job.todo,
    }


def _stop(jobs: Jobs, job_id: str) -> Job:
    """Cancel a job and wait for the step in hand; the hint comes first, since that step may be a long loading."""
    jobs.cancel(job_id)
    print(f"\nStopping after this step. Go on with: gemma-studio resume {job_id}", file=sys.stderr)
    collections.deque(jobs.watch(job_id), maxlen=0)
    return jobs.get(job_id)


def _ended(job: Job, as_json: bool) -> int:
    places = "\n".join(f"{name}: {job.folder / path}" for name, path in job.artifacts.items())
    tell(describe(job), places if job.state is State.DONE else "", as_json)
    if job.state is State.FAILED:
        print(f"gemma-studio: {job.error} {job.todo}".rstrip(), file=sys.stderr)
    return DONE if job.state is State.DONE else FAILED


def _show(job: Job) -> None:
    event = job.last or Event()
    parts = [job.state.value]
    if job.position:
        parts.append(f"number {job.position} in the queue")
    if event.total:
        parts.append(f"{event.done}/{event.total}")
    parts += [f"{name} {event.metrics[name]:.3f}" for name in ("score", "held_out") if name in event.metrics]
    if job.rate:
        parts.append(f"{job.rate:.1f}/s")
    if job.seconds_left is not None:
        parts.append(f"{job.seconds_left:.0f} s left")
    line = "  ".join([*parts, event.note])
    print(f"\r\033[K{line}" if sys.stderr.isatty() else line, end="" if sys.stderr.isatty() else "\n", file=sys.stderr)
