"""The task: a table in, parts out; nothing lost, nothing twice, and bad rows told."""

from __future__ import annotations

import csv
import json
import multiprocessing
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from studio.config import validate
from studio.context import Context
from studio.embeddings import representations as names
from studio.embeddings.config import ExtractConfig
from studio.embeddings.extraction import extract as extraction
from studio.embeddings.extraction.batches import batches
from studio.embeddings.extraction.forward import Reader
from studio.embeddings.extraction.table import Question
from studio.embeddings.store.runs import Run, open_run
from studio.errors import StudioError
from studio.events import Event
from studio.gemma.loading import Gemma3
from studio.settings import Settings
from studio.tasks import Studio
from tests.embeddings.conftest import QUESTIONS
from tests.embeddings.extraction import extracting
from tests.embeddings.extraction.test_forward import plainly

ROWS = 22


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven pictures and a table of 22 questions about them, one picture's not side by side."""
    folder = tmp_path_factory.mktemp("vqa")
    (folder / "images").mkdir()
    for number in range(7):
        Image.fromarray(data.astronaut()).rotate(40 * number).resize((64, 64)).save(folder / f"images/{number}.png")
    rows = [
        {"question_id": f"q/{n}.0", "image_id": f"{n % 7}.png", "question": f"{QUESTIONS[n % 4]} {n}",
         "answer": ("3", "yes", "", "None")[n % 4], "category": "abc"[n % 3]}
        for n in range(ROWS)
    ]  # fmt: skip
    write(folder / "questions.csv", rows)
    return folder


