"""Another program drives the studio: the same five verbs over HTTP, from a process of its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import colour
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from studio.embeddings.scenes.demo import write_demo
from studio.grading.config import OptimizeConfig
from studio.ui import forms
from tests.serving import served

PATIENT = {"timeout": 60}  # seconds; the default of 5 is short for a busy machine
FINISHED = ("done", "failed", "cancelled", "interrupted")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("client") / "home") as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    one = Client(url, verbose=False, httpx_kwargs=PATIENT, download_files=str(tmp_path_factory.mktemp("downloads")))
    yield one
    one.close()


@pytest.fixture(scope="module")
def finished(client: Client, photographs: Path) -> list[dict[str, Any]]:
    """Every moment of one short job, from submitting to done."""
    job = start(client, photographs, steps=6)
    return [job, *client.submit(id=job["id"], api_name="/watch")]


def start(client: Client, photographs: Path, **more: Any) -> dict[str, Any]:
    job: dict[str, Any] = client.predict(
        prompt="warm golden hour", image_folder=str(photographs), lut_size=17, views=1, **more, api_name="/optimize"
    )
    return job


def until(client: Client, job_id: str, *states: str) -> dict[str, Any]:
    """Follow a job until it is in one of these states."""
    for job in client.submit(id=job_id, api_name="/watch"):
        if job["state"] in states:
            return dict(job)
    raise AssertionError(f"The job ended as {job['state']}: {job['error']}")


def test_the_endpoint_takes_the_configurations_fields(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    taken = {one["parameter_name"]: one["parameter_default"] for one in endpoints["/optimize"]["parameters"]}
    assert set(taken) == set(forms.fields(OptimizeConfig))
    for name in ("steps", "lut_size", "learning_rate", "quantization"):
        assert taken[name] == OptimizeConfig.model_fields[name].default


def test_optimize_answers_at_once_and_watch_follows_to_the_end(finished: list[dict[str, Any]]) -> None:
    assert finished[0]["state"] in ("queued", "running")
    last = finished[-1]
    assert (last["state"], last["done"], last["error"]) == ("done", 6, "")
    assert {"before", "after", "lut", "report"} <= set(last["artifacts"])
    steps = [moment["done"] for moment in finished]
    assert steps == sorted(steps)
    assert not any(str(Path.home()) in json.dumps(moment) for moment in finished)


def test_the_lut_opens_in_colour_science(client: Client, finished: list[dict[str, Any]]) -> None:
    path = client.predict(id=finished[-1]["id"], name="lut", api_name="/artifact")
    lut = colour.read_LUT(path)
    assert isinstance(lut, colour.LUT3D)
    assert lut.table.shape == (17, 17, 17, 3) and np.isfinite(lut.table).all()


def test_a_job_is_stopped_and_goes_on(client: Client, photographs: Path) -> None:
    job = start(client, photographs, steps=2000)
    moving = next(one for one in client.submit(id=job["id"], api_name="/watch") if one["done"] >= 2)
    client.predict(id=job["id"], api_name="/cancel")
    stopped = until(client, job["id"], "cancelled")
    assert moving["done"] <= stopped["done"] < 2000
    assert client.predict(id=job["id"], api_name="/resume")["state"] in ("queued", "running")
    further = next(one for one in client.submit(id=job["id"], api_name="/watch") if one["done"] > stopped["done"])
    assert further["state"] == "running"
    client.predict(id=job["id"], api_name="/cancel")
    until(client, job["id"], "cancelled")


def test_a_job_goes_on_when_nobody_looks(url: str, client: Client, photographs: Path) -> None:
    other = Client(url, verbose=False, httpx_kwargs=PATIENT)
    job = start(other, photographs, steps=4)
    watching = other.submit(id=job["id"], api_name="/watch")
    next(iter(watching))
    watching.cancel()
    other.close()
    assert until(client, job["id"], *FINISHED)["state"] == "done"


def test_uploaded_photographs_are_taken(client: Client, photographs: Path) -> None:
    files = [handle_file(str(path)) for path in sorted(photographs.glob("*.jpg"))[:2]]
    job = client.predict(prompt="cool", image_folder=files, steps=1, lut_size=9, views=1, api_name="/optimize")
    assert until(client, job["id"], *FINISHED)["state"] == "done"


def test_jobs_and_presets_are_listed(client: Client, finished: list[dict[str, Any]]) -> None:
    jobs = client.predict(api_name="/jobs")
    assert finished[-1]["id"] in [job["id"] for job in jobs]
    presets = client.predict(task="optimize", api_name="/presets")
    assert presets["teal-and-orange"]["prompt"]


@pytest.mark.parametrize(
    ("endpoint", "values", "sentence"),
    [
        ("/optimize", {"prompt": " ", "image_folder": "."}, "Say a look in words"),
        ("/optimize", {"prompt": "warm", "image_folder": ".", "steps": 0}, "greater than or equal to 1"),
        ("/watch", {"id": "nothing"}, "nothing"),
        ("/cancel", {"id": "../../etc"}, "etc"),
        ("/artifact", {"id": "nothing", "name": "lut"}, "nothing"),
        ("/presets", {"task": "zorblax"}, "There is no task 'zorblax'"),
    ],
)
def test_bad_input_is_answered_in_a_sentence(
    client: Client, endpoint: str, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(**values, api_name=endpoint)


def test_an_artifact_that_is_none_is_refused(client: Client, finished: list[dict[str, Any]]) -> None:
    for name in ("../job.json", "log.txt", "config.json"):
        with pytest.raises(AppError, match="no artifact"):
            client.predict(id=finished[-1]["id"], name=name, api_name="/artifact")


def test_an_invented_upload_is_refused(client: Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    invented = [{"path": str(secret), "orig_name": "secret.jpg"}]
    with pytest.raises(AppError, match="not an uploaded file"):
        client.predict(prompt="warm", image_folder=invented, api_name="/optimize")


def test_from_uploaded_questions_to_the_layout_of_others(client: Client, tmp_path: Path) -> None:
    for _ in write_demo(tmp_path, questions=6, questions_per_image=3, seed=1):
        pass
    table = handle_file(str(tmp_path / "questions.csv"))
    pictures = [handle_file(str(path)) for path in sorted((tmp_path / "images").iterdir())]
    job = client.predict(vqa_dataset=table, images_dir=pictures, max_new_tokens=8, api_name="/extract")
    assert until(client, job["id"], *FINISHED)["state"] == "done"
    with open(client.predict(id=job["id"], name="answers", api_name="/artifact"), newline="") as file:
        assert len(list(csv.DictReader(file))) == 6
    part = client.predict(id=job["id"], name="part_001", api_name="/artifact")
    inspected = client.predict(file=handle_file(part), api_name="/inspect_h5")
    assert "6 questions on 2 images" in until(client, inspected["id"], *FINISHED)["note"]
    exported = client.predict(run=job["id"], api_name="/export_h5")  # what a job wrote is named by its id
    assert until(client, exported["id"], *FINISHED)["artifacts"] == ["part_001"]
    probed = client.predict(run=job["id"], api_name="/probe")
    assert "6 labelled answers" in until(client, probed["id"], *FINISHED)["error"]
