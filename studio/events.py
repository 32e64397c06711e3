"""What a running task tells the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One moment of a task; whatever it speaks of is already on disk.

    Attributes:
        done: Units finished so far (steps, files, rows).
        total: Units in all, or None when unknown.
        note: One short sentence for a person.
        metrics: Numbers by name, for curves (``{"margin": 1.3}``).
        artifacts: File paths by name, relative to the job's folder.
    """

    done: int = 0
    total: int | None = None
    note: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, ready for ``json.dumps``."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Event:
        """Read what `to_json` wrote."""
        return cls(**data)
