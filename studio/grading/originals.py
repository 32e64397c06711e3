"""Pictures with all that a grade must not lose: bits, alpha, EXIF data, colour profile, orientation.

A picture keeps its format where that is JPEG, PNG or TIFF, and lies in its file as before, with the tag that turns it
upright; of any other format it becomes a PNG, upright. Code values stay in the colour space the profile names, which
is kept: what is graded are the code values, as grading programs do, so that nothing is clipped to sRGB on the way. Of
CMYK, Lab and grey pictures with a profile there are no such code values, and they are converted to sRGB.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from studio import deep
from studio.deep import Pixels
from studio.errors import StudioError
from studio.files import write_atomic
from studio.images import check_file, decoding, eight_bits, opened, to_srgb
from studio.settings import Settings

SUFFIXES = {"JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "PNG": (".png",), "TIFF": (".tif", ".tiff")}
"""Formats of results, and the extensions they may keep; the first is given where the source had another."""

_MODES = {"RGB", "RGBA", "RGBX", "L", "LA", "I;16", "I;16L", "I;16B"}
_RGB = ("RGB", "RGBA", "RGBX", "P", "PA")


@dataclass(frozen=True)
class Original:
    """A picture as it lies in its file.

    Attributes:
        pixels: uint8 or uint16 [H, W, 3] or, with alpha, [H, W, 4].
        format: That of its result: ``JPEG``, ``PNG`` or ``TIFF``.
        remarks: What of it is not as one might think, for a person.
        spec: OpenImageIO's description where that is to write it, else None.
        options: Pillow's options where that is to write it.
    """

    pixels: Pixels
    format: str
    remarks: tuple[str, ...] = ()
    spec: Any = None
    options: dict[str, Any] = field(default_factory=dict)


def read(path: Path, settings: Settings) -> Original:
    """Read a picture whole.

    Raises:
        StudioError: The file is missing, empty, too large, damaged or no picture, or holds floating-point values.
    """
    check_file(path, settings)
    with opened(path, settings) as picture, decoding(path):
        kind = deep.KINDS.get(str(picture.format))
        plain_tiff = kind == "tiff" and picture.mode in _MODES and deep.bits(picture) in range(2, 17)
        if kind and picture.mode in _MODES and (plain_tiff or deep.bits(picture) > 8):
            return _deep(path, kind, grey=picture.mode[0] in "LI")
        return _shallow(picture, path)


def write(original: Original, pixels: Pixels, target: Path) -> None:
    """Write a picture of the original's format with what the original held beside its pixels, whole or not at all.

    A JPEG is of a quality nobody sees. Its EXIF data lose the small picture in them, which would show it ungraded.

    Raises:
        StudioError: It cannot be written there.
    """
    try:
        if original.spec is not None:
            deep.write(target, pixels, original.format.lower(), original.spec)
        else:
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, original.format, **original.options)
            write_atomic(target, buffer.getvalue())
    except (OSError, ValueError) as error:
        what = f"{target.name} cannot be saved in {target.parent}: {getattr(error, 'strerror', None) or error}."
        raise StudioError(what, "Make room, or choose another folder with --output-path.") from None


def _deep(path: Path, kind: str, *, grey: bool) -> Original:
    pixels, spec = deep.read(path, kind)
    remarks = []
    if pixels.shape[2] < 3:
        pixels = np.concatenate((pixels[..., :1].repeat(3, 2), pixels[..., 1:]), 2)
    profile = spec.getattribute("ICCProfile")
    if profile is not None and grey:
        for name in [each.name for each in spec.extra_attribs if each.name.startswith("ICCProfile")]:
            spec.erase_attribute(name)
        remarks.append("its profile for grey left out")
    elif profile is not None:
        remarks += _space(np.asarray(profile, np.uint8).tobytes())
    return Original(pixels, "TIFF" if kind == "tiff" else "PNG", tuple(remarks), spec)


def _shallow(picture: Image.Image, path: Path) -> Original:
    format = "JPEG" if picture.format == "MPO" else str(picture.format)
    upright = format not in SUFFIXES or format == "TIFF"
    spec = None
    if format == "TIFF":  # a palette, CMYK or Lab; its profile is not that of the result
        spec = deep.read(path, "tiff").spec
        for name in [each.name for each in spec.extra_attribs if each.name.startswith(("ICCProfile", "Orientation"))]:
            spec.erase_attribute(name)
    picture.load()
    laid = ImageOps.exif_transpose(picture) if upright else picture
    options = {name: laid.info[name] for name in ("dpi", "xmp", "icc_profile") if laid.info.get(name)}
    if "exif" in laid.info:
        options["exif"] = without_thumbnail(laid.info["exif"])
    remarks = _space(options.get("icc_profile", b""))
    has_alpha = laid.has_transparency_data
    if laid.mode in _RGB:
        shown = laid.convert("RGBA" if has_alpha else "RGB")
    else:
        remarks = ["its colours converted to sRGB"] if "icc_profile" in options or laid.mode != "L" else []
        options.pop("icc_profile", None)
        shown = to_srgb(eight_bits(laid, path), path)
        if has_alpha:
            shown.putalpha(laid.convert("RGBA").getchannel("A"))
    result = format if format in SUFFIXES else "PNG"
    if result == "JPEG":
        options |= {"quality": 95, "subsampling": 0, "comment": laid.info.get("comment", b"")}
    return Original(np.asarray(shown), result, tuple(remarks), spec, options)


def _space(profile: bytes) -> list[str]:
    """Name the colour space that code values stay in, if it is another than sRGB."""
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() if profile else ""
    except (ImageCms.PyCMSError, OSError):
        name = "an unreadable profile"
    return [f"its code values stay in {name}"] if name and "srgb" not in name.lower() else []


def without_thumbnail(exif: bytes) -> bytes:
    """Return EXIF data in which the second directory, which holds a small picture, is not linked to.

    All else stays at its place, since makers' notes count from it.
    """
    start = 6 if exif.startswith(b"Exif\0\0") else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    try:
        if order is None:
            return exif
        first = start + struct.unpack_from(f"{order}I", exif, start + 4)[0]
        link = first + 2 + 12 * struct.unpack_from(f"{order}H", exif, first)[0]
        struct.unpack_from(f"{order}I", exif, link)
    except struct.error:  # cut short: as broken as it came
        return exif
    return exif[:link] + b"\0\0\0\0" + exif[link + 4 :]
