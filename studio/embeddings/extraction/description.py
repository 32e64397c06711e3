"""What a run says about itself: the model, the layers, the prompt, the number formats and the versions."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio import __version__
from studio.embeddings import representations as names
from studio.embeddings.config import ExtractConfig
from studio.embeddings.extraction.prompts import lay_out_question
from studio.files import content_hash
from studio.gemma.catalog import Checkpoint
from studio.gemma.loading import Gemma3

FORMAT = "gemma-studio embeddings 1"
PLACE = "{question}"
_COMMIT = re.compile(r"snapshots[/\\]([0-9a-f]{40})")
_SAMPLE = 2**20  # bytes of each weight file that tell a local checkpoint from another


def describe(
    config: ExtractConfig, checkpoint: Checkpoint, folder: Path, bundle: Gemma3, layers: Sequence[int]
) -> dict[str, Any]:
    """Return the metadata of a run; its ``identity`` must be the same for a run to be gone on with.

    Args:
        config: The extraction.
        checkpoint: Which model it asked for.
        folder: Where the checkpoint's files lie.
        bundle: The loaded model.
        layers: The layers that are read.
    """
    text = bundle.model.config.get_text_config()
    identity = {
        "model": checkpoint.source if checkpoint.folder is None else checkpoint.name,
        "revision": revision(folder),
        "quantization": config.quantization,
        "dtype": str(bundle.dtype).removeprefix("torch."),
        "stored_dtype": "float32" if config.dtype == "float32" else "bfloat16",
        "layers": list(layers),
        "prompt": prompt(bundle.processor),
        "max_new_tokens": config.max_new_tokens,
    }
    return {
        "format": FORMAT,
        **identity,
        "identity": identity,
        "title": checkpoint.title,
        "source": checkpoint.source,
        "model_type": bundle.model.config.model_type,
        "device": str(bundle.device),
        "layer_count": int(text.num_hidden_layers),
        "hidden_size": int(text.hidden_size),
        "vision_hidden_size": int(bundle.model.config.vision_config.hidden_size),
        "tokens_per_image": bundle.tokens_per_image,
        "norm": {str(layer): names.NORM for layer in layers},
        "representations": dict(names.DEFINITIONS),
        "positions": positions(bundle.processor),
        "versions": versions(),
        "configuration": config.model_dump(mode="json"),
        "vqa_dataset": str(config.vqa_dataset.resolve()),
        "images_dir": str(config.images_dir.resolve()),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def prompt(processor: Any) -> str:
    """Return the whole prompt as text, with the question's place marked and one soft token standing for all."""
    ids = lay_out_question(processor, PLACE).ids
    text: str = processor.tokenizer.decode(ids)
    soft: str = processor.tokenizer.image_token
    return text.replace(soft * processor.image_seq_length, soft)


def positions(processor: Any) -> dict[str, Any]:
    """Return where the tokens that are read stand, for the shortest question; the head is the same for all."""
    one = lay_out_question(processor, "A")
    return {
        "image_tokens": [one.image.start, one.image.stop],
        "last_image_token": one.image.stop - 1,
        "question_starts": one.question.start,
        "query_token": "the last token of the prompt",
        "tokens_after_question": len(one.ids) - one.question.stop,
    }


def versions() -> Mapping[str, str]:
    """Return the versions of what makes the numbers."""
    packages = ("torch", "transformers", "h5py", "numpy", "Pillow")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"studio": __version__, "python": platform.python_version(), **found}


def revision(folder: Path) -> str:
    """Return the commit of a checkpoint of the Hub, or for a local one a hash of its settings and weights.

    Of each weight file its name, length and first MiB count, since hashing all of 24 GB would take a minute.
    """
    commit = _COMMIT.search(str(folder.resolve()))
    if commit is not None:
        return commit[1]
    parts: list[str | bytes | Path] = [folder / "config.json"]
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            parts += [path.name, str(path.stat().st_size), file.read(_SAMPLE)]
    return "local " + content_hash(*parts)[:16]
