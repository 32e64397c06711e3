"""The disk cache: bytes in, bytes out, least recently used thrown away first, pickle refused.

diskcache unpickles what it finds in its database (CVE-2025-69872), so that whoever may write into the folder may run
code, and its ``JSONDisk`` only changes how values are written. The disk below never reads or writes a pickle and never
leaves its own folder, and `Cache` is the only way to open one: diskcache does not remember which disk made a folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import diskcache
from diskcache.core import MODE_BINARY, MODE_RAW

from studio.errors import StudioError

_log = logging.getLogger(__name__)

_DIGEST = 32  # bytes of SHA-256 before every value
_INLINE = 32 * 2**10  # bytes; smaller values live inside the database


class _BytesDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Text keys and bytes values only; what cannot be trusted is an OSError, which diskcache takes as a miss."""

    def put(self, key: Any) -> tuple[str, bool]:
        if type(key) is not str:
            raise TypeError(f"a cache key is text, not {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        if not raw or type(key) is not str:
            raise OSError("a cache key that is not text")
        return key

    def store(self, value: Any, read: bool, key: Any = diskcache.UNKNOWN) -> Any:
        if read or type(value) is not bytes:
            raise TypeError(f"a cache value is bytes, not {type(value).__name__}")
        return super().store(value, False, key)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        if read or mode not in (MODE_RAW, MODE_BINARY):
            raise OSError("a cache entry that is not plain bytes")
        if mode == MODE_BINARY:
            return self._inside(filename).read_bytes()
        if type(value) is not bytes:
            raise OSError("a cache entry that is not plain bytes")
        return value

    def remove(self, file_path: str) -> None:
        try:
            self._inside(file_path)
        except OSError:
            return  # eviction must not delete for a forged row what is not the cache's own
        super().remove(file_path)

    def _inside(self, filename: str | None) -> Path:
        root = os.path.realpath(self._directory)
        path = os.path.realpath(os.path.join(root, filename or ""))
        if os.path.dirname(path) == root or os.path.commonpath([root, path]) != root:
            raise OSError("a cache entry outside the cache")
        return Path(path)


class Cache:
    """Bytes by text key, on disk, shared by threads and processes.

    Values carry their SHA-256: an entry that was damaged or forged is a miss, never a crash and never wrong bytes.

    Args:
        folder: Where it lives; created with mode 0700.
        size_limit: Bytes it may take; the least recently used entries go first.

    Raises:
        StudioError: The folder cannot be written, or another process keeps the database locked.
    """

    def __init__(self, folder: Path, size_limit: int = 2 * 2**30) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._size_limit = size_limit
        try:
            self._store = self._open()
        except sqlite3.OperationalError as error:  # locked, full or read-only: clearing it would not help
            raise StudioError(
                f"The cache in {folder} cannot be opened: {error}.", "Check the disk's room and rights."
            ) from None
        except (sqlite3.DatabaseError, TypeError, KeyError, ValueError):
            _clear(folder)  # a database that cannot be read is only a cache lost
            self._store = self._open()

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None when there is none or it is damaged."""
        try:
            found = self._store.get(key, retry=True)
        except sqlite3.DatabaseError as error:
            _log.warning("The cache in %s cannot be read: %s", self._folder, error)
            return None
        if not isinstance(found, bytes) or len(found) < _DIGEST:
            return None
        digest, value = found[:_DIGEST], found[_DIGEST:]
        return value if hashlib.sha256(value).digest() == digest else None

    def put(self, key: str, value: bytes) -> None:
        """Keep a value under a key, in place of any older one; it may be thrown away at any time.

        Raises:
            TypeError: The key is not text or the value is not bytes.
            OSError: The disk is full or the folder cannot be written.
        """
        if type(value) is not bytes:
            raise TypeError(f"a cache value is bytes, not {type(value).__name__}")
        try:
            self._store.set(key, hashlib.sha256(value).digest() + value, retry=True)
        except sqlite3.DatabaseError as error:
            _log.warning("The cache in %s cannot be written: %s", self._folder, error)

    def close(self) -> None:
        """Close the database; the cache opens again by itself when used."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _open(self) -> Any:
        return diskcache.Cache(
            str(self._folder),
            disk=_BytesDisk,
            disk_min_file_size=_INLINE,
            eviction_policy="least-recently-used",
            size_limit=self._size_limit,
            cull_limit=2,  # entries thrown away by one write; diskcache's ten would empty a cache of few large ones
        )


def _clear(folder: Path) -> None:
    for path in [*folder.glob("cache.db*"), *folder.glob("??/??/*.val")]:
        path.unlink(missing_ok=True)
