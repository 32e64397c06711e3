"""The configurations of the grading tasks; loads nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from studio.config import Config, option

LONGEST_PROMPT = 300  # characters


def _some_words(prompt: str) -> str:
    prompt = " ".join(prompt.split())
    if not prompt:
        raise ValueError("say a look in words, such as 'warm golden hour'")
    if len(prompt) > LONGEST_PROMPT:
        raise ValueError(f"keep it to {LONGEST_PROMPT} characters")
    return prompt


Words = Annotated[str, AfterValidator(_some_words)]
"""A look in words: one line of 1 to 300 characters."""


class OptimizeConfig(Config):
    """Train a 3D LUT from words on a folder of photographs."""

    prompt: Words = option(..., "The look in words, such as 'cinematic teal and orange'.", widget="text")
    image_folder: Path = option(..., "Folder of photographs to learn on.", widget="images")
    model_type: str = option(
        "embedded", "The judge: embedded, gemma3_4b, gemma3_12b, gemma3_27b, or a local folder.", widget="model"
    )
    steps: int = option(150, "Training steps.", unit="steps", ge=1, le=20_000)
    batch_size: int = option(4, "Photographs seen in one step.", unit="photographs", ge=1, le=64)
    learning_rate: float = option(0.003, "Peak step size of Adam.", ge=1e-6, le=1.0, advanced=True)
    image_text_weight: float = option(1.0, "Weight of the judge.", ge=0, le=100)
    image_smoothness: float = option(1.0, "Weight against roughness the grade adds to a picture.", ge=0, le=100)
    image_regularization: float = option(1.0, "Weight against moving colours further than needed.", ge=0, le=100)
    black_preservation: float = option(1.0, "Weight against lifting blacks.", ge=0, le=100)
    lut_smoothness: float = option(1.0, "Weight against bends in the LUT.", ge=0, le=100)
    lut_size: int = option(
        33, "Points along each edge of the LUT: 17, 33, 65, or any from 2.", unit="points", ge=2, le=129
    )
    views: int = option(
        4,
        "Views of each photograph: 1 is the whole frame, more add random crops with a little noise.",
        unit="views",
        ge=1,
        le=32,
        advanced=True,
    )
    phrasings: int = option(
        1, "Phrasings of the question that are averaged.", unit="questions", ge=1, le=3, advanced=True
    )
    patience: int = option(
        0,
        "Stop early after this many steps without a better held-out score; 0 never does.",
        unit="steps",
        ge=0,
        le=20_000,
        advanced=True,
    )
    quantization: Literal["none", "nf4"] = option(
        "none", "Load the judge in 4 bits through bitsandbytes.", advanced=True
    )
    seed: int = option(0, "Seed of every random choice.", ge=0, le=2**31 - 1, advanced=True)
    output_path: Path | None = option(
        None, "Also write the finished .cube here; a .json is put beside it.", widget="hidden"
    )


class ApplyConfig(Config):
    """Put a LUT on pictures."""

    lut: Path = option(..., "The .cube file.", positional=True, widget="file")
    images: tuple[Path, ...] = option(..., "Pictures, or folders of pictures.", positional=True, widget="images")
    output_path: Path = option(Path("graded"), "Folder for the results; they keep their names.", widget="hidden")
    strength: float = option(1.0, "How much of the LUT: 0 is none, 1 is all.", ge=0, le=1)
    interpolation: Literal["tetrahedral", "trilinear"] = option("tetrahedral", "How colours between points are found.")


class JudgeConfig(Config):
    """How far the judge believes that words describe the change from one picture to another."""

    before: Path = option(..., "The picture before.", positional=True, widget="file")
    after: Path = option(..., "The picture after.", positional=True, widget="file")
    prompt: Words = option(..., "The look in words.", widget="text")
    model_type: str = option("embedded", "The judge, as in optimize.", widget="model")
