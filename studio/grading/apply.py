"""Put a LUT on pictures, through OpenColorIO; results have 8 bits a channel and no alpha; notes say what was lost."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PyOpenColorIO as ocio
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.grading import lutfiles
from studio.grading.config import ApplyConfig
from studio.grading.lutfiles import LUT
from studio.images import FORMATS, admit, list_images

Pixels = NDArray[np.uint8]

_KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
"""Extensions that results keep, and their formats; every other becomes a PNG."""

_REASONS = 5  # named in the error when no picture could be graded


def grade(pixels: Pixels, lut: LUT | Tensor, strength: float = 1.0, interpolation: str = "tetrahedral") -> Pixels:
    """Grade 8-bit pixels.

    Args:
        pixels: [H, W, 3] sRGB code values.
        lut: A LUT, or a table [3, N, N, N] in [0, 1].
        strength: Share of the change, 0 to 1.
        interpolation: ``tetrahedral``, as in training, or ``trilinear``.

    Returns:
        [H, W, 3] of the same kind, rounded.
    """
    before = pixels.astype(np.float32) / 255
    after = before.copy()
    height, width, _ = pixels.shape
    whole = lut if isinstance(lut, LUT) else LUT.of(lut)
    whole.processor(interpolation).apply(ocio.PackedImageDesc(after, width, height, 3))
    mixed = before + strength * (after - before)
    return np.clip(np.rint(mixed * 255), 0, 255).astype(np.uint8)


def run(config: ApplyConfig, context: Context) -> Iterator[Event]:
    """Grade every picture; one that cannot be read or saved, and a folder without any, is named and skipped.

    An event's artifacts are the result of its picture by file name, those of the last event all results; its metrics
    count ``graded`` and ``skipped``. No picture named is ever written over.

    Raises:
        StudioError: The LUT is unreadable, results cannot be put where they should, or no picture could be graded.
    """
    lut = lutfiles.read(config.lut)
    paths, skipped = _sources(config.images, context)
    if paths:
        _make_folder(config.output_path)
    for error in skipped:
        yield Event(0, len(paths) or None, f"Skipped: {error}")
    taken = {_place(path) for path in paths}
    graded: dict[str, str] = {}
    for done, path in enumerate(paths, 1):
        target = _free_name(config.output_path, path, taken)
        result: dict[str, str] = {}
        try:
            pixels = np.asarray(admit(path, context.settings))
            note = f"{path.name} → {target}{_losses(path)}"
            _save(grade(pixels, lut, config.strength, config.interpolation), target, path)
            taken.add(_place(target))
            result[target.name] = str(target.resolve())
        except StudioError as error:
            skipped.append(error)
            note = f"Skipped: {error}"
        graded |= result
        if done < len(paths):
            yield Event(done, len(paths), note, artifacts=result)
        else:
            yield Event(done, done, note, {"graded": len(graded), "skipped": len(skipped)}, graded)
    if not graded:
        raise _nothing(skipped)


def _sources(names: tuple[Path, ...], context: Context) -> tuple[list[Path], list[StudioError]]:
    """Return the pictures named, those of folders among them, and why folders gave none."""
    paths: list[Path] = []
    errors: list[StudioError] = []
    for name in names:
        try:
            paths += list_images(name, context.settings) if name.is_dir() else [name]
        except StudioError as error:
            errors.append(error)
    return paths, errors


def _make_folder(folder: Path) -> None:
    """Make the folder of the results, and fail before the work when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = f"Results cannot be put into {folder}: {error.strerror}."
        raise StudioError(what, "Choose another folder with --output-path.") from None


def _place(path: Path) -> str:
    return str(path.resolve()).casefold()  # on macOS and Windows, names that differ in case are one file


def _free_name(folder: Path, source: Path, taken: set[str]) -> Path:
    """Keep the source's name; never write over a source or another result of this run, but over an earlier run's."""
    suffix = source.suffix.lower() if source.suffix.lower() in _KINDS else ".png"
    target, number = folder / (source.stem + suffix), 2
    while _place(target) in taken:
        target, number = folder / f"{source.stem}-{number}{suffix}", number + 1
    return target


def _losses(path: Path) -> str:
    """Say what of an admitted picture does not reach its result, for the end of its note; nothing is the usual."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            bits = _bits(picture)
            losses = [f"8 bits kept of {bits}"] if bits > 8 else []
            if picture.has_transparency_data and picture.convert("RGBA").getchannel("A").getextrema() != (255, 255):
                losses.append("transparency left out")
    except OSError as error:
        raise StudioError(f"{path.name} cannot be read: {error}.", "Copy it again.") from None
    return f" ({', '.join(losses)})" if losses else ""


def _bits(picture: Image.Image) -> int:
    """Return the bits a channel of a file not yet decoded; Pillow's modes alone do not tell 16-bit colour from 8."""
    bits_per_sample = 258
    if picture.format == "TIFF":
        return int(max(picture.tag_v2.get(bits_per_sample, (1,))))  # type: ignore[attr-defined]
    tiles = getattr(picture, "tile", None)  # only files have any
    decoding = tiles[0].args if tiles else None  # 'RGB;16B', or of a PPM ('RGB', 65535)
    if picture.format == "PPM" and isinstance(decoding, tuple):
        return int(decoding[1]).bit_length()
    return 16 if picture.mode.startswith("I") or ";16" in str(decoding) else 8


def _save(pixels: Pixels, target: Path, source: Path) -> None:
    """Write a picture whole or not at all, JPEG at a quality nobody sees."""
    kind, buffer = _KINDS[target.suffix], io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    try:
        Image.fromarray(pixels).save(buffer, kind, **options)
        write_atomic(target, buffer.getvalue())
    except OSError as error:
        what = f"{source.name} cannot be saved as {target}: {error.strerror or error}."
        raise StudioError(what, "Make room, or choose another folder with --output-path.") from None


def _nothing(skipped: list[StudioError]) -> StudioError:
    """Return the error of a run without result, with the reasons in it, since a command line keeps no log."""
    shown = skipped[:_REASONS]
    more = f" So with {len(skipped) - len(shown)} more." if len(skipped) > len(shown) else ""
    reasons = " ".join(error.what for error in shown)
    return StudioError(f"No picture could be graded: {reasons}{more}", " ".join(dict.fromkeys(e.todo for e in shown)))
