"""Sixteen bits go in and come out, with what the file says beside its pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import deep
from studio.errors import StudioError

KINDS = {"png": ".png", "tiff": ".tif"}


def noise(channels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return np.random.default_rng(0).integers(0, 65536, (7, 9, channels)).astype(np.uint16)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_come_back_to_the_bit_alpha_and_all(kind: str, channels: int, tmp_path: Path) -> None:
    path = tmp_path / f"x{KINDS[kind]}"
    deep.write(path, noise(channels), kind)
    assert np.array_equal(deep.read(path, kind).pixels, noise(channels))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_eight_bits_stay_eight(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (0, 128, 255)).save(tmp_path / "x.png")
    assert deep.read(tmp_path / "x.png", "png").pixels[0, 0].tolist() == [0, 128, 255]


def test_a_damaged_file_and_one_of_another_kind_are_sentences(tmp_path: Path) -> None:
    deep.write(tmp_path / "x.png", noise(3), "png")
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "junk.png").write_bytes(b"junk")
    for name, kind in (("half.png", "png"), ("junk.png", "png"), ("x.png", "tiff"), ("nowhere.png", "png")):
        with pytest.raises(StudioError, match=f"{name} is damaged"):
            deep.read(tmp_path / name, kind)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.png").mkdir()
    with pytest.raises(OSError):
        deep.write(tmp_path / "x.png", noise(3), "png")
    assert [each.name for each in tmp_path.iterdir()] == ["x.png"]
