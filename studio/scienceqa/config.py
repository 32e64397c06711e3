"""The configurations of the science tasks; loads nothing heavy."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from studio.config import Config, option

FAMILIES = (
    "attract",
    "membrane",
    "layers",
    "grid",
    "punnett",
    "force",
    "concentration",
    "temperature",
    "bars",
    "heat",
)
"""The kinds of question the studio draws."""
LONGEST_ANSWER = 2048  # tokens
FEW_QUESTIONS = 2000


def _family_list(text: str) -> str:
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if unknown := [part for part in parts if part not in FAMILIES]:
        raise ValueError(f"'{unknown[0]}' is not one of {', '.join(FAMILIES)}")
    return ",".join(parts)


Families = Annotated[str, AfterValidator(_family_list)]
"""Names of `FAMILIES` with commas between them; empty for all."""
Split = Literal["train", "val", "test"]


def _absolute(text: str) -> str:
    path = os.path.expanduser(text)
    return os.path.abspath(path) if os.path.exists(path) else text


Data = Annotated[str, AfterValidator(_absolute)]
"""A path; one that is there is made absolute, since a job may be resumed elsewhere, and any other may be of the Hub."""


def _absolute_unless_embedded(text: str) -> str:
    return text if text == "embedded" else _absolute(text)


Model = Annotated[str, AfterValidator(_absolute_unless_embedded)]
"""A bundle or a tower: a folder that is there is made absolute as `Data` is; ``embedded`` is never one."""
_DATA = (
    "The questions: a folder with problems.json and pid_splits.json, a .json or .jsonl of conversations as LLaVA's, "
    "a .csv, a .parquet or a folder of them, or the Hub's name of a data set in derek-thomas/ScienceQA's columns."
)
_PICTURES = "Folder of the pictures that a .csv or LLaVA's .json names; without it, the folder of that file."
_BUNDLE = "The model: embedded, or the folder of a bundle that train-scienceqa wrote."
_VISION = "Its CLIP: openai/clip-vit-large-patch14-336, another on the Hub, a local folder, or embedded."
_LANGUAGE = "Its Gemma 3: google/gemma-3-4b-it, another on the Hub, a local folder, or embedded."


class DataConfig(Config):
    """Say what a set of science questions holds: counts by subject, topic and grade, and what is missing."""

    data: Data = option(..., _DATA, positional=True, widget="file")
    images_dir: Path | None = option(None, _PICTURES, widget="folder")
    open_pictures: bool = option(False, "Also open every picture, to find those that are damaged.")
    output_path: Path | None = option(
        None, "Also write report.json and rejected.csv into this folder.", widget="hidden"
    )


class DrawConfig(Config):
    """Draw science questions with pictures, right answers and reasoning, in ScienceQA's official layout."""

    output_dir: Path = option(Path("science-questions"), "Folder to write.", widget="hidden")
    families: Families = option("", "Kinds of question with commas between them; empty for all.")
    train: int = option(800, "Questions of the split train.", unit="questions", ge=0, le=1_000_000)
    val: int = option(100, "Questions of the split val.", unit="questions", ge=0, le=100_000)
    test: int = option(200, "Questions of the split test.", unit="questions", ge=0, le=100_000)
    style: Literal["training", "held-out"] = option(
        "training",
        "How pictures of the split test are drawn: as those of train and val, or in fonts, colours and layouts that "
        "training never shows.",
    )
    seed: int = option(0, "Which questions; the same seed draws the same.", ge=0, le=2**31 - 1, advanced=True)

    def is_long(self) -> bool:
        """Whether it is work for a job, which can be left and resumed: more than a few seconds of drawing."""
        return self.train + self.val + self.test > FEW_QUESTIONS


