"""The pulse: a version changes exactly when its part does, and tells nobody of another's job."""

from __future__ import annotations

import asyncio

import gradio as gr
import pytest

from studio.jobs import State
from studio.tasks import Studio
from studio.ui.follower import Follower
from studio.ui.pulse import Part, Pulse, of_job


@pytest.fixture
def pulse(studio: Studio) -> Pulse:
    async def build() -> Pulse:
        with gr.Blocks(analytics_enabled=False):
            visitor = gr.BrowserState("")
            follower = Follower(studio, "judge", list, lambda job: [])
            told = gr.HTML()
            drawn = {"fn": str, "inputs": visitor, "outputs": told}
            return Pulse(
                studio.jobs, visitor, [Part("who", "who", lambda who, job: who, None, drawn), *of_job(follower)]
            )

    return asyncio.run(build())


def ask(pulse: Pulse, visitor: str, **jobs: str) -> dict[str, str]:
    return pulse.versions({"visitor": visitor, "jobs": jobs})


def test_a_version_changes_when_its_part_does_and_only_then(pulse: Pulse, studio: Studio) -> None:
    job = studio.jobs.submit("judge", {})
    first = ask(pulse, "me", judge=job.id, who="")
    assert set(first) == {"judge", "who"} and all(first.values())
    assert ask(pulse, "me", judge=job.id, who="") == first
    studio.jobs.cancel(job.id)
    later = ask(pulse, "you", judge=job.id, who="")
    assert later["judge"] != first["judge"] and later["who"] != first["who"]


def test_only_known_parts_are_told_and_a_job_that_is_gone_is_nothing(pulse: Pulse) -> None:
    assert ask(pulse, "me", judge="20200101-000000-000000-0000000000000000", other="x") == {"judge": ""}
    assert ask(pulse, "me", **{"judge-left": ""}) == {"judge-left": ""}


def test_on_a_space_a_stranger_learns_nothing_of_a_job(
    pulse: Pulse, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    job = studio.jobs.submit("judge", {}, owner="me")
    assert job.state is State.QUEUED and ask(pulse, "me", judge=job.id)["judge"]
    for stranger in ("you", ""):
        assert ask(pulse, stranger, judge=job.id) == {"judge": ""}
