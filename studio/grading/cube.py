"""The .cube files of any program, read by line; to OpenColorIO those of some programs are foreign.

The conventions are those of Iridas and Adobe (TITLE, DOMAIN_MIN, DOMAIN_MAX) and of Resolve (LUT_3D_INPUT_RANGE, and a
1D shaper before the 3D table), also mixed, as several programs write them; red varies fastest.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.errors import StudioError
from studio.grading.luttext import AGAIN, shown, titled

SIZES = range(2, 130)
"""Points along an edge: what OpenColorIO takes."""

_SHAPER_SIZES = range(2, 65537)
_KEYWORDS = {
    "LUT_3D_SIZE": 1,
    "LUT_1D_SIZE": 1,
    "DOMAIN_MIN": 3,
    "DOMAIN_MAX": 3,
    "LUT_3D_INPUT_RANGE": 2,
    "LUT_1D_INPUT_RANGE": 2,
}
"""Keywords by how many numbers follow."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)

Domain = NDArray[np.float64]
"""[2, 3]: where the input begins and ends, for red, green and blue."""


class Cube(NamedTuple):
    """What a .cube file holds.

    Attributes:
        title: Its TITLE, or nothing.
        table: float32 [3, N, N, N], as in `studio.grading.lut`, N of 2 to 129.
        domain: Of the table.
        shaper: float32 [M, 3] that comes before the table, or None.
        shaper_domain: Of the shaper.
    """

    title: str
    table: Tensor
    domain: Domain
    shaper: NDArray[np.float32] | None
    shaper_domain: Domain


def read(path: Path) -> Cube:
    """Read a 3D .cube file of any program.

    Keywords are read in either case, comments anywhere, a byte order mark and bytes that are no UTF-8 as they come.

    Raises:
        StudioError: It is no .cube, the line is named; or it holds a 1D LUT alone, or is made for video range.
        OSError: It is missing or cannot be read.
    """
    title, keywords, values = _parse(path)
    if "LUT_3D_SIZE" not in keywords:
        problem = (
            "is a 1D LUT" if "LUT_1D_SIZE" in keywords else "is not a readable .cube file: it holds no LUT_3D_SIZE"
        )
        raise StudioError(f"'{path.name}' {problem}.", AGAIN)
    size = _count(path, keywords, "LUT_3D_SIZE", SIZES)
    length = _count(path, keywords, "LUT_1D_SIZE", _SHAPER_SIZES) if "LUT_1D_SIZE" in keywords else 0
    rows = len(values) // 3
    if rows != size**3 + length:
        before = f"LUT_1D_SIZE {length} and " if length else ""
        what = f"{before}LUT_3D_SIZE {size} need{'s' * (not length)} {size**3 + length} rows, it holds {rows}"
        raise StudioError(f"'{path.name}' is incomplete or overlong: {what}.", AGAIN)
    numbers = np.array(values, np.float32).reshape(-1, 3)
    table = torch.from_numpy(numbers[length:].copy()).view(size, size, size, 3).permute(3, 0, 1, 2).contiguous()
    domain, shaper_domain = _domain(path, keywords, "LUT_3D_INPUT_RANGE"), _domain(path, keywords, "LUT_1D_INPUT_RANGE")
    return Cube(title, table, domain, numbers[:length] if length else None, shaper_domain)


def _parse(path: Path) -> tuple[str, dict[str, list[float]], array[float]]:
    """Return the title, the numbers of each keyword, and those of all rows one after the other."""
    title = ""
    keywords: dict[str, list[float]] = {}
    values = array("d")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            title = title or titled(line)
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
    return title, keywords, values


def _numbers(words: list[str], count: int) -> list[float] | None:
    """Return the words as finite float32 values, or None when they are not or are another count."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    fit = len(numbers) == count and all(abs(number) <= _FLOAT32_MAX for number in numbers)  # false for nan too
    return numbers if fit else None


def _unreadable(path: Path, number: int, line: str, keyword: str) -> StudioError:
    count = _KEYWORDS.get(keyword, 3)
    wanted = f"{keyword or 'a row'} takes {count} finite number{'s' * (count > 1)}"
    return StudioError(
        f"'{path.name}' is not a readable .cube file: line {number}: {shown(line)}, but {wanted}.", AGAIN
    )


def _count(path: Path, keywords: dict[str, list[float]], keyword: str, allowed: range) -> int:
    size = keywords[keyword][0]
    if size not in allowed:
        what = f"'{path.name}' has {keyword} {size:g}, and {allowed[0]} to {allowed[-1]} can be read."
        raise StudioError(what, "Export it with 33 or 65 points.")
    return int(size)


def _domain(path: Path, keywords: dict[str, list[float]], input_range: str) -> Domain:
    low, high = keywords.get(input_range, [0, 1])
    domain = np.array([keywords.get("DOMAIN_MIN", [low] * 3), keywords.get("DOMAIN_MAX", [high] * 3)])
    if not (domain[0] < domain[1]).all():
        told = " to ".join(" ".join(f"{number:g}" for number in end) for end in domain)
        raise StudioError(f"'{path.name}' has a domain that does not rise: {told}.", AGAIN)
    return domain
