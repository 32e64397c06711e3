"""LUT files of other programs: .cube, .3dl, .csp and .spi3d through OpenColorIO, Hald pictures through OpenImageIO.

A file may hold more than a table: a shaper before it, or another domain than 0 to 1. All of that is kept, as
OpenColorIO's transforms, for pictures; who wants a table alone gets one sampled from them.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PyOpenColorIO as ocio
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from studio import deep
from studio.errors import StudioError
from studio.grading import cube
from studio.grading.lut import identity, resized
from studio.grading.luttext import AGAIN, shown, titled

SUFFIXES = (".cube", ".3dl", ".csp", ".spi3d", ".png")
"""Extensions of LUT files, lower case; a .png is a Hald picture."""

LARGEST_FILE = 2**28
"""Bytes; a .cube of 129 points with ten digits a number has 80 MB."""

SHAPED_SIZE = 65
"""Points of a table that is sampled because the file holds more than one."""

_HALD_LEVELS = range(2, 13)
_HEADER = re.compile(r"(CSPLUTV100|[13]D|SPILUT\s.*|3DMESH|Mesh\s.*|LUT\d+|gamma\s.*)$", re.IGNORECASE)
_INTERPOLATIONS = {"tetrahedral": ocio.INTERP_TETRAHEDRAL, "trilinear": ocio.INTERP_LINEAR}
_DEPTHS = {"uint8": ocio.BIT_DEPTH_UINT8, "uint16": ocio.BIT_DEPTH_UINT16, "float32": ocio.BIT_DEPTH_F32}


@dataclass(frozen=True, eq=False)
class LUT:
    """A LUT, whole.

    Attributes:
        title: What it calls itself; its file's name where it has no title.
        steps: OpenColorIO's transforms in order; one of them is the 3D table.
    """

    title: str
    steps: tuple[Any, ...]

    @classmethod
    def of(cls, table: Tensor, title: str = "") -> LUT:
        """Return the LUT that is a table [3, N, N, N] and nothing else, N of 2 to 129.

        Raises:
            StudioError: OpenColorIO refuses the table.
        """
        return cls(title, (_transform(table),))

    @property
    def size(self) -> int:
        """Points along an edge of its 3D table."""
        return int(self._lut3d.getGridSize())

    @property
    def exact(self) -> bool:
        """Whether its 3D table is all of it, so that `table` is no approximation."""
        return len(self.steps) == 1

    def table(self, size: int | None = None) -> Tensor:
        """Return it as a table on the domain 0 to 1.

        A LUT of another size, or one with a shaper or another domain, is sampled: right at the points of the table;
        between them off by at most the change of the LUT's slope across a cell times an eighth of the cell's edge, on
        each axis. For a shaper as bent as a square root and 65 points that is 0.032 in the darkest cell and under 0.001
        above a code value of 0.05.

        Args:
            size: Points along an edge; None is its own, or `SHAPED_SIZE` where more than a table has to be sampled.

        Returns:
            float32 [3, N, N, N], values as in the file, which may lie outside 0 to 1.
        """
        if self.exact and size in (None, self.size):
            return _table(self._lut3d)
        nodes = identity(size or SHAPED_SIZE).permute(1, 2, 3, 0).contiguous().numpy()
        edge = nodes.shape[0]
        self.processor().apply(ocio.PackedImageDesc(nodes, edge, edge * edge, 3))
        return torch.from_numpy(nodes).permute(3, 0, 1, 2).contiguous()

    def processor(self, interpolation: str = "tetrahedral", pixels: str = "float32") -> Any:
        """Return OpenColorIO's CPU processor.

        Args:
            interpolation: ``tetrahedral``, as in training, or ``trilinear``.
            pixels: What goes in and comes out: ``float32``, or integers, ``uint8`` or ``uint16``, which are rounded.
        """
        steps = [copy.deepcopy(step) for step in self.steps]
        for step in steps:
            if isinstance(step, ocio.Lut3DTransform):
                step.setInterpolation(_INTERPOLATIONS[interpolation])
        processor, depth = ocio.Config.CreateRaw().getProcessor(ocio.GroupTransform(steps)), _DEPTHS[pixels]
        return processor.getOptimizedCPUProcessor(depth, depth, ocio.OPTIMIZATION_DEFAULT)

    @property
    def _lut3d(self) -> Any:
        return next(step for step in self.steps if isinstance(step, ocio.Lut3DTransform))


def read(path: Path) -> LUT:
    """Read a LUT file of any of the `SUFFIXES`.

    Raises:
        StudioError: It is missing, too large, no 3D LUT, or broken; where it is, the line is named.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise StudioError(f"There is no LUT at '{path}'.", f"Name a {', '.join(SUFFIXES[:-1])} or a Hald .png file.")
    if suffix not in SUFFIXES:
        raise StudioError(f"'{path.name}' is no LUT that can be read.", f"Give one of {', '.join(SUFFIXES)}.")
    try:
        _check_bytes(path, suffix)
        lut = {".cube": _read_cube, ".png": _read_hald}.get(suffix, _read_text)(path)
    except OSError as error:
        raise StudioError(f"'{path.name}' cannot be read: {error.strerror}.", "Check its permissions.") from None
    return LUT(lut.title or path.stem, lut.steps)


