"""Pictures: found within their folder, refused by their first bytes, opened within the limits."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.errors import StudioError
from studio.images import FORMATS
from studio.scienceqa.questions.pictures import Folder, check_encoded, open_picture
from studio.scienceqa.questions.record import Unusable
from studio.settings import Settings
from tests.scienceqa.questions.samples import encoded, question, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "images" / "train" / "1" / "image.png")
    save(tmp_path / "secret.png", "blue")
    return tmp_path / "images"


def test_the_first_name_that_is_there_counts(folder: Path) -> None:
    found = Folder(folder).find(("gone.png", "train/1/image.png", "train/1"))
    assert found == folder / "train" / "1" / "image.png"


@pytest.mark.parametrize("name", ["../secret.png", "train/../../secret.png", "/etc/passwd", "a\0.png", ".."])
def test_names_never_lead_out(folder: Path, name: str) -> None:
    with pytest.raises(Unusable, match="leads out of the folder") as caught:
        Folder(folder).find((name,))
    assert caught.value.about == "record"


def test_links_never_lead_out_and_may_lead_around(folder: Path) -> None:
    (folder / "file.png").symlink_to(folder.parent / "secret.png")
    (folder / "up").symlink_to(folder.parent)
    (folder / "again").symlink_to(folder / "train")
    for name in ("file.png", "up/secret.png"):
        with pytest.raises(Unusable, match="is a link that leads out"):
            Folder(folder).find((name,))
    assert Folder(folder).find(("again/1/image.png",)).read_bytes() == encoded()
    (folder.parent / "linked").symlink_to(folder)
    assert Folder(folder.parent / "linked").find(("train/1/image.png",)).exists(), "the folder itself may be a link"


def test_what_is_no_picture_is_told_without_opening_it(folder: Path) -> None:
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("not a picture")
    (folder / "lfs.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    os.mkfifo(folder / "pipe.png")
    told = {"gone.png": "no picture 'gone.png'", "train": "no picture", "pipe.png": "no picture", "": "no picture"}
    told |= {"empty.png": "is empty", "text.png": "not a picture", "lfs.png": "git lfs pull"}
    for name, words in told.items():
        with pytest.raises(Unusable, match=words) as caught:
            Folder(folder).find((name,))
        assert caught.value.about == "picture"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "train" / "1" / "image.png").chmod(0)
    with pytest.raises(Unusable, match="cannot be read: permission denied"):
        Folder(folder).find(("train/1/image.png",))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_that_is_admitted_passes(kind: str, tmp_path: Path, settings: Settings) -> None:
    path = save(tmp_path / "picture", kind=kind)
    check_encoded(path.read_bytes()[:64], "It")
    picture = open_picture(question(image=path), settings)
    assert picture is not None and picture.size == (24, 8)


@pytest.mark.parametrize("length", range(1, 8))
def test_a_few_bytes_are_no_picture(length: int) -> None:
    with pytest.raises(Unusable, match="not a picture"):
        check_encoded(b"\x89XYZ<?php"[:length], "It")


def test_bytes_and_files_open_alike(folder: Path, settings: Settings) -> None:
    path = folder / "train" / "1" / "image.png"
    one, other = (open_picture(question(image=image), settings) for image in (path, path.read_bytes()))
    assert one is not None and other is not None
    assert one.mode == "RGB" and np.array_equal(np.asarray(one), np.asarray(other))
    assert open_picture(question(), settings) is None


def test_a_picture_is_turned_upright(tmp_path: Path, settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    Image.new("RGB", (24, 8)).save(tmp_path / "a.jpg", exif=exif)
    picture = open_picture(question(image=tmp_path / "a.jpg"), settings)
    assert picture is not None and picture.size == (8, 24)


def test_damage_and_size_are_told_in_a_sentence(tmp_path: Path, settings: Settings) -> None:
    half = encoded(size=(640, 480))[:-900]
    with pytest.raises(StudioError, match="the picture of q-1 is damaged"):
        open_picture(question("q 1", image=half), settings)
    with pytest.raises(StudioError, match="the picture of 1 is too large"):
        open_picture(question(image=encoded()), replace(settings, max_pixels=100))
    with pytest.raises(StudioError, match="There is no picture file"):
        open_picture(question(image=tmp_path / "gone.png"), settings)


def test_without_settings_those_of_the_environment_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_MAX_PIXELS", "100")
    with pytest.raises(StudioError, match="pixels"):
        open_picture(question(image=encoded()))
