"""How well a judge measured, in one sentence, read from its card."""

from __future__ import annotations

from functools import lru_cache

from studio.errors import StudioError
from studio.gemma import catalog


@lru_cache(maxsize=32)
def measured(model_type: str) -> str:
    """Return what a checkpoint's card says it measured; an empty text when it says nothing.

    The sentence is the first line of the card that starts with ``Measured``.
    """
    try:
        lines = catalog.card(model_type).splitlines()
    except StudioError:
        return ""
    return next((line.strip() for line in lines if line.startswith("Measured")), "")
