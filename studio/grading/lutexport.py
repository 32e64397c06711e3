"""Tables to LUT files that other programs open, through the writers of colour-science and OpenColorIO."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
from torch import Tensor

from studio import deep
from studio.errors import StudioError
from studio.files import write_atomic
from studio.grading import colourscience
from studio.grading.lut import resized
from studio.grading.lutfiles import LUT
from studio.grading.luttext import plain, plain_title

DECIMALS = 8
"""Digits after the point: half a unit in the last place is under float32's resolution near 1."""

SUFFIXES = {"cube": ".cube", "cube-resolve": ".cube", "3dl": ".3dl", "csp": ".csp", "spi3d": ".spi3d", "hald": ".png"}
"""Flavours of LUT files and their extensions; of two for one, the first is what an extension alone means."""

SIZES_3DL = (17, 33, 65)
"""Points of a .3dl: other programs take only these, and ffmpeg only 17."""

STEP_3DL = 1 / 4095
"""A .3dl holds whole numbers of 12 bits, so half of this is its rounding; in a Hald picture it is half of 1/65535."""


def write(path: Path, table: Tensor, title: str, comments: tuple[str, ...] = (), flavour: str = "cube") -> None:
    """Write a table as a LUT file, whole or not at all.

    The .cube files, .csp and .spi3d hold the table as it is. A .3dl has 17, 33 or 65 points, the fewest that are not
    fewer than the table's, or 65; a Hald picture the least square number that is not less (level 8 and 64 points for
    33). Tables of other sizes are sampled for these by tetrahedral interpolation, exact where the old points are
    among the new: `studio.grading.lut.resized`.

    Args:
        path: Where to; an existing file is replaced.
        table: [3, N, N, N], as in `studio.grading.lut`; a .3dl and a Hald picture hold 0 to 1 only, the rest is cut.
        title: Its title; reduced to 240 characters of printable ASCII without quotes, since readers differ on the
            rest, and to ``untitled look`` where that leaves no letter or digit (emoji, Chinese). It is the keyword
            TITLE for Adobe, the metadata of a .csp and the text Title of a Hald picture; elsewhere, where no reader
            of the format takes a title, it stands in a comment.
        comments: Lines for a person, reduced likewise; a Hald picture has no room for them.
        flavour: One of `SUFFIXES`; ``cube`` is Adobe's and Iridas's (TITLE, DOMAIN_MIN, DOMAIN_MAX), and
            ``cube-resolve`` Resolve's (LUT_3D_INPUT_RANGE).

    Raises:
        OSError: The folder cannot be written or the disk is full; an old file is untouched and no new one left.
    """
    name, lines = plain_title(title), tuple(plain(comment) for comment in comments)
    table = table.detach().cpu().float()
    if flavour == "hald":
        _write_hald(path, table, name)
    else:
        write_atomic(path, _TEXTS[flavour](table, name, lines))


def write_draft(path: Path, table: Tensor, title: str) -> None:
    """Write a .cube while a training goes on: in a tenth of `write`'s time, six digits after the point.

    Args:
        path: Where to; an existing file is replaced.
        table: [3, N, N, N] in [0, 1].
        title: Its title, as in `write`.

    Raises:
        OSError: As `write`.
    """
    write_atomic(path, f'TITLE "{plain_title(title)}"\n' + _baked(table.detach().cpu().float(), "iridas_cube"))


def flavour_of(path: Path) -> str:
    """Return the flavour that a file's extension means.

    Raises:
        StudioError: None does.
    """
    for flavour, suffix in SUFFIXES.items():
        if path.suffix.lower() == suffix:
            return flavour
    raise StudioError(
        f"'{path.name}' has no extension of a LUT.", f"Use one of {', '.join(dict.fromkeys(SUFFIXES.values()))}."
    )


def _adobe(table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    text = _by_colour("IridasCube", table, name, comments)
    return text.replace("LUT_3D_SIZE", "DOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\nLUT_3D_SIZE", 1)


def _resolve(table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    # OpenColorIO takes no TITLE beside Resolve's keywords, and colour-science leaves out a range of 0 to 1.
    text = _by_colour("ResolveCube", table, name, comments)
    size = f"LUT_3D_SIZE {table.shape[-1]}\n"
    return "# " + text.replace(size, f"{size}LUT_3D_INPUT_RANGE 0.0 1.0\n", 1)


def _csp(table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    return _by_colour("Cinespace", table, name, comments)


def _spi3d(table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    return _by_colour("SonySPI3D", table, name, (f'TITLE "{name}"', *comments))


def _3dl(table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    size = next((each for each in SIZES_3DL if each >= table.shape[-1]), SIZES_3DL[-1])
    head = [f'TITLE "{name}"', *comments]
    return "".join(f"# {line}\n" for line in head) + _baked(resized(table, size).clamp(0, 1), "flame")


def _baked(table: Tensor, kind: str) -> str:
    """Return a table as OpenColorIO's baker writes it."""
    config = ocio.Config.CreateRaw()
    config.addColorSpace(ocio.ColorSpace(name="ungraded"))
    (transform,) = LUT.of(table).steps
    graded = ocio.ColorSpace(name="graded")
    graded.setTransform(transform, ocio.COLORSPACE_DIR_FROM_REFERENCE)
    config.addColorSpace(graded)
    baker = ocio.Baker()
    baker.setConfig(config)
    baker.setFormat(kind)
    baker.setInputSpace("ungraded")
    baker.setTargetSpace("graded")
    baker.setCubeSize(table.shape[-1])
    return str(baker.bake())


_TEXTS: dict[str, Callable[[Tensor, str, tuple[str, ...]], str]] = {
    "cube": _adobe,
    "cube-resolve": _resolve,
    "3dl": _3dl,
    "csp": _csp,
    "spi3d": _spi3d,
}


def _by_colour(writer: str, table: Tensor, name: str, comments: tuple[str, ...]) -> str:
    colour = colourscience.load()
    lut = colour.LUT3D(table.double().permute(3, 2, 1, 0).numpy(), name, comments=list(comments))
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "look.txt"
        write_file: Any = getattr(colour.io, f"write_LUT_{writer}")
        write_file(lut, str(draft), decimals=DECIMALS)
        return draft.read_text("ascii")


def _write_hald(path: Path, table: Tensor, name: str) -> None:
    level = int(np.ceil(np.sqrt(table.shape[-1])))
    values = resized(table, level**2).clamp(0, 1).permute(1, 2, 3, 0).reshape(level**3, level**3, 3).numpy()
    deep.write(path, np.rint(values * 65535).astype(np.uint16), "png", DocumentName=name)
