"""A picture comes back with its bits, alpha, EXIF data, profile and orientation, and lies as it lay."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import IFDRational

from studio import deep
from studio.errors import StudioError
from studio.grading import originals
from studio.images import admit
from studio.settings import Settings

LAB: Any = ImageCms.createProfile("LAB")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = SRGB.replace("sRGB built-in".encode("utf-16-be"), "Display P3   ".encode("utf-16-be"))
MAKE, ORIENTATION, EXPOSURE, TAKEN, MAKER = 0x10F, 0x112, 0x829A, 0x9003, 0x927C


def exif(orientation: int = 6) -> bytes:
    tags = Image.Exif()
    tags[MAKE], tags[ORIENTATION] = "Maker", orientation
    inner, place = tags.get_ifd(0x8769), tags.get_ifd(0x8825)
    inner[EXPOSURE], inner[TAKEN], inner[MAKER] = IFDRational(1, 100), "2020:01:02 03:04:05", b"note"
    place[1], place[2] = "N", (IFDRational(1), IFDRational(2), IFDRational(3))
    return tags.tobytes()


def noise(kind: Any, channels: int) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (9, 7, channels)).astype(kind)


def passed(source: Path, target: Path, settings: Settings) -> originals.Original:
    """Read and write a picture with its pixels inverted, alpha aside."""
    original = originals.read(source, settings)
    pixels = original.pixels.copy()
    pixels[..., :3] = np.iinfo(pixels.dtype).max - pixels[..., :3]
    originals.write(original, pixels, target)
    return original


def save(path: Path, pixels: NDArray[Any]) -> Path:
    """Write a picture with EXIF data and a profile of Display P3; 16 bits by OpenImageIO, 8 by Pillow."""
    if pixels.dtype == np.uint8:
        Image.fromarray(pixels).save(path, exif=exif(), icc_profile=P3)
        return path
    profile = np.frombuffer(P3, np.uint8)
    attributes = {"ICCProfile": (oiio.TypeDesc(f"uint8[{len(P3)}]"), profile), "Make": "Maker", "Orientation": 6}
    attributes |= {"ExposureTime": 0.01, "Exif:DateTimeOriginal": "2020:01:02 03:04:05", "GPS:LatitudeRef": "N"}
    deep.write(path, pixels, "png" if path.suffix == ".png" else "tiff", **attributes)
    return path


HELD = [(".jpg", 3, np.uint8), *itertools.product((".png", ".tif"), (3, 4), (np.uint8, np.uint16))]
"""What each format can hold: a JPEG neither alpha nor 16 bits."""


@pytest.mark.parametrize(("suffix", "channels", "kind"), HELD)
def test_all_is_kept(suffix: str, channels: int, kind: Any, settings: Settings, tmp_path: Path) -> None:
    source = save(tmp_path / f"in{suffix}", noise(kind, channels))
    target = tmp_path / f"out{suffix}"
    original = passed(source, target, settings)
    assert original.remarks == ("its code values stay in Display P3",)
    again = originals.read(target, settings)
    assert again.pixels.dtype == kind and again.pixels.shape == (9, 7, channels)
    if suffix != ".jpg":
        assert np.array_equal(again.pixels[..., :3], np.iinfo(kind).max - noise(kind, channels)[..., :3])
        assert np.array_equal(again.pixels[..., 3:], noise(kind, channels)[..., 3:])
    with Image.open(target) as picture:
        tags = picture.getexif()
        assert picture.info["icc_profile"] == P3
        assert (tags[MAKE], tags[ORIENTATION], tags.get_ifd(0x8825)[1]) == ("Maker", 6, "N")
        inner = tags.get_ifd(0x8769)
        assert inner[TAKEN] == "2020:01:02 03:04:05" and float(inner[EXPOSURE]) == pytest.approx(0.01, rel=2e-4)
        assert (inner.get(MAKER) == b"note") == (suffix != ".tif" and kind == np.uint8)


@pytest.mark.parametrize("suffix", [".webp", ".avif"])
def test_other_formats_become_png_upright(suffix: str, settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / f"in{suffix}"
    Image.fromarray(noise(np.uint8, 4)).save(source, exif=exif(), icc_profile=P3, quality=90)
    with Image.open(source) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture).convert("RGBA"))
    original = passed(source, tmp_path / "out.png", settings)
    assert original.format == "PNG" and np.array_equal(original.pixels, upright)
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.getexif().get(ORIENTATION, 1) == 1 and picture.getexif()[MAKE] == "Maker"
        assert picture.info["icc_profile"] == P3 and picture.size == upright.shape[1::-1]


MODES = {".tif": ["1", "L", "LA", "P", "PA", "CMYK", "LAB", "I;16"], ".png": ["1", "L", "LA", "P", "I;16"]}


@pytest.mark.parametrize(("mode", "suffix"), [(mode, suffix) for suffix, modes in MODES.items() for mode in modes])
def test_modes_that_are_not_rgb_come_as_they_are_admitted(
    mode: str, suffix: str, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / f"in{suffix}"
    picture = Image.fromarray(noise(np.uint8, 3)).convert("L" if mode == "I;16" else "RGB" if mode == "LAB" else mode)
    if mode == "LAB":
        picture = ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), LAB, outputMode="LAB")
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    picture.save(source)
    original = passed(source, tmp_path / f"out{suffix}", settings)
    colours = original.pixels[..., :3].astype(float) / np.iinfo(original.pixels.dtype).max
    assert np.abs(colours * 255 - np.asarray(admit(source, settings))).max() <= 0.01
    assert (original.pixels.shape[2] == 4) == (mode in ("LA", "PA"))
    again = originals.read(tmp_path / f"out{suffix}", settings)
    assert np.array_equal(again.pixels[..., :3], np.iinfo(original.pixels.dtype).max - original.pixels[..., :3])


def test_sixteen_bit_planes_that_lie_apart_are_read_right(settings: Settings, tmp_path: Path) -> None:
    """Pillow takes the bytes of one plane for those of all."""
    for compression in ("none", "zip", "lzw"):
        path = tmp_path / f"{compression}.tif"
        spec = oiio.ImageSpec(7, 9, 3, oiio.UINT16)
        spec.attribute("planarconfig", "separate")
        spec.attribute("compression", compression)
        output = oiio.ImageOutput.create(str(path))
        assert output and output.open(str(path), spec) and output.write_image(noise(np.uint16, 3)) and output.close()
        assert np.array_equal(originals.read(path, settings).pixels, noise(np.uint16, 3))
        eight = np.rint(noise(np.uint16, 3) / 257)
        assert np.array_equal(np.asarray(admit(path, settings)), eight)


def test_colours_multiplied_by_alpha_are_divided_again(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "associated.tif"
    spec = oiio.ImageSpec(1, 1, 4, oiio.UINT16)
    output = oiio.ImageOutput.create(str(path))
    pixel = np.array([[[10000, 20000, 0, 32768]]], np.uint16)
    assert output and output.open(str(path), spec) and output.write_image(pixel) and output.close()
    assert originals.read(path, settings).pixels[0, 0].tolist() == [20000, 39999, 0, 32768]


def test_the_small_picture_in_exif_data_is_not_kept(settings: Settings, tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[MAKE] = "Maker"
    first = tags.tobytes()
    body = first[6:]
    linked = first[:6] + body[: 8 + 2 + 12] + len(body).to_bytes(4, "big" if body[:2] == b"MM" else "little")
    linked += body[8 + 2 + 12 + 4 :] + b"\0\0"
    bare = originals.without_thumbnail(linked)
    assert bare[: len(first)] == first and len(bare) == len(linked) != len(first)
    for broken in (b"", b"Exif\0\0", b"Exif\0\0MM\0*", b"junk", b"II*\0\xff\xff\xff\xff"):
        assert originals.without_thumbnail(broken) == broken


def test_limits_hold_before_anything_is_decoded(tmp_path: Path) -> None:
    small = Settings(home=tmp_path / "home", max_pixels=62, max_file_bytes=10**6)
    for name in ("in.png", "in.tif"):
        with pytest.raises(StudioError, match=r"too large|allowed"):
            originals.read(save(tmp_path / name, noise(np.uint16, 3)), small)
    with pytest.raises(StudioError, match="MiB are allowed"):
        originals.read(tmp_path / "in.png", Settings(home=tmp_path / "home", max_file_bytes=10))


def test_what_is_cut_off_is_a_sentence(settings: Settings, tmp_path: Path) -> None:
    for name in ("in.png", "in.tif"):
        path = save(tmp_path / name, noise(np.uint16, 3))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(StudioError, match=r"damaged|not a picture"):
            originals.read(path, settings)
