"""Admit pictures: only what is one, of bearable size, upright, in sRGB, eight bits a channel, in a natural order.

What a picture is, its content says and never its extension. Alpha is ignored and the colour under it kept, since
compositing over any background would put colours into a photograph that it does not hold. Of an animation the first
frame counts. Colours of another ICC profile are converted to sRGB; a profile that cannot be read is ignored, as
viewers do. Sixteen bits are rounded to eight, not cut off.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.files import content_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from studio.cache import Cache
    from studio.settings import Settings

_log = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "BMP", "GIF", "PPM")
"""What Pillow may try to read a picture as; formats that run other programs or rarely hold photographs are left out."""

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff"}
    | {".avif", ".bmp", ".gif", ".ppm", ".pgm", ".pnm"}
)
"""Extensions, lower case, by which pictures are looked for in a folder."""

FOREIGN = frozenset(
    {".heic", ".heif", ".jxl", ".psd", ".exr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"}
)
"""Extensions of photographs that only other programs read; a folder's are named and not passed over in silence."""

_VIEW_VERSION = "view 2"  # part of every key, so that a change of this code forgets the old views
_KNOWN = "Give a JPEG, PNG, WebP, TIFF, AVIF, BMP or GIF."


@dataclass(frozen=True)
class Skipped:
    """A picture that was left out, and the sentence that says why."""

    path: Path
    reason: str


def admit(path: Path, settings: Settings) -> Image:
    """Read one picture whole.

    Returns:
        A Pillow image of mode RGB, sRGB code values of 0 to 255, upright, carrying no metadata.

    Raises:
        StudioError: The file is missing, empty, too large, damaged or no picture.
    """
    return _read(path, settings, None)


def list_images(folder: Path, settings: Settings) -> list[Path]:
    """Return the picture files in a folder and the folders in it, hidden ones aside, in natural order.

    Files are chosen by extension and not opened; `admit` decides about the content.

    Raises:
        StudioError: The folder is missing, is a file, or holds no pictures or more than ``settings.max_files``.
    """
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "does not exist"
        raise StudioError(f"The folder {folder} {problem}.", "Give a folder of photographs.")
    found = _find(folder, SUFFIXES)
    if not found:
        foreign = _find(folder, FOREIGN)
        beside = f", only files such as {foreign[0].name}" if foreign else ""
        raise StudioError(f"The folder {folder} holds no pictures that can be read{beside}.", _KNOWN)
    if len(found) > settings.max_files:
        what = f"The folder {folder} holds {len(found)} pictures, and {settings.max_files} are allowed."
        raise StudioError(what, "Take a smaller folder or raise STUDIO_MAX_FILES.")
    return found


def admit_folder(folder: Path, settings: Settings) -> tuple[list[Path], list[Skipped]]:
    """Return the readable pictures of a folder in natural order, and what was left out with its reason.

    Every file is decoded, JPEGs at an eighth of their size, so that a truncated one is found now and not in mid-run.

    Raises:
        StudioError: As `list_images`, or no picture can be read; the first reason is named.
    """
    good: list[Path] = []
    skipped: list[Skipped] = []
    for path in list_images(folder, settings):
        try:
            _read(path, settings, (1, 1))
            good.append(path)
        except StudioError as error:
            skipped.append(Skipped(path, error.what))
    skipped += list_foreign(folder)
    if not good:
        raise StudioError(f"None of the pictures in {folder} can be read: {skipped[0].reason}", _KNOWN)
    return good, skipped


def list_foreign(folder: Path) -> list[Skipped]:
    """Return the photographs of a folder that only other programs read, such as HEIC and camera raw files."""
    reason = "is in a format that only other programs read; export it as JPEG or TIFF"
    return [Skipped(path, f"{path.name} {reason}.") for path in _find(folder, FOREIGN)]


def load_view(path: Path, size: tuple[int, int] | int, cache: Cache, settings: Settings) -> NDArray[np.uint8]:
    """Return a whole-frame view of a picture, decoded once and then kept in the cache.

    Args:
        path: The picture.
        size: Height and width in pixels to fit exactly, or the long edge in pixels, which only shrinks.
        cache: Where views are kept, by the picture's content.
        settings: Its limits decide what is admitted.

    Returns:
        uint8 array of shape [height, width, 3], sRGB code values.

    Raises:
        StudioError: As `admit`.
    """
    import numpy as np

    check_file(path, settings)
    key = content_hash(_VIEW_VERSION, repr(size), path)
    kept = cache.get(key)
    if kept is not None:
        view: NDArray[np.uint8] = np.load(io.BytesIO(kept), allow_pickle=False)
        return view
    view = np.array(_resized(path, size, settings), dtype=np.uint8)
    buffer = io.BytesIO()
    np.save(buffer, view, allow_pickle=False)
    cache.put(key, buffer.getvalue())
    return view


def _resized(path: Path, size: tuple[int, int] | int, settings: Settings) -> Image:
    from PIL.Image import Resampling

    # Twice the wanted size leaves the JPEG decoder's coarse scaling out of sight of the final filter.
    edge = 2 * (max(size) if isinstance(size, tuple) else size)
    picture = _read(path, settings, (edge, edge))
    if isinstance(size, tuple):
        return picture.resize((size[1], size[0]), Resampling.LANCZOS)
    picture.thumbnail((size, size), Resampling.LANCZOS)
    return picture


