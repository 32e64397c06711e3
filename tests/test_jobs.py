"""Jobs survive whoever looks at them, and whatever ends them."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from studio import jobstore
from studio.errors import StudioError
from studio.events import Event
from studio.jobs import Job, Jobs, State
from tests import counting

SLOW = {"total": 100_000, "seconds": 0.005}
ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def jobs(folder: Path) -> Iterator[Jobs]:
    opened = Jobs(folder, counting.run)
    yield opened
    opened.close()


def finish(jobs: Jobs, job: Job) -> Job:
    return list(jobs.watch(job.id))[-1]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread or process does; a test that hangs is ended by the deadline."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def running(jobs: Jobs, job: Job) -> bool:
    looked = jobs.get(job.id)
    return looked.state is State.RUNNING and looked.last is not None


def result(job: Job) -> str:
    return (job.folder / "result.txt").read_text()


def unbroken(tmp_path: Path, config: Mapping[str, Any]) -> str:
    alone = tmp_path / "unbroken"
    alone.mkdir()
    for _ in counting.run("count", config, alone):
        pass
    return (alone / "result.txt").read_text()


def test_a_job_runs_to_its_end_and_tells_what_it_did(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit("count", {"total": 5}, title="Count to five", owner="ada")
    assert job.state in (State.QUEUED, State.RUNNING, State.DONE)
    job = finish(jobs, job)
    assert (job.state, job.title, job.owner, job.lane) == (State.DONE, "Count to five", "ada", "device")
    assert job.config == {"total": 5} and job.task == "count"
    assert job.artifacts == {"checkpoint": "checkpoint.json", "result": "result.txt"}
    assert job.last is not None and (job.last.done, job.last.note) == (5, "done")
    assert job.created <= (job.started or 0) <= (job.finished or 0)
    assert result(job) == unbroken(tmp_path, {"total": 5})
    assert [event.done for event in jobs.events(job.id)] == [1, 2, 3, 4, 5, 5]
    assert [event.note for event in jobs.events(job.id, since=4)] == ["step 5", "done"]


def test_every_change_is_seen_and_the_last_is_the_end(jobs: Jobs) -> None:
    looks = list(jobs.watch(jobs.submit("count", {"total": 8, "seconds": 0.05}).id))
    done = [look.last.done if look.last else 0 for look in looks]
    assert done == sorted(done) and set(range(1, 9)) <= set(done)
    assert looks[-1].state is State.DONE and all(not look.state.finished for look in looks[:-1])
    assert [look.state for look in jobs.watch(looks[-1].id)] == [State.DONE], "a finished job is told once"


def test_nobody_needs_to_look_on(jobs: Jobs) -> None:
    job = jobs.submit("count", {"total": 30, "seconds": 0.005})
    looking = jobs.watch(job.id)
    next(looking)
    looking.close()  # the tab is closed
    until(lambda: jobs.get(job.id).state is State.DONE)
    assert result(job)


def test_pace_and_time_left_are_told_while_it_runs(jobs: Jobs) -> None:
    job = jobs.submit("count", {"total": 1000, "seconds": 0.01})
    until(lambda: (jobs.get(job.id).last or Event()).done >= 5)
    look = jobs.get(job.id)
    assert look.rate is not None and 1 < look.rate <= 100
    assert look.seconds_left is not None and look.seconds_left > 5
    jobs.cancel(job.id)
    ended = finish(jobs, job)
    assert ended.rate is None and ended.seconds_left is None


def test_cancel_stops_within_one_step_and_cleans_up(folder: Path) -> None:
    steps = iter(range(1000))
    gates = [threading.Event() for _ in range(1000)]
    closed = threading.Event()

    def gated(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        try:
            for step in steps:
                gates[step].wait(60)
                yield Event(step + 1, 1000)
        finally:
            closed.set()

    streams: list[Iterator[Event]] = []  # kept, so that only closing ends them and not forgetting them

    def kept(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        streams.append(gated(task, config, folder))
        return streams[-1]

    jobs = Jobs(folder, kept)
    job = jobs.submit("gated", {})
    for gate in gates[:3]:
        gate.set()
    until(lambda: (jobs.get(job.id).last or Event()).done == 3)
    assert jobs.cancel(job.id).stopping, "asked to stop, but in its fourth step"
    for gate in gates[3:]:
        gate.set()
    job = finish(jobs, job)
    assert job.state is State.CANCELLED and not job.stopping
    assert job.last is not None and job.last.done == 4
    assert closed.is_set() and next(steps) == 4, "the fifth step never began"
    assert jobs.cancel(job.id).state is State.CANCELLED, "cancelling twice changes nothing"
    jobs.close()


@pytest.mark.parametrize("asked", ["cancel", "close"])
def test_a_job_stopped_after_its_last_event_is_done(folder: Path, asked: str) -> None:
    stopping = threading.Event()

    def finishing(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        yield Event(1, 2)
        stopping.wait(60)
        yield Event(2, 2)
        (folder / "result.txt").write_text("whole")
        yield Event(2, 2, artifacts={"result": "result.txt"})

    jobs = Jobs(folder, finishing)
    job = jobs.submit("finishing", {})
    until(lambda: running(jobs, job))
    if asked == "cancel":
        jobs.cancel(job.id)
        stopping.set()
        finish(jobs, job)
    else:
        threading.Timer(0.1, stopping.set).start()
    jobs.close()
    ended = Jobs(folder, finishing, start=False).get(job.id)
    assert ended.state is State.DONE and result(ended) == "whole"
    assert ended.artifacts == {"result": "result.txt"}


def test_a_cancelled_job_resumes_and_ends_equal_to_an_unbroken_one(jobs: Jobs, tmp_path: Path) -> None:
    config = {"total": 60, "seconds": 0.005, "seed": 4}
    job = jobs.submit("count", config)
    until(lambda: (jobs.get(job.id).last or Event()).done >= 10)
    jobs.cancel(job.id)
    stopped = finish(jobs, job)
    assert stopped.state is State.CANCELLED and stopped.last is not None and 10 <= stopped.last.done < 60
    ended = finish(jobs, jobs.resume(job.id))
    assert ended.state is State.DONE and not ended.stopping
    assert result(ended) == unbroken(tmp_path, config)
    assert [event.done for event in jobs.events(job.id)] == [*range(1, 61), 60], "no step was done twice"
    with pytest.raises(StudioError, match="is done and cannot be resumed"):
        jobs.resume(job.id)


def test_queued_jobs_have_places_and_can_be_cancelled(jobs: Jobs) -> None:
    first = jobs.submit("count", SLOW)
    until(lambda: running(jobs, first))
    second, third = jobs.submit("count", {"total": 1}), jobs.submit("count", {"total": 1})
    assert [jobs.get(job.id).position for job in (first, second, third)] == [None, 1, 2]
    assert jobs.cancel(second.id).state is State.CANCELLED
    assert jobs.get(third.id).position == 1
    jobs.cancel(first.id)
    assert finish(jobs, third).state is State.DONE
    assert not (second.folder / "checkpoint.json").exists(), "it never began"
    assert finish(jobs, jobs.resume(second.id)).state is State.DONE


def test_two_lanes_run_at_once_and_one_lane_does_not(jobs: Jobs) -> None:
    slow = jobs.submit("count", SLOW)
    until(lambda: running(jobs, slow))
    waiting = jobs.submit("count", {"total": 1})
    assert finish(jobs, jobs.submit("count", {"total": 3}, lane="light")).state is State.DONE
    assert jobs.get(slow.id).state is State.RUNNING and jobs.get(waiting.id).state is State.QUEUED
    jobs.cancel(slow.id)
    assert finish(jobs, waiting).state is State.DONE
    with pytest.raises(ValueError, match="'fast' is not a lane"):
        jobs.submit("count", {"total": 1}, lane="fast")


@pytest.mark.parametrize(
    ("how", "error", "todo", "traced"),
    [
        ("studio", "The photograph is gone.", "Put it back.", False),
        ("value", "The task stopped unexpectedly: ValueError: boom", "log.txt", True),
        ("memory", "Memory ran out: no room", "smaller", True),
        ("device", "Memory ran out: CUDA out of memory", "smaller", True),
        ("leave", "The task stopped unexpectedly: SystemExit: 3", "log.txt", True),
    ],
)
def test_a_failing_job_says_why_and_never_stops_the_next(
    jobs: Jobs, how: str, error: str, todo: str, traced: bool
) -> None:
    failing, following = jobs.submit(how, {"total": 5, "at": 2}), jobs.submit("count", {"total": 2})
    failed = finish(jobs, failing)
    assert failed.state is State.FAILED
    assert failed.error.startswith(error) and todo in failed.todo and "\n" not in failed.error
    assert failed.last is not None and failed.last.done == 2 and (failed.folder / "cleaned.txt").exists()
    log = failed.folder / "log.txt"
    assert log.exists() == traced and (not traced or "in _end" in log.read_text())
    assert finish(jobs, following).state is State.DONE


def test_a_runner_that_fails_before_its_first_event(folder: Path) -> None:
    def refuses(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        raise StudioError("There is no such task.")

    jobs = Jobs(folder, refuses)
    failed = finish(jobs, jobs.submit("x", {}))
    assert (failed.state, failed.error, failed.last) == (State.FAILED, "There is no such task.", None)
    jobs.close()


def test_a_failed_job_resumes_where_it_was(jobs: Jobs, tmp_path: Path) -> None:
    job = finish(jobs, jobs.submit("value", {"total": 6, "at": 3}))
    (job.folder / "config.json").write_text('{"total": 6}')  # the cause is gone
    reopened = Jobs(job.folder.parent, counting.run)
    ended = finish(reopened, reopened.resume(job.id))
    assert (ended.state, ended.error, ended.todo) == (State.DONE, "", "")
    assert result(ended) == unbroken(tmp_path, {"total": 6})
    reopened.close()


def test_closing_interrupts_what_runs_and_what_waits(folder: Path, tmp_path: Path) -> None:
    config = {"total": 40, "seconds": 0.01}
    jobs = Jobs(folder, counting.run)
    first, second = jobs.submit("count", config), jobs.submit("count", {"total": 2})
    until(lambda: running(jobs, first))
    jobs.close()
    again = Jobs(folder, counting.run)
    assert [job.state for job in again.list()] == [State.INTERRUPTED, State.INTERRUPTED]
    assert (first.folder / "cleaned.txt").exists()
    assert result(finish(again, again.resume(first.id))) == unbroken(tmp_path, config)
    assert finish(again, again.resume(second.id)).state is State.DONE
    again.close()


def spawn(folder: Path, total: int, seconds: float) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "tests.counting", str(folder), str(total), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_killed_process_leaves_a_job_that_resumes_equal_to_an_unbroken_one(folder: Path, tmp_path: Path) -> None:
    process, job_id = spawn(folder, 80, 0.01)
    with process:
        watching = Jobs(folder, counting.run, start=False)
        until(lambda: (watching.get(job_id).last or Event()).done >= 10)
        assert watching.get(job_id).state is State.RUNNING, "another process's live job is left alone"
        with pytest.raises(StudioError, match="is running and cannot be resumed"):
            watching.resume(job_id)
        process.kill()
    assert watching.get(job_id).state is State.INTERRUPTED, "seen without a restart"
    jobs = Jobs(folder, counting.run)
    (job,) = jobs.list()
    assert job.state is State.INTERRUPTED and job.last is not None and 10 <= job.last.done < 80
    assert not (job.folder / "cleaned.txt").exists(), "it was killed, not closed"
    ended = finish(jobs, jobs.resume(job_id))
    assert ended.state is State.DONE
    assert result(ended) == unbroken(tmp_path, {"total": 80, "seed": 0})
    jobs.close()


def test_a_job_of_another_process_is_watched_and_cancelled(folder: Path) -> None:
    process, job_id = spawn(folder, 100_000, 0.005)
    with process:
        jobs = Jobs(folder, counting.run, start=False)
        until(lambda: running(jobs, jobs.get(job_id)))
        assert jobs.cancel(job_id).stopping
        assert finish(jobs, jobs.get(job_id)).state is State.CANCELLED
        assert process.wait(60) == 0


def test_the_device_is_one_processs_at_a_time(folder: Path) -> None:
    process, theirs = spawn(folder, 100_000, 0.005)
    with process:
        jobs = Jobs(folder, counting.run)
        until(lambda: running(jobs, jobs.get(theirs)))
        first, second, third = (jobs.submit("count", {"total": 2}) for _ in range(3))
        assert finish(jobs, jobs.submit("count", {"total": 2}, lane="light")).state is State.DONE
        assert [jobs.get(each.id).position for each in (first, second, third)] == [1, 2, 3]
        assert jobs.cancel(first.id).state is State.CANCELLED
        other = Jobs(folder, counting.run, start=False)
        other.cancel(second.id)
        assert finish(other, second).state is State.CANCELLED, "cancelled from another process while it waits"
        assert jobs.get(theirs).state is State.RUNNING and jobs.get(third.id).state is State.QUEUED
        process.kill()
        assert finish(jobs, third).state is State.DONE, "a killed holder frees the device"
        jobs.close()


def test_the_list_is_newest_first_and_by_owner(jobs: Jobs) -> None:
    ids = [jobs.submit("count", {"total": 1}, owner=owner).id for owner in ("ada", "bob", "ada")]
    assert [job.id for job in jobs.list()] == ids[::-1]
    assert [job.id for job in jobs.list("ada")] == [ids[2], ids[0]]
    assert jobs.list("eve") == []


def test_only_finished_jobs_are_removed_and_only_here(jobs: Jobs, tmp_path: Path) -> None:
    slow = jobs.submit("count", SLOW)
    until(lambda: running(jobs, slow))
    with pytest.raises(StudioError, match=r"is running.*Cancel it first"):
        jobs.remove(slow.id)
    jobs.cancel(slow.id)
    job = finish(jobs, slow)
    jobs.remove(job.id)
    assert not job.folder.exists() and jobs.list() == []
    (tmp_path / "precious").mkdir()
    for name in ("../precious", str(tmp_path / "precious"), "", ".", "precious", job.id, job.id + "/.."):
        with pytest.raises(StudioError, match="There is no job"):
            jobs.remove(name)
    assert (tmp_path / "precious").is_dir()


def test_a_hundred_jobs_started_and_cancelled_leave_no_thread_and_no_file_open(jobs: Jobs) -> None:
    def open_files() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0

    finish(jobs, jobs.submit("count", {"total": 1}))
    threads, files = threading.active_count(), open_files()
    for number in range(100):
        job = jobs.submit("count", {"total": 1000}, lane=("device", "light")[number % 2])
        if number % 3:
            until(lambda job=job: jobs.get(job.id).last is not None)  # type: ignore[misc]
        jobs.cancel(job.id)
        assert finish(jobs, job).state is State.CANCELLED
    assert (threading.active_count(), open_files()) == (threads, files)


class Weights:
    """Stands for what a task holds in memory; a plain ``bytes`` takes no weak reference."""


@pytest.mark.parametrize("ending", ["done", "failed", "cancelled"])
def test_what_a_task_held_is_given_back_however_it_ends(folder: Path, ending: str) -> None:
    held: list[weakref.ref[Weights]] = []

    def holding(task: str, config: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        weights = Weights()
        held.append(weakref.ref(weights))
        for step in range(3 if ending == "done" else 100_000):
            if step == 2 and ending == "failed":
                raise RuntimeError("CUDA out of memory")
            yield Event(step + 1)

    jobs = Jobs(folder, holding)
    job = jobs.submit("holding", {})
    until(lambda: jobs.get(job.id).last is not None)
    jobs.cancel(job.id)
    if ending != "cancelled":
        job = jobs.submit("holding", {})
    assert finish(jobs, job).state.value == ending
    gc.collect()
    until(lambda: all(reference() is None for reference in held))
    jobs.close()


def test_workers_end_when_closed(folder: Path) -> None:
    before = threading.active_count()
    jobs = Jobs(folder, counting.run)
    jobs.submit("count", SLOW)
    jobs.close()
    assert threading.active_count() == before


def test_a_job_whose_folder_is_deleted_under_it_does_not_stop_the_lane(jobs: Jobs) -> None:
    import shutil

    job = jobs.submit("count", SLOW)
    until(lambda: running(jobs, job))
    shutil.rmtree(job.folder, ignore_errors=True)
    assert finish(jobs, jobs.submit("count", {"total": 2})).state is State.DONE


@pytest.mark.parametrize("failing", ["count", "value"])
def test_a_full_disk_ends_one_job_and_not_the_lane(
    jobs: Jobs, failing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = threading.Event()
    original = jobstore.write_atomic

    def write(path: Path, data: bytes | str) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        original(path, data)

    monkeypatch.setattr(jobstore, "write_atomic", write)
    job = jobs.submit(failing, {"total": 40, "seconds": 0.01, "at": 39})
    until(lambda: running(jobs, job))
    full.set()
    until(lambda: "cannot be written" in caplog.text)
    full.clear()
    assert jobs.get(job.id).state is State.INTERRUPTED, "the truth on disk could not say more"
    assert finish(jobs, jobs.submit("count", {"total": 2})).state is State.DONE


def test_values_that_are_no_json_are_written_as_text(jobs: Jobs, tmp_path: Path) -> None:
    job = finish(jobs, jobs.submit("count", {"total": 1, "folder": tmp_path, "names": ("a", "b")}))
    assert job.config == {"total": 1, "folder": str(tmp_path), "names": ["a", "b"]}


def test_a_job_that_cannot_be_written_is_refused_in_a_sentence(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = finish(jobs, jobs.submit("value", {"total": 2, "at": 1}))

    def write(path: Path, data: bytes | str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(jobstore, "write_atomic", write)
        for ask in (lambda: jobs.submit("count", {"total": 1}), lambda: jobs.resume(job.id)):
            with pytest.raises(StudioError, match=r"cannot be written: no space left on device\. Make room"):
                ask()
    assert finish(jobs, jobs.resume(job.id)).state is State.FAILED, "the refused one was not kept held"
