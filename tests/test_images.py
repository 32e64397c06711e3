"""What is admitted as a picture, and what is not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from studio import images
from studio.cache import Cache
from studio.errors import StudioError
from studio.settings import Settings

RAMP = np.stack(np.broadcast_arrays(np.arange(0, 256, 4)[None], np.arange(0, 256, 8)[:, None], 77), -1).astype(np.uint8)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path / "cache") as opened:
        yield opened


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(RAMP).convert(mode)


def worst(path: Path, settings: Settings, expected: Any = RAMP) -> int:
    """The largest difference in code values between a picture as admitted and as expected."""
    got = images.admit(path, settings)
    assert got.mode == "RGB" and got.info == {}
    return int(np.abs(np.asarray(got).astype(int) - np.asarray(expected).astype(int)).max())


def write_png(path: Path, values: np.ndarray, colour_type: int) -> None:
    """A 16-bit PNG, which Pillow itself writes only in grey. values: uint16 of shape [height, width, channels]."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.bmp", "a.ppm"])
def test_lossless_formats_come_exactly(tmp_path: Path, settings: Settings, name: str) -> None:
    picture().save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    assert worst(tmp_path / name, settings) == 0


@pytest.mark.parametrize("name", ["a.jpg", "a.avif"])
def test_lossy_formats_come_closely(tmp_path: Path, settings: Settings, name: str) -> None:
    picture().save(tmp_path / name, quality=95, subsampling=0 if name.endswith("jpg") else "4:4:4")
    assert worst(tmp_path / name, settings) < 12


