"""Parquet files in the columns of derek-thomas/ScienceQA, which has the official fields, but no ids.

The columns are ``question`` (text), ``choices`` (a list of texts), ``answer`` (the index of the right one), ``image``
(a struct of ``bytes`` and ``path``, the bytes alone, or a path within the folder of pictures) and the official texts;
also read are ``pid`` or ``id``, ``split`` and ``family``. Without ids a question is called after its split and its
place, ``test-17``, counted from 0. The split is said by the file's name (``validation-00000-of-00001.parquet``), or by
its folder's.

Pictures in a file are held in memory as they are encoded. Texts are looked at one by one and only where they are
short: a small file can hold one large text a million times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute, types

from studio.errors import StudioError
from studio.scienceqa.questions.checking import MOST_TEXT, TEXTS, Raw, split_in, split_of
from studio.scienceqa.questions.record import SPLITS, Unusable

COLUMNS = ("question", "choices", "answer", *TEXTS, "image", "pid", "id", "split")
_ROWS = 32  # at once; of ScienceQA a megabyte of pictures
_MOST_ITEMS = 100  # of one list
_MOST_BYTES = 4 * MOST_TEXT  # of one text: a character has at most four
_BYTES = (types.is_string, types.is_large_string, types.is_string_view,
          types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)  # fmt: skip


@dataclass(frozen=True)
class Shard:
    """One file of a set: its path, the split that its name says (empty for none), and its rows."""

    path: Path
    split: str
    rows: int


def shards(path: Path) -> list[Shard]:
    """Return the files of a set, train first, then val, test and those of no split, each in order of their names.

    Args:
        path: One file, or a folder of them.

    Raises:
        StudioError: There is none, one is no parquet, or the folder holds several sets.
    """
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise StudioError(f"The folder {path} holds no .parquet files.", "Give the folder of a set.")
    splits = {file: split_in(file.stem) or ("" if file == path else split_in(file.parent.name)) for file in files}
    homes = {file.parent if split_in(file.stem) else file.parent.parent for file in files if splits[file]}
    if len(homes) > 1:
        names = ", ".join(sorted(home.name for home in homes))
        raise StudioError(f"'{path.name}' holds several sets: {names}.", "Give the folder of one of them.")
    order = (*SPLITS, "")
    found = [Shard(file, splits[file], _count(file)) for file in files]
    return sorted(found, key=lambda shard: (order.index(shard.split), shard.path))


def records(found: Sequence[Shard], most_bytes: int) -> Iterator[Raw]:
    """Yield the records of files that belong together.

    Args:
        found: The files, those of one split behind one another.
        most_bytes: Largest picture.

    Raises:
        StudioError: One cannot be read or lacks the column ``question``.
    """
    counts: dict[str, int] = {}
    for shard in found:
        with _reading(shard.path):
            names, texts = _columns(shard.path)
            with pq.ParquetFile(shard.path, read_dictionary=texts) as file:
                for batch in file.iter_batches(_ROWS, columns=names):
                    most = {name: most_bytes if name == "image" else _MOST_BYTES for name in names}
                    columns = [_cells(batch.column(name), name, most[name]) for name in names]
                    for cells in zip(*columns, strict=True):
                        number = counts[shard.split] = counts.get(shard.split, -1) + 1
                        yield _raw(dict(zip(names, cells, strict=True)), shard.split, number)


def _columns(path: Path) -> tuple[list[str], list[str]]:
    """Return the columns to read, and those of them that hold texts, which are not to be multiplied in memory."""
    with pq.ParquetFile(path) as file:
        names, schema, metadata = file.schema_arrow.names, file.schema, file.metadata
    if "question" not in names:
        raise StudioError(f"{path.name} has no column 'question'.", f"It has: {', '.join(names)[:200] or 'none'}.")
    wanted = [name for name in COLUMNS if name in names]
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise StudioError(f"{path.name} has the column '{twice[0]}' twice.", "Name each column once.")
    texts = []
    for index in range(len(schema)):
        leaf = schema.column(index)
        if leaf.path in wanted and leaf.path != "image" and leaf.physical_type == "BYTE_ARRAY":
            texts.append(leaf.path)
        elif leaf.path.split(".")[0] in wanted and leaf.path != "image.bytes":
            _check_nested(path, leaf.path, metadata, index)
    return wanted, texts


def _check_nested(path: Path, name: str, metadata: Any, index: int) -> None:
    """Refuse lists whose texts would fill the memory; pyarrow cannot leave them as they are stored."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        column = group.column(index)
        if column.total_uncompressed_size > 2**22 + 2**12 * group.num_rows or column.num_values > 100 * group.num_rows:
            raise StudioError(f"{path.name} holds too much in its column '{name}'.", "Shorten its texts.")


