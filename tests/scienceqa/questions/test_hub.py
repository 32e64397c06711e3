"""Data sets of the Hub: from its cache without a network, and what is said where they cannot be had."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.errors as errors
import pytest
from httpx import Request, Response
from huggingface_hub import constants

from studio.errors import StudioError
from studio.scienceqa.questions import hub
from studio.scienceqa.questions.reading import read
from tests.scienceqa.questions.test_parquet import row, save_set

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hub's cache with one data set, as a download leaves it."""
    home = tmp_path / "hub" / "datasets--someone--Science_QA.v2"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(COMMIT)
    (home / "blobs").mkdir()
    for split in ("train", "test"):
        save_set(home / "blobs" / split, row(f"What of {split}?"))
        link = home / "snapshots" / COMMIT / "data" / f"{split}-00000-of-00001.parquet"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(home / "blobs" / split)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_data_set_is_read_from_the_cache(cached: Path) -> None:
    folder = hub.fetch("someone/Science_QA.v2", cached)
    assert folder == cached / "datasets--someone--Science_QA.v2" / "snapshots" / COMMIT
    assert hub.fetch("someone/Science_QA.v2/data", cached) == folder / "data"
    found = read(str(folder), splits=("test",))
    assert [each.question for each in found.questions] == ["What of test?"]


def test_reading_takes_the_hub_s_own_cache(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = hub.fetch
    monkeypatch.setattr(hub, "fetch", lambda name: fetch(name, cached))
    found = read("someone/Science_QA.v2")
    assert (found.name, found.layout, len(found.questions)) == ("someone/Science_QA.v2", "parquet", 2)


def test_what_is_not_in_it_is_told(cached: Path) -> None:
    with pytest.raises(StudioError, match=r"^someone/other is not on this machine and the .* Hub cannot be reached"):
        hub.fetch("someone/other", cached)
    with pytest.raises(StudioError, match=r"someone/Science_QA.v2/images of the .* holds no \.parquet files"):
        hub.fetch("someone/Science_QA.v2/images", cached)
    with pytest.raises(StudioError, match="There is no file or folder"):
        hub.fetch("no--such/name", cached)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (errors.GatedRepoError, r"Access to a/b has not been granted. Accept its licence on .*/datasets/a/b "),
        (errors.RepositoryNotFoundError, r"There is no data set a/b here, and none on the Hugging Face Hub"),
    ],
)
def test_the_hub_s_refusals_are_sentences(
    kind: type[errors.RepositoryNotFoundError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise kind("no", response=Response(404, request=Request("GET", "http://localhost")))

    monkeypatch.setattr(hub, "snapshot_download", refuse)
    with pytest.raises(StudioError, match=words):
        hub.fetch("a/b")
