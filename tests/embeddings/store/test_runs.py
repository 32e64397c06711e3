"""Reading a run: whatever its parts, the questions are in order and each vector is its own."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from studio.embeddings.store import manifest
from studio.embeddings.store.runs import open_run
from studio.embeddings.store.writing import Store
from studio.errors import StudioError
from tests.embeddings.store.samples import LAYERS, METADATA, batch, question, vectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven questions, two an image, in parts of 3, 2 and 2: images straddle parts."""
    with Store.open(tmp_path / "run", METADATA) as store:
        for start, stop in ((0, 3), (3, 5), (5, 7)):
            store.commit(*batch(start, stop))
    return tmp_path / "run"


def test_tables_are_as_they_were_extracted(folder: Path) -> None:
    with open_run(folder) as run:
        assert len(run) == 7 and run.notes == () and run.failures == ()
        assert run.metadata["revision"] == "abc123" and run.metadata["format"] == "gemma-studio-embeddings-1"
        found = run.questions
        assert [*found.index] == [*range(7)] and [*found.columns][-1] == "category"
        for number, row in enumerate(found.itertuples()):
            wanted = question(number)
            names = ("question_id", "image_id", "row", "question", "ground_truth_answer", "answer", "first_token")
            names += ("first_token_probability", "answer_tokens", "answer_finished")
            assert [getattr(row, name) for name in names] == [getattr(wanted, name) for name in names]
        assert run.images["image_id"].tolist() == [f"image{n}.jpg" for n in range(4)]
        assert run.images.iloc[2].tolist() == ["image2.jpg", f"{2:064x}", 640, 480]
        names = ("vision_representation", "vision_token_representation", "query_token_representation")
        assert run.layers == dict(zip(names, ((), LAYERS, LAYERS), strict=True)) | {"multimodal_representation": LAYERS}


