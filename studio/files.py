"""Files that are whole or absent, names made from words, and hashes of content."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_SLUG_LENGTH = 48  # characters; even at four bytes each, a name stays under the 255 bytes file systems allow


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file that is either the old one or the new one, whatever happens meanwhile.

    The data go to a hidden temporary file in the same folder, are flushed to the disk, and are then renamed over the
    target. Missing parent folders are created.

    Args:
        path: The file to write.
        data: Its content; text is written as UTF-8 with line feeds as they are.

    Raises:
        OSError: The folder cannot be written or the disk is full; the old file is untouched.
    """
    with open_atomic(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing bit by bit; it is as `write_atomic` promises, and an exception leaves the old one.

    Args:
        path: The file to write.

    Raises:
        OSError: As `write_atomic`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """Hand out an empty folder that takes the place of `folder` when it is filled, or vanishes when filling fails.

    Args:
        folder: What is replaced, whatever it holds; it need not be there.

    Raises:
        OSError: The folder beside it cannot be written.
    """
    folder = folder.absolute()
    draft, old = (folder.with_name(f".{folder.name}.{part}") for part in ("new", "old"))
    for each in (draft, old):
        shutil.rmtree(each, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    finally:
        for each in (draft, old):
            shutil.rmtree(each, ignore_errors=True)


def content_hash(*parts: bytes | str | Path) -> str:
    """Return one SHA-256 over several parts, in order, as 64 hexadecimal digits.

    Each part is hashed on its own first, so that moving a boundary between two parts changes the result.

    Args:
        parts: Bytes, text (as UTF-8), or paths, which stand for the content of the file and not for its name.

    Raises:
        OSError: A file cannot be read.
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(_digest(part))
    return whole.hexdigest()


def slug(text: str) -> str:
    """Return words as a file name: lower case, hyphens, no accents, at most 48 characters; never empty."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    words = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", bare).lower())
    return words[:_SLUG_LENGTH].strip("-") or "untitled"


def _digest(part: bytes | str | Path) -> bytes:
    if isinstance(part, Path):
        with open(part, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    return hashlib.sha256(part.encode() if isinstance(part, str) else part).digest()


def _sync_folder(folder: Path) -> None:
    # A rename survives a power cut only once its folder is on the disk; Windows has no such call.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
