"""An endpoint is its task's configuration, and admits only what its visitor may name."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.exceptions import Error

from studio.errors import StudioError
from studio.jobs import Job, State
from studio.settings import Settings
from studio.tasks import TASKS, Studio, Task
from studio.ui import endpoints, forms


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_parameters_defaults_and_docs_come_from_the_configuration(studio: Studio, task: Task) -> None:
    function = endpoints._submit(studio, task)
    parameters = inspect.signature(function).parameters
    assert set(parameters) - {"request"} == set(forms.fields(task.config))
    for name in forms.fields(task.config):
        field = task.config.model_fields[name]
        assert (parameters[name].default is inspect.Parameter.empty) == field.is_required()
        assert f"    {name}: {field.description}" in str(function.__doc__)


def test_a_job_is_submitted_with_what_was_given(studio: Studio, tmp_path: Path) -> None:
    submit = endpoints._submit(studio, TASKS["optimize"])
    told = submit(prompt="warm", image_folder=str(tmp_path), steps=3)
    job = studio.jobs.get(told["id"])
    assert (job.config["prompt"], job.config["steps"], job.config["image_folder"]) == ("warm", 3, str(tmp_path))


def test_results_of_a_client_land_in_the_home(studio: Studio, settings: Settings, tmp_path: Path) -> None:
    submit = endpoints._submit(studio, TASKS["apply"])
    job = studio.jobs.get(submit(lut=str(tmp_path / "a.cube"), images=[str(tmp_path)])["id"])
    assert Path(job.config["output_path"]).is_relative_to(settings.home)


@pytest.mark.parametrize("value", [[], ["a", "b"], 7, {"no": "path"}])
def test_one_place_is_wanted_where_one_is_taken(studio: Studio, value: Any) -> None:
    field = TASKS["optimize"].config.model_fields["image_folder"]
    with pytest.raises(StudioError, match="One path or upload"):
        endpoints._admit(studio, field, value)


def test_from_elsewhere_no_path_and_no_folder_as_judge(studio: Studio, tmp_path: Path) -> None:
    studio.settings = dataclasses.replace(studio.settings, host="0.0.0.0")
    fields = TASKS["optimize"].config.model_fields
    for name in ("image_folder", "model_type"):
        with pytest.raises(StudioError):
            endpoints._admit(studio, fields[name], str(tmp_path))


def test_an_error_reaches_the_client_as_its_sentences() -> None:
    with pytest.raises(Error, match=r"What happened\. What to do\."), endpoints.told():
        raise StudioError("What happened.", "What to do.")


def test_a_job_is_described_without_paths(make_job: Callable[..., Job], tmp_path: Path) -> None:
    described = endpoints.describe(make_job(State.RUNNING, artifacts={"lut": "a.cube"}))
    assert described["artifacts"] == ["lut"] and str(tmp_path) not in str(described)


def test_types_are_plain() -> None:
    hints = [one.annotation for one in endpoints._signature(TASKS["optimize"]).parameters.values()]
    assert Path not in hints and gr.Request in hints


def test_what_a_job_wrote_is_named_by_its_id(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    values = {"vqa_dataset": tmp_path / "a.csv", "images_dir": tmp_path, "output_dir": tmp_path / "run"}
    job = studio.submit("extract", values, owner="ann")
    field = TASKS["probe"].config.model_fields["run"]
    assert endpoints._admit(studio, field, job.id, "ann") == tmp_path / "run"
    with pytest.raises(StudioError, match="cannot be named"):
        endpoints._admit(studio, field, job.id, "bob")


def test_a_name_that_is_no_path_stays_a_name(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = TASKS["ask"].config.model_fields
    assert endpoints._admit(studio, fields["bundle"], str(tmp_path)) == str(tmp_path)
    assert endpoints._admit(studio, fields["bundle"], "owner/bundle") == "owner/bundle"
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert endpoints._admit(studio, fields["bundle"], "embedded") == "embedded"
    for other in (str(tmp_path), "owner/bundle"):
        with pytest.raises(StudioError, match="cannot be named"):
            endpoints._admit(studio, fields["bundle"], other)
