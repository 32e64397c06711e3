"""Pictures of 16 bits a channel, which Pillow cuts down to 8, and every TIFF: read and written through OpenImageIO.

Whoever reads a picture here has had its header looked at before (`studio.images`), for kind and size.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.files import write_atomic

if TYPE_CHECKING:
    from PIL.Image import Image


Pixels = NDArray[np.unsignedinteger[Any]]
"""uint8 or uint16."""

_OWN = ("oiio:BitsPerSample", "tiff:Compression", "planarconfig")  # of the file read, not of the one written


KINDS = {"PNG": "png", "TIFF": "tiff", "PPM": "pnm"}
"""Pillow's names of the formats that may be read here, and OpenImageIO's."""


class Deep(NamedTuple):
    """A picture as it lies in its file.

    Attributes:
        pixels: uint8 or uint16 [H, W, C], C of 1 to 4; alpha, of 2 or 4 channels the last, is not multiplied into the
            colours.
        spec: OpenImageIO's description, with the EXIF data, ICC profile and resolution as attributes.
    """

    pixels: Pixels
    spec: Any


def bits(picture: Image) -> int:
    """Return the bits a channel of a file not yet decoded; Pillow's modes alone do not tell 16-bit colour from 8."""
    bits_per_sample = 258
    if picture.format == "TIFF":
        return int(max(picture.tag_v2.get(bits_per_sample, (1,))))  # type: ignore[attr-defined]
    tiles = getattr(picture, "tile", None)  # only files have any
    decoding = tiles[0].args if tiles else None  # 'RGB;16B', or of a PPM ('RGB', 65535)
    if picture.format == "PPM" and isinstance(decoding, tuple):
        return int(decoding[1]).bit_length()
    return 16 if picture.mode.startswith("I") or ";16" in str(decoding) else 8


def is_cut(picture: Image) -> bool:
    """Whether Pillow would cut a file's colours down to 8 bits, or, where their planes lie apart, misread them."""
    return picture.format in KINDS and picture.mode in ("RGB", "RGBA", "RGBX", "LA") and bits(picture) > 8


def shallow(picture: Image, path: Path) -> Image:
    """Return a picture that `is_cut` rounded to 8 bits, mode L or RGB, its ICC profile and orientation in ``info``.

    Raises:
        StudioError: As `read`.
    """
    from PIL import Image as pillow

    pixels = read(path, KINDS[str(picture.format)]).pixels
    colours = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., 0]
    result = pillow.fromarray(((colours.astype(np.uint32) + 128) // 257).astype(np.uint8))
    orientation = 0x112
    exif = pillow.Exif()
    exif[orientation] = picture.getexif().get(orientation, 1)
    result.info = {"icc_profile": picture.info.get("icc_profile"), "exif": exif.tobytes()}
    return result


def read(path: Path, kind: str) -> Deep:
    """Read the first picture of a file, as it lies: not turned upright, its colours not converted.

    Up to 8 bits come as 8, more as 16, scaled to the full range.

    Args:
        path: The file.
        kind: What its content is: ``png``, ``tiff`` or ``pnm``.

    Raises:
        StudioError: It is damaged, or of another kind.
    """
    import OpenImageIO as oiio  # here, since at the end of a process it complains of what others keep alive

    wishes = oiio.ImageSpec()
    wishes.attribute("oiio:UnassociatedAlpha", 1)
    opened = oiio.ImageInput.open(str(path), wishes)
    if opened is None:
        raise _damaged(path, oiio.geterror())
    if opened.format_name() != kind:
        raise _damaged(path, f"it is {opened.format_name()}, not {kind}")
    spec = opened.spec()
    depth = oiio.UINT8 if spec.format == oiio.UINT8 else oiio.UINT16
    pixels: Any = opened.read_image(0, 0, 0, min(spec.nchannels, 4), depth)
    if pixels is None:
        raise _damaged(path, opened.geterror())
    if pixels.shape[2] in (2, 4) and not spec.get_int_attribute("oiio:UnassociatedAlpha") and spec.alpha_channel >= 0:
        pixels = _divided(pixels)
    return Deep(pixels, spec)


def _divided(pixels: Pixels) -> Pixels:
    """Take alpha out of colours it has been multiplied into, as far as their bits still hold them."""
    whole = np.iinfo(pixels.dtype).max
    alpha = pixels[..., -1:].astype(np.float64)
    colours = np.minimum(pixels[..., :-1] * np.divide(whole, alpha, out=np.zeros_like(alpha), where=alpha > 0), whole)
    result: Pixels = np.concatenate((np.rint(colours).astype(pixels.dtype), pixels[..., -1:]), 2)
    return result


def _damaged(path: Path, reason: str) -> StudioError:
    return StudioError(f"{path.name} is damaged: {' '.join(reason.split())}.", "Export or copy it again.")


def write(path: Path, pixels: Pixels, kind: str, like: Any = None, **attributes: Any) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        pixels: uint8 or uint16 [H, W, C], C of 1 to 4, alpha as in `Deep`.
        kind: ``png`` or ``tiff``, the latter compressed without loss where ``like`` was compressed.
        like: A spec whose attributes it takes over: what OpenImageIO understands of the EXIF data, the ICC profile,
            the resolution. Makers' notes are not among it.
        attributes: Others, such as ``DocumentName``.

    Raises:
        OSError: The folder cannot be written or the disk is full; an old file is untouched.
    """
    import OpenImageIO as oiio

    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.UINT8 if pixels.dtype == np.uint8 else oiio.UINT16)
    for name, value in (_attributes(like) | attributes).items():
        spec.attribute(name, *value) if isinstance(value, tuple) else spec.attribute(name, value)
    if channels in (2, 4):
        spec.alpha_channel = channels - 1
        spec.attribute("oiio:UnassociatedAlpha", 1)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"draft.{kind}"
        output: Any = oiio.ImageOutput.create(str(draft))
        done = output.open(str(draft), spec) and output.write_image(np.ascontiguousarray(pixels))
        if not (output.close() and done):
            raise OSError(output.geterror() or "the picture cannot be encoded")
        write_atomic(path, draft.read_bytes())


def _attributes(like: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in [] if like is None else like.extra_attribs:
        # Of a number it takes the type from the value only, and of a list of one it writes none.
        value = each.value[0] if isinstance(each.value, tuple) and len(each.value) == 1 else each.value
        if each.name not in _OWN:
            found[each.name] = value if isinstance(value, int | float | str) else (each.type, value)
    if found.get("compression", "none") not in ("none", "lzw", "zip", "packbits"):
        found["compression"] = "zip"
    return found