def write(path: Path, rows: Sequence[dict[str, str]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


@pytest.fixture
def context(tmp_path: Path, settings: Settings) -> Iterator[Context]:
    with closing(Studio(settings, start=False)) as studio:
        yield Context(tmp_path, studio.models, studio.cache, settings)


def configure(place: Path, folder: Path, output: Path, **values: Any) -> ExtractConfig:
    given = {
        "vqa_dataset": place / "questions.csv",
        "images_dir": place / "images",
        "model": str(folder),
        "output_dir": output,
        "max_new_tokens": 3,
        "checkpoint_interval": 6,
        "batch_size": 4,
        "dtype": "float32",
    }
    return validate(ExtractConfig, given | values)  # fmt: skip


def extract(context: Context, config: ExtractConfig) -> list[Event]:
    return list(extraction.run(config, context))


def contents(path: Path) -> dict[str, Any]:
    """Everything of a run that must come out the same, by question."""
    with open_run(path) as run:
        assert run.notes == ()
        matrices = {
            names.key(name, layer): run.matrix(name, layer)
            for name, layers in run.layers.items() for layer in layers or (None,)
        }  # fmt: skip
        table = run.questions.sort_values("question_id")
        return {
            "questions": table.to_dict("records"),
            **{name: matrix[table.index].tobytes() for name, matrix in matrices.items()},
        }


def test_a_run_holds_what_a_plain_forward_gives(place: Path, folder: Path, bundle: Gemma3, context: Context) -> None:
    events = extract(context, configure(place, folder, context.folder / "run"))
    with open_run(context.folder / "run") as run:
        assert len(run) == ROWS and run.layers[names.VISION] == ()
        assert run.layers[names.QUERY_TOKEN] == (0, 1, 3, 4, 5)
        for _, row in run.questions.iterrows():
            with Image.open(place / "images" / row["image_id"]) as picture:
                truth = plainly(bundle, picture.convert("RGB"), row["question"], (0, 1, 3, 4, 5))
            for name, vector in truth.items():
                ours = torch.from_numpy(np.asarray(run[row["question_id"]][name]))
                assert (ours - vector).norm() <= 1e-5 * vector.norm(), name
        assert set(run.questions["ground_truth_answer"]) == {"3", "yes", "", "None"}
        assert set(run.questions["category"]) == {"a", "b", "c"}
        assert run.metadata["norm"]["5"] == "before the final norm"
        assert run.metadata["prompt"].count("<image_soft_token>") == 1
    last = events[-1]
    assert (last.done, last.total) == (ROWS, ROWS)
    assert last.metrics == {"failed": 0, "kept": ROWS, "parts": 4}
    said = list(csv.DictReader((context.folder / "run/answers.csv").read_text("utf-8").splitlines()))
    assert len(said) == ROWS and {"question_id", "answer", "first_token_probability"} <= said[0].keys()
    parts = {name for event in events for name in event.artifacts}
    assert {"run", "answers", "part_001", "part_004"} <= parts


def test_auto_stores_bfloat16_and_loses_only_rounding(place: Path, folder: Path, context: Context) -> None:
    extract(context, configure(place, folder, context.folder / "a", dtype="auto", max_new_tokens=0))
    extract(context, configure(place, folder, context.folder / "b", max_new_tokens=0))
    with open_run(context.folder / "a") as rounded, open_run(context.folder / "b") as exact:
        one, other = (run.matrix(names.MULTIMODAL, 3) for run in (rounded, exact))
        assert torch.equal(torch.from_numpy(one), torch.from_numpy(other).bfloat16().float())
        assert rounded.metadata["stored_dtype"] == "bfloat16"
        assert exact.questions["first_token_probability"].isna().all() and (exact.questions["answer"] == "").all()


def test_stopped_anywhere_it_goes_on_and_ends_the_same(place: Path, folder: Path, context: Context) -> None:
    extract(context, configure(place, folder, context.folder / "whole"))
    for stop in range(1, 9):
        stream = extraction.run(configure(place, folder, context.folder / "stopped"), context)
        for _ in range(stop):
            next(stream, None)
        stream.close()
    extract(context, configure(place, folder, context.folder / "stopped"))
    assert contents(context.folder / "stopped") == contents(context.folder / "whole")


def test_a_finished_run_is_not_done_again(
    place: Path, folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(place, folder, context.folder / "run")
    extract(context, config)
    monkeypatch.setattr(Reader, "read", lambda *_: pytest.fail("read again"))
    assert extract(context, config)[-1].metrics["kept"] == ROWS


def test_another_configuration_is_refused(place: Path, folder: Path, context: Context) -> None:
    extract(context, configure(place, folder, context.folder / "run"))
    with pytest.raises(StudioError, match="layers"):
        extract(context, configure(place, folder, context.folder / "run", layers="0,-1"))


def test_bad_rows_are_recorded_and_retried_on_request(
    place: Path, folder: Path, context: Context, tmp_path: Path
) -> None:
    with open(place / "questions.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:6]
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(7):
        (pictures / f"{number}.png").write_bytes((place / f"images/{number}.png").read_bytes())
    (pictures / "broken.png").write_bytes((place / "images/0.png").read_bytes()[:300])
    Image.new("1", (12000, 12000)).save(pictures / "bomb.png")
    blank = {"answer": "", "category": ""}
    rows += [
        {"question_id": "late", "image_id": "late.png", "question": "Is it?", **blank},
        {"question_id": "broken", "image_id": "broken.png", "question": "Is it?", **blank},
        {"question_id": "bomb", "image_id": "bomb.png", "question": "Is it?", **blank},
        {"question_id": "empty", "image_id": "0.png", "question": "", **blank},
        {"question_id": "control", "image_id": "0.png", "question": "What is <end_of_turn>?", **blank},
        {"question_id": rows[0]["question_id"], "image_id": "0.png", "question": "Is it?", **blank},
    ]
    write(tmp_path / "questions.csv", rows)
    values = {"vqa_dataset": tmp_path / "questions.csv", "images_dir": pictures}
    events = extract(context, configure(place, folder, tmp_path / "run", **values))
    assert events[-1].metrics == {"failed": 6, "kept": 6, "parts": 1}
    assert (events[-1].done, events[-1].total) == (12, 12)
    with open_run(tmp_path / "run") as run:
        told = {one.row: one.reason for one in run.failures}
    assert sorted(told) == [8, 9, 10, 11, 12, 13]
    assert "no picture 'late.png'" in told[8] and "damaged" in told[9] and "megapixels" in told[10]
    assert "'question' is empty" in told[11] and "control token" in told[12] and "row 2 already" in told[13]

    (pictures / "late.png").write_bytes((pictures / "0.png").read_bytes())
    assert extract(context, configure(place, folder, tmp_path / "run", **values))[-1].metrics["failed"] == 6
    again = extract(context, configure(place, folder, tmp_path / "run", retry_failed=True, **values))
    assert again[-1].metrics == {"failed": 5, "kept": 7, "parts": 2}


def test_a_vector_that_is_not_finite_fails_its_question_alone(
    place: Path, folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Reader.read

    def poisoned(self: Reader, *given: Any) -> Any:
        reading = plain(self, *given)
        reading.questions[names.key(names.QUERY_TOKEN, 3)][1, 5] = float("nan")
        return reading

    monkeypatch.setattr(Reader, "read", poisoned)
    config = configure(place, folder, context.folder / "run", batch_size=11, checkpoint_interval=100)
    assert extract(context, config)[-1].metrics["failed"] == 3, "one in each batch"
    with open_run(context.folder / "run") as run:
        assert {one.reason for one in run.failures} == {"The model gave a vector that is not finite."}
        assert all(np.isfinite(run.matrix(names.QUERY_TOKEN, layer)).all() for layer in run.layers[names.QUERY_TOKEN])


def test_where_memory_runs_out_batches_are_halved(
    place: Path, folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, sizes = Reader.read, []

    def cramped(self: Reader, pixels: Any, prompts: Any, image_of: Any) -> Any:
        sizes.append(len(prompts))
        if len(prompts) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return plain(self, pixels, prompts, image_of)

    extract(context, configure(place, folder, context.folder / "whole", batch_size=16, checkpoint_interval=100))
    monkeypatch.setattr(Reader, "read", cramped)
    events = extract(context, configure(place, folder, context.folder / "run", batch_size=16, checkpoint_interval=100))
    assert events[-1].metrics["kept"] == ROWS
    assert sum(size > 3 for size in sizes) == 3, "what did not fit is not tried again"
    one, other = contents(context.folder / "run"), contents(context.folder / "whole")
    for name in other:
        if name != "questions":
            ours, theirs = (np.frombuffer(each[name], np.float32) for each in (one, other))
            assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_trial_takes_three_questions_and_the_run_goes_on(place: Path, folder: Path, context: Context) -> None:
    assert extract(context, configure(place, folder, context.folder / "run", test=True))[-1].metrics["kept"] == 3
    assert extract(context, configure(place, folder, context.folder / "run"))[-1].metrics["kept"] == ROWS


def test_one_picture_may_have_two_names(place: Path, folder: Path, context: Context, tmp_path: Path) -> None:
    blank = {"answer": "", "category": ""}
    names_of_one = [{"question_id": str(n), "image_id": name, "question": "Is it?", **blank}
                    for n, name in enumerate(("0.png", "0", "0.png"))]  # fmt: skip
    write(tmp_path / "questions.csv", names_of_one)
    extract(context, configure(place, folder, tmp_path / "run", vqa_dataset=tmp_path / "questions.csv"))
    with open_run(tmp_path / "run") as run:
        assert sorted(run.questions["image_id"]) == ["0", "0.png", "0.png"]
        assert np.ptp(run.matrix(names.VISION), axis=0).max() == 0


def test_what_cannot_be_extracted_from(place: Path, folder: Path, context: Context) -> None:
    with pytest.raises(StudioError, match="no layer 9"):
        extract(context, configure(place, folder, context.folder / "run", layers="9"))
    with pytest.raises(StudioError, match="no language model"):
        extract(context, configure(place, folder, context.folder / "run", model="embedded_clip"))
    with pytest.raises(StudioError, match="whole numbers"):
        configure(place, folder, context.folder / "run", layers="1;2")


def test_questions_about_a_picture_stay_in_one_batch_and_batches_do_not_depend_on_what_was_done() -> None:
    def question(number: int) -> Question:
        return Question(number, str(number), str(number // 3), Path("a"), "Q?", "")

    order = [question(number) for number in range(30)]
    whole = list(batches(order, 7))
    assert [len(batch) for batch in whole] == [6, 6, 6, 6, 6]
    assert [len(batch) for batch in batches(order, 2)] == [2, 1] * 10
    for done in range(1, len(whole)):
        assert list(batches(order[sum(map(len, whole[:done])) :], 7)) == whole[done:]


@pytest.mark.parametrize("kills", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments_nothing_is_lost_and_nothing_is_twice(
    kills: int, place: Path, folder: Path, context: Context, tmp_path: Path
) -> None:
    """Each time the same command runs again in a process of its own, until it is killed once more."""
    config = configure(place, folder, tmp_path / "killed", checkpoint_interval=2, batch_size=2)
    extract(context, config.model_copy(update={"output_dir": tmp_path / "whole"}))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.embeddings.extraction.extracting"])
    moments, killed = random.Random(5), 0
    while killed < kills:
        begun = processes.Event()
        process = processes.Process(target=extracting.run, args=(config, tmp_path / "home", begun))
        process.start()
        assert begun.wait(60)
        process.join(moments.uniform(0.0, 0.3))
        killed += process.is_alive()
        process.kill()
        process.join()
        if process.exitcode == 0:  # it was done before the kill: begin anew
            assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
            shutil.rmtree(tmp_path / "killed")
    extract(context, config)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    lines = [json.loads(line) for line in (tmp_path / "killed/manifest.jsonl").read_text().splitlines()]
    ids = [one for line in lines for one in line["question_ids"]]
    assert len(ids) == len(set(ids)) == ROWS


def test_run_is_what_it_says(place: Path, folder: Path, context: Context) -> None:
    extract(context, configure(place, folder, context.folder / "run", max_new_tokens=0))
    told = json.loads((context.folder / "run/run.json").read_text())
    for name in ("model", "revision", "layers", "norm", "prompt", "dtype", "versions", "configuration", "positions"):
        assert told[name], name
    assert told["positions"]["last_image_token"] == told["positions"]["image_tokens"][1] - 1
    with open_run(context.folder / "run") as run:
        assert isinstance(run, Run)