def _check_bytes(path: Path, suffix: str) -> None:
    size = path.stat().st_size
    if size > LARGEST_FILE:
        what = f"'{path.name}' has {size / 2**20:.0f} MiB, and LUTs of {LARGEST_FILE // 2**20} MiB are read."
        raise StudioError(what, "Export it with 33 or 65 points.")
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise StudioError(f"'{path.name}' is empty.", AGAIN)
    if suffix != ".png" and (b"\0" in head or head.lstrip().startswith(b"<")):
        raise StudioError(f"'{path.name}' is not a readable {suffix} file: it holds no lines of numbers.", AGAIN)


def _read_cube(path: Path) -> LUT:
    found = cube.read(path)
    steps = [_transform(found.table)]
    if (found.domain != [[0], [1]]).any():
        steps.insert(0, _fit(found.domain))
    if found.shaper is not None:
        shaper = ocio.Lut1DTransform(len(found.shaper), False)
        shaper.setData(found.shaper.reshape(-1))
        steps[:0] = [shaper] if (found.shaper_domain == [[0], [1]]).all() else [_fit(found.shaper_domain), shaper]
    return LUT(found.title, tuple(steps))


def _fit(domain: cube.Domain) -> Any:
    low, high = domain.tolist()
    return ocio.MatrixTransform.Fit([*low, 0.0], [*high, 1.0], [0.0] * 4, [1.0] * 4)


def _read_text(path: Path) -> LUT:
    ocio.ClearAllCaches()  # it keeps files by name and would give what was there before
    try:
        processor = ocio.Config.CreateRaw().getProcessor(ocio.FileTransform(str(path)))
        steps = tuple(processor.createGroupTransform())
    except (ocio.Exception, UnicodeDecodeError) as error:
        raise _explained(path, str(error) if isinstance(error, ocio.Exception) else "") from None
    tables = [step for step in steps if isinstance(step, ocio.Lut3DTransform)]
    if len(tables) != 1:
        raise StudioError(f"'{path.name}' is a 1D LUT.", AGAIN)
    luts = [step for step in steps if isinstance(step, ocio.Lut3DTransform | ocio.Lut1DTransform)]
    if not all(np.isfinite(np.asarray(step.getData())).all() for step in luts):
        raise _explained(path, "it holds a value that is no finite number")
    return LUT(_title(path), steps)


