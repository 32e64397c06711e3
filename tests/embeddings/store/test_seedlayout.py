"""The seed's layout: what is written is what its readers find, and what its code wrote, broken or not, is read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from studio.embeddings.store.runs import open_run
from studio.embeddings.store.seedlayout import group_name
from studio.embeddings.store.writing import Store
from studio.errors import StudioError
from studio.settings import Settings
from studio.tasks import Studio
from tests.embeddings.store import seedfiles
from tests.embeddings.store.samples import METADATA, batch, image, question, vectors
from tests.embeddings.store.seedfiles import probe_loader, sample


@pytest.fixture
def studio(settings: Settings) -> Any:
    studio = Studio(settings, start=False)
    yield studio
    studio.close()


def do(studio: Studio, task: str, folder: Path, **values: Any) -> list[Any]:
    folder.mkdir(exist_ok=True)
    return [*studio.run(task, values, folder)]


def export(studio: Studio, source: Path, target: Path, **values: Any) -> list[Any]:
    return do(studio, "export-h5", target.parent, run=source, output_path=target, **values)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A run of nine questions, two an image, with ids and texts that are not easy."""
    with Store.open(tmp_path / "run", METADATA) as store:
        images, questions = batch(0, 6)
        store.commit(images, questions)
        strange = [("a/b", "é"), ("", "nothing"), (".", "")]
        asked = [question(n, question_id=name, answer=text) for n, (name, text) in enumerate(strange, 6)]
        asked[0] = question(6, question_id="a/b", answer="é", first_token_probability=math.nan)
        store.commit([image(3), image(4)], asked)
    return tmp_path / "run"


# Writing.


