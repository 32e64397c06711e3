"""The table of tasks holds together: targets exist, presets are ones their tasks take, wrong values are refused."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import tasks
from studio.config import Config
from studio.errors import StudioError
from studio.jobs import State
from studio.settings import Settings
from studio.tasks import PRESETS, TASKS, Studio, Task, find, load_preset, presets


@pytest.fixture
def studio(settings: Settings) -> Iterator[Studio]:
    studio = Studio(settings, start=False)
    yield studio
    studio.close()


@pytest.mark.parametrize("task", TASKS.values(), ids=[*TASKS])
def test_a_row_names_a_generator_of_its_configuration(task: Task) -> None:
    module, function = task.target.split(":")
    generator = getattr(importlib.import_module(module), function)
    assert inspect.isgeneratorfunction(generator)
    assert inspect.signature(generator).parameters["config"].annotation == task.config.__name__


@pytest.mark.parametrize("task", TASKS.values(), ids=[*TASKS])
def test_every_field_says_what_it_does(task: Task) -> None:
    for name, field in task.config.model_fields.items():
        assert field.description and field.description.endswith("."), name
        assert isinstance(field.json_schema_extra, dict) and {"unit", "widget"} <= field.json_schema_extra.keys(), name


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_found_under_both_spellings(task: str) -> None:
    assert find(task) is find(task.replace("-", "_")) is TASKS[task]


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StudioError, match=r"'develop'.*optimize"):
        find("develop")


def test_the_main_task_has_presets_and_each_is_one_it_takes() -> None:
    named = presets("optimize")
    assert {"teal-and-orange", "golden-hour", "film-noir"} <= named.keys()
    assert all(values["prompt"] for values in named.values())


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*/*.toml")), ids=lambda path: str(path.stem))
def test_a_preset_is_described_on_its_first_line(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]
    assert path.parent.name in TASKS
    assert first.startswith("# ") and first.endswith(".")


@pytest.mark.parametrize("name", ["nowhere", "../optimize/sepia", "../../pyproject", ""])
def test_a_preset_that_is_not_there_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(StudioError, match=r"no preset .* of optimize.*golden-hour"):
        load_preset("optimize", name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('prompt = "warm"\ncontrast = 2', "'contrast' is not a setting; known are prompt"),
        ('prompt = "warm"\nsteps = 0', "'steps' cannot be 0"),
        ("prompt = warm", "'broken.toml' is not readable"),
    ],
)
def test_a_broken_preset_says_what_is_wrong(
    text: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "optimize").mkdir()
    (tmp_path / "optimize" / "broken.toml").write_text(text)
    monkeypatch.setattr(tasks, "PRESETS", tmp_path)
    with pytest.raises(StudioError, match=reason):
        load_preset("optimize", "broken")


def test_submitting_keeps_the_whole_configuration_as_plain_data(studio: Studio, tmp_path: Path) -> None:
    job = studio.submit("optimize", {"prompt": " warm   golden hour ", "image-folder": tmp_path}, owner="me")
    assert (job.state, job.task, job.title, job.lane) == (State.QUEUED, "optimize", "warm golden hour", "device")
    kept = studio.jobs.get(job.id).config
    assert kept["prompt"] == "warm golden hour" and kept["image_folder"] == str(tmp_path) and kept["steps"] == 150
    assert find("optimize").config(**kept).model_dump(mode="json") == kept
    assert [each.id for each in studio.jobs.list("me")] == [job.id] and not studio.jobs.list("you")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prompt": "warm"}, "'image_folder' is required"),
        ({"prompt": "  ", "image_folder": "."}, "Say a look in words"),
        ({"prompt": "warm", "image_folder": ".", "steps": 0}, "'steps' cannot be 0: .* greater than or equal to 1"),
        ({"prompt": "warm", "image_folder": ".", "steps": "many"}, "'steps' cannot be 'many'"),
        ({"prompt": "warm", "image_folder": ".", "quantization": "int1"}, "'quantization' cannot be 'int1'"),
        ({"prompt": "warm", "image_folder": ".", "colour": 1}, "'colour' is not a setting; known are prompt"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_queued(
    studio: Studio, values: dict[str, object], reason: str
) -> None:
    with pytest.raises(StudioError, match=reason):
        studio.submit("optimize", values)
    assert studio.jobs.list() == []


def test_every_wrong_value_is_named_at_once(studio: Studio) -> None:
    with pytest.raises(StudioError) as told:
        studio.submit("optimize", {"prompt": "warm", "steps": 0, "colour": 1})
    assert all(f"'{name}'" in told.value.what for name in ("image_folder", "steps", "colour"))


def test_configurations_cannot_be_changed_after_they_are_checked(tmp_path: Path) -> None:
    config: Config = TASKS["optimize"].config(prompt="warm", image_folder=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        config.steps = -1  # type: ignore[attr-defined]
