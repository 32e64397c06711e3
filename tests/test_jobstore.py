"""The record of jobs on disk: cheap to read, hard to break."""

from __future__ import annotations

import json
import re
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio import jobstore
from studio.errors import StudioError
from studio.events import Event
from studio.joblog import EventLog
from studio.jobstore import Job, State, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs")


def make(store: Store, state: State = State.DONE, **changes: Any) -> Job:
    job_id = store.create()
    store.save_config(job_id, {"total": 3})
    job = Job(job_id, "count", "Count", {}, "device", state, "", created=time.time(), folder=store.folder(job_id))
    store.save(replace(job, **changes))
    return store.load(job_id)


def tell(job: Job, *events: Event, at: float = 100.0, apart: float = 1.0) -> None:
    """Append events as if they had been told a second apart."""
    with open(job.folder / "events.jsonl", "a") as file:
        for number, event in enumerate(events):
            file.write(json.dumps({"time": at + number * apart, **event.to_json()}) + "\n")


def test_a_job_survives_the_disk(store: Store, tmp_path: Path) -> None:
    job = make(store, last=Event(2, 3, metrics={"x": 1.0}), artifacts={"lut": "a.cube"}, error="e", todo="t")
    assert Store(tmp_path / "jobs").load(job.id) == job
    assert job.config == {"total": 3} and job.last == Event(2, 3, metrics={"x": 1.0})


def test_ids_sort_by_time_and_cannot_be_guessed(store: Store) -> None:
    ids = [store.create() for _ in range(50)]
    assert ids == sorted(ids) and store.ids() == ids[::-1]
    assert len({each[-16:] for each in ids}) == 50
    assert all(re.fullmatch(r"[0-9a-f-]{39}", each) for each in ids)


@pytest.mark.parametrize(
    "job_id", ["", "..", "../../etc", "20260101-000000-000000-zzzzzzzzzzzzzzzz", "a" * 10_000, "a\x00"]
)
def test_what_is_no_id_never_becomes_a_path(store: Store, job_id: str) -> None:
    for use in (store.folder, store.load, store.events, store.delete):
        with pytest.raises(StudioError, match="There is no job"):
            use(job_id)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_folders_are_private(store: Store) -> None:
    folder = store.folder(store.create())
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o700, 0o700]


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"id": 1}', '"text"', '{"state": "dancing"}', "\x00" * 100, "9" * 5000]
)
def test_a_damaged_record_is_shown_as_one_and_can_be_removed(store: Store, damage: str) -> None:
    job = make(store)
    (job.folder / "job.json").write_text(damage)
    broken = store.load(job.id)
    assert (broken.id, broken.state, broken.error) == (job.id, State.FAILED, "The record of this job is damaged.")
    store.delete(job.id)
    assert store.ids() == []


def test_a_damaged_configuration_is_a_damaged_record(store: Store) -> None:
    job = make(store)
    (job.folder / "config.json").unlink()
    assert Store(job.folder.parent).load(job.id).error == "The record of this job is damaged."


def test_an_unchanged_record_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [make(store) for _ in range(5)]
    parsed = []
    original = jobstore._parse
    monkeypatch.setattr(jobstore, "_parse", lambda *given: parsed.append(given) or original(*given))
    for _ in range(10):
        assert [store.load(job.id) for job in jobs] == jobs
    assert parsed == []
    store.save(replace(jobs[0], title="New"))
    assert store.load(jobs[0].id).title == "New" and len(parsed) == 1


def test_a_living_job_follows_its_log(store: Store) -> None:
    job = make(store, State.RUNNING, started=0.0)
    assert store.load(job.id).last is None
    tell(job, Event(1, 9, artifacts={"a": "1", "b": "1"}), Event(2, 9, artifacts={"b": "2"}))
    look = store.load(job.id)
    assert look.last == Event(2, 9, artifacts={"b": "2"}) and look.artifacts == {"a": "1", "b": "2"}
    tell(job, Event(3, 9))
    assert store.load(job.id).last == Event(3, 9)


