"""Which model is meant, as the model manager's key; loads nothing heavy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from studio.models import ModelSpec

KIND = "science"
"""What the model manager calls its loader."""
VIEWS = Literal["auto", "pad", "tiles"]


@dataclass(frozen=True)
class Source:
    """What a model is made of: a bundle, the parts that gemmaclip's script leaves, or towers for a new one.

    Attributes:
        bundle: A bundle's folder, or ``embedded``; empty for one of the other two.
        language: Without a bundle: a Gemma 3 on the Hub, a folder, or ``embedded``.
        vision: Without a bundle: a CLIP, likewise.
        projector: Of the parts: ``projector.pt`` or ``projector.safetensors``; empty for a new model.
        adapter: Of the parts: the LoRA adapter's folder.
        tokenizer: Of the parts: the tokenizer's folder; empty for the language model's.
        vision_layer: Of a new model: the layer of the vision tower that is read.
        views: How pictures are cut; ``auto`` as the bundle says, or in tiles for a new model.
        flash: Whether FlashAttention-2 is taken where it is installed and the device has it.
    """

    bundle: str = ""
    language: str = ""
    vision: str = ""
    projector: str = ""
    adapter: str = ""
    tokenizer: str = ""
    vision_layer: int = -2
    views: VIEWS = "auto"
    flash: bool = True

    def spec(self, quantization: str = "none", dtype: str = "auto") -> ModelSpec:
        """Return what the model manager leases.

        Args:
            quantization: ``none`` or ``nf4``, of the language model; `loading.choose_quantization` knows ``auto``.
            dtype: ``auto``, ``float32`` or ``bfloat16``.
        """
        given = {name: value for name, value in asdict(self).items() if value != getattr(Source(), name)}
        plain = self.bundle if given.keys() == {"bundle"} else json.dumps(given)
        return ModelSpec(KIND, plain, dtype, quantization)

    @classmethod
    def of(cls, spec: ModelSpec) -> Source:
        """Read what `spec` wrote."""
        return cls(**json.loads(spec.source)) if spec.source.startswith("{") else cls(bundle=spec.source)


def named(
    bundle: str,
    *,
    adapter_dir: Path | None = None,
    projector_path: Path | None = None,
    tokenizer_dir: Path | None = None,
    llm_name: str = "",
    vision_name: str = "",
) -> Source:
    """Return the model that the fields of a configuration name: the parts if they are given, else the bundle."""
    if projector_path is None:
        return Source(bundle=bundle if bundle == "embedded" else str(Path(bundle).expanduser().resolve()))
    return Source(
        language=llm_name,
        vision=vision_name,
        projector=str(projector_path.expanduser().resolve()),
        adapter="" if adapter_dir is None else str(adapter_dir.expanduser().resolve()),
        tokenizer="" if tokenizer_dir is None else str(tokenizer_dir.expanduser().resolve()),
    )
