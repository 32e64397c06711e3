"""Small pieces of HTML, with everything a person typed escaped."""

from __future__ import annotations

import html as text
from base64 import b64encode
from io import BytesIO
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.jobs import Job, State

WORDS = {
    State.QUEUED: "Queued",
    State.RUNNING: "Running",
    State.DONE: "Done",
    State.FAILED: "Failed",
    State.CANCELLED: "Stopped",
    State.INTERRUPTED: "Interrupted",
}


def html(value: str = "", **more: Any) -> gr.HTML:
    """Make a component of plain HTML, styled by the studio alone."""
    return gr.HTML(value, apply_default_css=False, padding=False, **more)


def escape(words: object) -> str:
    """Return text that neither HTML nor the templates of `gr.HTML` read as anything but text."""
    escaped = text.escape(str(words))
    for sign in "{}$`":
        escaped = escaped.replace(sign, f"&#{ord(sign)};")
    return escaped


def picture(pixels: NDArray[np.uint8], words: str) -> str:
    """Draw a small picture, carried in the page itself.

    Args:
        pixels: [H, W, 3] sRGB code values.
        words: What it shows, for those who cannot see it.
    """
    data = BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=85)
    return f'<img alt="{escape(words)}" src="data:image/jpeg;base64,{b64encode(data.getvalue()).decode()}">'


def bar(fraction: float | None, kind: str = "") -> str:
    """Draw a slim bar, 0 to 1; None is a bar that does not know how far it is."""
    if fraction is None:
        return f'<div class="bar unknown {kind}"><i></i></div>'
    width = 100 * min(max(fraction, 0.0), 1.0)
    return f'<div class="bar {kind}"><i style="width:{width:.1f}%"></i></div>'


def chip(state: State) -> str:
    """Draw a job's state as a coloured word."""
    return f'<span class="state state-{state}">{WORDS[state]}</span>'


def size(count: float) -> str:
    """Write a number of bytes for a person."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def duration(seconds: float) -> str:
    """Write a time span for a person: 8 s, 2 min 05 s, 3 h 20 min."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def fraction(job: Job) -> float | None:
    """Return how far a job is, 0 to 1, or None when it cannot be known."""
    if job.state is State.DONE:
        return 1.0
    if job.last is None or not job.last.total:
        return None if job.state is State.RUNNING else 0.0
    return job.last.done / job.last.total


def progress(job: Job) -> str:
    """Say how far a job is, how fast and how long it will take, in words."""
    parts = []
    if job.state is State.QUEUED and job.position is not None:
        parts.append(f"number {job.position} in the queue" if job.position > 1 else "next in the queue")
    if job.last is not None and job.last.total:
        parts.append(f"{job.last.done} of {job.last.total}")
    if job.state is State.RUNNING and job.rate:
        parts.append(f"{job.rate:.1f} per second" if job.rate >= 1 else f"{1 / job.rate:.1f} s each")
    if job.state is State.RUNNING and job.seconds_left is not None:
        parts.append(f"{duration(job.seconds_left)} left")
    if job.started and job.finished:
        parts.append(f"took {duration(job.finished - job.started)}")
    return " · ".join(parts)
