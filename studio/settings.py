"""Settings of the studio, read once from ``STUDIO_*`` environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError

_UNITS = {"": 1, "B": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_AT_LEAST_ONE = ("max_files", "max_file_bytes", "max_pixels")


@dataclass(frozen=True)
class Settings:
    """Where the studio lives and what it may use.

    Attributes:
        home: Folder of jobs, cache and uploads (``STUDIO_HOME``); created 0700 when first used.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` (``STUDIO_DEVICE``).
        memory_budget: Bytes that loaded models may take (``STUDIO_MEMORY_BUDGET``, such as ``6GiB``); 0 means
            four fifths of what the device has free.
        threads: CPU threads for PyTorch (``STUDIO_THREADS``); 0 means one for a
            small model, one per physical core for a large one.
        max_files: Most pictures in one upload or folder (``STUDIO_MAX_FILES``).
        max_file_bytes: Largest picture file, bytes (``STUDIO_MAX_FILE_BYTES``).
        max_pixels: Largest picture, pixels (``STUDIO_MAX_PIXELS``).
        host: Address to serve on (``STUDIO_HOST``).
        port: Port to serve on (``STUDIO_PORT``).
        credentials: ``name:password`` demanded from visitors (``STUDIO_CREDENTIALS``); empty for none.
    """

    home: Path = Path("~/.gemma-studio")
    device: str = "auto"
    memory_budget: int = 0
    threads: int = 0
    max_files: int = 500
    max_file_bytes: int = 200 * 2**20
    max_pixels: int = 120_000_000
    host: str = "127.0.0.1"
    port: int = 7860
    credentials: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``STUDIO_*`` variables; an empty one means the default.

        Raises:
            StudioError: A variable is unknown or does not parse.
        """
        found = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for key, text in found.items():
            if key.startswith("STUDIO_"):
                name = _field(key)
                if text.strip():
                    values[name] = _parse(key, text)
        return cls(**values)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "home", self.home.expanduser().resolve())
        except RuntimeError:  # nobody has the name behind the tilde
            raise StudioError(f"There is no home folder for {self.home}.", "Set STUDIO_HOME to another.") from None
        for name in (*_AT_LEAST_ONE, "memory_budget", "threads", "port"):
            least, value = int(name in _AT_LEAST_ONE), getattr(self, name)
            if value < least:
                raise StudioError(f"STUDIO_{name.upper()} must be {least} or more, not {value}.")
        if self.port > 65535:
            raise StudioError(f"STUDIO_PORT must be 65535 or less, not {self.port}.")

    def folder(self, name: str) -> Path:
        """Return a private folder (mode 0700) under the home, created when missing.

        Raises:
            StudioError: It cannot be made or is not writable.
        """
        path = self.home / name
        try:
            for each in (self.home, path):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StudioError(f"The folder {path} cannot be made: {reason}.", "Set STUDIO_HOME to another.") from None
        if not os.access(path, os.W_OK):
            raise StudioError(f"The folder {path} cannot be written.", "Set STUDIO_HOME to another.")
        return path


def parse_bytes(text: str) -> int:
    """Read ``6GiB``, ``500 MB`` or a plain count of bytes.

    Raises:
        StudioError: The text is none of these.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmMgG]?i?[bB]?)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise StudioError(f"'{text}' is not an amount of memory.", "Write it like 6GiB or 500MB.")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def _field(key: str) -> str:
    name = key.removeprefix("STUDIO_").lower()
    if name not in Settings.__dataclass_fields__:
        known = ", ".join("STUDIO_" + field.upper() for field in Settings.__dataclass_fields__)
        raise StudioError(f"{key} is not a setting of the studio.", f"Known are {known}.")
    return name


def _parse(key: str, text: str) -> Any:
    default = getattr(Settings, _field(key))
    if isinstance(default, Path):
        return Path(text)
    if not isinstance(default, int):
        return text
    try:
        return parse_bytes(text) if "memory" in _field(key) or "bytes" in _field(key) else int(text)
    except StudioError as error:
        raise StudioError(f"{key}: {error.what}", error.todo) from None
    except ValueError:
        raise StudioError(f"{key} must be a whole number, not '{text}'.") from None
