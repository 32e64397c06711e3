"""Tables to .cube files and back, through colour-science (Iridas/Adobe conventions: TITLE, red varies fastest)."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio.errors import StudioError

DECIMALS = 8
"""Digits after the point: half a unit in the last place is under float32's resolution near 1."""


def write(path: Path, table: Tensor, title: str, comments: tuple[str, ...] = ()) -> None:
    """Write a table as a .cube file, whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        table: [3, N, N, N] in [0, 1], as in `studio.grading.lut`.
        title: Its TITLE; reduced to printable ASCII without quotes, since readers differ on the rest.
        comments: Lines for a person.
    """
    import colour

    values = table.detach().cpu().double().permute(3, 2, 1, 0).numpy()
    lut = colour.LUT3D(values, _plain(title), comments=[_plain(comment) for comment in comments])
    draft = path.with_name(f".{path.name}.tmp")
    colour.io.write_LUT_IridasCube(lut, str(draft), decimals=DECIMALS)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> Tensor:
    """Read a 3D .cube file as a float32 table [3, N, N, N].

    Raises:
        StudioError: The file is missing, is no 3D .cube, or has another domain than 0 to 1.
    """
    import colour

    if not path.is_file():
        raise StudioError(f"There is no LUT at '{path}'.", "Name a .cube file.")
    try:
        lut = colour.io.read_LUT_IridasCube(str(path))
    except (ValueError, IndexError, TypeError, AssertionError) as error:
        raise StudioError(
            f"'{path.name}' is not a readable .cube file: {error}.", "Export it again as .cube."
        ) from None
    if not isinstance(lut, colour.LUT3D):
        raise StudioError(f"'{path.name}' is a 1D LUT.", "Name a 3D .cube file.")
    if lut.domain.tolist() != [[0, 0, 0], [1, 1, 1]]:
        raise StudioError(f"'{path.name}' is made for another domain than 0 to 1.", "Export it for 0 to 1.")
    if not np.isfinite(lut.table).all():
        raise StudioError(f"'{path.name}' is not a readable .cube file: it holds nan or inf.", "Export it again.")
    return torch.from_numpy(lut.table.copy()).float().permute(3, 2, 1, 0).contiguous()


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in ascii_text).replace('"', "'").split()) or "LUT"
