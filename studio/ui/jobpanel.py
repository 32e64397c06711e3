"""The jobs drawer and the buttons of a job: both only look at a job's state."""

from __future__ import annotations

from collections.abc import Sequence

from studio.jobs import Job, State
from studio.ui import markup

ACTIONS: dict[State, tuple[str, ...]] = {
    State.QUEUED: ("stop",),
    State.RUNNING: ("stop",),
    State.DONE: ("remove",),
    State.FAILED: ("resume", "remove"),
    State.CANCELLED: ("resume", "remove"),
    State.INTERRUPTED: ("resume", "remove"),
}
"""What can be done with a job in each state."""

ACTIVE = (State.QUEUED, State.RUNNING)
SHOWN = 30  # the newest jobs in the drawer; `gemma-studio jobs` lists all

ON_CLICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) trigger("click", {action: button.dataset.action, job: button.dataset.job});
});
"""
"""Tells the server which button of which job was pressed."""


def signature(job: Job | None) -> str:
    """Return a text that changes whenever the look of a job does."""
    if job is None:
        return ""
    done = job.last.done if job.last else -1
    return f"{job.id} {job.state} {done} {job.position} {job.error}"


def drawer(jobs: Sequence[Job], watchable: Sequence[str]) -> str:
    """Draw the list of jobs, newest first.

    Args:
        jobs: The jobs.
        watchable: Names of the tasks that have a tab to watch them in.
    """
    if not jobs:
        return '<p class="quiet">No jobs yet. Start one in the Grade tab; it keeps running when you close the page.</p>'
    rows = "".join(_row(job, job.task in watchable) for job in jobs[:SHOWN])
    older = len(jobs) - SHOWN
    more = f'<p class="quiet">and {older} older</p>' if older > 0 else ""
    return f'<ul class="jobs">{rows}</ul>{more}'


def status(job: Job) -> str:
    """Draw one job's state, bar, progress and note; of a failed one, what went wrong and what to do."""
    note = job.last.note if job.last else ""
    words = {
        State.QUEUED: "Waiting for the device.",
        State.INTERRUPTED: "The studio was closed while this ran. Resume goes on from the last step kept.",
        State.CANCELLED: "Stopped. Resume goes on from the last step kept.",
    }.get(job.state, note)
    line = f'<span class="note">{markup.escape(words)}</span>' if words else ""
    if job.error:
        line = f'<span class="wrong">{markup.escape(job.error)}</span> <span>{markup.escape(job.todo)}</span>'
    return (
        f'<div class="status" data-state="{job.state}" data-job="{markup.escape(job.id)}">'
        f'<div class="line">{markup.chip(job.state)}<span class="meta">{markup.progress(job)}</span></div>'
        f"{markup.bar(markup.fraction(job), job.state)}{line}</div>"
    )


def _row(job: Job, watchable: bool) -> str:
    actions = (("watch",) if watchable else ()) + ACTIONS[job.state]
    buttons = "".join(_button(job, action) for action in actions)
    title = markup.escape(job.title or job.task)
    wrong = f'<div class="wrong">{markup.escape(job.error)}</div>' if job.error else ""
    moving = markup.bar(markup.fraction(job), job.state) if job.state in ACTIVE else ""
    return (
        f'<li><div class="line">{markup.chip(job.state)}<span class="task">{markup.escape(job.task)}</span></div>'
        f'<div class="title" title="{title}">{title}</div>{moving}'
        f'<div class="meta">{markup.progress(job)}</div>{wrong}<div class="actions">{buttons}</div></li>'
    )


def _button(job: Job, action: str) -> str:
    name = f"{action.capitalize()} {job.title or job.task}"
    return (
        f'<button type="button" data-action="{action}" data-job="{markup.escape(job.id)}" '
        f'aria-label="{markup.escape(name)}">{action.capitalize()}</button>'
    )
