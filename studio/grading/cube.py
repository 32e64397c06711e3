"""Tables to .cube files through colour-science, and .cube files of any program to tables, as OpenColorIO reads them.

The conventions are those of Iridas and Adobe: TITLE, and red varies fastest. Of Resolve's, the range 0 to 1 is read.
"""

from __future__ import annotations

import os
import tempfile
import unicodedata
from array import array
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio.errors import StudioError
from studio.files import write_atomic

DECIMALS = 8
"""Digits after the point: half a unit in the last place is under float32's resolution near 1."""

SIZES = range(2, 130)
"""Points along an edge: what OpenColorIO takes."""

_KEYWORDS = {
    "LUT_3D_SIZE": 1,
    "LUT_1D_SIZE": 1,
    "DOMAIN_MIN": 3,
    "DOMAIN_MAX": 3,
    "LUT_3D_INPUT_RANGE": 2,
    "LUT_1D_INPUT_RANGE": 2,
}
"""Keywords by how many numbers follow; TITLE aside, of which nothing is read."""

_DOMAIN = {"DOMAIN_MIN": [0, 0, 0], "DOMAIN_MAX": [1, 1, 1], "LUT_3D_INPUT_RANGE": [0, 1]}
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_TITLE_LENGTH = 240  # Adobe's lines have 250 bytes at most
_AGAIN = "Export it again as a 3D .cube."


def write(path: Path, table: Tensor, title: str, comments: tuple[str, ...] = ()) -> None:
    """Write a table as a .cube file, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        table: [3, N, N, N] in [0, 1], as in `studio.grading.lut`.
        title: Its TITLE; reduced to 240 characters of printable ASCII without quotes, since readers differ on the
            rest, and to ``untitled look`` where that leaves no letter or digit (emoji, Chinese).
        comments: Lines for a person, reduced likewise.

    Raises:
        OSError: The folder cannot be written or the disk is full; an old file is untouched and no new one left.
    """
    # Else it warns of SciPy and Matplotlib, which a .cube does without.
    os.environ.setdefault("COLOUR_SCIENCE__FILTER_USAGE_WARNINGS", "True")
    import colour

    name = _plain(title)[:_TITLE_LENGTH].strip()
    values = table.detach().cpu().double().permute(3, 2, 1, 0).numpy()
    lut = colour.LUT3D(
        values,
        name if any(each.isalnum() for each in name) else "untitled look",
        comments=[_plain(comment) for comment in comments],
    )
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "look.cube"
        colour.io.write_LUT_IridasCube(lut, str(draft), decimals=DECIMALS)
        write_atomic(path, draft.read_bytes())


def read(path: Path) -> Tensor:
    """Read a 3D .cube file of any program as a float32 table [3, N, N, N], N of 2 to 129.

    Keywords are read in either case, comments anywhere, a byte order mark and bytes that are no UTF-8 as they come.

    Raises:
        StudioError: The file is missing or no .cube, the line is named; or it holds a 1D LUT, or is made for video
            range or another domain than 0 to 1.
    """
    if not path.is_file():
        raise StudioError(f"There is no LUT at '{path}'.", "Name a .cube file.")
    try:
        keywords, values = _parse(path)
    except OSError as error:
        raise StudioError(f"'{path.name}' cannot be read: {error.strerror}.", "Check its permissions.") from None
    size = _size(path, keywords)
    rows = len(values) // 3
    if rows != size**3:
        what = f"'{path.name}' is incomplete or overlong: LUT_3D_SIZE {size} needs {size**3} rows, it holds {rows}."
        raise StudioError(what, _AGAIN)
    table = torch.from_numpy(np.array(values, np.float32)).view(size, size, size, 3)
    return table.permute(3, 0, 1, 2).contiguous()


def _parse(path: Path) -> tuple[dict[str, list[float]], array[float]]:
    """Return the numbers of each keyword, and those of all rows one after the other."""
    keywords: dict[str, list[float]] = {}
    values = array("d")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            parts = line.partition("#")[0].split()
            keyword = parts[0].upper() if parts else "TITLE"
            if keyword.startswith("TITLE"):
                continue
            if keyword in ("LUT_IN_VIDEO_RANGE", "LUT_OUT_VIDEO_RANGE"):
                raise StudioError(
                    f"'{path.name}' is made for video range (line {number}: {keyword}).", "Export it for full range."
                )
            named = keyword in _KEYWORDS
            numbers = _numbers(parts[1:] if named else parts, _KEYWORDS.get(keyword, 3))
            if numbers is None:
                raise _unreadable(path, number, line, keyword if named else "")
            if named:
                keywords[keyword] = numbers
            else:
                values.extend(numbers)
    return keywords, values


def _numbers(words: list[str], count: int) -> list[float] | None:
    """Return the words as finite float32 values, or None when they are not or are another count."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    fit = len(numbers) == count and all(abs(number) <= _FLOAT32_MAX for number in numbers)  # false for nan too
    return numbers if fit else None


def _unreadable(path: Path, number: int, line: str, keyword: str) -> StudioError:
    shown = "".join(each if each.isprintable() else "�" for each in " ".join(line.split())[:40])
    count = _KEYWORDS.get(keyword, 3)
    wanted = f"{keyword or 'a row'} takes {count} finite number{'s' * (count > 1)}"
    return StudioError(f"'{path.name}' is not a readable .cube file: line {number}: '{shown}', but {wanted}.", _AGAIN)


def _size(path: Path, keywords: dict[str, list[float]]) -> int:
    """Return N of a file that holds a 3D LUT for 0 to 1 and nothing besides."""
    if "LUT_1D_SIZE" in keywords:
        what = "holds a 1D shaper before its 3D LUT" if "LUT_3D_SIZE" in keywords else "is a 1D LUT"
        raise StudioError(f"'{path.name}' {what}.", "Export it as one 3D .cube without a shaper.")
    if "LUT_3D_SIZE" not in keywords:
        raise StudioError(f"'{path.name}' is not a readable .cube file: it holds no LUT_3D_SIZE.", _AGAIN)
    for keyword, wanted in _DOMAIN.items():
        found = keywords.get(keyword, wanted)
        if found != wanted:
            shown = " ".join(f"{number:g}" for number in found)
            raise StudioError(
                f"'{path.name}' is made for another domain than 0 to 1 ({keyword} {shown}).", "Export it for 0 to 1."
            )
    size = keywords["LUT_3D_SIZE"][0]
    if size not in SIZES:
        what = f"'{path.name}' has LUT_3D_SIZE {size:g}, and {SIZES[0]} to {SIZES[-1]} can be read."
        raise StudioError(what, "Export it with 33 or 65 points.")
    return int(size)


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in ascii_text).replace('"', "'").split())