def _read(path: Path, settings: Settings, at_least: tuple[int, int] | None) -> Image:
    """Decode a picture; a JPEG may come at an eighth, quarter or half of its size, no smaller than ``at_least``."""
    from PIL import ImageOps

    from studio import deep

    check_file(path, settings)
    with opened(path, settings) as picture, decoding(path):
        if deep.is_cut(picture):
            return to_srgb(ImageOps.exif_transpose(deep.shallow(picture, path)), path)
        if at_least is not None:
            picture.draft(None, at_least)  # None keeps the mode
        picture.load()
        return to_srgb(eight_bits(ImageOps.exif_transpose(picture), path), path)


def check_file(path: Path, settings: Settings) -> None:
    """Refuse a file that is missing, empty or too large, before it is opened."""
    if not path.is_file():
        raise StudioError(f"There is no picture file at {path}.", "Check the path.")
    size = path.stat().st_size
    if size == 0:
        raise StudioError(f"{path.name} is empty.", "Copy the file again.")
    if size > settings.max_file_bytes:
        what = f"{path.name} has {size / 2**20:.0f} MiB, and {settings.max_file_bytes / 2**20:.0f} MiB are allowed."
        raise StudioError(what, "Make it smaller or raise STUDIO_MAX_FILE_BYTES.")


@contextmanager
def opened(path: Path, settings: Settings) -> Iterator[Image]:
    """Read the header only, and refuse what would be too large before anything is decoded."""
    from PIL import Image as pillow
    from PIL import UnidentifiedImageError

    # Set for the whole process, since saving and restoring them is not safe with threads. Pillow's other warnings tell
    # of broken metadata that nobody can act on.
    pillow.MAX_IMAGE_PIXELS = settings.max_pixels
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    warnings.simplefilter("error", pillow.DecompressionBombWarning)
    limit = f"{settings.max_pixels / 1e6:.0f} megapixels are allowed"
    remedy = "Make it smaller or raise STUDIO_MAX_PIXELS."
    try:
        picture = pillow.open(path, formats=FORMATS)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise StudioError(f"{path.name} is too large: {limit}.", remedy) from None
    except UnidentifiedImageError:
        raise StudioError(f"{path.name} is not a picture that can be read.", _KNOWN) from None
    except Exception as error:  # decoders meet foreign bytes and raise whatever they like
        raise StudioError(f"{path.name} is damaged: {error}.", "Export or copy it again.") from None
    with picture:
        if picture.width * picture.height > settings.max_pixels:
            what = f"{path.name} has {picture.width} × {picture.height} pixels, and {limit}."
            raise StudioError(what, remedy)
        yield picture


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into a sentence."""
    try:
        yield
    except (StudioError, MemoryError):
        raise
    except Exception as error:  # as above; a truncated file alone can be OSError, SyntaxError, struct.error, ...
        raise StudioError(f"{path.name} is damaged: {error}.", "Export or copy it again.") from None


def eight_bits(picture: Image, path: Path) -> Image:
    """Return mode L, RGB, CMYK or LAB, with the ICC profile of the picture still in ``info``."""
    if picture.mode in ("L", "RGB", "CMYK", "LAB"):
        return picture
    if picture.mode == "F":
        raise StudioError(f"{path.name} holds floating-point values.", "Export it with 8 or 16 bits a channel.")
    if picture.mode.startswith("I"):
        result = _from_sixteen(picture, path)
    elif picture.mode in ("1", "LA"):
        result = picture.convert("L")
    else:  # by way of RGBA, since a palette's transparency cannot go into RGB directly
        result = picture.convert("RGBA").convert("RGB")
    result.info = dict(picture.info)
    return result


def _from_sixteen(picture: Image, path: Path) -> Image:
    import numpy as np
    from PIL import Image as pillow

    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise StudioError(f"{path.name} holds values beyond 16 bits.", "Export it with 8 or 16 bits a channel.")
    return pillow.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


def to_srgb(picture: Image, path: Path) -> Image:
    """Convert from the profile in ``info``, if any, to sRGB; mode RGB, without metadata."""
    from PIL import ImageCms

    result, profile = None, _profile(picture, path)
    if profile is not None:
        try:
            target: Any = ImageCms.createProfile("sRGB")
            result = ImageCms.profileToProfile(
                picture, profile, target, ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )  # fmt: skip
        except ImageCms.PyCMSError as error:
            _log.warning("The colour profile of %s does not fit it and is ignored: %s", path.name, error)
    result = picture.convert("RGB") if result is None else result
    result.info = {}  # an old profile kept here would be written into every file made from it
    return result


def _profile(picture: Image, path: Path) -> Any:
    """Return the profile to convert from, or None when the code values already are sRGB."""
    from PIL import ImageCms

    if picture.mode == "LAB":
        return ImageCms.createProfile("LAB")
    data = picture.info.get("icc_profile")
    if not data:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        return None if "srgb" in ImageCms.getProfileDescription(profile).lower() else profile
    except (ImageCms.PyCMSError, OSError) as error:
        _log.warning("The colour profile of %s cannot be read and is ignored: %s", path.name, error)
        return None


def _find(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files of these kinds in a folder and the folders in it, hidden ones aside, in natural order."""
    names = {path: path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in suffixes}
    shown = [path for path, name in names.items() if path.is_file() and not any(p.startswith(".") for p in name.parts)]
    return sorted(shown, key=lambda path: _natural(names[path].as_posix()))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Order ``img2`` before ``img10``, and letters without regard to case."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
