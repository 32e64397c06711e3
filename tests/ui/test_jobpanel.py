"""Buttons and words are a pure function of a job's state, and a prompt is never anything but text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from studio.jobs import Job, State
from studio.ui import jobpanel
from studio.ui.grade import buttons

MakeJob = Callable[..., Job]


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_actions_and_its_word(state: State, make_job: MakeJob) -> None:
    row = jobpanel.drawer([make_job(state)], ["optimize"])
    for action in ("stop", "resume", "remove"):
        assert (f'data-action="{action}"' in row) == (action in jobpanel.ACTIONS[state])
    assert f"state-{state}" in row


def test_stop_or_resume_but_never_both() -> None:
    for actions in jobpanel.ACTIONS.values():
        assert not {"stop", "resume"} <= set(actions)


@pytest.mark.parametrize(
    ("state", "start", "stop", "resume"),
    [
        (None, "Start", False, False),
        (State.QUEUED, "Queue another", True, False),
        (State.RUNNING, "Queue another", True, False),
        (State.DONE, "Start", False, False),
        (State.FAILED, "Start", False, True),
        (State.CANCELLED, "Start", False, True),
        (State.INTERRUPTED, "Start", False, True),
    ],
)
def test_the_tabs_buttons(state: State | None, start: str, stop: bool, resume: bool, make_job: MakeJob) -> None:
    made = buttons(make_job(state) if state else None)
    assert [made[0].value, made[1].visible, made[2].visible] == [start, stop, resume]


def test_a_prompt_is_text_to_html_and_to_templates(make_job: MakeJob) -> None:
    for drawn in (jobpanel.drawer([make_job(State.RUNNING)], []), jobpanel.status(make_job(State.FAILED, error="<i>"))):
        assert "<b>{" not in drawn and "{{" not in drawn and "<i>x" not in drawn and "<i></i>" not in drawn


def test_a_failed_job_says_what_and_what_to_do(make_job: MakeJob) -> None:
    drawn = jobpanel.status(make_job(State.FAILED, error="No photographs.", todo="Give a folder."))
    assert "No photographs." in drawn and "Give a folder." in drawn


def test_watch_is_offered_where_there_is_a_tab(make_job: MakeJob) -> None:
    assert 'data-action="watch"' in jobpanel.drawer([make_job(State.DONE)], ["optimize"])
    assert 'data-action="watch"' not in jobpanel.drawer([make_job(State.DONE)], [])


def test_only_the_newest_are_drawn(make_job: MakeJob) -> None:
    drawn = jobpanel.drawer([make_job(State.DONE)] * (jobpanel.SHOWN + 5), [])
    assert drawn.count("<li>") == jobpanel.SHOWN and "5 older" in drawn


def test_the_signature_changes_with_what_is_seen(make_job: MakeJob) -> None:
    running = make_job(State.RUNNING)
    assert jobpanel.signature(running) == jobpanel.signature(make_job(State.RUNNING))
    assert jobpanel.signature(running) != jobpanel.signature(make_job(State.CANCELLED))
    assert jobpanel.signature(running) != jobpanel.signature(make_job(State.RUNNING, last=None))
    assert jobpanel.signature(None) == ""
