"""Load the vision tower of any CLIP checkpoint; the language tower is `studio.gemma.languages`'s."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPVisionModel

from studio.gemma.hub import dtype_for
from studio.gemma.languages import check_type, load_whole

_VISION_TYPES = ("clip", "clip_vision_model")


def load_vision(folder: str, source: str, dtype: str, device: torch.device) -> Any:
    """Load the vision tower alone from any CLIP checkpoint: ``CLIPVisionModel``, frozen.

    Args:
        folder: Where its files are.
        source: What it is called in a message.
        dtype: ``auto``, ``float32`` or ``bfloat16``.
        device: Where to put it.

    Raises:
        StudioError: It cannot be read, is no CLIP, or lacks weights.
    """
    check_type(folder, source, _VISION_TYPES, "CLIP")
    pickled = not any(Path(folder).glob("*.safetensors"))
    return load_whole(
        CLIPVisionModel, folder, source, "CLIP", device,
        dtype=dtype_for(dtype, device), attn_implementation="sdpa", use_safetensors=not pickled, weights_only=True,
    )  # fmt: skip


def normalisation(folder: str) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    """Return mean and standard deviation that a CLIP checkpoint's processor names, or None when it names none."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        path = Path(folder) / name
        told = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        told = told.get("image_processor", told)
        if "image_mean" in told and "image_std" in told:
            mean, std = ((float(a), float(b), float(c)) for a, b, c in (told["image_mean"], told["image_std"]))
            return mean, std
    return None
