"""A run survives whatever happens while it is written, and holds what it was given."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas
import pytest
import torch

from studio.embeddings.store import manifest, vectors
from studio.embeddings.store.runs import open_run
from studio.embeddings.store.writing import Failure, QuestionRecord, Store
from studio.errors import StudioError
from tests.embeddings.store import killed
from tests.embeddings.store.samples import METADATA, batch, image, question

ROOT = Path(__file__).parents[3]


def filled(folder: Path, *stops: int) -> list[str]:
    """Make a run with a part up to each stop, and return the parts' names."""
    with Store.open(folder, METADATA) as store:
        return [store.commit(*batch(start, stop)) for start, stop in zip((0, *stops), stops, strict=False)]


# What is stored.


def test_rounding_to_bfloat16_is_torch_s_and_every_reader_sees_the_same_numbers(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(scale=100, size=(50, 24)).astype(np.float32)
    values[0, :6] = (0.0, -0.0, 1e-45, 1.00390625, 1.01171875, -65504.0)  # subnormal, ties either way
    assert np.array_equal(vectors.widened(vectors.rounded(values)), torch.from_numpy(values).bfloat16().float())
    _, questions = batch(0, 50)
    key = "query_token_representation/layer_3"
    asked = [question(n, vectors=dict(questions[n].vectors) | {key: values[n]}) for n in range(50)]
    with Store.open(tmp_path, METADATA) as store:
        name = store.commit([image(n) for n in range(25)], asked)
    with h5py.File(tmp_path / name) as file:  # plain h5py, which knows no bfloat16
        assert file[key].dtype == np.float32 and file[key].id.get_type().get_size() == 2
        assert np.array_equal(file[key][:], torch.from_numpy(values).bfloat16().float())
        assert file.attrs["num_samples"] == 50 and file.attrs["model_name"] == "google/gemma-3-4b-it"
        assert json.loads(file.attrs["metadata"])["identity"] == METADATA["identity"]
        assert pandas.DataFrame(file["questions"][:])["question"][3] == b"How many cats?"
        assert file["vision_representation"].shape == (25, 10)  # once an image
    with open_run(tmp_path) as run:
        assert np.array_equal(run.matrix("query_token_representation", 3), torch.from_numpy(values).bfloat16().float())


def test_float32_is_stored_as_it_is_when_asked_for(tmp_path: Path) -> None:
    asked = [question(n, vectors={"query_token_representation/layer_0": np.full(7, 1 / (n + 3), "f4")}) for n in (0, 1)]
    with Store.open(tmp_path, METADATA | {"stored_dtype": "float32"}) as store:
        store.commit([image(0, vectors={})], asked)
    with open_run(tmp_path) as run:
        assert run.matrix("query_token_representation", 0)[:, 6].tolist() == [np.float32(1 / 3), np.float32(1 / 4)]
        assert run.layers == {"query_token_representation": (0,)}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3.4e38])
def test_what_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path, value: float) -> None:
    images, (first, second) = batch(0, 2)
    spoilt = dict(second.vectors) | {"query_token_representation/layer_0": np.full(24, value, np.float32)}
    with Store.open(tmp_path, METADATA) as store:
        with pytest.raises(ValueError, match=r"query_token_representation/layer_0 .* not finite"):
            store.commit(images, [first, question(1, vectors=spoilt)])
        assert store.done == set() and not [*tmp_path.glob("*.h5")]
        store.commit(images, [first, second])
        assert store.done == {"q0", "q1"}


def test_texts_that_hdf5_cannot_hold_are_mended_and_their_ids_still_count_as_done(tmp_path: Path) -> None:
    strange = question(0, question_id="a\0b", answer="\ud83d half", extra={"a/b.c": "\0", "": "x", "answer": "csv's"})
    with Store.open(tmp_path, METADATA) as store:
        store.commit([image(0)], [strange, question(1, question_id="/"), question(2, per_image=9, question_id="")])
    with Store.open(tmp_path, METADATA) as store:
        assert store.done == {"a\0b", "/", ""} and store.notes == ()
    with open_run(tmp_path) as run:
        assert run.questions["question_id"].tolist() == ["a\ufffdb", "/", ""]
        assert run["a\ufffdb"]["answer"] == "\ufffd half" and run["a\ufffdb"]["csv_answer"] == "csv's"
        assert run.questions["a/b.c"].tolist() == ["\ufffd", "", ""] and run.questions[""][0] == "x"


