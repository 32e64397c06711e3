"""Uploads are kept by content, and nothing but uploads can be taken for one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.settings import Settings
from studio.ui import uploads


@pytest.fixture
def passing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = settings.folder("passing")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def upload(passing: Path, name: str, content: bytes, at: str = "a") -> Path:
    path = passing / at / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_same_pictures_make_the_same_folder(passing: Path, settings: Settings) -> None:
    one, two = upload(passing, "b.jpg", b"2"), upload(passing, "ä.jpg", b"1")
    folder = uploads.adopt([one, two], settings)
    assert uploads.adopt([str(two), str(one)], settings) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"b.jpg": b"2", "ä.jpg": b"1"}
    assert folder.is_relative_to(settings.home / "uploads")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_pictures_of_one_name_are_all_kept(passing: Path, settings: Settings) -> None:
    folder = uploads.adopt([upload(passing, "x.jpg", b"1", "a"), upload(passing, "x.jpg", b"2", "b")], settings)
    assert sorted(path.read_bytes() for path in folder.iterdir()) == [b"1", b"2"]


def test_a_path_of_the_server_is_no_upload(passing: Path, settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"x")
    link = passing / "link.jpg"
    link.symlink_to(secret)
    for path in (secret, Path("/etc/passwd"), passing / ".." / ".." / "secret.jpg", link):
        with pytest.raises(StudioError, match="not an uploaded file"):
            uploads.adopt([path], settings)


def test_limits_hold(passing: Path, settings: Settings) -> None:
    few = dataclasses.replace(settings, max_files=1)
    small = dataclasses.replace(settings, max_file_bytes=1)
    one, two = upload(passing, "a.jpg", b"12"), upload(passing, "b.jpg", b"34")
    with pytest.raises(StudioError, match="more than the 1"):
        uploads.adopt([one, two], few)
    with pytest.raises(StudioError, match=r"'a\.jpg' is larger"):
        uploads.adopt([one], small)
    with pytest.raises(StudioError, match="No files"):
        uploads.adopt([], settings)


def test_a_served_file_lies_in_the_passing_folder_under_its_content(passing: Path, tmp_path: Path) -> None:
    file = tmp_path / "look.cube"
    file.write_text("one")
    first = Path(uploads.serve(file))
    file.write_text("two")
    second = Path(uploads.serve(file))
    assert first.read_text() == "one" and second.read_text() == "two"
    assert first.is_relative_to(passing) and first.name == "look.cube"
