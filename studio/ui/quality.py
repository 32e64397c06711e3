"""What a judge is called, and how well it measured: one sentence, read from its card."""

from __future__ import annotations

from functools import lru_cache

from studio.errors import StudioError
from studio.gemma import catalog
from studio.ui import markup


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


def called(model_type: str) -> str:
    """Return a judge's name for a person."""
    checkpoint = catalog.CHECKPOINTS.get(model_type)
    if checkpoint is None:
        return model_type
    small = ", a small model that ships with the studio"
    title = checkpoint.title
    return f"the {title[0].lower()}{title[1:]}{small}" if checkpoint.embedded else title


def judges() -> list[tuple[str, str]]:
    """Return the judges' titles and names, for a list to choose from."""
    return [
        (one.title, name)
        for name, one in catalog.CHECKPOINTS.items()
        if name != "embedded_second" and one.purpose in ("", "judge")
    ]


def answerers() -> list[tuple[str, str]]:
    """Return the titles and names of the models that answer questions; the one that ships is called ``embedded``."""
    own = catalog.EMBEDDED["vqa"]
    return [
        (one.title, "embedded" if name == own else name)
        for name, one in sorted(catalog.CHECKPOINTS.items(), key=lambda item: item[0] != own)
        if one.kind == "gemma3" and one.purpose in ("", "vqa")
    ]


def advice(model_type: str) -> str:
    """Draw when to use a judge: its note in the catalogue."""
    checkpoint = catalog.CHECKPOINTS.get(model_type)
    return f'<p class="quiet">{markup.escape(checkpoint.note)}</p>' if checkpoint else ""
