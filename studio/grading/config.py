"""The configurations of the grading tasks; loads nothing heavy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from studio.config import Config, option

LONGEST_PROMPT = 300  # characters
MOST_LOOKS = 8
MOST_LIBRARY_LOOKS = 1000
SAY_A_LOOK = "say a look in words, such as 'warm golden hour'"
LOG_SIZE = 65
"""Points along each edge of a LUT for a camera log, unless another number is asked for: shadows are steep there."""

InputEncoding = Literal["srgb", "rec709", "slog3", "logc3", "logc4", "vlog", "clog3", "acescct"]
"""The names of `studio.grading.encodings.ENCODINGS`."""
DISPLAYS = ("srgb", "rec709")
"""Those made for a display; the others are camera logs."""

VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf"})
"""Extensions of videos, lower case."""

FEW_PICTURES = 3
"""Named one by one, so many are graded at once; more, folders and videos are a job."""


def weighted_looks(prompt: str) -> tuple[tuple[str, float], ...]:
    """Take a prompt apart: looks parted by ``|``, each with a weight after a colon, ``faded: 0.5``, or else 1.

    Returns:
        Each look's words and its share; the shares add up to 1. Nothing for an empty prompt.

    Raises:
        ValueError: A look has no words, or a weight is not above 0.
    """
    if not prompt.strip():
        return ()
    looks = []
    for part in prompt.split("|"):
        words, colon, number = part.rpartition(":")
        try:
            weight = float(number) if colon else 1.0
        except ValueError:  # the colon is a part of the words
            words, weight = part, 1.0
        words = " ".join((words if colon else part).split())
        if not words:
            raise ValueError(f"'{part.strip()}' holds no words between the bars")
        if not 0 < weight < float("inf"):
            raise ValueError(f"the weight of '{words}' must be above 0")
        looks.append((words, weight))
    if len(looks) > MOST_LOOKS:
        raise ValueError(f"keep it to {MOST_LOOKS} looks")
    total = sum(weight for _, weight in looks)
    return tuple((words, weight / total) for words, weight in looks)


def _line(prompt: str) -> str:
    prompt = " ".join(prompt.split())
    if len(prompt) > LONGEST_PROMPT:
        raise ValueError(f"keep it to {LONGEST_PROMPT} characters")
    weighted_looks(prompt)
    return prompt


def _some_words(prompt: str) -> str:
    if not prompt:
        raise ValueError(SAY_A_LOOK)
    return prompt


Line = Annotated[str, AfterValidator(_line)]
"""One line of up to 300 characters: a look in words, or several, see `weighted_looks`."""
Words = Annotated[Line, AfterValidator(_some_words)]
"""A `Line` that says something."""

_COLOUR = re.compile(r"#?(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def four_colours(text: str) -> str:
    """Colours with commas or spaces between them, written the one way; nothing stays nothing."""
    parts = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    for part in parts:
        if not _COLOUR.fullmatch(part):
            raise ValueError(f"'{part}' is no colour such as #1f6f78")
    if parts and len(parts) != 4:
        raise ValueError(f"a palette has four colours, and these are {len(parts)}")
    digits = [part.removeprefix("#").lower() for part in parts]
    return ", ".join("#" + (each if len(each) == 6 else "".join(2 * digit for digit in each)) for each in digits)


FourColours = Annotated[str, AfterValidator(four_colours)]
"""Four colours as ``#rrggbb, #rrggbb, #rrggbb, #rrggbb``, or nothing."""

ClipForm = Literal["directional", "single"]
_CLIP_FORM = "What CLIP judges: the direction of the change, or the graded picture alone. Gemma 3 always sees both."


def _two_or_more(luts: tuple[Path, ...]) -> tuple[Path, ...]:
    if len(luts) < 2:
        raise ValueError("two or more LUTs are compared")
    return luts


