"""Files as HALP's extractor writes them: plain h5py, a group for each question, float32 with gzip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

LAYERS = (0, 12, 47)
TEXT = h5py.string_dtype()


def sample(number: int, **others: Any) -> dict[str, Any]:
    """One question as the extractor keeps it; the vector at the image's token moves with the question, as there."""
    random = np.random.default_rng(number)
    found: dict[str, Any] = {
        "image_id": f"image{number // 2}.jpg",
        "question": f"How many? ({number})",
        "ground_truth_answer": str(number),
        "answer": f"There are {number}.",
        "vision_only_representation": np.random.default_rng(number // 2).normal(size=6).astype(np.float32),
    }
    for name in ("vision_token_representation", "query_token_representation"):
        found[name] = {f"layer_{k}": random.normal(size=8).astype(np.float32) for k in LAYERS}
    return found | others


def write(path: Path, samples: Mapping[str, Mapping[str, Any]], **attributes: Any) -> Path:
    """Write samples by question id; a text that is None becomes h5py's Empty, as an answer that is 0 does there."""
    said = {"model_name": "google/gemma-3-12b-it", "model_type": "gemma-3-12b-multimodal", "device": "cuda"}
    with h5py.File(path, "w") as file:
        for name, value in (said | {"dtype": "bfloat16", "num_samples": len(samples)} | attributes).items():
            file.attrs[name] = value
        for question_id, found in samples.items():
            group = file.create_group(question_id)
            for name, value in found.items():
                if isinstance(value, dict):
                    layers = group.create_group(name)
                    for layer, vector in value.items():
                        layers.create_dataset(layer, data=vector, compression="gzip")
                elif isinstance(value, np.ndarray):
                    group.create_dataset(name, data=value, compression="gzip")
                elif value is None:
                    group.create_dataset(name, data=h5py.Empty(TEXT))
                else:
                    group.create_dataset(name, data=value, dtype=TEXT)
    return path


def probe_loader(path: Path) -> dict[str, dict[str, Any]]:
    """Read every question by the names that HALP's scripts use."""
    found: dict[str, dict[str, Any]] = {}
    with h5py.File(path, "r") as file:
        for question_id in file:
            group = file[question_id]
            texts = {
                name: group[name][()].decode() for name in ("image_id", "question", "ground_truth_answer", "answer")
            }
            vectors = {"vision_only_representation": group["vision_only_representation"][:]}
            for name in ("vision_token_representation", "query_token_representation", "multimodal_representation"):
                for layer in group.get(name, {}):
                    vectors[f"{name}/{layer}"] = group[name][layer][:]
            found[question_id] = texts | vectors
    return found
