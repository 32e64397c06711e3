"""What loading any checkpoint needs: its files, a number format, and a sentence when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download

from studio.errors import StudioError

_FILES = ["*.json", "*.jinja", "merges.txt", "*.safetensors"]  # nothing that holds code or is pickled
PICKLED = "pytorch_model.bin"
"""Weights of the time before safetensors; PyTorch reads tensors from it and refuses all else."""


def fetch(source: str, pickled: bool = False, cache: Path | None = None) -> str:
    """Return the local folder of a checkpoint, downloading what is missing of one on the Hub.

    One request asks for the whole repository, so an unreachable Hub fails at once, or what is cached is used; asking
    file by file retries each for half a minute.

    Args:
        source: A local folder, or a repository of the Hub.
        pickled: Take `PICKLED` from a repository that has no safetensors.
        cache: Folder where the Hub's files are kept; None for the Hub's own.
    """
    if Path(source).is_dir():
        return source
    folder = snapshot_download(source, allow_patterns=_FILES, cache_dir=cache)
    if pickled and not any(Path(folder).glob("*.safetensors")):
        folder = snapshot_download(source, allow_patterns=[*_FILES, PICKLED], cache_dir=cache)
    return folder


def explain(
    error: Exception,
    source: str,
    kind: str = "checkpoint",
    instead: str = "Or give the folder of a checkpoint that you have, as model type.",
) -> StudioError:
    """Turn a failure to load `source` into a sentence, and what to do about it.

    Args:
        error: The failure.
        source: A repository of the Hub, or a local folder.
        kind: What it holds: a checkpoint, or a data set.
        instead: What else could be done.
    """
    names = {type(cause).__name__ for cause in _causes(error)}
    page = f"huggingface.co/{'datasets/' if kind == 'data set' else ''}{source}"
    if "GatedRepoError" in names:
        return StudioError(
            f"Access to {source} has not been granted.",
            f"Accept its licence on {page} and run 'hf auth login'. {instead}",
        )
    if "RepositoryNotFoundError" in names:
        return StudioError(f"There is no {kind} {source} here, and none on the Hugging Face Hub.", instead)
    if names & {"OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectError", "ConnectTimeout"}:
        return StudioError(
            f"{source} is not on this machine and the Hugging Face Hub cannot be reached.",
            f"Connect, or unset HF_HUB_OFFLINE. {instead}",
        )
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return StudioError(f"The {kind} {source} cannot be loaded: {lines[0].rstrip('.')}.", instead)


def dtype_for(name: str, device: torch.device) -> torch.dtype | str:
    """Return a number format by name; ``"auto"`` is the checkpoint's own on CUDA and float32 on the CPU."""
    if name == "auto":
        return "auto" if device.type == "cuda" else torch.float32
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise StudioError(f"'{name}' is not a number format.", "Use auto, float32 or bfloat16.")
    return dtype


def refuse_half_loaded(report: Mapping[str, Any], source: str, kind: str) -> None:
    """Refuse a model some of whose weights were not in the checkpoint, given transformers' report on loading it."""
    wrong = sorted(str(key) for sort in ("missing_keys", "mismatched_keys") for key in report.get(sort, ()))
    if wrong:
        raise StudioError(
            f"The checkpoint {source} lacks {len(wrong)} of the model's weights, such as {wrong[0]}.",
            f"Take a whole {kind} checkpoint; missing weights would be random.",
        )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