def test_the_seed_s_own_loader_reads_every_vector_and_text_of_an_export(studio: Studio, source: Path) -> None:
    target = source.parent / "seed"
    events = export(studio, source, target, checkpoint_interval=5)
    names = ["gemma_3_4b_it_embeddings_part_001.h5", "gemma_3_4b_it_embeddings_part_002.h5"]
    assert sorted(path.name for path in target.iterdir()) == names
    assert events[-1].artifacts == {f"part_00{n + 1}": str(target / name) for n, name in enumerate(names)}
    assert [event.done for event in events] == [5, 9] and events[-1].total == 9
    found = probe_loader(target / names[0]) | probe_loader(target / names[1])
    ids = ["q0", "q1", "q2", "q3", "q4", "q5", "a%2Fb", "%00", "%2E"]
    assert sorted(found) == sorted(ids)
    for number, name in enumerate(ids):
        wanted = vectors(number // 2, "image") | vectors(number, "question")
        wanted["vision_only_representation"] = wanted.pop("vision_representation")
        texts = {"image_id", "question", "ground_truth_answer", "answer"}
        assert found[name].keys() == wanted.keys() | texts
        assert all(np.array_equal(found[name][key], wanted[key]) for key in wanted)
        assert found[name]["question"] == question(number).question
    assert found["a%2Fb"]["answer"] == "é" and found["%2E"]["answer"] == ""


def test_an_export_has_the_seed_s_attributes_and_links_what_is_the_same(studio: Studio, source: Path) -> None:
    export(studio, source, source.parent / "seed")
    with h5py.File(source.parent / "seed" / "gemma_3_4b_it_embeddings_part_001.h5") as file:
        said = dict(file.attrs)
        assert said["model_name"] == "google/gemma-3-4b-it" and said["model_type"] == "gemma-3-4b-multimodal"
        assert (said["device"], said["dtype"], said["num_samples"]) == ("cpu", "bfloat16", 9)
        assert said["created_at"] == METADATA["created_at"] and said["layers"].tolist() == [0, 3, 5]
        assert json.loads(said["metadata"])["revision"] == "abc123"
        assert file["a%2Fb"].attrs["question_id"] == "a/b"
        one, two = file["q0"], file["q1"]
        assert one["vision_representation"] == one["vision_only_representation"] == two["vision_representation"]
        key = "vision_token_representation/layer_3"
        assert one[key] == two[key] != file["q2"][key]  # the same object of the file
        assert one[key].dtype == np.float32 and one[key].id.get_type().get_size() == 2


def test_what_bfloat16_cannot_hold_is_exported_as_float32(studio: Studio, tmp_path: Path) -> None:
    third = np.full(5, 1 / 3, np.float32)
    with Store.open(tmp_path / "run", METADATA | {"stored_dtype": "float32"}) as store:
        store.commit([image(0, vectors={})], [question(0, vectors={"query_token_representation/layer_0": third})])
    export(studio, tmp_path / "run", tmp_path / "seed")
    with h5py.File(tmp_path / "seed" / "gemma_3_4b_it_embeddings_part_001.h5") as file:
        assert np.array_equal(file["q0/query_token_representation/layer_0"][:], third)


@pytest.mark.parametrize("name", ["", ".", "%00", "%2E", "a/b", "a%2Fb", "a%252Fb", "50%", "x.jpg", "a/./b", "é"])
def test_a_group_name_is_one_hdf5_takes_and_no_other_id_has(name: str, tmp_path: Path) -> None:
    ids = ["", ".", "%00", "%2E", "a/b", "a%2Fb", "a%252Fb", "50%", "x.jpg", "a/./b", "é"]
    assert [group_name(each) for each in ids].count(group_name(name)) == 1
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_group(group_name(name))
        assert [*file] == [group_name(name)]
    if name in ("50%", "x.jpg", "é"):
        assert group_name(name) == name  # so that code which looks it up by id finds it


@pytest.mark.parametrize("place", ["run", "others"])
def test_an_export_writes_over_nothing_of_another_kind(studio: Studio, source: Path, place: str) -> None:
    (source.parent / "others").mkdir()
    seedfiles.write(source.parent / "others" / "gemma3_12b_embeddings_part_001.h5", {"a": sample(1)})
    before = {path: path.read_bytes() for path in source.parent.rglob("*.h5")}
    with pytest.raises(StudioError, match="--output-path"):
        export(studio, source, source.parent / place)
    assert {path: path.read_bytes() for path in source.parent.rglob("*.h5")} == before


def test_an_export_stops_within_a_step_and_leaves_no_half_a_file(studio: Studio, tmp_path: Path) -> None:
    small = {"query_token_representation/layer_0": np.ones(2, np.float32)}
    asked = [question(n, image_id="image0.jpg", vectors=small) for n in range(250)]
    with Store.open(tmp_path / "run", METADATA) as store:
        store.commit([image(0, vectors={})], asked)
    (tmp_path / "job").mkdir()
    stream = studio.run("export-h5", {"run": tmp_path / "run", "output_path": tmp_path / "seed"}, tmp_path / "job")
    assert [next(stream).done, next(stream).done] == [100, 200]
    stream.close()  # type: ignore[attr-defined]
    assert not [*(tmp_path / "seed").rglob("*")]
    export(studio, tmp_path / "run", tmp_path / "seed")
    with open_run(tmp_path / "seed") as run:
        assert len(run) == 250


# Reading.


def test_a_file_of_the_seed_s_code_is_a_run(tmp_path: Path) -> None:
    samples = {str(n): sample(n) for n in range(4)}
    path = seedfiles.write(tmp_path / "gemma3_12b_embeddings_part_001.h5", samples)
    with open_run(path) as run:
        assert run.notes == () and run.questions["question_id"].tolist() == ["0", "1", "2", "3"]
        assert run.metadata["model"] == "google/gemma-3-12b-it" and run.metadata["layers"] == [0, 12, 47]
        assert run.layers == {
            "vision_representation": (),
            "vision_token_representation": (0, 12, 47),
            "query_token_representation": (0, 12, 47),
        }
        assert run.images["image_id"].tolist() == ["image0.jpg", "image1.jpg"]
        for number in range(4):
            wanted = sample(number)
            assert np.array_equal(run.matrix("vision_representation")[number], wanted["vision_only_representation"])
            for layer in (0, 12, 47):
                found = run.matrix("vision_token_representation", layer)[number]
                assert np.array_equal(found, wanted["vision_token_representation"][f"layer_{layer}"])
            assert run[str(number)]["answer"] == wanted["answer"]
            assert math.isnan(run[str(number)]["first_token_probability"])


def test_names_of_the_readme_are_read_too(tmp_path: Path) -> None:
    found = sample(1)
    found["vision_representation"] = found.pop("vision_only_representation")
    found["multimodal_representation"] = {"layer_0": np.ones(8, np.float32)}
    with open_run(seedfiles.write(tmp_path / "x.h5", {"a": found})) as run:
        assert np.array_equal(run["a"]["vision_representation"], found["vision_representation"])
        assert run.layers["multimodal_representation"] == (0,)


def test_broken_questions_are_named_with_the_reason_and_the_others_serve(tmp_path: Path) -> None:
    nowhere = sample(5)
    del nowhere["vision_only_representation"], nowhere["image_id"]
    blind, short = sample(6), sample(7)
    del blind["vision_only_representation"]
    short["query_token_representation"] = {"layer_0": np.ones(3, np.float32)}
    samples = {"1": sample(1, answer=None), "2": sample(2), "3": sample(3), "a": nowhere, "b": blind, "c": short}
    samples["d"] = sample(8, vision_only_representation=np.ones((2, 2), np.float32))
    with open_run(seedfiles.write(tmp_path / "x.h5", samples, num_samples=9)) as run:
        assert run.questions["question_id"].tolist() == ["1", "2", "3"]
        assert run["1"]["answer"] == ""
        said, counted = run.notes
        assert "4 passed over" in said and "'a': it names no image" in said
        assert "'b': vision_representation is missing" in said and "'c': query_token" in said and "'d': vision" in said
        assert "says that it holds 9 questions, and holds 7" in counted


def test_ids_with_slashes_are_put_together_again(tmp_path: Path) -> None:
    samples = {"a": sample(2), "a/b": sample(1), "a/b/c": sample(3), "x/y/z": sample(4), "x/query/1": sample(5)}
    with open_run(seedfiles.write(tmp_path / "x.h5", samples)) as run:
        assert sorted(run.questions["question_id"]) == sorted(samples)
        for name, wanted in samples.items():
            assert run[name]["answer"] == wanted["answer"]
            layer = wanted["query_token_representation"]["layer_12"]
            assert np.array_equal(run[name]["query_token_representation/layer_12"], layer)


def test_groups_that_hold_themselves_come_to_an_end(tmp_path: Path) -> None:
    path = seedfiles.write(tmp_path / "x.h5", {"a": sample(1), "b/c": sample(2)})
    with h5py.File(path, "r+") as file:
        file["b/b"] = file["b"]
        file["b/root"] = file["/"]
        file["a/again"] = file["a"]
    with open_run(path) as run:
        assert sorted(run.questions["answer"]) == ["There are 1.", "There are 2."]


def test_links_that_lead_out_of_a_file_are_not_followed(tmp_path: Path) -> None:
    seedfiles.write(tmp_path / "other.h5", {"secret": sample(9)})
    path = seedfiles.write(tmp_path / "x.h5", {"a": sample(1), "b": sample(2), "c": sample(3)})
    (tmp_path / "raw").write_bytes(bytes(32))
    with h5py.File(path, "r+") as file:
        file["outside"] = h5py.ExternalLink("other.h5", "/secret")
        file["soft"] = h5py.SoftLink("/a")
        del file["b/vision_only_representation"]
        file["b/vision_only_representation"] = h5py.ExternalLink("other.h5", "/secret/vision_only_representation")
        del file["c/query_token_representation/layer_0"]
        file["c/query_token_representation"].create_dataset(
            "layer_0", (8,), np.float32, external=[(str(tmp_path / "raw"), 0, 32)]
        )
        file.copy("a", "d")
    with open_run(path) as run:
        assert run.questions["question_id"].tolist() == ["a", "d"]
        assert (
            "'c': query_token_representation/layer_0 cannot be read: its values are kept in another file"
            in run.notes[0]
        )


def test_a_folder_with_a_truncated_file_is_read_without_it(tmp_path: Path) -> None:
    for number in range(3):
        samples = {str(n): sample(n) for n in range(number * 3, number * 3 + 4)}  # one is there twice
        seedfiles.write(tmp_path / f"gemma3_12b_embeddings_part_00{number + 1}.h5", samples)
    second = tmp_path / "gemma3_12b_embeddings_part_002.h5"
    second.write_bytes(second.read_bytes()[:3000])
    with open_run(tmp_path) as run:
        assert run.questions["question_id"].tolist() == ["0", "1", "2", "3", "6", "7", "8", "9"]
        assert len(run.notes) == 1 and "part_002.h5' cannot be opened: it is truncated" in run.notes[0]


# Importing.


def test_an_export_taken_in_again_is_the_run_it_came_from(studio: Studio, source: Path) -> None:
    export(studio, source, source.parent / "seed", checkpoint_interval=5)
    do(studio, "import-h5", source.parent / "job", files=[source.parent / "seed"], output_dir=source.parent / "back")
    with open_run(source) as one, open_run(source.parent / "back") as two:
        assert two.notes == () and one.layers == two.layers
        assert one.questions.equals(two.questions) and one.images.equals(two.images)
        assert all(np.array_equal(one.rows(key), two.rows(key)) for key in one.keys)
        assert two.metadata["revision"] == "abc123" and two.metadata["format"] == one.metadata["format"]
    parts = [sum(each.stat().st_size for each in (source.parent / name).glob("*.h5")) for name in ("run", "back")]
    assert parts[1] < 1.5 * parts[0]  # still bfloat16, still once an image


def test_broken_files_are_taken_in_as_far_as_they_can_be_read(studio: Studio, tmp_path: Path) -> None:
    spoilt = sample(2)
    spoilt["query_token_representation"]["layer_0"][3] = np.nan
    first = seedfiles.write(tmp_path / "a_1.h5", {"0": sample(0), "1": sample(1), "nan": spoilt, "x/y": sample(3)})
    second = seedfiles.write(tmp_path / "a_2.h5", {"1": sample(1), "4": sample(4)})
    third = seedfiles.write(tmp_path / "a_3.h5", {"5": sample(5)}, model_name="google/gemma-3-4b-it")
    torn = tmp_path / "a_4.h5"
    torn.write_bytes(second.read_bytes()[:-200])
    files, target = [first, second, third, torn], tmp_path / "run"
    *steps, last = do(studio, "import-h5", tmp_path / "job", files=files, output_dir=target)
    assert last.metrics == {"questions": 4, "passed_over": 1, "twice": 1, "unreadable": 2}
    lines = json.loads((tmp_path / "job" / "report.json").read_text())["lines"]
    assert (
        "4 questions" not in lines[0]
        and "'nan': query_token_representation/layer_0 holds values that are not" in lines[0]
    )
    assert "1 that another file holds too" in lines[1] and "its model" in lines[2] and "truncated" in lines[3]
    assert all(event.done < 4 for event in steps) and last.done == last.total == 4
    with open_run(target) as run:
        assert run.questions["question_id"].tolist() == ["0", "1", "x/y", "4"]
        wanted = sample(1)["vision_token_representation"]["layer_12"]
        assert np.array_equal(run["1"]["vision_token_representation/layer_12"], wanted)  # not its image's
    again = do(studio, "import-h5", tmp_path / "job", files=files, output_dir=target)[-1]
    assert again.metrics["questions"] == again.metrics["twice"] == 0


def test_a_vector_that_is_damaged_costs_only_its_own_question(studio: Studio, tmp_path: Path) -> None:
    path = seedfiles.write(tmp_path / "x.h5", {str(n): sample(n) for n in range(8)})
    with h5py.File(path) as file:
        found = file["5/query_token_representation/layer_12"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[found.byte_offset : found.byte_offset + found.size] = bytes(found.size)  # no longer gzip
    path.write_bytes(data)
    last = do(studio, "import-h5", tmp_path / "job", files=[path], output_dir=tmp_path / "run")[-1]
    assert last.metrics["questions"] == 7 and last.metrics["passed_over"] == 1
    with open_run(tmp_path / "run") as run:
        assert "5" not in set(run.questions["question_id"])


def test_when_nothing_can_be_read_it_says_why(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_text("text")
    with pytest.raises(StudioError, match=r"x\.h5' cannot be opened: it is no HDF5 file"):
        do(studio, "import-h5", tmp_path / "job", files=[tmp_path / "x.h5"], output_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()
