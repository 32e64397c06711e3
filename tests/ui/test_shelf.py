"""What can be opened, and by whom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.grading import lut, lutfiles
from studio.jobs import Job, State
from studio.tasks import Studio
from studio.ui import shelf, uploads

CUBE = "LUT_3D_SIZE 2\n" + "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1)) + "\n"


def finished(studio: Studio, task: str, owner: str = "", **files: str) -> Job:
    """A finished job with files for artifacts, as a run would leave it."""
    values = {"image_folder": str(uploads.EXAMPLES), "prompt": "warm"}
    job = studio.submit(task, values, owner=owner)
    for name, text in files.items():
        path = job.folder / name.replace("_", ".")
        path.write_text(text)
    record = json.loads((job.folder / "job.json").read_text())
    artifacts = {name.split("_")[0]: name.replace("_", ".") for name in files}
    record |= {"state": State.DONE.value, "started": 1.0, "finished": 2.0, "artifacts": artifacts}
    (job.folder / "job.json").write_text(json.dumps(record))
    return studio.jobs.get(job.id)


def drop(text: str, name: str = "mine.cube") -> str:
    path = uploads.passing_folder() / "1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_a_dropped_lut_is_found_again_by_its_key(studio: Studio) -> None:
    one = shelf.dropped(studio, drop(CUBE))
    assert one.title == "mine.cube" and shelf.find(studio, "", one.key).path == one.path
    assert (lutfiles.read(one.path).table() - lut.identity(2)).abs().max() == 0


@pytest.mark.parametrize("key", ["", "file/../../secret.cube", "file//etc/passwd", "job/1-a", "ready/none", "x/y"])
def test_a_key_that_stands_for_nothing_is_answered_in_a_sentence(studio: Studio, key: str) -> None:
    with pytest.raises(StudioError):
        shelf.find(studio, "", key)


def test_the_looks_that_ship_can_all_be_opened() -> None:
    looks = shelf.ready()
    assert len(looks) >= 12
    for one in looks:
        assert lutfiles.read(one.path).size == 33 and one.score is not None and one.score > 0.5
        assert one.path.with_suffix(".json").is_file() and one.path.with_suffix(".jpg").is_file()


def test_on_a_space_a_stranger_s_lut_stays_theirs(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    job = finished(studio, "optimize", "ann", lut_cube=CUBE)
    assert next(one.key for one in shelf.offered(studio, "ann")) == f"job/{job.id}"
    assert shelf.find(studio, "ann", f"job/{job.id}").title == "warm"
    assert f"job/{job.id}" not in [one.key for one in shelf.offered(studio, "bob")]
    with pytest.raises(StudioError, match="no job"):
        shelf.find(studio, "bob", f"job/{job.id}")


def test_a_library_of_one_s_own_stands_beside_the_ready_one(studio: Studio) -> None:
    index = json.dumps({"looks": [
        {"name": "warm", "prompt": "warm", "score": 0.9, "error": ""},
        {"name": "odd", "prompt": "odd", "score": None, "error": "no such words"},
    ]})  # fmt: skip
    job = finished(studio, "library", library_json=index)
    Path(job.folder / "warm.cube").write_text(CUBE)
    key = f"library/{job.id}"
    assert list(shelf.libraries(studio, "")) == ["ready", key]
    (one,) = shelf.library(studio, "", key)
    assert (one.key, one.title, one.score) == (f"{key}/warm", "warm", 0.9)
    assert shelf.find(studio, "", one.key) == one