def _raw(cells: dict[str, Any], split: str, number: int) -> Raw:
    place = f"row {number}{f' of {split}' if split else ''}"
    trouble = next((cell for cell in cells.values() if isinstance(cell, Unusable)), None)
    fields = {name: None if isinstance(cell, Unusable) else cell for name, cell in cells.items()}
    image = fields.pop("image", None)
    own = split_of(fields.get("split")) or split
    pid = next((fields[name] for name in ("pid", "id") if name in fields), f"{own or 'row'}-{number}")
    if isinstance(image, str):
        image = (image,) if image.strip() else None
    return Raw(place, pid, fields, own, image, trouble)


def _cells(column: Any, name: str, most: int) -> list[Any]:
    """Return each cell of a column as Python's own, or the `Unusable` that says why it is none.

    Args:
        column: Nulls, numbers, texts, bytes, lists of them, or a struct that holds ``bytes`` or ``path``.
        name: What it is called in a sentence.
        most: Bytes of one text, or of one picture.
    """
    kind = column.type
    if types.is_dictionary(kind):
        indices = column.indices.to_pylist()
        used = sorted({index for index in indices if index is not None})
        entries = dict(zip(used, _values(column.dictionary, used, name, most), strict=True))
        return [entries.get(index) for index in indices]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return [_items(column[row], name, most) for row in range(len(column))]
    if types.is_struct(kind) and name == "image":
        parts = dict(zip((field.name for field in kind), column.flatten(), strict=True))
        data, path = (
            _cells(parts[part], name, most) if part in parts else [None] * len(column) for part in ("bytes", "path")
        )
        return [first if first is not None else second for first, second in zip(data, path, strict=True)]
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind):
        return list(column.to_pylist())
    return _values(column, range(len(column)), name, most)


def _items(cell: Any, name: str, most: int) -> Any:
    if not cell.is_valid:
        return None
    if len(cell.values) > _MOST_ITEMS:
        return Unusable(f"It has {len(cell.values):,} {name}.")
    items = _cells(cell.values, name.removesuffix("s"), most)
    return next((item for item in items if isinstance(item, Unusable)), items)


def _values(column: Any, rows: Iterable[int], name: str, most: int) -> list[Any]:
    """Return some cells of a column of texts or bytes; lengths are known before anything is copied."""
    kind = column.type
    rows = list(rows)
    if not any(check(kind) for check in _BYTES):
        return [Unusable(f"Its {name} is of the type {str(kind)[:60]}.")] * len(rows)
    lengths = compute.binary_length(column)
    found: list[Any] = []
    for row in rows:
        size = lengths[row].as_py()
        try:
            found.append(column[row].as_py() if size is None or size <= most else _too_large(name, size, most))
        except UnicodeDecodeError:
            found.append(Unusable(f"Its {name} is not written in UTF-8."))
    return found


def _too_large(name: str, size: int, most: int) -> Unusable:
    if name == "image":
        what = f"Its picture has {size / 2**20:.0f} MiB, and {most / 2**20:.0f} MiB are allowed."
        return Unusable(what, "picture")
    return Unusable(f"Its {name} has over {MOST_TEXT:,} characters.")


def _count(path: Path) -> int:
    with _reading(path), pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises into a sentence."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        told = " ".join((str(error).splitlines() or [""])[0].split())[:200].rstrip(".")
        raise StudioError(f"{path.name} cannot be read as parquet: {told}.", "Give the file again, whole.") from None
