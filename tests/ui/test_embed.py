"""The Extract pane: what is taken in, what is started, and what it draws of a run."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from studio.embeddings.store.writing import Failure, Store
from studio.errors import StudioError
from studio.jobs import Job, State
from studio.tasks import Studio
from studio.ui import embedview, runshelf
from studio.ui.embed import EmbedTab, Memory
from studio.ui.extractpane import ExtractPane
from studio.ui.extractresult import ExtractResult
from tests.embeddings.store.samples import METADATA, batch


@pytest.fixture
def tab(studio: Studio) -> EmbedTab:
    async def build() -> EmbedTab:
        with gr.Blocks(analytics_enabled=False):
            return EmbedTab(studio, gr.BrowserState(""), Memory())

    return asyncio.run(build())


@pytest.fixture
def pane(tab: EmbedTab) -> ExtractPane:
    return tab.extract


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four questions about two pictures, and one about none."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (32, 24), (200, 40 * number, 0)).save(folder / "images" / f"image{number}.jpg")
    with open(folder / "table.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question_id", "image_id", "question", "answer"])
        writer.writerows([[f"q{n}", f"image{n // 2}.jpg", "How many {dogs}?", n] for n in range(4)])
        writer.writerow(["q9", "image9.jpg", "What?", "that"])
    return folder


def submit(pane: ExtractPane, table: str, folder: str, **values: object) -> tuple[Any, str]:
    chosen = {name: getattr(field, "value", None) for name, field in pane.fields.items()} | values
    return pane.submit(table, folder, {}, "visitor", *chosen.values())


def extracted(pane: ExtractPane, data: Path, failures: tuple[Failure, ...] = (), **metadata: object) -> Job:
    """A finished job with a run of four questions, of which the model answered all right."""
    job = pane.studio.jobs.get(str(submit(pane, str(data / "table.csv"), str(data / "images"))[0]))
    folder = Path(job.config["output_dir"])
    with Store.open(folder, {**METADATA, "images_dir": str(data / "images"), **metadata}) as store:
        store.commit(*batch(0, 4), failures)
    (folder / "answers.csv").write_text("question_id\n")
    record = json.loads((job.folder / "job.json").read_text())
    record |= {"state": State.DONE.value, "started": 1.0, "finished": 2.0}
    (job.folder / "job.json").write_text(json.dumps(record))
    return pane.studio.jobs.get(job.id)


def drawn(result: ExtractResult, job: Job | None) -> dict[str, Any]:
    names = "empty example told probe csv parts seed retry files failed chosen answers"
    return dict(zip(names.split(), result.draw(job), strict=True))


def test_a_table_and_its_folder_are_looked_at_before_the_start(pane: ExtractPane, data: Path) -> None:
    given, words = pane.take_paths(str(data / "table.csv"), str(data / "images"), {})
    assert "4 questions about 2 pictures" in words and "1 row cannot be used" in words and "row 6" in words
    assert pane.take_paths(" ", "", given) == [gr.skip(), gr.skip()]
    assert "its pictures are missing" in pane.take_paths(str(data / "table.csv"), "", {})[1]
    assert "the table of questions is missing" in pane.take_paths("", str(data / "images"), {})[1]
    assert "cannot be read" in pane.take_paths(str(data / "none.csv"), str(data / "images"), {})[1]


def test_start_queues_a_run_in_a_folder_of_its_own(pane: ExtractPane, data: Path, studio: Studio) -> None:
    both = str(data / "table.csv"), str(data / "images")
    jobs = [studio.jobs.get(str(submit(pane, *both, max_new_tokens=7)[0])) for _ in range(2)]
    assert jobs[0].title == "Embeddings of table" and jobs[0].config["max_new_tokens"] == 7
    folders = {job.config["output_dir"] for job in jobs}
    assert len(folders) == 2 and all(Path(each).is_relative_to(studio.settings.home) for each in folders)


@pytest.mark.parametrize(
    ("table", "folder", "values", "words"),
    [
        ("", "", {}, "no table of questions yet"),
        ("table.csv", "", {}, "no pictures yet"),
        ("table.csv", "images", {"layers": "first"}, "whole numbers"),
        ("table.csv", "images", {"max_new_tokens": -1}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_queued(
    pane: ExtractPane, data: Path, table: str, folder: str, values: dict[str, object], words: str
) -> None:
    paths = [str(data / each) if each else "" for each in (table, folder)]
    _, message = submit(pane, *paths, **values)
    assert words in message and pane.studio.jobs.list() == []


def test_a_visitor_from_elsewhere_names_no_path(pane: ExtractPane, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    paths = str(data / "table.csv"), str(data / "images")
    assert "cannot be named" in submit(pane, *paths)[1]
    given = {"table": paths[0], "pictures": paths[1]}
    assert "cannot be named" in pane.survey(given)
    values = [getattr(field, "value", None) for field in pane.fields.values()]
    assert "cannot be named" in pane.submit("", "", given, "visitor", *values)[1]


def test_the_example_is_drawn_once_and_chooses_the_model_that_ships(
    pane: ExtractPane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.ui.extractpane.EXAMPLE", {"questions": 6, "questions_per_image": 3, "seed": 7})
    given, words, *_, model = pane.take_example()
    assert "6 questions about 2 pictures" in words and model == "embedded"
    written = Path(given["table"]).stat().st_mtime_ns
    assert pane.take_example()[0] == given and Path(given["table"]).stat().st_mtime_ns == written
    job_id, message = pane.submit("", "", given, "", *(getattr(f, "value", None) for f in pane.fields.values()))
    assert message == "" and pane.studio.jobs.get(job_id).config["vqa_dataset"] == given["table"]


def test_an_empty_pane_shows_where_vectors_are_read(tab: EmbedTab, pane: ExtractPane) -> None:
    now = drawn(pane.result, None)
    assert now["empty"].visible and now["example"].visible and now["answers"] == ""
    figure = embedview.token_layout()
    assert all(name in figure for name in ("vision token", "query token", "multimodal")) and "{" not in figure


def test_a_finished_run_is_told_and_drawn(pane: ExtractPane, data: Path) -> None:
    failed = (Failure(6, "q9", "image9.jpg", "There is no picture <image9>."),)
    now = drawn(pane.result, extracted(pane, data, failed))
    assert "4 questions about 2 pictures, each with 4 kinds of vectors at layers 0, 3, 5." in now["told"]
    assert "100% of them right" in now["told"]
    assert now["answers"].count("data:image/jpeg") == 4 and now["answers"].count('class="verdict right"') == 4
    assert "row could not be used" in now["failed"] and "&lt;image9&gt;" in now["failed"]
    assert now["csv"].visible and now["retry"].visible and not now["empty"].visible
    assert [choice[1] for choice in now["chosen"].choices] == ["", "wrong", "right", "unsure"]


def test_answers_of_one_verdict(pane: ExtractPane, data: Path) -> None:
    job = extracted(pane, data)
    assert pane.result.choose("right", job.id).count("<tr>") == 5
    assert "None." in pane.result.choose("wrong", job.id)


def test_pictures_that_are_gone_are_left_out(pane: ExtractPane, data: Path) -> None:
    now = drawn(pane.result, extracted(pane, data, images_dir="/nowhere"))
    assert "<img" not in now["answers"] and "How many cats?" in now["answers"]


def test_a_run_under_way_offers_no_files_yet(pane: ExtractPane, data: Path) -> None:
    job = dataclasses.replace(extracted(pane, data), state=State.RUNNING)
    now = drawn(pane.result, job)
    assert now["answers"] and not any(now[name].visible for name in ("csv", "parts", "retry", "probe"))


def test_the_failed_rows_are_tried_again_in_the_same_folder(pane: ExtractPane, data: Path) -> None:
    job = extracted(pane, data)
    again = pane.studio.jobs.get(pane.retry(job.id, "")[0])
    assert again.config == {**job.config, "retry_failed": True}


def test_a_reload_fills_the_form_from_the_run(pane: ExtractPane, data: Path) -> None:
    given = {"table": str(data / "table.csv"), "pictures": str(data / "images")}
    job_id, _ = submit(pane, given["table"], given["pictures"], batch_size=3)
    surveyed, *values = pane.restore(str(job_id), given)
    assert "4 questions" in surveyed and dict(zip(pane.fields, values, strict=True))["batch_size"] == 3
    assert pane.restore("", None)[0] == ""


def test_runs_are_found_again_and_a_stranger_s_stays_theirs(
    pane: ExtractPane, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = extracted(pane, data)
    (one,) = runshelf.offered(pane.studio, "")
    assert one.key == f"job/{job.id}" and runshelf.find(pane.studio, "", one.key).path == one.path
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert runshelf.offered(pane.studio, "stranger") == []
    for key in (one.key, "file/../../x", "elsewhere"):
        with pytest.raises(StudioError, match=r"no job|no longer there"):
            runshelf.find(pane.studio, "stranger", key)
