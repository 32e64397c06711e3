"""The page's pulse: once a second one small question what has changed, and nothing else while nothing has.

A request of Gradio's makes every component it fills draw itself again and again until the answer is there, which
keeps a browser without a GPU busy. So the page asks for versions by a plain function of the server, beside Gradio's
events, and only for the parts on show; a part whose version is another than what was drawn last is then drawn by an
event of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr

from studio.errors import StudioError
from studio.files import content_hash
from studio.jobs import Job, Jobs
from studio.ui import access, jobpanel, markup
from studio.ui.follower import PRIVATE, Follower

REST, LONGEST = 1000, 30_000  # milliseconds from one look to the next, and at most while nobody answers
Version = Callable[[str, Job | None], str]
"""Takes the browser's own word and the part's job, and returns a text that changes when the part does; it is
empty while nothing is to be drawn."""

BEAT = """
const drawn = {};
let soon;
async function ask() {
  const given = props.value;
  const onShow = ([, place]) => document.getElementById(place)?.checkVisibility();
  const jobs = Object.entries(props.parts).filter(onShow).map(([part]) => [part, given.jobs[part] ?? ""]);
  const now = await server.versions({visitor: given.visitor, jobs: Object.fromEntries(jobs)});
  for (const [part, version] of Object.entries(now)) {
    if ((part in drawn ? drawn[part] : "") === version) continue;
    drawn[part] = version;
    document.getElementById(`pulse-${part}`).click();
  }
}
async function beat(wait) {
  clearTimeout(soon);
  try {
    if (props.value?.visitor && !document.hidden) await ask();
    wait = props.rest;
  } catch (error) {
    wait = Math.min(2 * wait, props.longest);
    for (const part in drawn) drawn[part] = null;  // what was asked for meanwhile may be lost
  }
  document.body.classList.toggle("unheard", wait > 2 * props.rest);
  clearTimeout(soon);
  soon = setTimeout(beat, wait, wait);
}
watch("value", () => beat(props.rest));
document.addEventListener("visibilitychange", () => beat(props.rest));
beat(props.rest);
"""
"""Run in the page; `props.value` is what `TELL` says, `props.parts` the part's names and places."""
TELL = "(visitor, ...jobs) => ({visitor, jobs: Object.fromEntries(NAMES.map((name, i) => [name, jobs[i]]))})"


class Part(NamedTuple):
    """A part of the page that is drawn when its version changes.

    Attributes:
        name: Its name, unique in the page.
        place: Id of an element that is on show when the part is; until then it waits.
        version: See `Version`.
        job: What the browser remembers its job by, if it has one.
        draw: The event that draws it: `fn`, `inputs` and `outputs`.
    """

    name: str
    place: str
    version: Version
    job: gr.BrowserState | None
    draw: dict[str, Any]


def of_job(follower: Follower) -> list[Part]:
    """Return the two parts of a job's pane: its state, and what it leaves, which may take longer to draw."""
    name, place = follower.name, f"{follower.name}-status"
    state = {"fn": follower.poll, "inputs": [follower.job, follower.seen], "outputs": follower.outputs}
    left = {"fn": follower.show, "inputs": [follower.job, follower.drawn], "outputs": follower.leaves}
    return [
        Part(name, place, lambda visitor, job: jobpanel.signature(job), follower.job, state),
        Part(f"{name}-left", place, lambda visitor, job: follower.look(job), follower.job, left),
    ]


class Pulse:
    """Asks for the versions of the page's parts.

    Args:
        jobs: The studio's jobs.
        visitor: The browser's own word, see `studio.ui.access`.
        parts: The parts.
    """

    def __init__(self, jobs: Jobs, visitor: gr.BrowserState, parts: Sequence[Part]) -> None:
        self._jobs = jobs
        self._parts = {part.name: part for part in parts}

        def versions(asked: dict[str, Any]) -> dict[str, str]:  # gradio marks it, which a method does not allow
            return self.versions(asked)

        remembered = {part.name: part.job for part in parts if part.job is not None}
        self._heard = markup.html(
            html_template="", js_on_load=BEAT, server_functions=[versions], elem_id="pulse",
            visible="hidden", parts={part.name: part.place for part in parts}, rest=REST, longest=LONGEST,
        )  # fmt: skip
        for part in parts:
            button = gr.Button(visible="hidden", elem_id=f"pulse-{part.name}")
            button.click(**part.draw, **PRIVATE, queue=False, trigger_mode="always_last")
        self._tell: dict[str, Any] = {
            "fn": None,
            "inputs": [visitor, *remembered.values()],
            "outputs": self._heard,
            "js": TELL.replace("NAMES", json.dumps([*remembered])),
        }
        gr.on([job.change for job in {id(job): job for job in remembered.values()}.values()], **self._tell)

    def after(self, event: gr.events.Dependency) -> None:
        """Look at once when an event is over; the first of them begins the pulse."""
        event.then(**self._tell)

    def versions(self, asked: dict[str, Any]) -> dict[str, str]:
        """Return the versions of some parts; this is what the page asks.

        Args:
            asked: The browser's own word as ``visitor``, and as ``jobs`` the name of each part with the id of its job,
                which may be empty.
        """
        visitor = str(asked["visitor"])
        jobs = {name: str(job_id) for name, job_id in asked["jobs"].items() if name in self._parts}
        return {name: self._version(name, visitor, job_id) for name, job_id in jobs.items()}

    def _version(self, name: str, visitor: str, job_id: str) -> str:
        try:
            job = access.own_job(self._jobs, job_id, visitor) if job_id else None
        except StudioError:
            job = None  # it was removed, or is somebody else's
        text = self._parts[name].version(visitor, job)
        return content_hash(text)[:16] if text else ""
