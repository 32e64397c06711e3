"""A studio whose jobs nobody works on, and jobs in any state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.events import Event
from studio.jobs import Job, State
from studio.settings import Settings
from studio.tasks import Studio


@pytest.fixture
def studio(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio without workers, whose uploads pass through a folder of its own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(settings.folder("passing")))
    monkeypatch.delenv("SPACE_ID", raising=False)
    house = Studio(settings, start=False)
    yield house
    house.close()


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Job]:
    """Make a job at step 30 of 150, in a state."""

    def make(state: State, **more: Any) -> Job:
        last = Event(done=30, total=150, note="Training.")
        job = Job("1-a", "optimize", "warm <b>{{x}}</b>", {}, "device", state, "", created=1.0, folder=tmp_path)
        return replace(job, **{"last": last, **more})

    return make
