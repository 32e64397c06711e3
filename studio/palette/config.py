"""The configurations of the palette tasks; loads nothing heavy."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from studio.config import Config, option

LONGEST_DESCRIPTION = 300  # characters
MOST_PALETTES = 24


def _absolute(text: str) -> str:
    path = os.path.expanduser(text)
    return os.path.abspath(path) if os.path.exists(path) else text


Model = Annotated[str, AfterValidator(_absolute)]
"""``embedded``, a folder, which is made absolute since a job may be resumed elsewhere, or a name of the Hub."""
_MODEL = "The model: embedded, the folder of one that train-palette wrote, or a causal Gemma 3 on the Hub."


class PaletteConfig(Config):
    """Make palettes of four colours from words; locked colours stay, and the others are made to go with them."""

    description: str = option(..., "What the palettes are of, in words.", positional=True, widget="text")
    count: int = option(5, "Palettes to make.", unit="palettes", ge=1, le=MOST_PALETTES)
    lock: str = option(
        "",
        "Colours that every palette holds, with commas between them: '2=#aabbcc' is its second, '#aabbcc' takes the "
        "first free place.",
        widget="colours",
    )
    model: Model = option("embedded", _MODEL, widget="model")
    temperature: float = option(1.0, "0 always takes the likeliest digit; above 1 is more surprising.", ge=0, le=2)
    top_p: float = option(
        0.95, "Digits are drawn from those that hold this share of the chance.", ge=0.01, le=1, advanced=True
    )
    seed: int = option(42, "Which palettes; the same seed makes the same.", ge=0, le=2**31 - 1)

    @property
    def name(self) -> str:
        """The description, shortened."""
        return textwrap.shorten(self.description, 60, placeholder="…")


class TrainPaletteConfig(Config):
    """Fine-tune a palette model on a table of descriptions and colours, with LoRA."""

    data: Path = option(
        ..., "The table: a .csv with the columns resp (or description) and colors, a list of four.", widget="file"
    )
    output_dir: Path = option(Path("palette-model"), "Folder for the model.", widget="hidden")
    model: Model = option("embedded", f"{_MODEL} It is what training starts from.", widget="model")
    num_train_epochs: float = option(3.0, "Passes over the table.", unit="epochs", ge=0.01, le=1000)
    per_device_train_batch_size: int = option(1, "Palettes in one pass.", unit="palettes", ge=1, le=512)
    gradient_accumulation_steps: int = option(16, "Passes for one step.", ge=1, le=1024)
    learning_rate: float = option(5e-5, "Learning rate.", ge=1e-8, le=1.0)
    weight_decay: float = option(0.01, "Weight decay of AdamW.", ge=0, le=1, advanced=True)
    warmup_ratio: float = option(0.0, "Share of the steps in which the learning rate rises.", ge=0, le=1, advanced=True)
    schedule: Literal["linear", "cosine"] = option("linear", "How the learning rate falls.", advanced=True)
    max_grad_norm: float = option(1.0, "Gradients are clipped to this norm.", ge=0.001, le=1000, advanced=True)
    lora_r: int = option(16, "Rank of the adapters.", ge=1, le=1024)
    lora_alpha: int = option(32, "Scale of the adapters, over their rank.", ge=1, le=4096)
    lora_dropout: float = option(0.05, "Dropout before the adapters.", ge=0, le=0.9, advanced=True)
    validation_share: float = option(
        0.1, "Share of the table kept aside to validate on, drawn evenly over its hues and lightnesses.", ge=0, le=0.5
    )
    max_eval_samples: int = option(
        500, "Validation palettes looked at each time; 0 for all.", unit="palettes", ge=0, advanced=True
    )
    eval_steps: int = option(100, "Steps between looks at the validation palettes.", unit="steps", ge=1)
    save_steps: int = option(200, "Steps between checkpoints.", unit="steps", ge=1, advanced=True)
    save_total_limit: int = option(2, "Checkpoints kept, the newest.", ge=1, le=1000, advanced=True)
    samples: str = option(
        "fresh greens with a vibrant twist; ocean at night; warm autumn market",
        "Descriptions with ';' between them, for which a palette is made at every look; empty for none.",
        widget="text",
    )
    seed: int = option(42, "Seed of the split, the adapters, the order and the dropout.", ge=0, le=2**31 - 1)

    @property
    def name(self) -> str:
        """What is trained on."""
        return f"Train on {self.data.name}"


class ExportPaletteConfig(Config):
    """Write a palette as the file of a design tool; it may be read from such a file as well."""

    palette: tuple[str, ...] = option(
        ..., "Four hex colours, or one file that holds a palette.", positional=True, widget="text"
    )
    output_path: Path = option(Path("exported"), "The file to write, or a folder for it.", widget="hidden")
    format: Literal[
        "auto", "css", "scss", "tailwind3", "tailwind4", "json", "tokens", "ase", "aco", "gpl", "svg", "png"
    ] = option("auto", "The kind of file: auto is as the extension says, or in a folder css.")
    title: str = option("", "What the palette is called; without it, as in its file or after its colours.")
    number: int = option(1, "Which palette of a file that holds several.", ge=1)


class PicturePaletteConfig(Config):
    """Take four colours from a picture, and describe them."""

    image: Path = option(..., "The picture.", positional=True, widget="file")
    output_path: Path | None = option(
        None, "Also write the palette and its description, as .json, to this file.", widget="hidden"
    )

    @property
    def name(self) -> str:
        """What the palette is of."""
        return f"Palette of {self.image.name}"
