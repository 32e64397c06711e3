"""Small runs for tests: questions whose vectors follow from their number."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.embeddings.store.records import ImageRecord, QuestionRecord

WIDTH, VISION_WIDTH = 24, 10
LAYERS = (0, 3, 5)
METADATA: dict[str, Any] = {
    "model": "google/gemma-3-4b-it",
    "source": "google/gemma-3-4b-it",
    "revision": "abc123",
    "device": "cpu",
    "dtype": "bfloat16",
    "stored_dtype": "bfloat16",
    "layers": [*LAYERS],
    "norm": "before final norm",
    "created_at": "2026-01-02T03:04:05+00:00",
    "identity": {"model": "google/gemma-3-4b-it", "revision": "abc123", "layers": [*LAYERS]},
}


def vectors(number: int, per: str) -> dict[str, Any]:
    """Vectors of an image or of a question, float32 that bfloat16 holds exactly."""
    random = np.random.default_rng([number, per == "image"])
    if per == "image":
        names = {"vision_representation": VISION_WIDTH} | {
            f"vision_token_representation/layer_{k}": WIDTH for k in LAYERS
        }
    else:
        places = ("query_token_representation", "multimodal_representation")
        names = {f"{name}/layer_{k}": WIDTH for name in places for k in LAYERS}
    return {name: exact(random.normal(size=width)) for name, width in names.items()}


def exact(values: Any) -> Any:
    """Cut float32 values down to bits that bfloat16 has."""
    bits: Any = np.asarray(values, np.float32).view(np.uint32) & 0xFFFF0000
    return bits.view(np.float32)


def image(number: int, **others: Any) -> ImageRecord:
    values = {"sha256": f"{number:064x}", "width": 640, "height": 480, "vectors": vectors(number, "image")} | others
    return ImageRecord(**{"image_id": f"image{number}.jpg", **values})


def question(number: int, *, per_image: int = 2, **others: Any) -> QuestionRecord:
    values: dict[str, Any] = {
        "question_id": f"q{number}",
        "image_id": f"image{number // per_image}.jpg",
        "row": number + 2,
        "question": f"How many {'cats' if number % 2 else 'dogs'}?",
        "ground_truth_answer": str(number),
        "answer": f"There are {number}.",
        "first_token": "There",
        "first_token_probability": 1 / (number + 1),
        "answer_tokens": 4,
        "answer_finished": number % 3 != 0,
        "extra": {"category": "count"},
        "vectors": vectors(number, "question"),
    }
    return QuestionRecord(**(values | others))


def batch(start: int, stop: int, *, per_image: int = 2) -> tuple[list[ImageRecord], list[QuestionRecord]]:
    """Questions from start up to stop, and the images they are about."""
    numbers = dict.fromkeys(number // per_image for number in range(start, stop))
    return [*map(image, numbers)], [question(number, per_image=per_image) for number in range(start, stop)]
