"""Put a LUT on videos with ffmpeg: in floating-point RGB, by tetrahedral interpolation, all else as it was.

Matrix and range are those the video is tagged with; without tags those of its size, BT.709 from 720 lines and BT.601
below, in video range. Code values outside that range, the superwhites, are cut, as by every LUT for 0 to 1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from studio.errors import StudioError
from studio.grading import lutexport
from studio.grading.config import VIDEOS
from studio.grading.lut import strengthen
from studio.grading.lutfiles import LUT

SAMPLED = 129
"""Points of the table where the LUT is more than one, since ffmpeg reads no shaper from a .cube."""

_MATRICES = {
    "bt709": ("709", "bt709"),
    "smpte170m": ("170m", "smpte170m"),
    "bt470bg": ("470bg", "bt470"),
    "fcc": ("fcc", "fcc"),
    "smpte240m": ("240m", "smpte240m"),
    "bt2020nc": ("2020_ncl", "bt2020"),
}
"""ffprobe's names of matrices, and those of ffmpeg's filters zscale and scale."""

_SAME = ("ffv1", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "v210", "png", "qtrle")  # without loss
_ENCODERS = {
    "h264": ("libx264", "-crf", "14"),
    "hevc": ("libx265", "-crf", "14", "-tag:v", "hvc1", "-x265-params", "log-level=error"),
    "vp8": ("libvpx", "-crf", "6", "-b:v", "50M"),
    "vp9": ("libvpx-vp9", "-crf", "15", "-b:v", "0", "-row-mt", "1"),
    "av1": ("libsvtav1", "-crf", "18"),
    "mpeg4": ("mpeg4", "-q:v", "2"),
    "mpeg2video": ("mpeg2video", "-q:v", "2"),
    "mjpeg": ("mjpeg", "-q:v", "2"),
    **{codec: (codec,) for codec in _SAME},
}
"""Codecs by how ffmpeg writes them again so that nobody sees it; ProRes and DNxHR go by their profile."""
_PRORES = {"Proxy": "0", "LT": "1", "Standard": "2", "HQ": "3", "4444": "4", "XQ": "5"}
_INPUT = ("-protocol_whitelist", "file,crypto,data")  # a playlist that poses as a video fetches nothing


def is_video(path: Path) -> bool:
    """Whether a file is a video by its extension."""
    return path.suffix.lower() in VIDEOS


def list_videos(folder: Path) -> list[Path]:
    """Return the videos in a folder and the folders in it, hidden ones aside, in order of their names."""
    found = [path for path in folder.rglob("*") if is_video(path) and path.is_file()]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def grade(
    source: Path,
    target: Path,
    lut: LUT,
    strength: float = 1.0,
    interpolation: str = "tetrahedral",
    base: Tensor | None = None,
) -> Generator[str, None, str]:
    """Grade a video; its codec, depth, sound, subtitles, chapters, tags and rotation stay.

    Yields:
        Twice a second how far it is. Closed, it ends ffmpeg and leaves nothing.

    Returns:
        What is not as one might think, for a person.

    Raises:
        StudioError: ffmpeg is missing, cannot read the video or cannot write its codec.
    """
    streams, seconds = _probe(source)
    video = next((each for each in streams if _is_picture(each)), None)
    if video is None:
        raise StudioError(f"{source.name} holds no video.", "Give another file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.stem}.part{target.suffix}")
    try:
        with tempfile.TemporaryDirectory(prefix="gemma-studio-") as folder:
            table = lut.table(None if lut.exact else SAMPLED)
            lutexport.write(Path(folder) / "look.cube", strengthen(table, strength, base), lut.title)
            command = _command(source, draft, streams, video, interpolation)
            for done in _run(command, Path(folder), source):
                yield f"{source.name}: {min(done / seconds, 1):.0%}" if seconds else f"{source.name}: {done:.0f} s"
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return _remarks(streams, video, lut)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise StudioError(f"Videos are graded with ffmpeg, and {name} is not installed.", "Install ffmpeg.")
    return found


def _probe(source: Path) -> tuple[list[dict[str, Any]], float]:
    """Return the streams of a file and its seconds, 0 when unknown."""
    if not source.is_file():
        raise StudioError(f"There is no video at {source}.", "Check the path.")
    command = [_program("ffprobe"), "-v", "error", *_INPUT, "-show_streams", "-show_format", "-of", "json"]
    done = subprocess.run([*command, f"file:{source.resolve()}"], capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise _refused(source, done.stderr)
    found = json.loads(done.stdout)
    return found["streams"], float(found["format"].get("duration", 0))


def _is_picture(stream: dict[str, Any]) -> bool:
    return stream["codec_type"] == "video" and not stream["disposition"]["attached_pic"]


def _command(
    source: Path, draft: Path, streams: list[dict[str, Any]], video: dict[str, Any], interpolation: str
) -> list[str]:
    kept = [each for each in streams if each["codec_type"] in ("video", "audio", "subtitle", "attachment")]
    number = kept.index(video)
    maps = [word for each in kept for word in ("-map", f"0:{each['index']}")]
    encoder, *options = _encoder(source, video)
    tags = {"color_range": "color_range", "color_space": "colorspace", "color_primaries": "color_primaries"}
    tags["color_transfer"] = "color_trc"
    for name, option in tags.items():
        if video.get(name, "unknown") != "unknown":
            options += [f"-{option}", {"gbr": "rgb"}.get(video[name], video[name])]  # one name read, another written
    return [
        _program("ffmpeg"), "-v", "error", "-nostdin", "-y", "-progress", "pipe:1", "-stats_period", "0.5",
        *_INPUT, "-noautorotate", "-i", f"file:{source.resolve()}", *maps, "-map_metadata", "0", "-c", "copy",
        f"-filter:{number}", _filters(source, video, interpolation), f"-c:{number}", encoder, *options,
        "-fps_mode", "passthrough", "-movflags", "+use_metadata_tags", f"file:{draft.resolve()}",
    ]  # fmt: skip


def _encoder(source: Path, video: dict[str, Any]) -> tuple[str, ...]:
    codec, profile = video.get("codec_name", "unknown"), str(video.get("profile", ""))
    if codec == "prores":
        return "prores_ks", "-profile:v", _PRORES.get(profile, "3")
    if codec == "dnxhd" and profile.upper().startswith("DNXHR"):
        return "dnxhd", "-profile:v", profile.lower().replace(" ", "_")
    if codec not in _ENCODERS:
        raise StudioError(f"{source.name} is {codec} video, which is not written again.", "Convert it to ProRes first.")
    return _ENCODERS[codec]


def _filters(source: Path, video: dict[str, Any], interpolation: str) -> str:
    """Return the way to RGB, through the LUT and back; in floating point, since whole numbers are cut off there."""
    pixels = video["pix_fmt"]
    has_alpha = pixels.startswith(("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya"))
    rgb = "gbrapf32le" if has_alpha else "gbrpf32le"
    look = f"lut3d=file=look.cube:interp={interpolation}"
    if _is_rgb(pixels):
        return f"format={rgb},{look},format={pixels}"
    tagged = video.get("color_space", "unknown")
    if tagged == "unknown":
        tagged = "bt709" if video["height"] >= 720 else "smpte170m"
    if tagged not in _MATRICES:
        raise StudioError(f"{source.name} has colours of the kind {tagged}.", "Convert it to BT.709 first.")
    precise, plain = _MATRICES[tagged]
    full = video.get("color_range") == "pc" or pixels.startswith("yuvj")
    if _has_zscale():
        there = f"zscale=matrixin={precise}:rangein={'full' if full else 'limited'}:matrix=gbr:range=full"
        back = f"zscale=matrixin=gbr:rangein=full:matrix={precise}:range={'full' if full else 'limited'}"
    else:
        flags = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp:interl=-1"
        there = f"scale=in_color_matrix={plain}:in_range={'pc' if full else 'tv'}:{flags}"
        back = f"scale=out_color_matrix={plain}:out_range={'pc' if full else 'tv'}:{flags}"
    return f"{there},format={rgb},{look},{back},format={pixels}"


def _is_rgb(pixels: str) -> bool:
    return pixels.startswith(("gbr", "rgb", "bgr", "argb", "abgr", "pal8"))


def _has_zscale() -> bool:
    """Whether this ffmpeg holds zimg; its own way from YCbCr to RGB is off by up to a level of 8 bits, at any depth."""
    listed = subprocess.run([_program("ffmpeg"), "-v", "error", "-filters"], capture_output=True, text=True)
    return " zscale " in listed.stdout


def _run(command: list[str], folder: Path, source: Path) -> Iterator[float]:
    """Run ffmpeg in a folder, and yield the seconds written."""
    with (folder / "errors.txt").open("w+b") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                name, _, value = line.strip().partition("=")
                if name == "out_time_us" and value.lstrip("-").isdigit():
                    yield max(0, int(value)) / 1e6
            if process.wait():
                errors.seek(0)
                raise _refused(source, errors.read().decode(errors="replace"))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def _refused(source: Path, told: str) -> StudioError:
    lines = [line.replace(f"file:{source.resolve()}", source.name) for line in told.splitlines() if line.strip()]
    reason = lines[-1].strip(" .") if lines else "it does not say why"
    return StudioError(f"ffmpeg cannot grade {source.name}: {reason}.", "Convert the video first.")


def _remarks(streams: list[dict[str, Any]], video: dict[str, Any], lut: LUT) -> str:
    remarks = []
    transfer = video.get("color_transfer", "unknown")
    if transfer in ("smpte2084", "arib-std-b67"):
        remarks.append(f"its code values stay in {'PQ' if transfer == 'smpte2084' else 'HLG'}")
    if any(each["codec_type"] == "data" and each.get("codec_tag_string") != "tmcd" for each in streams):
        remarks.append("its data streams left out")
    if not _is_rgb(video["pix_fmt"]) and not _has_zscale():
        remarks.append("off by up to a level of 8 bits and the LUT's slope, since this ffmpeg has no zscale")
    return ", ".join([*remarks, *([] if lut.exact else [f"the LUT's shaper sampled with {SAMPLED} points"])])
