"""The command line: made from the configurations, one sentence for an error, jobs that outlive their process."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio import __version__
from studio.__main__ import build_parser, main
from studio.gemma import catalog
from studio.grading import lutexport, lutfiles
from studio.grading.lut import identity
from studio.settings import Settings
from studio.tasks import TASKS, presets
from tests.checkpoints import save_gemma3

Read = pytest.CaptureFixture[str]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random judge: it proves that the command does its work, not that the work is good."""
    return save_gemma3(tmp_path_factory.mktemp("judge"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("HOME", tmp_path / "home"), ("DEVICE", "cpu"), ("THREADS", "1"), ("MEMORY_BUDGET", "2GiB")):
        monkeypatch.setenv(f"STUDIO_{name}", str(value))
    return tmp_path / "home"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a command in a process of its own; what still runs at the end is killed."""
    started = []
    # A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "studio", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    signal.signal(signal.SIGINT, before)
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read a process's standard error up to the line that a pattern is found in."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    pytest.fail(f"'{pattern}' never came:\n{''.join(seen)}")


def optimize(judge: Path, photographs: Path, **values: object) -> list[str]:
    given = {"prompt": "warm", "image-folder": photographs, "model-type": judge, "lut-size": 9, "steps": 3, **values}
    return ["optimize", *(f"--{name}={value}" for name, value in given.items())]


def last_line(read: Read) -> Any:
    return json.loads(read.readouterr().out.splitlines()[-1])


# What can be asked.


def test_every_task_is_a_command_with_a_flag_for_every_field(capsys: Read) -> None:
    for task in TASKS.values():
        with pytest.raises(SystemExit) as left:
            main([task.name, "--help"])
        text = " ".join(capsys.readouterr().out.split())
        assert left.value.code == 0 and task.sentence in text
        for name, field in task.config.model_fields.items():
            assert (f"--{name.replace('_', '-')}" in text) or (field.is_required() and name.upper() in text)
            assert (field.description or "").split()[0] in text


def test_help_names_every_command(capsys: Read) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for command in (*TASKS, "infer", "jobs", "watch", "cancel", "resume", "models", "serve"):
        assert command in text


def test_version(capsys: Read) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"{__version__}\n"


def test_hyphens_and_underscores_are_the_same_in_flags_and_untouched_in_values() -> None:
    parser = build_parser()
    with_hyphens = parser.parse_args(["optimize", "--image-folder", "my_photos"])
    assert with_hyphens.image_folder == "my_photos"
    assert main(["optimize", "--image_folder=no_such", "--prompt=warm", "--steps=0"]) == 1


def test_models_are_listed(capsys: Read, judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["models", "--json"]) == 0
    names = {each["name"] for each in last_line(capsys)["models"]}
    assert {"embedded", "gemma3_4b", "gemma3_12b", "gemma3_27b"} <= names


def test_a_missing_checkpoint_is_listed_as_missing(
    capsys: Read, judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, folder in (("embedded", judge), ("embedded_second", tmp_path)):
        changed = dataclasses.replace(catalog.CHECKPOINTS[name], source=str(folder))
        monkeypatch.setitem(catalog.CHECKPOINTS, name, changed)
    assert main(["models"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert "missing" not in first and f"(missing: There is no checkpoint in {tmp_path}" in second


def test_a_preset_is_offered_where_there_are_some(capsys: Read) -> None:
    for task in TASKS.values():
        with pytest.raises(SystemExit):
            main([task.name, "--help"])
        assert ("--preset" in capsys.readouterr().out) == bool(presets(task.name))


# What is wrong is said in one sentence.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["optimize"], "'image_folder' is required"),
        (["optimize", "--prompt", "warm", "--image-folder", ".", "--steps", "0"], "'steps' cannot be '0'"),
        (["optimize", "--prompt", "warm", "--image-folder", ".", "--steps", "ten"], "'steps' cannot be 'ten'"),
        (["optimize", "--preset", "nowhere"], "no preset 'nowhere' of optimize. Presets are bleach-bypass"),
        (["apply", "no.cube", "."], "no.cube"),
        (["judge", "no.jpg", "no.jpg", "--prompt", "warm", "--model-type", "no-such-judge"], "'no-such-judge'"),
        (["watch", "nothing"], "0 jobs have an id ending in 'nothing'"),
        (["resume", "nothing"], "0 jobs have an id ending in 'nothing'"),
        (["resume", ""], "'' is too short to name a job."),
        (["cancel", "abc"], "'abc' is too short to name a job."),
        (["jobs", "--remove", ""], "'' is too short to name a job."),
        (["judge", "a.jpg", "b.jpg", "--prompt", " "], "'prompt' cannot be ' '"),
        (["optimize", "--prompt", "warm", "--image-folder", "~nobody-here"], "does not exist"),
        (["serve", "--host", "0.0.0.0"], "without credentials. Set STUDIO_CREDENTIALS"),
    ],
)
def test_an_error_is_one_line(arguments: list[str], sentence: str, capsys: Read) -> None:
    assert main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("gemma-studio: ") and sentence in lines[-1]
    assert "Traceback" not in "".join(lines)
    assert main([*arguments, "--json"]) == 1
    told = last_line(capsys)
    assert told["state"] == "failed" and sentence in f"{told['error']} {told['todo']}"


@pytest.mark.parametrize("arguments", [["optimize", "--colour", "red"], ["optimize", "--step", "3"], ["develop"], []])
def test_an_unknown_flag_or_command_is_refused(arguments: list[str], capsys: Read) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("gemma-studio")
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--json"])
    told = last_line(capsys)
    assert left.value.code == 2 and told["state"] == "failed" and told["error"]


def test_a_full_disk_is_a_sentence_and_a_bug_is_told_before_its_trace(
    capsys: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Exception] = [OSError(28, "No space left on device", "/there"), KeyError("bug")]

    def failing(settings: Settings, *, start: bool = True) -> None:
        raise raised.pop(0)

    monkeypatch.setattr("studio.__main__.Studio", failing)
    assert main(["jobs", "--json"]) == 1
    read = capsys.readouterr()
    assert read.err.startswith("gemma-studio: /there cannot be used: no space left on device. Check")
    assert json.loads(read.out)["error"] == "/there cannot be used: no space left on device."
    with pytest.raises(KeyError):
        main(["jobs", "--json"])
    assert last_line(capsys)["error"] == "KeyError: 'bug'"


def test_an_unknown_setting_is_refused(capsys: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_DEVISE", "cpu")
    assert main(["jobs"]) == 1
    assert "STUDIO_DEVISE is not a setting of the studio." in capsys.readouterr().err


# What is done.


def test_optimize_trains_a_lut_and_says_where_it_is(capsys: Read, judge: Path, photographs: Path, home: Path) -> None:
    target = home.parent / "out" / "warm.cube"
    status = main([*optimize(judge, photographs), "--preset", "golden-hour", f"--output-path={target}", "--json"])
    read = capsys.readouterr()
    result = json.loads(read.out.splitlines()[-1])
    assert status == 0 and result["state"] == "done" and (result["done"], result["total"]) == (3, 3)
    assert "running  1/3" in read.err and re.search(r"score 0\.\d{3}", read.err)
    assert lutfiles.read(Path(result["artifacts"]["lut"])).table().shape == (3, 9, 9, 9)
    report = json.loads(Path(result["artifacts"]["report"]).read_text())
    assert report["prompt"] == "warm", "a flag wins over the preset"
    assert target.read_bytes() == Path(result["artifacts"]["lut"]).read_bytes()

    assert main(["jobs", "--json"]) == 0
    assert [job["id"] for job in last_line(capsys)["jobs"]] == [result["id"]]
    assert main(["watch", result["id"][-6:], "--json"]) == 0
    assert last_line(capsys) == result
    assert main(["cancel", result["id"]]) == 0
    assert capsys.readouterr().out == f"{result['id']} has already finished: done\n"
    assert main(["resume", result["id"]]) == 1
    assert "is done and cannot be resumed" in capsys.readouterr().err
    assert main(["jobs", "--remove", result["id"]]) == 0
    assert main(["jobs", "--json"]) == 0
    assert last_line(capsys) == {"state": "done", "jobs": []}


def test_a_preset_fills_what_the_flags_leave_out(capsys: Read, home: Path) -> None:
    (home.parent / "empty").mkdir()
    arguments = ["optimize", "--preset", "film-noir", "--image-folder", str(home.parent / "empty"), "--json"]
    assert main(arguments) == 1
    job = last_line(capsys)
    assert job["title"] == "film noir" and job["state"] == "failed" and "empty" in job["error"]


@pytest.mark.parametrize("command", ["apply", "infer"])
def test_apply_grades_pictures(command: str, capsys: Read, photographs: Path, tmp_path: Path) -> None:
    lutexport.write(tmp_path / "inverse.cube", 1 - identity(2), "inverse")
    pictures = [str(photographs / "coffee.jpg"), str(photographs / "chelsea.jpg")]
    assert main([command, str(tmp_path / "inverse.cube"), *pictures, f"--output-path={tmp_path}/graded", "--json"]) == 0
    told = last_line(capsys)
    assert told["state"] == "done"
    graded = told["artifacts"]
    assert graded.keys() == {"coffee.jpg", "chelsea.jpg"}
    before, after = Image.open(pictures[0]).getpixel((9, 9)), Image.open(graded["coffee.jpg"]).getpixel((9, 9))
    assert isinstance(before, tuple) and isinstance(after, tuple)
    assert all(abs(255 - one - other) < 12 for one, other in zip(before, after, strict=True))


def test_judge_answers_with_a_probability(capsys: Read, judge: Path, photographs: Path) -> None:
    pictures = [str(photographs / "coffee.jpg"), str(photographs / "chelsea.jpg")]
    assert main(["judge", *pictures, "--prompt", "warm", "--model-type", str(judge), "--json"]) == 0
    assert 0 <= last_line(capsys)["metrics"]["score"] <= 1


def test_a_report_is_lines_for_a_person_and_json_for_a_script(capsys: Read, tmp_path: Path) -> None:
    lutexport.write(tmp_path / "inverse.cube", 1 - identity(5), "inverse")
    assert main(["lut-report", str(tmp_path / "inverse.cube")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and any(line.startswith("poor  Greys: Greys change order") for line in lines)
    assert main(["lut-report", str(tmp_path / "inverse.cube"), "--json"]) == 0
    told = last_line(capsys)
    assert told["state"] == "done" and told["artifacts"] == {}  # nobody named a place for files
    assert told["report"]["lines"] == lines and told["metrics"]["white"] == 0
    assert main(["lut-report", str(tmp_path / "inverse.cube"), f"--output-path={tmp_path}/out", "--json"]) == 0
    assert Path(last_line(capsys)["artifacts"]["page"]) == tmp_path / "out" / "report.html"


def test_compare_tells_how_far_luts_differ(capsys: Read, photographs: Path, tmp_path: Path) -> None:
    for name, table in (("inverse", 1 - identity(2)), ("same", identity(2))):
        lutexport.write(tmp_path / f"{name}.cube", table, name)
    luts = [str(tmp_path / "same.cube"), str(tmp_path / "inverse.cube")]
    pictures = ["--images", str(photographs / "coffee.jpg"), str(photographs / "chelsea.jpg")]
    assert main(["compare", *luts, *pictures, f"--output-path={tmp_path}/out"]) == 0
    first, *places = capsys.readouterr().out.splitlines()
    assert first.startswith("same and inverse differ by ΔE") and places[0] == f"sheet: {tmp_path}/out/sheet.jpg"
    assert main(["compare", luts[0], *pictures, "--json"]) == 1
    assert "two or more" in last_line(capsys)["error"]


# A job belongs to no process.


def test_a_job_is_stopped_and_resumed_and_watched_from_other_processes(
    capsys: Read, start: Start, judge: Path, photographs: Path
) -> None:
    steps = 600  # enough that a fast machine is still at it when it is interrupted
    first = start(*optimize(judge, photographs, steps=steps))
    job_id = read_until(first, r"^Job (\S+)")[1]
    read_until(first, rf"running  [1-9]\d*/{steps}")
    assert main(["resume", job_id]) == 1
    assert "is running and cannot be resumed" in capsys.readouterr().err
    assert main(["cancel", job_id]) == 0
    _, rest = first.communicate()
    assert first.returncode == 1 and "cancelled" in rest

    second = start("resume", job_id, "--json")
    stopped_at = int(read_until(second, rf"running  (\d+)/{steps}")[1])
    second.send_signal(signal.SIGINT)
    out, rest = second.communicate()
    assert json.loads(out.splitlines()[-1]) == {"state": "interrupted", "id": job_id}
    assert second.returncode == 130 and f"gemma-studio resume {job_id}" in rest and "Traceback" not in rest

    third = start("resume", job_id)
    read_until(third, rf"running  [1-9]\d*/{steps}")
    assert main(["watch", job_id, "--json"]) == 0
    done = last_line(capsys)
    assert (done["state"], done["done"]) == ("done", steps) and stopped_at < steps
    assert third.wait() == 0
    curve = json.loads(Path(done["artifacts"]["report"]).read_text())["curves"]["margin"]
    assert [step for step, _ in curve] == list(range(1, steps + 1)), "no step is lost or done twice"


def test_ctrl_c_at_once_still_says_how_to_go_on(start: Start, judge: Path, photographs: Path) -> None:
    process = start(*optimize(judge, photographs, steps=50), "--json")
    job_id = read_until(process, r"^Job (\S+)")[1]
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate()
    assert process.returncode == 130 and f"gemma-studio resume {job_id}" in rest and "Traceback" not in rest
    assert json.loads(out) == {"state": "interrupted", "id": job_id}


def test_a_killed_command_leaves_a_job_to_resume_that_ends_as_an_unbroken_one(
    capsys: Read, start: Start, judge: Path, photographs: Path
) -> None:
    arguments = optimize(judge, photographs, steps=60, seed=7)
    process = start(*arguments)
    job_id = read_until(process, r"^Job (\S+)")[1]
    read_until(process, r"running  [1-9]\d*/60")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert main(["jobs", "--json"]) == 0
    assert [(job["id"], job["state"]) for job in last_line(capsys)["jobs"]] == [(job_id, "interrupted")]
    assert main(["resume", job_id, "--json"]) == 0
    resumed = last_line(capsys)
    assert resumed["state"] == "done"
    assert main([*arguments, "--json"]) == 0
    unbroken = last_line(capsys)
    assert unbroken["id"] != job_id
    assert Path(resumed["artifacts"]["lut"]).read_bytes() == Path(unbroken["artifacts"]["lut"]).read_bytes()
