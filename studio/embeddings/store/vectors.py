"""Matrices in HDF5 files: bfloat16 that every reader of HDF5 understands, or float32.

The type is described to HDF5 bit by bit, so a reader that never heard of bfloat16 converts it to float32, exactly. That
conversion takes seconds for what is read here, as whole numbers and shifted, in a fraction of one.
"""

from __future__ import annotations

from typing import Any, Literal

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Stored = Literal["bfloat16", "float32", "exact"]
"""What values are rounded to; exact is bfloat16 where that holds all of them as they are, and else float32."""

_EXPONENT = 0x7F80  # all ones in an infinity and in NaN


def _bfloat16() -> Any:
    kind = h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)  # sign; exponent's place and bits; mantissa's place and bits
    kind.set_size(2)
    kind.set_ebias(127)
    return kind


BFLOAT16 = _bfloat16()
"""The HDF5 type: 1 sign, 8 exponent and 7 mantissa bits, little-endian."""


def is_bfloat16(dataset: h5py.Dataset) -> bool:
    """Whether a dataset holds `BFLOAT16`."""
    return bool(dataset.id.get_type().equal(BFLOAT16))


def stored(dataset: h5py.Dataset) -> str:
    """Return the type of a dataset's numbers in the file, such as ``bfloat16`` or ``float32``."""
    return "bfloat16" if is_bfloat16(dataset) else str(dataset.dtype)


def rounded(values: Matrix) -> NDArray[np.uint16]:
    """Return finite float32 values rounded to the nearest bfloat16, ties to even, as their bits."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(np.uint16)


def widened(bits: NDArray[np.uint16]) -> Matrix:
    """Return the float32 values of bfloat16 bits, exactly."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def write(group: h5py.Group, name: str, values: Matrix, kind: Stored) -> h5py.Dataset:
    """Make a dataset of finite values.

    Args:
        group: Where; missing groups on the way are made.
        name: Of the dataset, relative to the group.
        values: Of any shape.
        kind: What they are rounded to.

    Raises:
        ValueError: A value is NaN or infinite, or becomes so when rounded.
    """
    values = np.ascontiguousarray(values, np.float32)
    bits = rounded(values)
    if not np.isfinite(values).all() or (kind != "float32" and ((bits & _EXPONENT) == _EXPONENT).any()):
        raise ValueError(f"{name} holds values that are not finite")
    if kind == "float32" or (kind == "exact" and (values.view(np.uint32) & 0xFFFF).any()):
        return group.create_dataset(name, data=values)
    parent, _, last = name.rpartition("/")
    place = group.require_group(parent) if parent else group
    untimed = h5p.create(h5p.DATASET_CREATE)
    untimed.set_obj_track_times(False)  # the same content is to be the same file
    identifier = h5d.create(place.id, last.encode(), BFLOAT16, h5s.create_simple(bits.shape), untimed)
    identifier.write(h5s.ALL, h5s.ALL, bits, BFLOAT16)
    return h5py.Dataset(identifier)


def read(dataset: h5py.Dataset, start: int = 0, stop: int | None = None) -> Matrix:
    """Return the rows of a dataset of floating-point numbers from ``start`` up to ``stop``, or to the end, as float32.

    Raises:
        OSError: The file is damaged there.
    """
    stop = dataset.shape[0] if stop is None else min(stop, dataset.shape[0])
    if not is_bfloat16(dataset):
        return np.asarray(dataset[start:stop], np.float32)
    bits = np.empty((max(0, stop - start), *dataset.shape[1:]), np.uint16)
    if bits.size:
        place = dataset.id.get_space()
        place.select_hyperslab((start, *[0] * (bits.ndim - 1)), bits.shape)
        dataset.id.read(h5s.create_simple(bits.shape), place, bits, BFLOAT16)
    return widened(bits)
