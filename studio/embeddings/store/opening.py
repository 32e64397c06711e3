"""Looking into HDF5 files of strangers: nothing leads out of the file, and nothing grows beyond what is in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o
from numpy.typing import NDArray

from studio.errors import StudioError

READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What h5py raises where a file is damaged or not what it seems."""

_MOST_LISTED = 1024  # values of an attribute
_LONGEST = 1 << 20  # numbers of a vector
_LARGEST = 1 << 33  # bytes of one dataset in memory
_MOST_PACKED = 1100  # deflate makes at most 1032 bytes of one


def open_file(path: Path) -> h5py.File:
    """Open an HDF5 file for reading.

    Raises:
        StudioError: It is missing, truncated, or no HDF5 file.
    """
    try:
        return h5py.File(path, "r", locking=False)  # parts never change, and some network disks know no locks
    except FileNotFoundError:
        raise StudioError(f"'{path.name}' is missing.", "Choose a file that is there.") from None
    except OSError as error:
        reason = "it is truncated or was not closed" if h5py.is_hdf5(path) else "it is no HDF5 file"
        reason = "it is not allowed" if isinstance(error, PermissionError) else reason
        raise StudioError(f"'{path.name}' cannot be opened: {reason}.", "Copy or extract it again.") from None


def attribute(node: h5py.File | h5py.Group | h5py.Dataset, name: str) -> str | int | float | list[Any] | None:
    """Return an attribute that is a text, a number or a short list of them, as a plain value; None for any other."""
    try:
        shape = node.attrs.get_id(name).shape
        value = node.attrs[name] if math.prod(shape or ()) <= _MOST_LISTED else None
    except READ_ERRORS:
        return None
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    return value if isinstance(value, str | int | float | list) else None


def attributes(node: h5py.File | h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Return the attributes of a node that are plain, see `attribute`, by name."""
    found = {name: attribute(node, name) for name in node.attrs}
    return {name: value for name, value in found.items() if value is not None}


def child(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """Return what lies in a group itself under a name without slashes; None for nothing, a soft or an external link."""
    place = name.encode(errors="surrogateescape")
    if not group.id.links.exists(place) or group.id.links.get_info(place).type != h5l.TYPE_HARD:
        return None
    found = h5o.open(group.id, place)
    kinds = {h5g.GroupID: h5py.Group, h5d.DatasetID: h5py.Dataset}
    return kinds[type(found)](found) if type(found) in kinds else None


def trouble(found: h5py.Dataset) -> str:
    """Say why a dataset should not be read: it lies in other files, or is far larger than what is stored; else ''."""
    made = found.id.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
        return "its values are kept in another file"
    held = int(found.id.get_storage_size()) * (_MOST_PACKED if made.get_nfilters() else 1)
    kind = found.dtype
    count = math.prod(found.shape or (0,))
    size = count * (1 if kind.kind == "O" else kind.itemsize)  # what lies elsewhere in the file is no claim
    if size > _LARGEST:
        return f"it claims {size:,} bytes"
    if size > held * 2:  # bfloat16 is stored in half of what it takes in memory
        return f"it claims {size:,} bytes and holds {held:,}"
    return ""


def table(found: h5py.Group | h5py.Dataset | None, columns: Mapping[str, Any], name: str) -> dict[str, NDArray[Any]]:
    """Return the columns of a table, which has a field for each; texts as arrays of ``str``.

    Raises:
        ValueError: It is not there, cannot be trusted, or lacks a column; ``name`` is named.
    """
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"it has no {name}")
    shape, kind = found.shape, found.dtype
    if shape is None or len(shape) != 1:
        raise ValueError(f"{name} has the shape {shape}")
    for column, wanted in columns.items():
        if column not in (kind.names or ()) or kind[column].kind != np.dtype(wanted).kind:
            raise ValueError(f"{name} has no {column}")
    if reason := trouble(found):
        raise ValueError(f"{name} cannot be read: {reason}")
    values = found[:]
    return {column: _decoded(values[column]) for column in columns}


def texts(found: h5py.Group | h5py.Dataset | None, length: int, name: str) -> NDArray[Any]:
    """Return a dataset of ``length`` texts.

    Raises:
        ValueError: It is none; ``name`` is named.
    """
    if not isinstance(found, h5py.Dataset) or found.shape != (length,) or found.dtype.kind != "O" or trouble(found):
        raise ValueError(f"{name} holds no {length} texts")
    return _decoded(found[:])


def _decoded(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "O":
        return values.copy()
    return np.array([each.decode(errors="replace") if isinstance(each, bytes) else "" for each in values], object)


def matrix(found: h5py.Group | h5py.Dataset | None, rank: int, name: str) -> h5py.Dataset:
    """Return a dataset after seeing that it can be read as float32 and has ``rank`` dimensions.

    Raises:
        ValueError: It is not there, or it has another kind or shape or cannot be trusted; ``name`` is named.
    """
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{name} is missing")
    shape, kind = found.shape, found.dtype
    if shape is None or len(shape) != rank or kind.kind != "f" or 0 in shape:
        raise ValueError(f"{name} has the shape {shape} of {kind}")
    if shape[-1] > _LONGEST:
        raise ValueError(f"{name} has vectors of {shape[-1]:,} numbers")
    if reason := trouble(found):
        raise ValueError(f"{name} cannot be read: {reason}")
    return found
