"""Data sets of the Hugging Face Hub: fetched once, then found in its cache, also without a network."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError

from studio.errors import StudioError


def fetch(name: str, cache: Path | None = None) -> Path:
    """Return the local folder of a data set's parquet files, downloading what is missing.

    Args:
        name: ``owner/name``, or ``owner/name/folder`` for one folder of it.
        cache: Folder where the Hub's files are kept; None for the Hub's own.

    Raises:
        StudioError: There is no such data set or folder, it is not granted, or the Hub cannot be reached.
    """
    owner, repository, *inside = name.split("/")
    source = f"{owner}/{repository}"
    pattern = "/".join([*inside, "*.parquet"])
    try:
        found = snapshot_download(source, repo_type="dataset", allow_patterns=[pattern], cache_dir=cache)
    except Exception as error:  # the network, the Hub and the disk raise whatever they like
        raise _explain(error, source) from error
    folder = Path(found, *inside)
    if not any(folder.rglob("*.parquet")):
        raise StudioError(f"The data set {name} of the Hugging Face Hub holds no .parquet files.", "Name another.")
    return folder


def _explain(error: Exception, source: str) -> StudioError:
    from studio.gemma.hub import explain  # here, since it loads torch

    if isinstance(error, HFValidationError):
        return StudioError(f"There is no file or folder '{source}'.", "Check the path.")
    return explain(error, source, kind="data set", instead="Or give the folder of one that you have.")