class OptimizeConfig(Config):
    """Train a 3D LUT from words, a reference picture, a palette or all of them, on a folder of photographs."""

    prompt: Line = option(
        "", "The look in words; several looks with weights are written 'teal and orange: 2 | faded: 1'.", widget="text"
    )
    image_folder: Path = option(..., "Folder of photographs to learn on.", widget="images")
    reference: Path | None = option(
        None, "A picture whose colours are the target, beside the words or instead of them.", widget="file"
    )
    palette: FourColours = option(
        "",
        "Four colours that shadows, mid-tones and highlights are drawn towards, from dark to light: "
        "'#14213d, #1f6f78, #e07a5f, #f2e9d8'.",
        widget="text",
    )
    model_type: str = option(
        "embedded",
        "The judge: embedded, embedded_clip, clip, clip_large, clip_large_336, gemma3_4b, gemma3_12b, gemma3_27b, or a "
        "local folder.",
        widget="model",
    )
    steps: int = option(150, "Training steps.", unit="steps", ge=1, le=20_000)
    batch_size: int = option(4, "Photographs seen in one step.", unit="photographs", ge=1, le=64)
    learning_rate: float = option(0.003, "Peak step size of Adam.", ge=1e-6, le=1.0, advanced=True)
    input_encoding: InputEncoding = option(
        "srgb", "How the photographs are encoded; the LUT converts a camera's log for display and grades it."
    )
    output_encoding: Literal["auto", "srgb", "rec709"] = option(
        "auto", "What the LUT gives: auto is sRGB for a log, and what goes in for the others.", advanced=True
    )
    black_and_white: bool = option(False, "Train a LUT without any colour.")
    protect_skin: float = option(0.0, "Weight against changing the hue and colour of skin.", ge=0, le=100)
    protect_highlights: float = option(0.0, "Weight against changing highlights.", ge=0, le=100)
    image_text_weight: float = option(1.0, "Weight of the judge.", ge=0, le=100)
    reference_weight: float = option(1.0, "Weight of the reference picture.", ge=0, le=100, advanced=True)
    palette_weight: float = option(1.0, "Weight of the palette: how far colours go to it.", ge=0, le=100, advanced=True)
    image_smoothness: float = option(1.0, "Weight against roughness the grade adds to a picture.", ge=0, le=100)
    image_regularization: float = option(1.0, "Weight against moving colours further than needed.", ge=0, le=100)
    black_preservation: float = option(1.0, "Weight against lifting blacks.", ge=0, le=100)
    lut_smoothness: float = option(1.0, "Weight against bends in the LUT.", ge=0, le=100)
    lut_size: int = option(
        33,
        f"Points along each edge of the LUT: 17, 33, 65, or any from 2; {LOG_SIZE} for a log when left out.",
        unit="points",
        ge=2,
        le=129,
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
    clip_form: ClipForm = option("directional", _CLIP_FORM, advanced=True)
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

    @model_validator(mode="before")
    @classmethod
    def _shadows_of_logs_need_points(cls, values: dict[str, Any]) -> dict[str, Any]:
        return values if values.get("input_encoding", "srgb") in DISPLAYS else {"lut_size": LOG_SIZE, **values}

    @model_validator(mode="after")
    def _some_target(self) -> OptimizeConfig:
        if not self.prompt and self.reference is None and not self.palette:
            raise ValueError(f"{SAY_A_LOOK}, or name a reference picture or a palette")
        return self

    @property
    def looks(self) -> tuple[tuple[str, float], ...]:
        """Each look's words and its share of the judge's loss; nothing when only colours are followed."""
        return weighted_looks(self.prompt)

    @property
    def name(self) -> str:
        """What the LUT is called: its words, or the picture or palette it was made after."""
        return self.prompt or (f"like {self.reference.stem}" if self.reference else f"palette {self.palette}")

    @property
    def output(self) -> str:
        """The display encoding the LUT gives, ``srgb`` or ``rec709``."""
        own = self.input_encoding if self.input_encoding in DISPLAYS else "srgb"
        return own if self.output_encoding == "auto" else self.output_encoding


class LibraryConfig(OptimizeConfig):
    """Train a LUT for every look of a list, overnight."""

    prompt: str = option(
        "", "The looks, one a line; {warm, cold} {city, forest} stands for every combination.", widget="text"
    )
    prompts_file: Path | None = option(None, "A text file of looks, instead of writing them here.", widget="file")
    output_path: Path | None = option(None, "Also copy the finished library into this folder.", widget="hidden")

    @model_validator(mode="after")
    def _some_target(self) -> LibraryConfig:
        if bool(self.prompt.strip()) == (self.prompts_file is not None):
            raise ValueError("give looks, one a line, or a file of looks")
        return self

    @property
    def looks(self) -> tuple[tuple[str, float], ...]:
        """None of its own; see `studio.grading.combinations`."""
        return ()

    @property
    def name(self) -> str:
        """What the job is called: its first look, and how many lines there are."""
        lines = [line.strip() for line in self.prompt.splitlines() if line.strip()]
        more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
        return lines[0] + more if lines else f"looks of {self.prompts_file.name if self.prompts_file else ''}"


class ApplyConfig(Config):
    """Put a LUT on pictures and videos."""

    lut: Path = option(..., "The LUT: .cube, .3dl, .csp, .spi3d or a Hald .png.", positional=True, widget="file")
    images: tuple[Path, ...] = option(..., "Pictures, videos, or folders of them.", positional=True, widget="images")
    output_path: Path = option(
        Path("graded"), "Folder for the results; they keep their names and folders.", widget="hidden"
    )
    strength: float = option(1.0, "How much of the LUT: 0 is none, 1 is all.", ge=0, le=1)
    interpolation: Literal["tetrahedral", "trilinear"] = option("tetrahedral", "How colours between points are found.")

    def is_long(self) -> bool:
        """Whether it is work for a job, which can be left and resumed: folders, videos, or more than a few pictures."""
        several = len(self.images) > FEW_PICTURES
        return several or any(path.is_dir() or path.suffix.lower() in VIDEOS for path in self.images)


class ExportConfig(Config):
    """Write a LUT as another kind of file, at any strength and size."""

    lut: Path = option(..., "The LUT: .cube, .3dl, .csp, .spi3d or a Hald .png.", positional=True, widget="file")
    output_path: Path = option(Path("exported"), "The file to write, or a folder for it.", widget="hidden")
    format: Literal["auto", "cube", "cube-resolve", "3dl", "csp", "spi3d", "hald"] = option(
        "auto", "The kind of file: auto is as the extension says, or in a folder cube, which is Adobe's."
    )
    strength: float = option(1.0, "How much of the LUT: 0 is none, 1 is all.", ge=0, le=1)
    size: int = option(0, "Points along each edge; 0 keeps the LUT's own.", unit="points", ge=0, le=129)


class JudgeConfig(Config):
    """How far the judge believes that words describe the change from one picture to another."""

    before: Path = option(..., "The picture before.", positional=True, widget="file")
    after: Path = option(..., "The picture after.", positional=True, widget="file")
    prompt: Words = option(..., "The look in words.", widget="text")
    model_type: str = option("embedded", "The judge, as in optimize.", widget="model")
    clip_form: ClipForm = option("directional", _CLIP_FORM, advanced=True)

    @property
    def looks(self) -> tuple[tuple[str, float], ...]:
        """Each look's words and its share of the margin."""
        return weighted_looks(self.prompt)

    @property
    def name(self) -> str:
        """What the question is about."""
        return self.prompt


class LutReportConfig(Config):
    """Measure the health of a LUT."""

    lut: Path = option(..., "The .cube file.", positional=True, widget="file")
    image_folder: Path | None = option(
        None, "Folder of photographs to measure on too, in the encoding the LUT takes.", widget="images"
    )
    output_path: Path | None = option(
        None, "Folder for the report (.json, .html) and its plots; without it a command writes none.", widget="hidden"
    )


class CompareConfig(Config):
    """Put photographs through several LUTs, side by side."""

    luts: Annotated[tuple[Path, ...], AfterValidator(_two_or_more)] = option(
        ..., "Two or more .cube files.", positional=True, widget="file"
    )
    images: tuple[Path, ...] = option(..., "Photographs, or folders of them.", widget="images")
    prompt: Words | None = option(None, "Also ask a judge how far each LUT is this look, in words.", widget="text")
    model_type: str = option("embedded", "The judge, as in optimize.", widget="model")
    output_path: Path = option(Path("compared"), "Folder for the sheet and the figures.", widget="hidden")
