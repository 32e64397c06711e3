"""The header: name, device, memory in use, jobs running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.jobs import Job, State
from studio.ui import markup

if TYPE_CHECKING:
    from studio.models import ModelManager

TOGGLE_THEME = """
() => {
  const dark = document.body.classList.toggle("dark");
  const theme = dark ? "dark" : "light";
  localStorage.setItem("studio-theme", theme);
  document.documentElement.style.background = dark ? "#1e1e1e" : "#ebebeb";
  const url = new URL(window.location.href);
  url.searchParams.set("__theme", theme);
  window.history.replaceState(null, "", url);
}
"""


def title() -> str:
    """Draw the studio's name."""
    return '<h1 class="wordmark"><span class="mark" aria-hidden="true"></span>Gemma Studio</h1>'


def facts(models: ModelManager, jobs: Sequence[Job]) -> str:
    """Draw the device, the memory that loaded models take of their budget, and the jobs under way."""
    running = sum(job.state is State.RUNNING for job in jobs)
    queued = sum(job.state is State.QUEUED for job in jobs)
    used, budget = models.used, models.budget
    words = "no job running" if not running else f"{running} job{'s' * (running > 1)} running"
    waiting = f", {queued} waiting" if queued else ""
    return (
        '<div class="facts">'
        f'<span class="fact">{markup.escape(str(models.device).upper())}</span>'
        f'<span class="fact memory" title="Memory of loaded models, and the budget they may fill">'
        f"{markup.bar(used / budget if budget else 0)}"
        f"{markup.size(used)} of {markup.size(budget)}</span>"
        f'<span class="fact {"busy" if running else ""}"><i class="dot"></i>{words}{waiting}</span>'
        "</div>"
    )