def test_the_content_decides_and_not_the_extension(tmp_path: Path, settings: Settings) -> None:
    picture().save(tmp_path / "really.png")
    (tmp_path / "really.png").rename(tmp_path / "called.jpg")
    (tmp_path / "text.png").write_text("no picture at all")
    (tmp_path / "page.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert worst(tmp_path / "called.jpg", settings) == 0
    for name in ("text.png", "page.jpg"):
        with pytest.raises(StudioError, match=f"{name} is not a picture"):
            images.admit(tmp_path / name, settings)


def test_postscript_is_never_run(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(StudioError, match="is not a picture"):
        images.admit(tmp_path / "a.jpg", settings)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.gif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(tmp_path: Path, settings: Settings, name: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(StudioError, match=f"{name} is (damaged|not a picture)"):
        images.admit(tmp_path / name, settings)


def test_bytes_turned_at_random_are_refused_or_read_but_never_crash(tmp_path: Path, settings: Settings) -> None:
    random = np.random.default_rng(1)
    for name in ("a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.bmp"):
        picture().save(tmp_path / name)
        whole = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
        for _ in range(25):
            data = whole.copy()
            data[random.integers(0, len(data), 12)] = random.integers(0, 256, 12)
            (tmp_path / name).write_bytes(data.tobytes())
            try:
                assert images.admit(tmp_path / name, settings).mode == "RGB"
            except StudioError as error:
                assert error.what.startswith(name) and "\n" not in error.what


def test_an_empty_file_and_a_missing_one_are_named(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(StudioError, match=r"empty\.jpg is empty"):
        images.admit(tmp_path / "empty.jpg", settings)
    for path in (tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(StudioError, match="There is no picture file"):
            images.admit(path, settings)


@pytest.mark.parametrize("factor", [1.5, 10, 1000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    tmp_path: Path, settings: Settings, factor: float
) -> None:
    edge = int((factor * settings.max_pixels) ** 0.5)
    write_png(tmp_path / "bomb.png", np.zeros((1, 1, 1), np.uint16), 0)
    data = bytearray((tmp_path / "bomb.png").read_bytes())
    data[16:24] = struct.pack(">II", edge, edge)  # a small file that claims to be huge
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "bomb.png").write_bytes(data)
    with pytest.raises(StudioError, match=r"bomb\.png is too large: 120 megapixels are allowed"):
        images.admit(tmp_path / "bomb.png", settings)


def test_limits_of_pixels_and_bytes_are_exact(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.png"
    picture().save(path)
    pixels, size = RAMP.shape[0] * RAMP.shape[1], path.stat().st_size
    images.admit(path, replace(settings, max_pixels=pixels, max_file_bytes=size))
    with pytest.raises(StudioError, match="STUDIO_MAX_PIXELS"):
        images.admit(path, replace(settings, max_pixels=pixels - 1))
    with pytest.raises(StudioError, match="STUDIO_MAX_FILE_BYTES"):
        images.admit(path, replace(settings, max_file_bytes=size - 1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bit_png_is_scaled_and_not_clipped(tmp_path: Path, settings: Settings, channels: int) -> None:
    values = RAMP[..., [0]] if channels == 1 else RAMP
    wide = values.astype(np.uint16) * 257
    if channels == 4:
        wide = np.concatenate([wide, np.full_like(wide[..., :1], 9)], -1)
    write_png(tmp_path / "a.png", wide, {1: 0, 3: 2, 4: 6}[channels])
    assert worst(tmp_path / "a.png", settings, np.broadcast_to(values, RAMP.shape)) == 0


def test_sixteen_bit_grey_is_rounded_and_black_and_white_stay(tmp_path: Path, settings: Settings) -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65407, 65535]], np.uint16)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        got = np.asarray(images.admit(tmp_path / name, settings))
        assert got[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255, 255]


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_colour_tiff(tmp_path: Path, settings: Settings, order: str) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", RAMP.astype(np.uint16) * 257, photometric="rgb", byteorder=order)
    assert worst(tmp_path / "a.tif", settings) == 0


@pytest.mark.parametrize(("dtype", "reason"), [(np.float32, "floating-point"), (np.int32, "beyond 16 bits")])
def test_other_depths_say_what_to_do(tmp_path: Path, settings: Settings, dtype: Any, reason: str) -> None:
    Image.fromarray(np.full((8, 8), 100_000, dtype)).save(tmp_path / "a.tif")
    with pytest.raises(StudioError, match=rf"{reason}.*8 or 16 bits"):
        images.admit(tmp_path / "a.tif", settings)


def test_grey_and_bilevel_become_three_equal_channels(tmp_path: Path, settings: Settings) -> None:
    for mode in ("L", "1"):
        picture(mode).save(tmp_path / "a.png")
        assert worst(tmp_path / "a.png", settings, picture(mode).convert("RGB")) == 0


def test_alpha_is_ignored_and_the_colour_kept(tmp_path: Path, settings: Settings) -> None:
    transparent = Image.fromarray(np.dstack([RAMP, np.zeros(RAMP.shape[:2], np.uint8)]))
    for name in ("a.png", "a.tif"):
        transparent.save(tmp_path / name)
        assert worst(tmp_path / name, settings) == 0
    grey = Image.merge("LA", [picture("L"), Image.new("L", picture().size, 0)])
    grey.save(tmp_path / "grey.png")
    assert worst(tmp_path / "grey.png", settings, picture("L").convert("RGB")) == 0


def test_palettes_with_and_without_transparency(tmp_path: Path, settings: Settings) -> None:
    indexed = picture("P")
    for name, extra in (("a.png", {}), ("b.png", {"transparency": 3}), ("c.png", {"transparency": bytes(range(256))})):
        indexed.save(tmp_path / name, **extra)
        assert worst(tmp_path / name, settings, indexed.convert("RGB")) == 0, name


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_of_an_animation_the_first_frame_counts(tmp_path: Path, settings: Settings, name: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    extra = {"lossless": True} if name.endswith("webp") else {}
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **extra)
    assert worst(tmp_path / name, settings, frames[0]) == 0


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, settings: Settings, name: str, orientation: int) -> None:
    # The corners of the upright picture, and how a camera held as `orientation` says would have stored them.
    upright = Image.new("RGB", (32, 16), "black")
    upright.paste("white", (0, 0, 8, 8))
    stored = upright
    flip = Image.Transpose
    undo = {2: flip.FLIP_LEFT_RIGHT, 3: flip.ROTATE_180, 4: flip.FLIP_TOP_BOTTOM, 5: flip.TRANSPOSE,
            6: flip.ROTATE_90, 7: flip.TRANSVERSE, 8: flip.ROTATE_270}  # fmt: skip
    if orientation in undo:
        stored = upright.transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / name, exif=exif, **({"quality": 100} if name.endswith("jpg") else {}))
    assert worst(tmp_path / name, settings, upright) < 4


@pytest.mark.parametrize("junk", [b"Exif\x00\x00junk", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"])
def test_broken_exif_does_not_lose_the_picture(tmp_path: Path, settings: Settings, junk: bytes) -> None:
    picture().save(tmp_path / "a.jpg", quality=95, exif=junk)
    assert images.admit(tmp_path / "a.jpg", settings).size == picture().size


def test_cmyk_without_a_profile(tmp_path: Path, settings: Settings) -> None:
    cmyk = picture("CMYK")
    cmyk.save(tmp_path / "a.tif")
    assert worst(tmp_path / "a.tif", settings) <= 1
    cmyk.save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert worst(tmp_path / "a.jpg", settings) < 12


def linear_profile() -> bytes:
    """An RGB profile with sRGB's primaries and linear light, made by editing the curves of Pillow's own sRGB."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    for index in range(count):
        name, offset, size = struct.unpack(">4sII", data[132 + 12 * index : 144 + 12 * index])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + size] = (b"curv" + bytes(8)).ljust(size, b"\x00")
        if name == b"desc":
            data[offset : offset + size] = data[offset : offset + size].replace(
                b"s\x00R\x00G\x00B", b"l\x00i\x00n\x00e"
            )
    return bytes(data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_of_another_profile_become_srgb(tmp_path: Path, settings: Settings, mode: str) -> None:
    linear = Image.new("RGB", (8, 8), (55, 128, 200))
    linear = linear.quantize(4) if mode == "P" else linear.convert(mode)
    linear.save(tmp_path / "a.png", icc_profile=linear_profile())
    expected = [round(255 * (1.055 * (value / 255) ** (1 / 2.4) - 0.055)) for value in (55, 128, 200)]
    assert worst(tmp_path / "a.png", settings, np.broadcast_to(expected, (8, 8, 3))) <= 1


def test_srgb_s_own_profile_changes_nothing(tmp_path: Path, settings: Settings) -> None:
    picture().save(tmp_path / "a.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert worst(tmp_path / "a.png", settings) == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_profile_that_is_broken_or_of_another_mode_is_ignored(
    tmp_path: Path, settings: Settings, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    for profile in (b"junk" * 50, linear_profile() if mode != "RGB" else linear_profile()[:200]):
        picture(mode).save(tmp_path / "a.tif", icc_profile=profile)
        assert worst(tmp_path / "a.tif", settings, picture(mode).convert("RGB")) == 0
        assert "is ignored" in caplog.text


def test_lab_is_converted(tmp_path: Path, settings: Settings) -> None:
    Image.new("LAB", (8, 8), (137, 128, 128)).save(tmp_path / "a.tif")  # L* 53.7, neutral: middle grey
    got = np.asarray(images.admit(tmp_path / "a.tif", settings))[0, 0].astype(int)
    assert abs(got - 128).max() <= 3


def test_a_folder_is_listed_in_natural_order_and_hidden_files_are_not(tmp_path: Path, settings: Settings) -> None:
    names = ["img2.jpg", "img10.JPG", "IMG1.png", "Ärger 3.webp", "写真.tiff", "sub/b.jpg", "sub/deeper/a.gif"]
    for name in [*names, ".hidden.jpg", ".git/x.jpg", "notes.txt", "look.cube", "Thumbs.db"]:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "folder.jpg").mkdir()
    found = [path.relative_to(tmp_path / "in").as_posix() for path in images.list_images(tmp_path / "in", settings)]
    assert found == ["IMG1.png", "img2.jpg", "img10.JPG", "sub/b.jpg", "sub/deeper/a.gif", "Ärger 3.webp", "写真.tiff"]


def test_a_hidden_folder_above_does_not_hide_its_pictures(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / ".gemma").mkdir()
    (tmp_path / ".gemma" / "a.jpg").touch()
    assert images.list_images(tmp_path / ".gemma", settings) == [tmp_path / ".gemma" / "a.jpg"]


def test_folders_that_cannot_be_used(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for name, reason in (("gone", "does not exist"), ("file", "is a file"), ("empty", "holds no pictures")):
        with pytest.raises(StudioError, match=reason):
            images.list_images(tmp_path / name, settings)


def test_too_many_pictures_are_counted_and_refused(tmp_path: Path, settings: Settings) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jpg").touch()
    assert len(images.list_images(tmp_path, replace(settings, max_files=5))) == 5
    with pytest.raises(StudioError, match=r"holds 5 pictures, and 4 are allowed.*STUDIO_MAX_FILES"):
        images.list_images(tmp_path, replace(settings, max_files=4))


def test_bad_pictures_are_recorded_and_skipped(tmp_path: Path, settings: Settings) -> None:
    picture().save(tmp_path / "good été.jpg")
    data = (tmp_path / "good été.jpg").read_bytes()
    (tmp_path / "short.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.jpg").write_text("text")
    good, skipped = images.admit_folder(tmp_path, settings)
    assert good == [tmp_path / "good été.jpg"]
    assert [each.path.name for each in skipped] == ["short.jpg", "text.jpg"]
    assert "damaged" in skipped[0].reason and "not a picture" in skipped[1].reason


def test_photographs_that_only_other_programs_read_are_named(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\x00")
    with pytest.raises(StudioError, match=r"holds no pictures that can be read, only files such as IMG_1\.HEIC"):
        images.list_images(tmp_path, settings)
    picture().save(tmp_path / "a.png")
    good, skipped = images.admit_folder(tmp_path, settings)
    assert [path.name for path in good] == ["a.png"]
    assert "IMG_1.HEIC is in a format" in skipped[0].reason and "export it as JPEG" in skipped[0].reason


def test_a_folder_of_only_bad_pictures_is_refused(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(StudioError, match=r"None of the pictures in .*: text\.jpg is not a picture"):
        images.admit_folder(tmp_path, settings)


def test_views_have_the_size_asked_for(tmp_path: Path, settings: Settings, cache: Cache) -> None:
    Image.new("RGB", (300, 200), (10, 200, 30)).save(tmp_path / "a.png")
    exact = images.load_view(tmp_path / "a.png", (64, 48), cache, settings)
    assert exact.shape == (64, 48, 3) and exact.dtype == np.uint8 and exact.flags.writeable
    assert (exact == [10, 200, 30]).all()
    assert images.load_view(tmp_path / "a.png", 150, cache, settings).shape == (100, 150, 3)
    assert images.load_view(tmp_path / "a.png", 900, cache, settings).shape == (200, 300, 3), "it only shrinks"


def test_a_rotated_jpeg_s_view_is_upright(tmp_path: Path, settings: Settings, cache: Cache) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1600, 800)).save(tmp_path / "a.jpg", exif=exif)
    assert images.load_view(tmp_path / "a.jpg", 100, cache, settings).shape == (100, 50, 3)


def test_a_view_is_decoded_once_and_follows_the_content(
    tmp_path: Path, settings: Settings, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    picture().save(path)
    decoded = []
    monkeypatch.setattr(images, "_resized", lambda *given: decoded.append(given) or picture())
    for _ in range(3):
        assert (images.load_view(path, 64, cache, settings) == RAMP).all()
    assert len(decoded) == 1
    images.load_view(path, 32, cache, settings)
    picture().rotate(90).save(path)
    images.load_view(path, 64, cache, settings)
    assert len(decoded) == 3


def test_a_view_of_a_jpeg_is_as_good_as_from_the_whole_picture(
    photographs: Path, settings: Settings, cache: Cache
) -> None:
    for path in images.list_images(photographs, settings):
        view = images.load_view(path, (80, 120), cache, settings).astype(float)
        whole = images.admit(path, settings).resize((120, 80), Image.Resampling.LANCZOS)
        assert np.abs(view - np.asarray(whole)).mean() < 1.5


def test_pillow_s_own_limit_is_the_studio_s(tmp_path: Path, settings: Settings) -> None:
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    images.admit(tmp_path / "a.png", settings)
    assert settings.max_pixels == Image.MAX_IMAGE_PIXELS