def _title(path: Path) -> str:
    """Return the title of a .csp (the first line of its metadata), .3dl or .spi3d (in a comment), or nothing."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.strip().upper() == "BEGIN METADATA":
                first = next(file, "").strip()
                return "" if first.upper() == "END METADATA" else first
            if title := titled(line):
                return title
    return ""


def _explained(path: Path, told: str) -> StudioError:
    """Return the error of a file that OpenColorIO refuses, with the line it means or, where it names none, ours."""
    told = told.replace(str(path), "")
    reason = re.split(r"'\w+' failed with:", told)[1 if "failed with:" in told else 0]  # the first format's counts
    reason = re.sub(r"Error parsing \S+ file\W*|\s*(At l|L)ine \((\d+)\): '.*'|[\s:']+in\.?\s*$", "", reason)
    reason = reason.strip(" .:'\n") or "it is no such file"
    lines = path.read_text("utf-8", "replace").splitlines()
    number = _odd_line(lines) or _told_line(lines, told)
    where = f"line {number}: {shown(lines[number - 1])}: " if number else f"it ends with line {len(lines)}: "
    return StudioError(f"'{path.name}' is not a readable {path.suffix.lower()} file: {where}{reason}.", AGAIN)


def _odd_line(lines: list[str]) -> int | None:
    """Return the number of the first line that holds something else than finite numbers, headers and comments aside."""
    in_metadata = False
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text.upper() in ("BEGIN METADATA", "END METADATA"):
            in_metadata = text.upper().startswith("BEGIN")
        elif not in_metadata and not _HEADER.match(text):
            try:
                if not np.isfinite(np.array(text.split(), float)).all():
                    return number
            except ValueError:
                return number
    return None


def _told_line(lines: list[str], told: str) -> int | None:
    """Return the number of the line OpenColorIO tells of: by number, or by the words at its beginning."""
    if named := re.search(r"[Ll]ine \((\d+)\)", told):
        return int(named[1])
    for quoted in re.findall(r"\(([-\d. ]+)\)|Found: '([^']*)'|: ([\d ]+)'", told):
        words = next(filter(None, quoted), "").split()
        found = [number for number, line in enumerate(lines, 1) if line.split()[: len(words)] == words]
        if len(words) > 1 and found:
            return found[-1]
    return None


def _read_hald(path: Path) -> LUT:
    """Read a Hald picture of level L, L³ by L³ pixels, whose table has L² points: levels 2 to 12.

    One of level 12 has 144 points, more than OpenColorIO takes, and is sampled with 129.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            title, (width, height) = str(picture.info.get("Title", "")), picture.size
    except Exception:  # decoders meet foreign bytes and raise whatever they like
        raise StudioError(f"'{path.name}' is no PNG that can be read.", AGAIN) from None
    level = round(width ** (1 / 3))
    if width != height or level**3 != width or level not in _HALD_LEVELS:
        what = f"'{path.name}' is no Hald picture: it has {width} × {height} pixels."
        raise StudioError(what, "A Hald picture of level 8 has 512 × 512 pixels; levels 2 to 12 are read.")
    pixels = deep.read(path, "png").pixels
    values = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., :1].repeat(3, 2)
    colours = torch.from_numpy(values.astype(np.float32) / np.iinfo(pixels.dtype).max)
    table = colours.reshape([level**2] * 3 + [3]).permute(3, 0, 1, 2)
    if level**2 > cube.SIZES[-1]:
        table = resized(table, cube.SIZES[-1])
    return LUT(title, (_transform(table),))


def _transform(table: Tensor) -> Any:
    try:
        lut = ocio.Lut3DTransform(table.shape[-1])
        lut.setInterpolation(ocio.INTERP_TETRAHEDRAL)
        lut.setData(table.detach().cpu().permute(3, 2, 1, 0).contiguous().numpy().reshape(-1))
    except ocio.Exception as error:
        raise StudioError(f"OpenColorIO refuses the LUT: {error}", "Export it with 33 or 65 points.") from None
    return lut


def _table(lut: Any) -> Tensor:
    values: NDArray[np.float32] = np.asarray(lut.getData(), np.float32).reshape([lut.getGridSize()] * 3 + [3])
    return torch.from_numpy(values.transpose(3, 2, 1, 0).copy())