def poorer(found: QuestionRecord) -> QuestionRecord:
    """A question without one of its vectors."""
    key = "query_token_representation/layer_3"
    return replace(found, vectors={name: vector for name, vector in found.vectors.items() if name != key})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda i, q: (i, [*q, q[0]]), "twice"),
        (lambda i, q: ([*i, i[0]], q), "twice"),
        (lambda i, q: (i[1:], q), "image of question 'q2' is missing"),
        (lambda i, q: (i, [*q, poorer(question(9, image_id="image1.jpg"))]), "differ"),
    ],
)
def test_records_that_do_not_go_together_are_refused(tmp_path: Path, change: Any, reason: str) -> None:
    filled(tmp_path, 2)
    with Store.open(tmp_path, METADATA) as store:
        with pytest.raises(ValueError, match=reason):
            store.commit(*change(*batch(2, 6)))
        with pytest.raises(ValueError, match="twice"):
            store.commit(*batch(1, 3))  # q1 is done
        assert store.commit(*batch(2, 6)).endswith("part_002.h5")


# Resuming.


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    names = filled(tmp_path, 3, 5)
    assert names == ["gemma_3_4b_it_embeddings_part_001.h5", "gemma_3_4b_it_embeddings_part_002.h5"]
    with Store.open(tmp_path, METADATA | {"created_at": "later"}) as store:
        assert store.done == {"q0", "q1", "q2", "q3", "q4"} and store.notes == () and store.failures == ()
        assert store.metadata["created_at"] == METADATA["created_at"]
        assert store.commit(*batch(5, 6)) == "gemma_3_4b_it_embeddings_part_003.h5"
    with open_run(tmp_path) as run:
        assert run.questions["question_id"].tolist() == [f"q{n}" for n in range(6)]


def test_another_run_is_refused_with_the_first_difference(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    other = METADATA | {"identity": METADATA["identity"] | {"revision": "def"}}
    with pytest.raises(StudioError, match=r"revision 'abc123', and this one 'def'.*--output-dir"):
        Store.open(tmp_path, other)
    Store.open(tmp_path, METADATA).close()  # and the lock was let go


def test_a_folder_with_parts_of_an_unknown_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gemma3_12b_embeddings_part_001.h5").write_bytes(b"precious")
    with pytest.raises(StudioError, match=r"parts of a run without its run\.json"):
        Store.open(tmp_path, METADATA)
    assert (tmp_path / "gemma3_12b_embeddings_part_001.h5").read_bytes() == b"precious"


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with (
        Store.open(tmp_path, METADATA) as store,
        pytest.raises(StudioError, match=r"Another process is writing.*--output-dir"),
    ):
        Store.open(store.folder, METADATA)
    Store.open(tmp_path, METADATA).close()


def test_a_damaged_part_is_set_aside_and_its_questions_are_done_again(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in filled(tmp_path, 2, 4, 6))
    data = bytearray(second.read_bytes())
    data[-100] ^= 1  # one bit
    second.write_bytes(data)
    third.unlink()
    with Store.open(tmp_path, METADATA) as store:
        assert store.done == {"q0", "q1"}
        assert [note.split(";")[0] for note in store.notes] == [f"{second.name} is damaged", f"{third.name} is missing"]
        assert second.with_name(f"{second.name}.damaged").exists() and not second.exists()
        assert store.commit(*batch(2, 6)).endswith("part_004.h5")
    with Store.open(tmp_path, METADATA) as store, open_run(tmp_path) as run:
        assert store.notes == () and run.notes == ()  # other parts hold all that they held
        assert run.questions["question_id"].tolist() == [f"q{n}" for n in range(6)]
    assert first.exists()


@pytest.mark.parametrize("cut", [1, 40, 10_000])
def test_a_torn_line_is_dropped_and_its_part_replaced(tmp_path: Path, cut: int) -> None:
    _, second = filled(tmp_path, 2, 4)
    path = tmp_path / manifest.NAME
    first_line, second_line = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first_line + second_line[: max(0, len(second_line) - cut)])
    with Store.open(tmp_path, METADATA) as store:
        assert store.done == {"q0", "q1"} and len(store.notes) == (cut < 10_000)
        assert store.commit(*batch(2, 3)) == second  # in its place
    with Store.open(tmp_path, METADATA) as store:
        assert store.done == {"q0", "q1", "q2"} and store.notes == ()
    assert len(path.read_bytes().splitlines()) == 2


def test_a_line_damaged_in_the_middle_costs_only_its_own_part(tmp_path: Path) -> None:
    names = filled(tmp_path, 2, 4, 6)
    path = tmp_path / manifest.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"sha256"', b'"sha?56"') + lines[2])
    with Store.open(tmp_path, METADATA) as store:
        assert store.done == {"q0", "q1", "q4", "q5"}
        assert len(store.notes) == 2 and "Line 2 of the manifest" in store.notes[0] and names[1] in store.notes[1]
        assert store.commit(*batch(2, 4)).endswith("part_004.h5")


