"""Runs with planted signals, written with the real store: what a probe should find in them is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from studio.embeddings.store.records import ImageRecord, QuestionRecord
from studio.embeddings.store.writing import Store

WIDTH = 12
LAYERS = (0, 4)
METADATA: dict[str, Any] = {
    "model": "embedded", "source": "embedded", "revision": "r1", "norm": "before the final norm", "layer_count": 5,
    "stored_dtype": "float32", "identity": {"model": "embedded"},
}  # fmt: skip
CATEGORIES = ("count", "colour", "shape", "place")


def planted(
    folder: Path, *, images: int = 120, each: int = 5, signal: float = 1.5, confound: float = 0.0, leak: float = 0.0,
    seed: int = 0, revision: str = "r1", width: int = WIDTH, labelled: bool = True,
) -> Path:  # fmt: skip
    """Write a run whose query token at layer 4 knows a hallucination, and its other vectors nothing.

    Args:
        folder: For the run.
        images: How many.
        each: Questions about one image.
        signal: How far the two classes stand apart at layer 4, in standard deviations.
        confound: How far the category decides about hallucinations, 0 to 1; vectors at layer 4 hold the category.
        leak: How much an image decides about its hallucinations; the vision vectors know the image, nothing more.
        seed: Of everything.
        revision: Of the model.
        width: Of the vectors.
        labelled: Whether the run has a column of labels.
    """
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).normal(size=(2 + len(CATEGORIES), width))  # of the model, not of the run
    pictures, questions = [], []
    for image in range(images):
        own = rng.normal(size=width)
        vectors = {"vision_representation": own, **{f"vision_token_representation/layer_{k}": own for k in LAYERS}}
        name = f"{revision}-{seed}-{image}"
        pictures.append(ImageRecord(f"{name}.png", _hash(name), 64, 64, _floats(vectors)))
        hard = rng.normal() * leak
        for number in range(each):
            category = int(rng.integers(len(CATEGORIES)))
            lean = confound * (2.5 if category < 2 else -2.5)
            label = int(rng.random() < 1 / (1 + np.exp(-(lean + hard))))
            side = directions[0] / np.linalg.norm(directions[0]) * signal * (label - 0.5)
            query = rng.normal(size=width) + side + confound * 3 * directions[2 + category]
            vectors = {
                "query_token_representation/layer_0": rng.normal(size=width),
                "query_token_representation/layer_4": query,
            }
            extra = {"category": CATEGORIES[category]} | ({"is_hallucinating": str(label)} if labelled else {})
            questions.append(
                QuestionRecord(
                    f"{len(questions)}", f"{name}.png", len(questions) + 2, f"Is there a thing {number} here?", "no",
                    "Yes." if label else "No.", "Yes", float(rng.random()), 2, True, extra, _floats(vectors),
                )
            )  # fmt: skip
    with Store.open(folder, {**METADATA, "revision": revision}) as store:
        half = len(questions) // 2
        store.commit(pictures, questions[:half], [])
        store.commit(pictures, questions[half:], [])
    return folder


def _floats(vectors: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(vector, np.float32) for name, vector in vectors.items()}


def _hash(name: str) -> str:
    return name.encode().hex().rjust(64, "0")[-64:]
