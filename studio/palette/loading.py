"""Load a palette model for the model manager: a causal Gemma 3, alone or with a LoRA adapter of PEFT's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from studio.errors import StudioError
from studio.gemma import adapters, languages
from studio.gemma.catalog import EMBEDDED_FOLDER
from studio.models import ModelSpec
from studio.palette.spelling import Spelling, learn

KIND = "palette"
"""What the model manager calls its loader."""
EMBEDDED = EMBEDDED_FOLDER / "palette"
_ADAPTER = "adapter_config.json"
_LARGE = 100_000_000  # bytes of weights from which a checkpoint keeps its own number format on the CPU


class PaletteModel:
    """A causal language model with the spelling of its answers.

    Args:
        language: A ``Gemma3ForCausalLM``, or a ``PeftModel`` of one.
        tokenizer: Its tokenizer.
        source: What it is called: ``embedded``, a folder, or a name of the Hub.

    Raises:
        StudioError: Its tokenizer cannot spell colours.
    """

    def __init__(self, language: Any, tokenizer: Any, source: str) -> None:
        self.language = language
        self.tokenizer = tokenizer
        self.source = source
        self.spelling: Spelling = learn(tokenizer)

    @property
    def base(self) -> Any:
        """The ``Gemma3ForCausalLM``, with its adapters in place."""
        return self.language.get_base_model() if hasattr(self.language, "peft_config") else self.language

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        found: torch.device = self.base.model.embed_tokens.weight.device
        return found

    @property
    def longest(self) -> int:
        """How many tokens it reads at most."""
        return int(self.base.config.max_position_embeddings)

    def read(self, ids: Tensor, cache: DynamicCache) -> Tensor:
        """Read on from a cache, and return the states ``[N, width]`` behind the last of the tokens ``[N, T]``."""
        states: Tensor = self.base.model(input_ids=ids, past_key_values=cache, use_cache=True).last_hidden_state[:, -1]
        return states

    def scores(self, states: Tensor) -> Tensor:
        """Return the scores of the next digits ``[N, values]``, float32, and of no other token.

        Of the head, which in the 270M model is a quarter of a million rows, only those of the digits are read.
        """
        head = self.base.get_output_embeddings()
        rows = head.weight[torch.tensor(self.spelling.digits, device=head.weight.device)]
        return self.capped(states.float() @ rows.float().T)

    def capped(self, scores: Tensor) -> Tensor:
        """Return scores as the model's configuration limits them."""
        cap = getattr(self.base.config, "final_logit_softcapping", None)
        return scores if cap is None else torch.tanh(scores / cap) * cap


def spec_of(model: str, dtype: str = "auto") -> ModelSpec:
    """Return what the model manager leases for the model that a configuration names."""
    return ModelSpec(KIND, model, dtype)


def load(spec: ModelSpec, device: torch.device) -> PaletteModel:
    """Load a model, frozen and in eval mode.

    Args:
        spec: Made by `spec_of`; ``auto`` is the checkpoint's own number format on CUDA, and on the CPU that of large
            checkpoints too, since they are slow to read; small ones are float32 there.
        device: Where to put it.

    Raises:
        StudioError: It cannot be reached or read, is no Gemma 3, lacks weights, or cannot spell colours.
    """
    folder = find(spec.source)
    base, adapter = (find(base_of(folder)), folder) if _is_adapter(folder) else (folder, None)
    dtype = _own_dtype(base) if spec.dtype == "auto" and device.type == "cpu" else spec.dtype
    language = languages.load_language(str(base), spec.source, dtype, spec.quantization, True, device)
    if adapter is not None:
        language = adapters.load(language, adapter)
    words = adapter if adapter is not None and (adapter / "tokenizer.json").is_file() else base
    return PaletteModel(language, languages.load_tokenizer(str(words), spec.source), spec.source)


def find(source: str) -> Path:
    """Return the folder of a model, fetched where needed.

    Raises:
        StudioError: It cannot be reached, or is not there.
    """
    if source != "embedded":
        return Path(languages.find(source))
    if not (EMBEDDED / "config.json").is_file():
        what = "The embedded palette model is not in this installation."
        raise StudioError(what, "Name the folder of a model of your own.")
    return EMBEDDED


def base_name(model: str) -> str:
    """Return what an adapter trained on a model belongs to: the folder of a whole model, or a name of the Hub.

    Raises:
        StudioError: As `base_of`.
    """
    if model == "embedded":
        return str(EMBEDDED)
    folder = Path(model)
    if not folder.is_dir():
        return model
    return base_name(base_of(folder)) if _is_adapter(folder) else str(folder.resolve())


def stored_dtype(model: str) -> str:
    """Return the number format that a model's checkpoint is stored in, such as ``bfloat16``.

    Raises:
        StudioError: It cannot be reached or read.
    """
    folder = find(model)
    try:
        told = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise StudioError(f"There is no checkpoint in {model}: config.json cannot be read.") from None
    return str(told.get("dtype") or told.get("torch_dtype") or "float32")


def base_of(folder: Path) -> str:
    """Return the model that the adapter in a folder belongs to.

    Raises:
        StudioError: The adapter does not say.
    """
    try:
        return str(json.loads((folder / _ADAPTER).read_text("utf-8"))["base_model_name_or_path"])
    except (OSError, ValueError, LookupError, TypeError):
        raise StudioError(f"The adapter in {folder} does not say which model it belongs to.") from None


def _is_adapter(folder: Path) -> bool:
    return (folder / _ADAPTER).is_file() and not (folder / "config.json").is_file()


def _own_dtype(folder: Path) -> str:
    """Return the number format that a checkpoint is stored in where it is large, else ``auto``."""
    large = sum(path.stat().st_size for path in folder.glob("*.safetensors")) >= _LARGE
    return stored_dtype(str(folder)) if large else "auto"