def test_a_line_read_while_it_is_written_is_read_once_whole(store: Store) -> None:
    job = make(store, State.RUNNING)
    line = json.dumps({"time": 1.0, **Event(1, note="grün").to_json()}, ensure_ascii=False).encode() + b"\n"
    with open(job.folder / "events.jsonl", "ab", buffering=0) as file:
        for byte in line:
            assert store.events(job.id) == []
            file.write(bytes([byte]))
    assert store.events(job.id) == [Event(1, note="grün")]


def test_a_half_written_line_waits_and_a_torn_one_is_passed_over(store: Store) -> None:
    job = make(store, State.RUNNING)
    tell(job, Event(1))
    path = job.folder / "events.jsonl"
    with open(path, "a") as file:
        file.write('{"time": 5, "done": 2')
    assert store.events(job.id) == [Event(1)]
    with store.writer(job) as file:
        store.append(file, Event(3))
    with open(path, "a") as text:
        text.write('null\n{"done": 4}\n{"time": 1, "strange": 4}\n\x00\n')
    with store.writer(job) as file:
        store.append(file, Event(5))
    assert store.events(job.id) == [Event(1), Event(3), Event(5)]


def test_numbers_of_any_kind_can_be_metrics(store: Store) -> None:
    import numpy as np

    job = make(store, State.RUNNING)
    with store.writer(job) as file:
        store.append(file, Event(1, metrics={"a": np.float32(0.5), "b": float("nan"), "c": np.int64(3)}))
    metrics = store.events(job.id)[0].metrics
    assert (metrics["a"], metrics["c"]) == (0.5, 3) and metrics["b"] != metrics["b"]


def test_only_some_logs_stay_in_memory(store: Store) -> None:
    jobs = [make(store, State.RUNNING) for _ in range(40)]
    for job in jobs:
        tell(job, Event(1))
    for job in [*jobs, *jobs]:
        assert store.events(job.id) == [Event(1)]
    assert len(store._logs) <= 32


def test_a_link_planted_for_a_job_is_not_followed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    job = make(store)
    store.delete(job.id)
    job.folder.symlink_to(tmp_path / "precious", target_is_directory=True)
    store.delete(job.id)
    assert (tmp_path / "precious").is_dir() and store.ids() == []


def paced(job: Job, since: float = 0.0, now: float | None = None) -> tuple[float | None, float | None]:
    log = EventLog(job.folder / "events.jsonl")
    log.read()
    newest = log._moments[-1][0] if log._moments else 0.0
    return log.pace(since, newest if now is None else now)


def test_the_pace_needs_two_moments_and_a_total_for_the_time_left(store: Store) -> None:
    job = make(store)
    assert paced(job) == (None, None)
    tell(job, Event(1, 10))
    assert paced(job) == (None, None)
    tell(job, Event(3, 10), at=101)
    assert paced(job) == (2.0, 3.5)
    tell(job, Event(4), Event(6), at=102)
    assert paced(job) == (2.0, None), "another total begins a new count"


def test_loading_before_the_first_unit_does_not_count(store: Store) -> None:
    job = make(store)
    tell(job, Event(0, 100), at=10)
    tell(job, *(Event(done, 100) for done in range(1, 6)), at=100)
    assert paced(job) == (1.0, 95.0)


def test_the_run_before_a_resume_does_not_count(store: Store) -> None:
    job = make(store)
    tell(job, *(Event(done, 100) for done in range(1, 50)), at=100)
    tell(job, *(Event(done, 100) for done in range(40, 46)), at=5000, apart=2.0)
    assert paced(job, since=4000) == (0.5, 110.0)
    assert paced(job) == (0.5, 110.0), "the count went back"
    tell(job, *(Event(done, 100) for done in range(46, 50)), at=9000)
    assert paced(job, since=8000) == (1.0, 51.0), "it went on counting where it was"


def test_only_the_last_events_count_and_waiting_is_taken_off(store: Store) -> None:
    job = make(store)
    tell(job, *(Event(done, 200) for done in range(1, 101)), at=0, apart=60.0)
    tell(job, *(Event(done, 200) for done in range(101, 141)), at=6000, apart=0.5)
    assert paced(job) == (2.0, 30.0)
    rate, left = paced(job, now=6019.5 + 10)
    assert (rate, left) == (2.0, 20.0)
    assert paced(job, now=9999) == (2.0, 0.0)
