"""The report beside a LUT: where it came from and how good it measured, as plain data."""

from __future__ import annotations

from typing import Any

from studio.files import content_hash
from studio.gemma.catalog import resolve
from studio.gemma.clip import Clip
from studio.gemma.loading import Gemma3
from studio.grading.checkpoint import Progress
from studio.grading.config import OptimizeConfig
from studio.grading.looks import match
from studio.grading.photographs import Photographs

_LAST = 10  # steps the training score is averaged over


def identify(config: OptimizeConfig, bundle: Gemma3 | Clip) -> dict[str, str]:
    """Say which judge it is: its type and source, the hash of a local one's files or the Hub's revision, the device."""
    checkpoint = resolve(config.model_type)
    if checkpoint.folder is None:
        revision = str(getattr(bundle.model.config, "_commit_hash", None))
    else:
        # A large local checkpoint is known by its configuration and index, its shards being many gigabytes.
        files = sorted(path for path in checkpoint.folder.iterdir() if path.suffix in {".json", ".jinja"})
        small = [path for path in checkpoint.folder.glob("*.safetensors") if path.stat().st_size < 2**26]
        revision = content_hash(*files, *sorted(small))
    return {
        "model_type": config.model_type, "source": checkpoint.source, "revision": revision,
        "quantization": config.quantization, "device": str(bundle.device), "dtype": str(bundle.dtype),
    }  # fmt: skip


def compose(
    config: OptimizeConfig, progress: Progress, photographs: Photographs, judge: dict[str, str]
) -> dict[str, Any]:
    """Return the report of a run as far as it has come.

    ``scores`` hold the measurements of the untouched photographs and of the LUT that is kept, and the mean score of
    the last training batches, each P(yes) in [0, 1] unless it is a loss.
    """
    known = match(" ".join(words for words, _ in config.looks))
    training = [value for _, value in progress.curves.get("score", [])[-_LAST:]]
    return {
        "title": config.name,
        "prompt": config.prompt,
        "looks": [{"words": words, "share": share} for words, share in config.looks],
        "encoding": {"input": config.input_encoding, "output": config.output},
        "config": config.model_dump(mode="json"),
        "seed": config.seed,
        "judge": judge,
        "scores": {
            "untouched": progress.untouched,
            "final": progress.best,
            "training": sum(training) / len(training) if training else None,
        },
        "best_step": progress.best_step,
        "steps": progress.step,
        "photographs": {
            "trained_on": photographs.names(photographs.train),
            "held_out": photographs.names(photographs.held_out),
            "skipped": photographs.skipped,
        },
        "known_looks": [[look.name, near] for look, near in known.looks] if known else [],
        "unknown_words": list(known.unknown) if known else config.prompt.split(),
        "curves": progress.curves,
    }
