"""Pictures of 16 bits a channel, which Pillow cuts down to 8: read and written through OpenImageIO.

Whoever reads a picture here has had its header looked at before (`studio.images`), for kind and size.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.files import write_atomic


class Deep(NamedTuple):
    """A picture of 16 bits.

    Attributes:
        pixels: uint16 [H, W, C], C of 1 to 4; alpha, of 2 or 4 channels the last, is not multiplied into the colours.
        spec: OpenImageIO's description, with the EXIF data, ICC profile and resolution as attributes.
    """

    pixels: NDArray[np.uint16]
    spec: Any


def read(path: Path, kind: str) -> Deep:
    """Read the first picture of a file of 8 or 16 bits, as it lies: not turned upright, its colours not converted.

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
    pixels: Any = opened.read_image(0, 0, 0, 4, oiio.UINT16)
    if pixels is None:
        raise _damaged(path, opened.geterror())
    return Deep(pixels, opened.spec())


def _damaged(path: Path, reason: str) -> StudioError:
    return StudioError(f"{path.name} is damaged: {' '.join(reason.split())}.", "Export or copy it again.")


def write(path: Path, pixels: NDArray[np.uint16], kind: str, like: Any = None, **attributes: Any) -> None:
    """Write a picture of 16 bits, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        pixels: uint16 [H, W, C], C of 1 to 4, alpha as in `Deep`.
        kind: ``png``, ``tiff`` or ``pnm``.
        like: A spec whose attributes it takes over.
        attributes: Others, such as ``DocumentName``.

    Raises:
        OSError: The folder cannot be written or the disk is full; an old file is untouched.
    """
    import OpenImageIO as oiio

    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, oiio.UINT16)
    for each in [] if like is None else like.extra_attribs:
        spec.attribute(each.name, each.type, each.value)
    if channels in (2, 4):
        spec.alpha_channel = channels - 1
        spec.attribute("oiio:UnassociatedAlpha", 1)
    for name, value in attributes.items():
        spec.attribute(name, value)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"draft.{kind}"
        output: Any = oiio.ImageOutput.create(str(draft))
        done = output.open(str(draft), spec) and output.write_image(np.ascontiguousarray(pixels))
        if not (output.close() and done):
            raise OSError(output.geterror() or "the picture cannot be encoded")
        write_atomic(path, draft.read_bytes())