def test_vectors_are_each_question_s_own_and_images_are_repeated(folder: Path) -> None:
    with open_run(folder) as run:
        for key, length in run.keys.items():
            name, _, layer = key.partition("/layer_")
            found = run.matrix(name, int(layer) if layer else None)
            assert found.shape == (7, length) and found.dtype == np.float32
            for number in range(7):
                wanted = (vectors(number // 2, "image") | vectors(number, "question"))[key]
                assert np.array_equal(found[number], wanted) and np.array_equal(run[f"q{number}"][key], wanted)


def test_a_question_is_a_mapping_of_all_that_is_known(folder: Path) -> None:
    with open_run(folder) as run:
        one = run["q4"]
        assert one["answer"] == "There are 4." and one["category"] == "count" and one["row"] == 6
        assert {"answer", "vision_representation", "query_token_representation/layer_3"} < set(one) and len(one) == 21
        with pytest.raises(KeyError):
            run["nobody"]
        with pytest.raises(KeyError):
            one["query_token_representation/layer_4"]


def test_what_the_run_does_not_hold_is_refused_with_what_it_holds(folder: Path) -> None:
    with open_run(folder) as run:
        with pytest.raises(StudioError, match=r"no query_token_representation/layer_4\..*layer_3"):
            run.matrix("query_token_representation", 4)
        with pytest.raises(StudioError, match="no vision_representation/layer_0"):
            run.matrix("vision_representation", 0)


def test_parts_copied_elsewhere_open_alone_and_together(folder: Path, tmp_path: Path) -> None:
    parts = sorted(folder.glob("*.h5"))
    with open_run(parts[1]) as run:
        assert run.questions["question_id"].tolist() == ["q3", "q4"] and run.metadata["model"] == METADATA["model"]
        assert np.array_equal(run.matrix("query_token_representation", 3)[1], vectors(4, "question")[
            "query_token_representation/layer_3"])  # fmt: skip
    (tmp_path / "copies").mkdir()
    for part in parts[1:]:
        shutil.copy(part, tmp_path / "copies")
    with open_run(tmp_path / "copies") as run:
        assert run.questions["question_id"].tolist() == ["q3", "q4", "q5", "q6"]


@pytest.mark.parametrize("harm", ["cut", "gone", "not HDF5", "a matrix is missing", "a matrix is short"])
def test_a_part_that_cannot_be_read_is_noted_and_the_others_serve(folder: Path, harm: str) -> None:
    part = sorted(folder.glob("*.h5"))[1]
    if harm == "cut":
        part.write_bytes(part.read_bytes()[:5000])
    elif harm == "gone":
        part.unlink()
    elif harm == "not HDF5":
        part.write_text("Nothing to see here.")
    else:
        with h5py.File(part, "r+") as file:
            values = file["multimodal_representation/layer_3"][:]
            del file["multimodal_representation/layer_3"]
            if harm == "a matrix is short":
                file["multimodal_representation/layer_3"] = values[:1]
                file["multimodal_representation/layer_3"].attrs["per"] = "questions"
    with open_run(folder) as run:
        assert run.questions["question_id"].tolist() == ["q0", "q1", "q2", "q5", "q6"]
        assert len(run.notes) == 1 and part.name in run.notes[0]
        assert run.matrix("query_token_representation", 3).shape == (5, 24)
    if harm != "a matrix is missing":  # alone it may still serve for what it has
        with pytest.raises(StudioError, match=part.name):
            open_run(part)


def test_a_question_that_is_there_twice_counts_once(folder: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other", METADATA) as store:
        store.commit(*batch(4, 9))
    (tmp_path / "mixed").mkdir()
    for number, part in enumerate([*sorted(folder.glob("*.h5")), *(tmp_path / "other").glob("*.h5")], 1):
        shutil.copy(part, tmp_path / "mixed" / manifest.part_name("mixed", number))
    with open_run(tmp_path / "mixed") as run:
        assert run.questions["question_id"].tolist() == [f"q{n}" for n in range(9)]
        assert run.notes == ("3 questions are there twice: q4, q5, q6.",)
        found = run.matrix("query_token_representation", 3)
        for number in range(9):
            wanted = vectors(number, "question")["query_token_representation/layer_3"]
            assert np.array_equal(found[number], wanted)
            assert np.array_equal(run[f"q{number}"]["query_token_representation/layer_3"], wanted)


def test_a_run_without_questions_yet_is_empty_and_not_an_error(tmp_path: Path) -> None:
    Store.open(tmp_path, METADATA).close()
    with open_run(tmp_path) as run:
        assert len(run) == 0 and run.layers == {} and [*run.questions.columns][:2] == ["question_id", "image_id"]
        with pytest.raises(StudioError, match=r"no vision_representation.*no vectors"):
            run.matrix("vision_representation")


def test_a_run_is_read_while_it_is_written(tmp_path: Path) -> None:
    with Store.open(tmp_path, METADATA) as store:
        store.commit(*batch(0, 2))
        with open_run(tmp_path) as run:
            store.commit(*batch(2, 4))
            assert len(run) == 2 and run.matrix("vision_representation").shape == (2, 10)
        with open_run(tmp_path) as run:
            assert len(run) == 4
        (tmp_path / "gemma_3_4b_it_embeddings_part_003.h5").write_bytes(b"renamed a moment ago, in no line yet")
        with open_run(tmp_path) as run:
            assert len(run) == 4 and run.notes == ()


def test_extra_columns_differ_between_parts(tmp_path: Path) -> None:
    with Store.open(tmp_path, METADATA) as store:
        images, (first, second) = batch(0, 2)
        store.commit(images, [first])
        other = question(1, extra={"answer_type": "number"}, first_token_probability=math.nan)
        store.commit(images, [other])
    with open_run(tmp_path) as run:
        assert run.questions["category"].tolist() == ["count", ""]
        assert run.questions["answer_type"].tolist() == ["", "number"]
        assert math.isnan(run["q1"]["first_token_probability"]) and second.question_id == "q1"


@pytest.mark.parametrize("what", ["nowhere", "empty", "text.h5"])
def test_what_is_no_run_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(StudioError, match=what):
        open_run(tmp_path / what)


def test_a_manifest_that_is_gone_hides_no_parts(folder: Path) -> None:
    (folder / manifest.NAME).unlink()
    with open_run(folder) as run:
        assert len(run) == 7 and "manifest" in run.notes[0]
