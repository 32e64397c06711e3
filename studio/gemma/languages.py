"""Load a language model and its tokenizer from any Gemma 3 checkpoint, and refuse half-loaded ones."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoTokenizer, Gemma3ForCausalLM
from transformers.utils import logging

from studio.device import is_out_of_memory
from studio.errors import StudioError
from studio.files import content_hash
from studio.gemma.hub import PICKLED, dtype_for, explain, fetch, refuse_half_loaded
from studio.gemma.loading import keep_layout, quantization_config

_KEYS: Mapping[str, str] = {
    r"^(model\.)?language_model\.model\.": "model.",
    r"^model\.language_model\.(?!model\.|lm_head\.)": "model.",
    r"^(model\.)?language_model\.lm_head\.": "lm_head.",
}
"""Where a multimodal checkpoint keeps its language model, in the Hub's layout and in that of newer releases."""
_WHOLE = 64 * 2**20  # bytes; of larger files the ends are hashed
_END = 2**20  # bytes


def load_language(folder: str, source: str, dtype: str, quantization: str, flash: bool, device: torch.device) -> Any:
    """Load the language model of a text or multimodal Gemma 3: ``Gemma3ForCausalLM``, frozen.

    A multimodal checkpoint's language model lies under other names, and transformers would leave all of its weights
    random with only a printed report; here they are mapped, and one missing key refuses the checkpoint.

    Args:
        folder: Where its files are.
        source: What it is called in a message.
        dtype: As for `load_vision`.
        quantization: ``none`` or ``nf4``.
        flash: Whether to take FlashAttention-2 where it can be had.
        device: Where to put it.

    Raises:
        StudioError: It cannot be read, is no Gemma 3, or lacks weights.
    """
    kind = check_type(folder, source, ("gemma3", "gemma3_text"), "Gemma 3")
    wanted = dtype_for(dtype, device)
    model = load_whole(
        Gemma3ForCausalLM, folder, source, "Gemma 3", device,
        config=_text_config(folder, source),
        dtype=wanted, attn_implementation=attention(flash, wanted, device), use_safetensors=True,
        quantization_config=quantization_config(quantization, device, kept=["lm_head"]),
        **({"key_mapping": dict(_KEYS)} if kind == "gemma3" else {}),
    )  # fmt: skip
    keep_layout(model)
    return model


def load_tokenizer(folder: str, source: str) -> Any:
    """Load a tokenizer from its JSON files.

    Raises:
        StudioError: It cannot be read.
    """
    tokenizers: Any = AutoTokenizer
    try:
        return tokenizers.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # transformers and tokenizers each have their own
        raise explain(error, source) from error


def find(source: str, pickled: bool = False) -> str:
    """Return the folder of a checkpoint, fetched where needed.

    Raises:
        StudioError: It cannot be reached.
    """
    try:
        return fetch(source, pickled=pickled)
    except Exception as error:  # the Hub's client has many
        raise explain(error, source) from error


def attention(flash: bool, dtype: torch.dtype | str, device: torch.device) -> str:
    """Return which attention to use: FlashAttention-2 where it is installed and the device has it, else PyTorch's."""
    able = flash and device.type == "cuda" and importlib.util.find_spec("flash_attn") is not None
    able = able and dtype != torch.float32 and torch.cuda.get_device_capability(device)[0] >= 8
    return "flash_attention_2" if able else "sdpa"


def parameters(folder: str) -> int:
    """Return how many parameters the language model of a checkpoint has, without loading it."""
    with torch.device("meta"):
        model: Any = Gemma3ForCausalLM(_text_config(folder, folder))
    return int(model.num_parameters())


def fingerprint(folder: str) -> str:
    """Return a hash of a checkpoint's weights: of their files, by size and both ends where they are large."""
    parts: list[bytes | str | Path] = []
    for path in sorted(Path(folder).glob("*.safetensors")) or sorted(Path(folder).glob(PICKLED)):
        size = path.stat().st_size
        if size <= _WHOLE:
            parts.append(path)
            continue
        with open(path, "rb") as file:
            parts += [str(size), file.read(_END)]
            file.seek(-_END, 2)
            parts.append(file.read())
    return content_hash(*parts)


def revision(folder: str) -> str:
    """Return the Hub's commit that a fetched folder holds; empty for a folder of one's own."""
    name = Path(folder).name
    return name if Path(folder).parent.name == "snapshots" and re.fullmatch(r"[0-9a-f]{40}", name) else ""


def load_whole(kind: Any, folder: str, source: str, title: str, device: torch.device, **options: Any) -> Any:
    """Load a checkpoint, frozen and in eval mode.

    Args:
        kind: Its class.
        folder: Where its files are.
        source: What it is called in a message.
        title: What is wanted, in a message.
        device: Where to put it.
        options: For ``from_pretrained``.

    Raises:
        StudioError: It cannot be read, or lacks weights.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # as for Gemma 3
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what is not wanted of a checkpoint is no news
    try:
        model, report = kind.from_pretrained(folder, device_map={"": device}, output_loading_info=True, **options)
    except Exception as error:  # transformers and safetensors each have their own
        if is_out_of_memory(error):
            raise  # the manager makes room and tries again
        raise explain(error, source) from error
    finally:
        logging.set_verbosity(before)
    refuse_half_loaded(report, source, title)
    return model.eval().requires_grad_(False)


def _text_config(folder: str, source: str) -> Any:
    try:
        return AutoConfig.from_pretrained(folder).get_text_config()
    except Exception as error:  # its checks have their own
        raise explain(error, source) from error


def check_type(folder: str, source: str, known: tuple[str, ...], title: str) -> str:
    """Return a checkpoint's ``model_type``.

    Raises:
        StudioError: It is none of those known, or cannot be read.
    """
    try:
        kind = str(json.loads((Path(folder) / "config.json").read_text("utf-8"))["model_type"])
    except (OSError, ValueError, LookupError, TypeError):
        raise StudioError(f"There is no checkpoint in {source}: config.json cannot be read.") from None
    if kind not in known:
        raise StudioError(f"{source} is a '{kind}' model, not {title}.", f"Name a {title} checkpoint.")
    return kind
