"""Videos graded by ffmpeg are graded as OpenColorIO would, and come out as they went in, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
import pytest
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.grading import lutfiles, video
from studio.grading.lut import strengthen
from studio.grading.lutfiles import LUT
from tests.grading.lutsamples import BENT, ROWS, trained

SIZE = (96, 64)
WEIGHTS = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}


def run(*words: str) -> bytes:
    program = shutil.which(words[0])
    assert program, f"{words[0]} is installed by make test"
    return subprocess.run([program, "-v", "error", *words[1:]], capture_output=True, check=True).stdout


def clip(path: Path, *options: str, frames: int = 3) -> Path:
    source = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=10"
    run("ffmpeg", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine=d=0.3", "-frames:v", str(frames),
        "-metadata", "title=my clip", *options, str(path))  # fmt: skip
    return path


def graded(source: Path, target: Path, lut: LUT, strength: float = 1.0) -> str:
    """Grade to the end and return the remark."""
    steps = video.grade(source, target, lut, strength)
    while True:
        try:
            assert next(steps).startswith(source.name)
        except StopIteration as end:
            return str(end.value)


def frames(path: Path, pixels: str) -> NDArray[Any]:
    raw = run("ffmpeg", "-i", str(path), "-map", "0:V:0", "-f", "rawvideo", "-pix_fmt", pixels, "-")
    return np.frombuffer(raw, np.uint16 if "10" in pixels else np.uint8).reshape(-1, 3, SIZE[1], SIZE[0])


def streams(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("ffprobe", "-show_streams", "-of", "json", str(path)))["streams"]
    return found


def reference(yuv: NDArray[Any], lut: LUT, matrix: str, bits: int, full: bool) -> NDArray[np.float64]:
    """Frames [F, 3, H, W] through RGB, OpenColorIO and back, in floating point (ITU-R BT.709, BT.601, BT.2020)."""
    red, blue = WEIGHTS[matrix]
    top, step = 2**bits - 1, 2 ** (bits - 8)
    low, luma, chroma = (0, top, top) if full else (16 * step, 219 * step, 224 * step)
    codes = yuv.astype(float)
    y, cb, cr = ((codes[:, i] - (low if i == 0 else 128 * step)) / (luma if i == 0 else chroma) for i in range(3))
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    g = (y - red * r - blue * b) / (1 - red - blue)
    rgb = np.ascontiguousarray(np.stack((r, g, b), -1).clip(0, 1), np.float32)
    lut.processor().apply(ocio.PackedImageDesc(rgb, SIZE[0], SIZE[1] * len(yuv), 3))
    r, g, b = np.moveaxis(rgb.astype(float), -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / 2 / (1 - blue), (r - y) / 2 / (1 - red)
    return np.stack((y * luma + low, cb * chroma + 128 * step, cr * chroma + 128 * step), 1)


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize(
    ("pixels", "matrix", "span"),
    [
        ("yuv444p", "bt709", "tv"),
        ("yuv444p", "smpte170m", "tv"),
        ("yuv444p", "bt709", "pc"),
        ("yuv444p10le", "bt709", "tv"),
        ("yuv444p10le", "bt2020nc", "tv"),
    ],
)
def test_frames_are_those_of_opencolorio(
    pixels: str, matrix: str, span: str, precise: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounded through zscale; without it, off by a level of 8 bits and more where the LUT is steep, as this one is."""
    if not precise:
        monkeypatch.setattr(video, "_has_zscale", lambda: False)
    bits = 10 if "10" in pixels else 8
    scale = f"scale=out_color_matrix={matrix.removesuffix('nc')}:out_range={span},format={pixels}"
    tags = ("-colorspace", matrix, "-color_range", span, "-color_primaries", "bt709", "-color_trc", "bt709")
    source = clip(tmp_path / "in.mkv", "-vf", scale, "-c:v", "ffv1", *tags)
    lut = LUT.of(trained(17), "look")
    for strength in (0.5, 1.0):
        assert ("no zscale" in graded(source, tmp_path / "out.mkv", lut, strength)) != precise
        whole = LUT.of(strengthen(trained(17), strength))
        wanted = reference(frames(source, pixels), whole, matrix, bits, span == "pc")
        found = frames(tmp_path / "out.mkv", pixels)
        error = 0.52 if precise else 3.5 * 2 ** (bits - 8)
        assert found.shape == wanted.shape and np.abs(found - wanted).max() <= error
        assert abs((found - wanted).mean()) < (0.1 if precise else 0.5)  # not cut off
    kept = ("pix_fmt", "codec_name", "color_space", "color_range", "color_primaries", "color_transfer")
    before, after = streams(source)[0], streams(tmp_path / "out.mkv")[0]
    assert [after.get(name) for name in kept] == [before.get(name) for name in kept]


