"""LoRA adapters on a language model: put on, written, read, and never more than the adapters themselves."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import write_atomic

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear layers that are adapted: attention and feed-forward of every language layer."""
_WEIGHTS = "adapter_model.safetensors"
_NAME = re.compile(r"layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.(lora_\w+(?:\.weight)?)$")


def attach(language: Any, rank: int, alpha: int, dropout: float) -> Any:
    """Put new adapters on a language model.

    They begin as nothing: what the model says is unchanged until they are trained. Take care to seed PyTorch before.

    Args:
        language: A ``Gemma3ForCausalLM``; one that has adapters already is returned with those.
        rank: Of the adapters; 0 puts none on.
        alpha: Their scale, over the rank.
        dropout: Before them, in 0..1.

    Returns:
        A ``PeftModel`` with nothing but the adapters trainable, or the language model itself for rank 0.
    """
    from peft import LoraConfig, PeftModel, get_peft_model

    if isinstance(language, PeftModel):
        for name, weight in language.named_parameters():
            weight.requires_grad_("lora_" in name)
        return language
    if rank == 0:
        return language
    targets = list(TARGETS)
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets, task_type="CAUSAL_LM")
    with _quiet():
        return get_peft_model(language, config)


def save(language: Any, folder: Path, base: str) -> None:
    """Write the adapters of a language model in PEFT's layout; without adapters nothing is written.

    Args:
        language: The language model.
        folder: Where.
        base: What the language model under them is called.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors.torch import save as tensors

    if not isinstance(language, PeftModel):
        return
    state = get_peft_model_state_dict(language, save_embedding_layers=False)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_atomic(folder / _WEIGHTS, tensors(weights, metadata={"format": "pt"}))
    config = copy.copy(language.active_peft_config)
    config.base_model_name_or_path = base  # PEFT's is the folder it happened to be loaded from
    config.target_modules = sorted(config.target_modules)
    config.save_pretrained(str(folder))


def load(language: Any, folder: Path) -> Any:
    """Put saved adapters on a language model, frozen.

    Only LoRA's own tensors of language layers are taken. Those that gemmaclip's script wrote may lie under the names
    of the multimodal model, beside adapters of a vision tower it never used and a copy of the whole embedding table,
    of which nothing was trained but the row of a token that no text holds.

    Raises:
        StudioError: The folder holds no adapter, or one that does not fit the model exactly.
    """
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        told = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        found = load_file(folder / _WEIGHTS)
    except (OSError, ValueError, SafetensorError) as error:
        raise StudioError(
            f"The adapter in {folder} cannot be read: {str(error).rstrip('.')}.",
            f"It must hold adapter_config.json and {_WEIGHTS}.",
        ) from None
    places = {name: _NAME.search(name) for name in found if "vision_tower" not in name}
    state = {f"base_model.model.model.{name[place.start() :]}": found[name] for name, place in places.items() if place}
    targets = sorted({place.group(2) for place in places.values() if place})
    fields = {key: value for key, value in told.items() if key in LoraConfig.__dataclass_fields__}
    fields |= {
        "target_modules": targets, "modules_to_save": None, "inference_mode": True, "base_model_name_or_path": None,
    }  # fmt: skip
    if told.get("peft_type") != "LORA" or not targets:
        raise StudioError(f"The adapter in {folder} is no LoRA adapter of a language model.", "Give another folder.")
    with _quiet():
        model = get_peft_model(language, LoraConfig(**fields))
    wanted = {name.replace(".default", "") for name in model.state_dict() if "lora_" in name}
    shapes = {name.replace(".default", ""): tensor.shape for name, tensor in model.state_dict().items()}
    if wanted != set(state) or any(state[name].shape != shapes[name] for name in wanted):
        raise StudioError(
            f"The adapter in {folder} does not fit the language model in number, names or shapes of its tensors.",
            "Name the language model it was trained on.",
        )
    set_peft_model_state_dict(model, state)
    return model.eval().requires_grad_(False)


def merge(language: Any, folder: Path) -> Any:
    """Return a model with saved adapters folded into its weights; the one given is of no further use.

    Args:
        language: A ``PeftModel`` whose adapters have the shapes of the saved ones.
        folder: Where `save` wrote them.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(language, load_file(folder / _WEIGHTS))
    with _quiet():
        return language.merge_and_unload()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves that PEFT asks transformers for something by an older name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        yield
