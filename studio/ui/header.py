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
  const theme = document.body.classList.toggle("dark") ? "dark" : "light";
  document.cookie = `studio-theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  const url = new URL(window.location.href);
  url.searchParams.set("__theme", theme);
  window.history.replaceState(null, "", url);
}
"""

OPEN_DRAWER = """
element.addEventListener("click", (event) => {
  if (event.target.closest("button")) document.querySelector("#drawer .toggle-button").click();
});
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
        f'<button type="button" class="fact {"busy" if running else ""}" aria-label="Show the jobs">'
        f'<i class="dot"></i>{words}{waiting}</button>'
        "</div>"
    )