class TrainScienceqaConfig(Config):
    """Train the projector and the LoRA adapters of a Gemma-CLIP model on science questions."""

    data: Data = option(..., _DATA, widget="file")
    images_dir: Path | None = option(None, _PICTURES, widget="folder", advanced=True)
    output_dir: Path = option(Path("outputs"), "Folder for the bundle.", widget="hidden")
    bundle: Model = option(
        "", "Start from this bundle (embedded, or a folder), with its towers; empty starts from the towers below."
    )
    llm_name: Model = option("google/gemma-3-4b-it", _LANGUAGE)
    vision_name: Model = option("openai/clip-vit-large-patch14-336", _VISION)
    num_train_epochs: float = option(1.0, "Passes over the questions.", unit="epochs", ge=0.01, le=1000)
    per_device_train_batch_size: int = option(1, "Questions in one pass.", unit="questions", ge=1, le=512)
    gradient_accumulation_steps: int = option(8, "Passes for one step.", ge=1, le=1024)
    learning_rate: float = option(1e-4, "Learning rate of the adapters.", ge=1e-8, le=1.0)
    projector_learning_rate: float | None = option(
        None, "Learning rate of the projector; without it, that of the adapters.", ge=1e-8, le=1.0, advanced=True
    )
    weight_decay: float = option(0.0, "Weight decay of AdamW.", ge=0, le=1, advanced=True)
    warmup_ratio: float = option(
        0.03, "Share of the steps in which the learning rate rises.", ge=0, le=1, advanced=True
    )
    schedule: Literal["linear", "cosine"] = option("linear", "How the learning rate falls.", advanced=True)
    max_grad_norm: float = option(1.0, "Gradients are clipped to this norm.", ge=0.001, le=1000, advanced=True)
    bf16: bool = option(False, "Compute in bfloat16; without it, as suits the device.")
    use_flash_attention_2: bool = option(
        True, "FlashAttention-2 where it is installed and the device has it, else PyTorch's own.", advanced=True
    )
    gradient_checkpointing: bool = option(False, "Compute activations again instead of keeping them: less memory.")
    quantization: Literal["auto", "none", "nf4"] = option(
        "auto", "The language model in 4 bits; auto does so where it saves memory: on CUDA, from 1 B parameters.",
        advanced=True,
    )  # fmt: skip
    lora_r: int = option(64, "Rank of the adapters; 0 trains the projector alone.", ge=0, le=1024)
    lora_alpha: int = option(128, "Scale of the adapters, over their rank.", ge=1, le=4096)
    lora_dropout: float = option(0.05, "Dropout before the adapters.", ge=0, le=0.9, advanced=True)
    max_train_samples: int = option(0, "Only so many questions, the first; 0 for all.", unit="questions", ge=0)
    views: Literal["auto", "pad", "tiles"] = option(
        "auto",
        "What the encoder sees: the picture padded to a square, or cut into tiles; auto keeps the bundle's, or tiles "
        "for a new one. Nothing is ever cropped away.",
    )
    vision_layer: int = option(
        -2,
        "Layer of the encoder that is read, from -1 (the last); ignored with a bundle.",
        ge=-48,
        le=-1,
        advanced=True,
    )
    answer_form: Literal["both", "reasoning", "letter"] = option(
        "both", "What is learnt: the letter at once, reasoning and then the letter, or both in turns."
    )
    eval_steps: int = option(100, "Steps between looks at the validation questions.", unit="steps", ge=1)
    max_eval_samples: int = option(200, "Validation questions looked at each time; 0 for all.", unit="questions", ge=0)
    patience: int = option(
        0, "Stop after so many looks without a better one; 0 never stops early.", ge=0, advanced=True
    )
    seed: int = option(42, "Seed of the adapters, the order and the dropout.", ge=0, le=2**31 - 1, advanced=True)

    @property
    def name(self) -> str:
        """What is trained on."""
        return f"Train on {Path(self.data).name}"


