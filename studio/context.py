"""What a running task is handed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.cache import Cache
    from studio.models import ModelManager
    from studio.settings import Settings


@dataclass(frozen=True)
class Context:
    """The surroundings of one run of a task.

    Attributes:
        folder: The job's folder; it exists, and what must survive is written here before the event that reports it.
        models: The one model manager.
        cache: The disk cache, bytes in and bytes out.
        settings: The studio's settings.
    """

    folder: Path
    models: ModelManager
    cache: Cache
    settings: Settings