@pytest.mark.parametrize(
    ("name", "options", "codec", "pixels"),
    [
        ("in.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv420p"), "h264", "yuv420p"),
        ("in.mov", ("-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"), "prores", "yuva444p12le"),
        ("in.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime"), "vp9", "yuv420p"),
        ("in.avi", ("-c:v", "mpeg4", "-q:v", "2"), "mpeg4", "yuv420p"),
        ("in.mkv", ("-c:v", "ffv1", "-pix_fmt", "gbrp10le"), "ffv1", "gbrp10le"),
        ("in.mxf", ("-c:v", "mpeg2video", "-r", "25", "-c:a", "pcm_s16le", "-ar", "48000"), "mpeg2video", "yuv420p"),
    ],
)
def test_codec_depth_sound_and_tags_stay(
    name: str, options: tuple[str, ...], codec: str, pixels: str, tmp_path: Path
) -> None:
    source = clip(tmp_path / name, *options)
    target = tmp_path / f"out{source.suffix}"
    graded(source, target, LUT.of(1 - trained(9)), 0.5)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, target.name])
    before, after = streams(source), streams(target)
    assert after[0]["codec_name"] == codec and after[0]["pix_fmt"] == before[0]["pix_fmt"]
    assert before[0]["pix_fmt"] in (pixels, "yuva444p10le")
    assert [each["codec_name"] for each in after] == [each["codec_name"] for each in before]
    sound = ("-map", "0:a", "-c", "copy", "-f", "md5", "-")
    assert run("ffmpeg", "-i", str(source), *sound) == run("ffmpeg", "-i", str(target), *sound)
    if source.suffix != ".mxf":
        assert b"my clip" in run("ffprobe", "-show_format", str(target))
    counts = [len(frames(each, "yuv444p")) for each in (source, target)]
    assert counts[0] == counts[1] > 0


def test_names_that_mean_something_to_ffmpeg_are_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's, [a] \\ path: 100%;=x"
    folder.mkdir()
    source = clip(tmp_path / "in.mkv", "-c:v", "ffv1").rename(folder / "-in 'a',b:c\\.mkv")
    graded(source, folder / "out %d.mkv", LUT.of(trained(9)))
    assert len(frames(folder / "out %d.mkv", "yuv444p")) == 3


def test_a_stopped_video_leaves_nothing_and_ends_ffmpeg(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mkv", "-c:v", "ffv1", frames=200)
    target = tmp_path / "out" / "out.mkv"
    steps: Generator[str, None, str] = video.grade(source, target, LUT.of(trained(65)))
    next(steps)
    steps.close()
    assert list(target.parent.iterdir()) == []
    children = subprocess.run(["ps", "-o", "comm=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    assert "ffmpeg" not in children


def test_a_shaper_is_sampled_and_said(tmp_path: Path) -> None:
    (tmp_path / "shaped.cube").write_text("LUT_1D_SIZE 3\nLUT_3D_SIZE 2\n" + BENT + ROWS)
    lut = lutfiles.read(tmp_path / "shaped.cube")
    source = clip(tmp_path / "in.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p")
    assert graded(source, tmp_path / "out.mkv", lut) == "the LUT's shaper sampled with 129 points"
    wanted = reference(frames(source, "yuv444p"), lut, "smpte170m", 8, False)  # untagged, and small
    assert np.abs(frames(tmp_path / "out.mkv", "yuv444p") - wanted).max() <= 0.52


def test_what_is_no_video_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    run("ffmpeg", "-f", "lavfi", "-i", "sine=d=0.1", str(tmp_path / "sound.mov"))
    for name in ("junk.mp4", "list.mp4", "sound.mov", "nowhere.mkv"):
        with pytest.raises(StudioError, match=name):
            graded(tmp_path / name, tmp_path / "out.mp4", LUT.of(trained(2)))
    odd = clip(tmp_path / "odd.avi", "-c:v", "msvideo1")
    with pytest.raises(StudioError, match="msvideo1"):
        graded(odd, tmp_path / "out.avi", LUT.of(trained(2)))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StudioError, match="ffprobe is not installed"):
        graded(odd, tmp_path / "out.avi", LUT.of(trained(2)))
    assert not [each for each in tmp_path.iterdir() if "out" in each.name]


def test_videos_of_a_folder_are_found_in_order(tmp_path: Path) -> None:
    for name in ("b.MP4", "a/c.mov", ".hidden.mp4", "x.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in video.list_videos(tmp_path)] == ["c.mov", "b.MP4"]
