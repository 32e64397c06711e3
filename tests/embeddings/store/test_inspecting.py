"""What an HDF5 file holds is told, whoever wrote it, and nothing in it leads astray."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from studio.__main__ import main
from studio.embeddings.store.inspecting import MEASURED, inspect
from studio.embeddings.store.writing import Failure, Store
from studio.errors import StudioError
from tests.embeddings.store import seedfiles
from tests.embeddings.store.samples import METADATA, batch, image, question, vectors
from tests.embeddings.store.seedfiles import sample


def told(path: Path) -> dict[str, Any]:
    """The report of an inspection, which is plain data."""
    stream = inspect(path)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            report: dict[str, Any] = end.value
            assert json.loads(json.dumps(report, allow_nan=False)) == report
            return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "run", METADATA) as store:
        images, questions = batch(0, 4)
        store.commit(images, [*questions[:3], question(3, first_token_probability=math.nan)])
        store.commit(*batch(4, 6), [Failure(n, "", "", "The image is missing.") for n in (90, 91)])
    return tmp_path / "run"


def test_a_run_is_told_with_its_figures(folder: Path) -> None:
    report = told(folder)
    assert (report["kind"], report["questions"], report["images"], report["files"]) == ("run", 6, 3, 2)
    assert report["bytes"] == sum(path.stat().st_size for path in folder.glob("*.h5"))
    assert report["about"]["revision"] == "abc123" and report["about"]["norm"] == "before final norm"
    assert report["layers"]["query_token_representation"] == [0, 3, 5]
    assert report["failures"] == {"The image is missing.": 2} and report["notes"] == []
    assert len(report["vectors"]) == 10
    (one,) = (each for each in report["vectors"] if each["key"] == "query_token_representation/layer_3")
    wanted = np.stack([vectors(n, "question")["query_token_representation/layer_3"] for n in range(6)])
    assert (one["count"], one["length"], one["stored"], one["not_finite"]) == (6, 24, "bfloat16", 0)
    assert (one["minimum"], one["maximum"]) == (wanted.min(), wanted.max())
    assert one["mean_norm"] == pytest.approx(np.linalg.norm(wanted, axis=1).mean())
    assert report["preview"][3]["answer"] == "There are 3." and report["preview"][3]["first_token_probability"] is None
    assert len(report["preview"]) == 5


def test_a_part_of_a_run_says_what_its_attributes_say(folder: Path) -> None:
    report = told(sorted(folder.glob("*.h5"))[0])
    assert report["kind"] == "part" and report["attributes"]["num_samples"] == report["questions"] == 4
    assert report["attributes"]["layers"] == [0, 3, 5]


def test_a_file_of_the_seed_s_code_is_told_with_what_is_wrong_in_it(tmp_path: Path) -> None:
    blind = sample(3)
    del blind["vision_only_representation"]
    spoilt = sample(4)
    spoilt["query_token_representation"]["layer_0"][0] = np.nan
    path = seedfiles.write(tmp_path / "x.h5", {"a": sample(1), "b": blind, "c": spoilt, "d": sample(5)})
    report = told(path)
    assert report["kind"] == "seed" and report["questions"] == 3 and report["about"]["model"] == "google/gemma-3-12b-it"
    assert "'b': vision_representation is missing" in report["notes"][0]
    found = {each["key"]: each["not_finite"] for each in report["vectors"]}
    assert found["query_token_representation/layer_0"] == 1 and sum(found.values()) == 1
    assert any(line.endswith(", 1 not finite") for line in report["lines"])


def test_only_the_first_vectors_of_many_are_measured(tmp_path: Path) -> None:
    key = "query_token_representation/layer_0"
    number = MEASURED + 50
    asked = [question(n, image_id="image0.jpg", vectors={key: np.full(2, n, np.float32)}) for n in range(number)]
    with Store.open(tmp_path, METADATA | {"stored_dtype": "float32"}) as store:
        store.commit([image(0, vectors={})], asked)
    (one,) = told(tmp_path)["vectors"]
    assert (one["count"], one["measured"], one["maximum"], one["stored"]) == (number, MEASURED, MEASURED - 1, "float32")
    assert any(f"(of the first {MEASURED})" in line for line in told(tmp_path)["lines"])


def test_the_tree_of_any_other_file_is_told_and_its_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(64))
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["inside"] = [1, 2]
    layout = h5py.VirtualLayout((2,), "i8")
    layout[:] = h5py.VirtualSource("secret.h5", "inside", (2,))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["numbers/few"] = np.arange(6).reshape(2, 3)
        file["elsewhere"] = h5py.ExternalLink("secret.h5", "/inside")
        file["soft"] = h5py.SoftLink("/numbers")
        file["numbers/up"] = file["/"]
        file.create_dataset("raw", (8,), "i8", external=[(str(tmp_path / "raw"), 0, 64)])
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("huge", (10**9, 10**5), "f4", chunks=(1000, 1000))
        file.create_dataset("zeros", (2**28,), "f8", chunks=(2**16,), compression="gzip")
        for number in range(300):
            file.create_group(f"zz/{number}")
        file.attrs["by"] = "a \x1b[31mstranger"
        file.attrs["long"] = "x" * 5000
    report = told(tmp_path / "x.h5")
    assert report["kind"] == "other" and "holds no questions with vectors" in report["notes"][0]
    found = {each["path"]: each for each in report["tree"]}
    assert found["/numbers/few"]["shape"] == [2, 3] and found["/numbers/few"]["trouble"] == ""
    assert found["/elsewhere"]["kind"] == found["/soft"]["kind"] == "link or type, not followed"
    assert "another file" in found["/raw"]["trouble"] and "another file" in found["/virtual"]["trouble"]
    assert "claims" in found["/huge"]["trouble"] and "claims" in found["/zeros"]["trouble"]
    assert len(report["tree"]) == 200 and "first 200" in report["notes"][1]
    assert len(report["attributes"]["long"]) < 400
    assert all(line.isprintable() for line in report["lines"])


def test_a_part_that_claims_more_than_it_holds_is_not_read(folder: Path) -> None:
    path = sorted(folder.glob("*.h5"))[0]
    with h5py.File(path, "r+") as file:
        del file["query_token_representation/layer_0"]
        far = file.create_dataset("query_token_representation/layer_0", (4, 2**20), "f4", chunks=(1, 1024))
        far.attrs["per"] = "questions"
    assert "claims 16,777,216 bytes and holds 0" in told(path)["notes"][0]
    with h5py.File(path, "r+") as file:
        file["kept"] = file["questions"]
        del file["questions"]
        file["questions"] = h5py.SoftLink("/kept")
    report = told(path)
    assert report["kind"] == "other" and "it has no questions" in report["notes"][0]


@pytest.mark.parametrize("what", ["nowhere.h5", "text.h5", "torn.h5"])
def test_what_cannot_be_opened_is_said_in_a_sentence(folder: Path, what: str) -> None:
    (folder / "text.h5").write_text("text")
    (folder / "torn.h5").write_bytes(sorted(folder.glob("*part*.h5"))[0].read_bytes()[:3000])
    with pytest.raises(StudioError, match=what):
        told(folder / what)


def test_the_command_prints_lines_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect-h5", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("run is a run of google/gemma-3-4b-it: 6 questions on 3 images")
    assert "failed, 2 rows: The image is missing." in lines
    assert main(["inspect-h5", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["report"]["lines"] == lines and found["metrics"]["questions"] == 6


def test_the_commands_export_and_import(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = folder.parent / "seed"
    assert main(["export-h5", str(folder), "--layout", "seed", "--output-path", str(target), "--json"]) == 0
    (path,) = json.loads(capsys.readouterr().out.splitlines()[-1])["artifacts"].values()
    assert main(["import-h5", path, "--output-dir", str(folder.parent / "back")]) == 0
    assert "6 questions taken in" in capsys.readouterr().out
    assert main(["import-h5", str(folder.parent / "seed" / "nothing.h5")]) == 1
    assert "is missing" in capsys.readouterr().err
