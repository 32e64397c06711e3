"""A job started from a pane: its state, Stop and Resume, and what it leaves. It only looks; the job does the work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.errors import StudioError
from studio.jobs import Job, State
from studio.ui import access, jobpanel, markup

if TYPE_CHECKING:
    from studio.tasks import Studio

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": []}
Seen = dict[str, str]
"""What a page shows of a job, part by part, as texts that change with it."""


def wrong(error: StudioError) -> str:
    """Draw an error as two sentences."""
    return f'<p class="wrong"><b>{markup.escape(error.what)}</b> {markup.escape(error.todo)}</p>'


def changed(seen: Seen, part: str, now: str, make: Callable[[], list[Any]], outputs: int) -> list[Any]:
    """Return new values for a part of a page when it looks different now, and note that in `seen`."""
    if seen.get(part) == now:
        return [gr.skip()] * outputs
    seen[part] = now
    return make()


def when_done(job: Job | None) -> str:
    """Return a text that changes when a job is done: what it leaves is drawn then."""
    return job.id if job and job.state is State.DONE else ""


def memory(name: str) -> gr.BrowserState:
    """Make what the browser remembers a job by.

    In a tab that is not open yet the page does not read it; a pane there is given one that was made outside.
    """
    return gr.BrowserState("", storage_key=f"studio-{name}-job", secret="gemma-studio")


class Follower:
    """What a pane shows of one job.

    Args:
        studio: The assembled studio.
        name: Names the components, and where the browser remembers the job.
        results: Makes the components for what the job leaves; called below the state.
        draw: Returns their values for the job, or for None.
        look: A text of the job that changes whenever `draw` would; while it is empty, `draw` is given None.
        job: What the browser remembers the job by, when that must be made outside the pane.
    """

    def __init__(
        self,
        studio: Studio,
        name: str,
        results: Callable[[], list[Component]],
        draw: Callable[[Job | None], list[Any]],
        *,
        look: Callable[[Job | None], str] = when_done,
        job: gr.BrowserState | None = None,
    ) -> None:
        self.studio, self.name, self.look, self._draw = studio, name, look, draw
        self.job = job or memory(name)
        self.seen, self.drawn = gr.State({}), gr.State("")
        self.status = markup.html(elem_id=f"{name}-status", elem_classes="job-status")
        with gr.Row(elem_classes="job-buttons"):
            self.stop = gr.Button("Stop", variant="stop", size="sm", visible=False, elem_id=f"{name}-stop")
            self.resume = gr.Button("Resume", size="sm", visible=False, elem_id=f"{name}-resume")
        self.results = results()
        self.stop.click(self.cancel, self.job, [self.stop, self.status], **PRIVATE)
        self.resume.click(self.go_on, self.job, self.status, **PRIVATE)

    @property
    def outputs(self) -> list[Component]:
        """The components, in the order `poll` returns their values."""
        return [self.seen, self.status, self.stop, self.resume]

    @property
    def leaves(self) -> list[Component]:
        """The components, in the order `show` returns their values."""
        return [self.drawn, *self.results]

    def submit(self, task: str, values: dict[str, Any], visitor: str) -> tuple[Any, str]:
        """Queue a job; return its id and an empty state, or no id and what is wrong."""
        try:
            return self.studio.submit(task, values, owner=access.owner(visitor)).id, ""
        except StudioError as error:
            return gr.skip(), wrong(error)

    def cancel(self, job_id: str) -> list[Any]:
        """Ask the job to stop, and say so until it has."""
        return [gr.Button("Stopping…", interactive=False), self._ask(self.studio.jobs.cancel, job_id)]

    def go_on(self, job_id: str) -> Any:
        """Resume the job."""
        return self._ask(self.studio.jobs.resume, job_id)

    @staticmethod
    def _ask(verb: Callable[[str], Job], job_id: str) -> Any:
        try:
            verb(job_id)
        except StudioError as error:
            return wrong(error)
        return gr.skip()

    def find(self, job_id: str | None) -> Job | None:
        """Return the job, or None when there is none any more."""
        try:
            return self.studio.jobs.get(job_id) if job_id else None
        except StudioError:
            return None

    def poll(self, job_id: str | None, seen: Seen) -> list[Any]:
        """Return what changed of the job's state since `seen`, which is brought up to date."""
        job = self.find(job_id)
        return [
            seen,
            *changed(seen, "status", jobpanel.signature(job), lambda: [jobpanel.status(job) if job else ""], 1),
            *changed(seen, "buttons", f"{job.id} {job.state}" if job else "", lambda: _buttons(job), 2),
        ]

    def show(self, job_id: str | None, drawn: str) -> list[Any]:
        """Return what the job leaves when that is not `drawn` yet; apart from `poll`, since it may take a while."""
        job = self.find(job_id)
        look = self.look(job)
        if look == drawn:
            return [gr.skip()] * len(self.leaves)
        return [look, *self._draw(job if look else None)]


def _buttons(job: Job | None) -> list[gr.Button]:
    offered = jobpanel.ACTIONS[job.state] if job else ()
    return [
        gr.Button("Stop", visible="stop" in offered, interactive=True),
        gr.Button(visible="resume" in offered),
    ]
