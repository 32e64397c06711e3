"""A job started from a pane: its state, a Stop button, and what it leaves. It only looks; the job does the work."""

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

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def wrong(error: StudioError) -> str:
    """Draw an error as two sentences."""
    return f'<p class="wrong"><b>{markup.escape(error.what)}</b> {markup.escape(error.todo)}</p>'


class Follower:
    """What a pane shows of one job.

    Args:
        studio: The assembled studio.
        name: Names the components, and where the browser remembers the job.
        results: Makes the components for what the job leaves; called below the state.
        draw: Returns their values for a job that is done, and for None or any other job.
    """

    def __init__(
        self, studio: Studio, name: str, results: Callable[[], list[Component]], draw: Callable[[Job | None], list[Any]]
    ) -> None:
        self.studio, self._draw = studio, draw
        self.job = gr.BrowserState("", storage_key=f"studio-{name}-job", secret="gemma-studio")
        self.seen = gr.State("")
        self.status = markup.html(elem_id=f"{name}-status")
        self.stop = gr.Button("Stop", variant="stop", size="sm", visible=False, elem_id=f"{name}-stop")
        self.results = results()
        self.stop.click(self.cancel, self.job, self.status, **PRIVATE)

    @property
    def outputs(self) -> list[Component]:
        """The components, in the order `poll` returns their values."""
        return [self.seen, self.status, self.stop, *self.results]

    def submit(self, task: str, values: dict[str, Any], visitor: str) -> tuple[Any, str]:
        """Queue a job; return its id and an empty state, or no id and what is wrong."""
        try:
            return self.studio.submit(task, values, owner=access.owner(visitor)).id, ""
        except StudioError as error:
            return gr.skip(), wrong(error)

    def cancel(self, job_id: str) -> Any:
        """Ask the job to stop."""
        try:
            self.studio.jobs.cancel(job_id)
        except StudioError as error:
            return wrong(error)
        return gr.skip()

    def poll(self, job_id: str, seen: str) -> list[Any]:
        """Return what changed of the job since `seen`."""
        try:
            job = self.studio.jobs.get(job_id) if job_id else None
        except StudioError:
            job = None
        now = jobpanel.signature(job)
        if now == seen:
            return [gr.skip()] * len(self.outputs)
        over = job is not None and job.state is State.DONE
        shown = jobpanel.status(job) if job else ""
        return [now, shown, gr.Button(visible=job is not None and not job.state.finished)] + (
            self._draw(job) if over else self._draw(None)
        )
