"""Load Gemma 3 checkpoints, and refuse half-loaded ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig
from transformers.utils import logging

from studio.device import is_out_of_memory
from studio.errors import StudioError
from studio.gemma.hub import dtype_for, explain, fetch, refuse_half_loaded
from studio.gemma.selfcheck import check_gradients
from studio.models import ModelSpec

# Full paths: a bare "vision_tower" would not match, and the tower would be quantised too.
_KEPT_WHOLE = ["model.vision_tower", "model.multi_modal_projector", "lm_head"]


@dataclass(frozen=True)
class Gemma3:
    """A loaded Gemma 3 with vision, frozen and in eval mode.

    Attributes:
        model: A ``Gemma3ForConditionalGeneration``.
        processor: Its processor.
        device: Where it computes.
        dtype: In what it computes.
        image_size: Edge of the square image its vision tower takes, in pixels.
        tokens_per_image: Tokens an image becomes.
        nbytes: Bytes of its weights.
    """

    model: Any
    processor: Any
    device: torch.device
    dtype: torch.dtype
    image_size: int
    tokens_per_image: int
    nbytes: int


def load_gemma3(spec: ModelSpec, device: torch.device) -> Gemma3:
    """Load a checkpoint with its processor.

    Args:
        spec: Its source; ``dtype`` ``"auto"`` is the checkpoint's own on CUDA and float32 on the CPU.
        device: Where to put it.

    Raises:
        StudioError: It cannot be reached or read, weights are missing, or its gradients are wrong (4-bit).
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would run through the line a command shows its own progress on
    options = {
        "dtype": dtype_for(spec.dtype, device),
        "quantization_config": quantization_config(spec.quantization, device, _KEPT_WHOLE),
    }
    processors: Any = AutoProcessor  # half of transformers' annotations do not describe what it returns
    models: Any = AutoModelForImageTextToText
    try:
        folder = fetch(spec.source)
        processor = processors.from_pretrained(folder)
        model, report = models.from_pretrained(
            folder,
            device_map={"": device},
            attn_implementation="sdpa",
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # transformers, the Hub's client and safetensors each have their own
        if is_out_of_memory(error):
            raise  # the manager makes room and tries again
        raise explain(error, spec.source) from error
    refuse_half_loaded(report, spec.source, "Gemma 3 with vision")
    model.eval().requires_grad_(False)
    bundle = _bundle(model, processor, device)
    if spec.quantization != "none":
        keep_layout(model)
        check_gradients(bundle)
    return bundle


def quantization_config(name: str, device: torch.device, kept: Sequence[str]) -> Any:
    """Return how transformers is to quantise a model, or None for not at all.

    Args:
        name: ``none`` or ``nf4``.
        device: Where the model will be.
        kept: Modules that stay whole, by their full paths.

    Raises:
        StudioError: It is another name, or bitsandbytes is not installed.
    """
    if name == "none":
        return None
    if name != "nf4":
        raise StudioError(f"'{name}' is not a quantization.", "Use none or nf4.")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise StudioError("Loading in 4 bits needs bitsandbytes.", "Install it with 'pip install bitsandbytes'.")
    config: Any = BitsAndBytesConfig
    return config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        llm_int8_skip_modules=list(kept),
        bnb_4bit_compute_dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
    )


def keep_layout(model: Any) -> None:
    """Stop bitsandbytes from repacking weights in place on AVX512-BF16 processors, which breaks later gradients."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _bundle(model: Any, processor: Any, device: torch.device) -> Gemma3:
    tensors = [*model.parameters(), *model.buffers()]
    return Gemma3(
        model,
        processor,
        device,
        model.model.multi_modal_projector.mm_input_projection_weight.dtype,
        int(model.config.vision_config.image_size),
        int(model.config.mm_tokens_per_image),
        sum(tensor.nbytes for tensor in tensors),
    )
