"""Load CLIP checkpoints, and refuse half-loaded ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoProcessor, CLIPModel
from transformers.utils import logging

from studio.device import is_out_of_memory
from studio.errors import StudioError
from studio.gemma.hub import dtype_for, explain, fetch, refuse_half_loaded
from studio.models import ModelSpec


@dataclass(frozen=True)
class Clip:
    """A loaded CLIP, frozen and in eval mode.

    Attributes:
        model: A ``CLIPModel``.
        processor: Its processor.
        device: Where it computes.
        dtype: In what it computes.
        image_size: Edge of the square image its vision tower takes, in pixels.
        text_length: Tokens its text tower takes at most, the two ends included.
        nbytes: Bytes of its weights.
    """

    model: Any
    processor: Any
    device: torch.device
    dtype: torch.dtype
    image_size: int
    text_length: int
    nbytes: int


def load_clip(spec: ModelSpec, device: torch.device) -> Clip:
    """Load a checkpoint with its processor.

    OpenAI's repositories hold `hub.PICKLED` and not all of them safetensors, so tensors are taken from it as well;
    anything in it that is no tensor is refused.

    Args:
        spec: Its source; ``dtype`` ``"auto"`` is the checkpoint's own on CUDA and float32 on the CPU.
        device: Where to put it.

    Raises:
        StudioError: It cannot be reached or read, weights are missing, or 4 bits are asked for.
    """
    if spec.quantization != "none":
        raise StudioError("CLIP is small and is not loaded in 4 bits.", "Set the quantization to none.")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # as for Gemma 3
    processors: Any = AutoProcessor
    models: Any = CLIPModel
    options = {"dtype": dtype_for(spec.dtype, device)}
    try:
        folder = fetch(spec.source, pickled=True)
        processor = processors.from_pretrained(folder)
        model, report = models.from_pretrained(
            folder, device_map={"": device}, attn_implementation="sdpa", output_loading_info=True, weights_only=True,
            use_safetensors=any(Path(folder).glob("*.safetensors")), **options,
        )  # fmt: skip
    except Exception as error:  # transformers, the Hub's client and safetensors each have their own
        if is_out_of_memory(error):
            raise  # the manager makes room and tries again
        raise explain(error, spec.source) from error
    refuse_half_loaded(report, spec.source, "CLIP")
    model.eval().requires_grad_(False)
    tensors = [*model.parameters(), *model.buffers()]
    return Clip(
        model, processor, device, model.dtype, int(model.config.vision_config.image_size),
        int(model.config.text_config.max_position_embeddings), sum(tensor.nbytes for tensor in tensors),
    )  # fmt: skip