class _ModelConfig(Config):
    """Names a model: a bundle, or the three parts that the seed's training leaves."""

    bundle: Model = option("embedded", _BUNDLE, widget="folder")
    adapter_dir: Path | None = option(None, "Folder of a LoRA adapter, instead of a bundle.", widget="hidden")
    projector_path: Path | None = option(
        None, "Its projector: projector.pt (weights only) or projector.safetensors.", widget="hidden"
    )
    tokenizer_dir: Path | None = option(None, "Its tokenizer; without it, the language model's.", widget="hidden")
    llm_name: Model = option("google/gemma-3-4b-it", _LANGUAGE, widget="hidden")
    vision_name: Model = option("openai/clip-vit-large-patch14-336", _VISION, widget="hidden")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.adapter_dir is None) != (self.projector_path is None):
            raise ValueError("adapter_dir and projector_path belong together: give both, or a bundle")
        return self


class AskConfig(_ModelConfig):
    """Ask a Gemma-CLIP model one question; its reasoning streams, and each choice gets a probability."""

    question: str = option(..., "The question.", widget="text")
    image_path: Path | None = option(None, "The picture; without it the question is text alone.", widget="file")
    context: str = option("", "What the question may rest on.", widget="text")
    choices: str = option(
        "", "The choices: a JSON list, or with ';' between them; 'A) ' and '(A) ' before them are taken off.",
        widget="text",
    )  # fmt: skip
    max_new_tokens: int = option(256, "Longest answer.", unit="tokens", ge=1, le=LONGEST_ANSWER)
    temperature: float = option(0.2, "0 always takes the likeliest word.", ge=0, le=2, advanced=True)
    top_p: float = option(
        0.9, "Words are drawn from those that hold this share of the chance.", ge=0.01, le=1, advanced=True
    )
    seed: int = option(42, "Seed of the drawing.", ge=0, le=2**31 - 1, advanced=True)

    @property
    def name(self) -> str:
        """The question, shortened."""
        return textwrap.shorten(self.question, 60, placeholder="…")


class EvaluateScienceqaConfig(_ModelConfig):
    """Evaluate a Gemma-CLIP model: ScienceQA's official columns, baselines, and whether it looks at the picture."""

    data: Data = option(..., _DATA, widget="file")
    images_dir: Path | None = option(None, _PICTURES, widget="folder", advanced=True)
    split: Split = option("test", "Which questions.")
    max_samples: int = option(0, "Only so many questions, drawn evenly; 0 for all.", unit="questions", ge=0)
    answering: Literal["auto", "letter", "reasoning"] = option(
        "auto",
        "letter scores the choices at once; reasoning writes it first and scores then; auto is what the bundle says.",
    )
    without_picture: bool = option(True, "Also ask every question without its picture.")
    another_picture: bool = option(False, "Also ask every question with the picture of another one.")
    permutations: int = option(0, "Also ask with the choices in so many other orders.", ge=0, le=24)
    agreement: int = option(
        0, "Questions whose reasoning is also written and compared with the letter.", unit="questions", ge=0
    )
    batch_size: int = option(
        16, "Questions read at once; halved by itself where memory runs out.", unit="questions", ge=1, le=512,
        advanced=True,
    )  # fmt: skip
    max_new_tokens: int = option(256, "Longest reasoning.", unit="tokens", ge=1, le=LONGEST_ANSWER, advanced=True)
    results: Path | None = option(
        None,
        "Instead of asking a model: official results (.json) or LLaVA's answers (.jsonl) to score.",
        widget="hidden",
    )
    output_path: Path | None = option(None, "Also copy the results into this folder.", widget="hidden")

    @property
    def name(self) -> str:
        """What is evaluated."""
        return f"Evaluate {(self.results or Path(self.bundle)).name} on {Path(self.data).name}"


class ExportBundleConfig(Config):
    """Write a bundle in another layout: that of gemmaclip's script, or merged into one language model."""

    bundle: Model = option(..., _BUNDLE, positional=True, widget="folder")
    layout: Literal["merged", "seed"] = option(
        "merged",
        "merged folds the adapters into the language model in bfloat16; seed writes projector.pt, lora_adapter and "
        "tokenizer.",
    )
    output_path: Path = option(Path("exported-bundle"), "Folder to write.", widget="hidden")
