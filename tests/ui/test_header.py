"""The header says what the device does, in numbers with units."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studio.jobs import Job, State
from studio.tasks import Studio
from studio.ui import header


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([], "no job running<"),
        ([State.RUNNING], "1 job running<"),
        ([State.RUNNING, State.RUNNING, State.QUEUED], "2 jobs running, 1 waiting<"),
        ([State.DONE, State.FAILED, State.INTERRUPTED], "no job running<"),
    ],
)
def test_jobs_under_way(studio: Studio, make_job: Callable[..., Job], states: list[State], words: str) -> None:
    drawn = header.facts(studio.models, [make_job(state) for state in states])
    assert words in drawn and ("busy" in drawn) == (State.RUNNING in states)


def test_device_and_memory(studio: Studio) -> None:
    drawn = header.facts(studio.models, [])
    assert "CPU" in drawn and "0 B of 2.0 GiB" in drawn