def test_what_a_kill_left_behind_is_cleared(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    (tmp_path / ".gemma_3_4b_it_embeddings_part_002.h5.0123.tmp").write_bytes(b"half")
    (tmp_path / "gemma_3_4b_it_embeddings_part_002.h5").write_bytes(b"renamed, but in no line")
    with Store.open(tmp_path, METADATA) as store:
        assert store.notes == () and not [*tmp_path.glob(".*.tmp")]
        assert store.commit(*batch(2, 4)).endswith("part_002.h5")
    with open_run(tmp_path) as run:
        assert len(run) == 4


def test_a_name_in_the_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    filled(tmp_path / "run", 2)
    line = (tmp_path / "run" / manifest.NAME).read_text()
    precious = tmp_path / "x_embeddings_part_001.h5"
    precious.write_bytes(b"precious")
    with open(tmp_path / "run" / manifest.NAME, "a") as file:
        file.write(line.replace("gemma_3_4b_it_", "../x_"))
    with Store.open(tmp_path / "run", METADATA) as store:
        assert "Line 2 of the manifest is damaged" in store.notes[0]
    assert precious.read_bytes() == b"precious"


# Failures.


def test_failures_stand_until_their_row_succeeds(tmp_path: Path) -> None:
    missing, broken = Failure(2, "q0", "image0.jpg", "The image is missing."), Failure(4, "q2", "", "It is broken.")
    with Store.open(tmp_path, METADATA) as store:
        assert store.commit([], [], [missing, broken]) == ""
        assert store.commit([], [], []) == "" and store.failures == (missing, broken)
    assert len((tmp_path / manifest.NAME).read_bytes().splitlines()) == 1
    still = Failure(4, "q2", "", "It is still broken.")
    with Store.open(tmp_path, METADATA) as store:
        assert store.failures == (missing, broken)
        store.commit(*batch(0, 2), [still])
        assert store.failures == (still,)
    with Store.open(tmp_path, METADATA) as store, open_run(tmp_path) as run:
        assert store.failures == run.failures == (still,) and len(run) == 2


# The disk fills up, the process is killed.


def test_a_full_disk_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    script = (
        "import resource, signal, sys; from pathlib import Path; from studio.embeddings.store.writing import Store;"
        "from tests.embeddings.store.samples import METADATA, batch;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "store = Store.open(Path(sys.argv[1]), METADATA);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2);"
        "store.commit(*batch(2, 40))"
    )
    for limit in (2000, manifest_length(tmp_path) + 50):  # amid the part; amid its line, had the part been shorter
        run = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), str(limit)], cwd=ROOT, capture_output=True, text=True
        )
        assert "OSError" in run.stderr
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def manifest_length(folder: Path) -> int:
    return (folder / manifest.NAME).stat().st_size


def test_a_line_that_could_not_be_written_whole_gives_way_to_the_next(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    with Store.open(tmp_path, METADATA) as store:
        with open(tmp_path / manifest.NAME, "ab") as file:
            file.write(b'{"part": "gemma')  # what a full disk took of a line, while this store goes on
        store.commit(*batch(2, 4))
    with Store.open(tmp_path, METADATA) as store:
        assert store.notes == () and len(store.done) == 4


@pytest.mark.parametrize("kills", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_any_moment_and_resumed_a_run_equals_an_unbroken_one(tmp_path: Path, kills: int) -> None:
    begun = time.perf_counter()
    killed.work(tmp_path / "unbroken")
    seconds = time.perf_counter() - begun
    moments, amid = random.Random(kills), 0
    for _ in range(kills):
        amid += kill_after(tmp_path / "broken", moments.uniform(0, seconds / kills))
        with Store.open(tmp_path / "broken", METADATA) as store:
            assert not any("missing" in note or "damaged" in note for note in store.notes)  # no commit was lost
    assert amid >= kills / 2  # they fell on a process at work
    killed.work(tmp_path / "broken")
    whole, mended = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir() if not path.name.endswith("lock")}
        for name in ("unbroken", "broken")
    )
    assert whole == mended  # every file, byte by byte
    with open_run(tmp_path / "broken") as run:
        assert run.questions["question_id"].is_unique and len(run.failures) == killed.PARTS


def kill_after(folder: Path, seconds: float) -> bool:
    """Let a process commit for a while and kill it; return whether it was still at work."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.embeddings.store.killed", str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.kill()
    return process.returncode == -signal.SIGKILL
