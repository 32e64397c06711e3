"""Model types and the checkpoints they stand for; loads nothing heavy."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from studio.errors import StudioError
from studio.models import ModelSpec

EMBEDDED_FOLDER = Path(__file__).resolve().parent.parent / "embedded"
"""Where the checkpoints that ship with the studio live."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint the studio knows.

    Attributes:
        name: The model type a user writes.
        source: A local folder, or a repository of the Hugging Face Hub.
        title: Its name for people.
        embedded: Whether it ships with the studio; its answers must then be marked as coming from a small model.
        size: Bytes of the weights in bfloat16, roughly; 0 when unknown.
        note: What a user should know before choosing it.
        kind: Its architecture, which is also what the model manager calls its loader.
        purpose: The one of `EMBEDDED` it was made for; empty for a model of general use.
    """

    name: str
    source: str
    title: str
    embedded: bool = False
    size: int = 0
    note: str = ""
    kind: str = "gemma3"
    purpose: str = ""

    @property
    def folder(self) -> Path | None:
        """The local folder, or None for a checkpoint on the Hub."""
        return Path(self.source) if os.path.isabs(self.source) else None


KINDS = {"gemma3": "Gemma 3 with vision", "clip": "CLIP"}
"""What a checkpoint may be, by the ``model_type`` of its config.json, and its name for people."""
_GATED = "Google grants access on huggingface.co; accept the licence there and run 'hf auth login' once."
_CLIP = (
    "Fast, and knows many words and films: for strong looks on photographs that are alike. Take Gemma 3 where they "
    "differ or a grade must stay gentle. Its score is made from a cosine and is no calibrated chance."
)
EMBEDDED = {"judge": "embedded", "vqa": "embedded_vqa"}
"""What ``embedded`` stands for, by the purpose it is asked for."""
_LARGE = "As CLIP B/32, slower and with a finer eye."
_KNOWN = (
    Checkpoint(
        "embedded",
        str(EMBEDDED_FOLDER / "judge"),
        "Embedded judge",
        True,
        3_970_000,
        "Ships with the studio and works offline; it knows the looks its card lists.",
        purpose="judge",
    ),
    Checkpoint(
        "embedded_second",
        str(EMBEDDED_FOLDER / "judge_second"),
        "Embedded judge, second opinion",
        True,
        3_970_000,
        "Trained apart from the first, to check on it.",
        purpose="judge",
    ),
    Checkpoint(
        "embedded_clip",
        str(EMBEDDED_FOLDER / "clip"),
        "Embedded CLIP judge",
        True,
        3_900_000,
        "Ships with the studio too, and is faster; best beside the embedded judge, as an eye of another kind.",
        "clip",
        "judge",
    ),
    Checkpoint(
        "embedded_vqa",
        str(EMBEDDED_FOLDER / "vqa"),
        "Embedded VQA model",
        True,
        2_740_000,
        "Ships with the studio; answers questions about drawn scenes, and is wrong often enough to be studied.",
        purpose="vqa",
    ),
    Checkpoint("clip", "openai/clip-vit-base-patch32", "CLIP B/32", size=303_000_000, note=_CLIP, kind="clip"),
    Checkpoint("clip_large", "openai/clip-vit-large-patch14", "CLIP L/14", size=856_000_000, note=_LARGE, kind="clip"),
    Checkpoint(
        "clip_large_336",
        "openai/clip-vit-large-patch14-336",
        "CLIP L/14 at 336",
        size=856_000_000,
        note=_LARGE,
        kind="clip",
    ),
    Checkpoint("gemma3_4b", "google/gemma-3-4b-it", "Gemma 3 4B", size=8_600_000_000, note=_GATED),
    Checkpoint("gemma3_12b", "google/gemma-3-12b-it", "Gemma 3 12B", size=24_400_000_000, note=_GATED),
    Checkpoint("gemma3_27b", "google/gemma-3-27b-it", "Gemma 3 27B", size=54_900_000_000, note=_GATED),
)
CHECKPOINTS: dict[str, Checkpoint] = {checkpoint.name: checkpoint for checkpoint in _KNOWN}
MODEL_TYPES: tuple[str, ...] = tuple(CHECKPOINTS)
"""The names of the known model types; a local folder is taken as well."""


def resolve(model_type: str, purpose: str = "judge") -> Checkpoint:
    """Return the checkpoint behind a model type, or in a local folder.

    Args:
        model_type: One of `MODEL_TYPES`, the Hub's name of one of them, or a local folder.
        purpose: What ``embedded`` shall stand for, one of `EMBEDDED`.

    Raises:
        StudioError: The name is unknown, or the folder holds no checkpoint of one of `KINDS`.
    """
    name = EMBEDDED[purpose] if model_type == "embedded" else model_type
    by_source = {each.source: each for each in CHECKPOINTS.values()}
    checkpoint = CHECKPOINTS.get(name) or by_source.get(name) or _local(model_type)
    if checkpoint.folder is not None:
        _check_folder(checkpoint.folder)
    return checkpoint


def problem(checkpoint: Checkpoint) -> str:
    """Return why a checkpoint cannot be used, one sentence; empty when it can, or lies on the Hub."""
    try:
        if checkpoint.folder is not None:
            _check_folder(checkpoint.folder)
    except StudioError as error:
        return error.what
    return ""


def spec(model_type: str, quantization: str = "none") -> ModelSpec:
    """Return what the model manager loads for a model type.

    Args:
        model_type: One of `MODEL_TYPES`, or a local folder.
        quantization: ``"none"`` or ``"nf4"``.

    Raises:
        StudioError: As `resolve`.
    """
    checkpoint = resolve(model_type)
    return ModelSpec(kind=checkpoint.kind, source=checkpoint.source, quantization=quantization)


def card(model_type: str) -> str:
    """Return a checkpoint's card (Markdown): its README.md, or for one on the Hub the note about it.

    Raises:
        StudioError: As `resolve`, or the folder holds no README.md.
    """
    checkpoint = resolve(model_type)
    if checkpoint.folder is None:
        return f"# {checkpoint.title}\n\n{checkpoint.note}\n"
    path = checkpoint.folder / "README.md"
    if not path.is_file():
        raise StudioError(f"The checkpoint in {checkpoint.folder} has no card (README.md).")
    return path.read_text(encoding="utf-8")


def _local(model_type: str) -> Checkpoint:
    folder = Path(os.path.expanduser(model_type))
    if not model_type.strip() or not os.path.isdir(folder):  # unlike Path's, these take any text
        raise StudioError(
            f"'{model_type}' is neither a known model type nor a folder.",
            f"Use one of {', '.join(MODEL_TYPES)}, or the folder of a Gemma 3 or CLIP checkpoint.",
        )
    folder = folder.resolve()
    return Checkpoint(model_type, str(folder), folder.name, note="A local folder.", kind=_check_folder(folder))


def _check_folder(folder: Path) -> str:
    """Return the kind of the checkpoint in a folder."""
    advice = "Give a folder saved in the Hub's layout: config.json, *.safetensors and the processor's files."
    path = folder / "config.json"
    if not path.is_file():
        raise StudioError(f"There is no checkpoint in {folder}: config.json is missing.", advice)
    try:
        kind = str(json.loads(path.read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, LookupError, TypeError):
        raise StudioError(f"{path} cannot be read as a model's configuration.", advice) from None
    if kind not in KINDS:
        known = " or ".join(f"{title} ('{name}')" for name, title in KINDS.items())
        raise StudioError(f"The checkpoint in {folder} is a '{kind}' model, not {known}.", advice)
    return kind
