"""Questions with pictures whose rule is small and real: which colour the blot has. Half of them come with reasoning."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from studio.context import Context
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.questions import official
from studio.scienceqa.questions.record import Question
from tests.scienceqa import tiny

COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (40, 60, 200)}


def picture(colour: str, random: np.random.Generator) -> bytes:
    """Draw a blot of a colour, of any shade and size, anywhere on grey; a PNG."""
    image = Image.new("RGB", (48, 32), tuple(random.integers(150, 256, 1).repeat(3).tolist()))
    left, top, size = *random.integers(0, 12, 2).tolist(), int(random.integers(14, 20))
    shade = np.clip(np.array(COLOURS[colour]) + random.integers(-30, 31, 3), 0, 255).tolist()
    ImageDraw.Draw(image).ellipse((left, top, left + size, top + size), fill=tuple(shade))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def questions(train: int, val: int, seed: int = 0) -> list[Question]:
    """Return questions of the splits train and val, no picture twice."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(train + val):
        answer = int(random.integers(len(COLOURS)))
        colour = list(COLOURS)[answer]
        found.append(
            Question(
                str(number), "train" if number < train else "val", "Which is this picture ?", tuple(COLOURS), answer,
                image=picture(colour, random), solution=f"It is {colour} ." if number % 2 else "",
            )
        )  # fmt: skip
    return found


def written(folder: Path, given: list[Question]) -> Path:
    """Write questions in the official layout."""
    for _ in official.write(folder, given):
        pass
    return folder


def configure(folder: Path, **values: Any) -> TrainScienceqaConfig:
    """Configure a short run on 22 questions in a folder, from two tiny towers beside them."""
    data, vision, language = folder / "questions", folder / "vision", folder / "language"
    if not data.exists():
        written(data, questions(22, 6))
        tiny.save_vision(vision)
        tiny.save_language(language)
    usual = {
        "data": str(data), "output_dir": folder / "out", "vision_name": str(vision), "llm_name": str(language),
        "num_train_epochs": 2, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
        "learning_rate": 3e-3, "lora_r": 4, "lora_alpha": 8, "eval_steps": 2, "views": "pad",
    }  # fmt: skip
    return TrainScienceqaConfig(**{**usual, **values})


def changed(config: TrainScienceqaConfig, **values: Any) -> TrainScienceqaConfig:
    """Return a configuration with other values."""
    return TrainScienceqaConfig(**{**config.model_dump(), **values})


def contents(folder: Path) -> dict[str, bytes]:
    """Return the weights of a bundle, byte by byte."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.safetensors")}


def history(context: Context) -> list[dict[str, Any]]:
    """Return a run's history without what depends on the machine."""
    lines = [json.loads(line) for line in (context.folder / "history.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key not in ("tokens_per_second", "memory")} for line in lines]
