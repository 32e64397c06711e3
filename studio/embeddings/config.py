"""The configurations of the embedding tasks; loads nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from studio.config import Config, option

LONGEST_ANSWER = 2048  # tokens


def _layer_list(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    if text.strip() and not all(part.removeprefix("-").isdecimal() for part in parts):
        raise ValueError("write layers as whole numbers with commas between them, such as '0,8,16' or '-1'")
    return ",".join(parts) if text.strip() else ""


Layers = Annotated[str, AfterValidator(_layer_list)]
"""Layer numbers with commas between them, from 0; negative ones count from the last; empty for the five usual ones."""

REPRESENTATIONS = ("vision", "vision_token", "query_token", "multimodal")


def _representation_list(text: str) -> str:
    parts = [part.strip().removesuffix("_representation") for part in text.split(",")] if text.strip() else []
    if unknown := [part for part in parts if part not in REPRESENTATIONS]:
        raise ValueError(f"'{unknown[0]}' is not one of {', '.join(REPRESENTATIONS)}")
    return ",".join(parts)


Representations = Annotated[str, AfterValidator(_representation_list)]
"""Names of `REPRESENTATIONS` with commas between them; empty for all."""


class ExtractConfig(Config):
    """Extract the embeddings of a Gemma 3 model, and its answers, for a table of questions about pictures."""

    vqa_dataset: Path = option(
        ...,
        "CSV with the columns question_id, image_id (or image_name), question and answer (or gt_answer); other columns "
        "are kept.",
        widget="file",
    )
    images_dir: Path = option(..., "Folder of the pictures (JPG, JPEG, PNG) that the CSV names.", widget="images")
    output_dir: Path = option(
        Path("output"), "Folder of the run; the same command again goes on where it stopped.", widget="hidden"
    )
    model: str = option(
        "embedded",
        "The model: embedded, gemma3_4b, gemma3_12b, gemma3_27b, or a local folder.",
        widget="model",
    )
    cache_dir: Path | None = option(
        None, "Folder where checkpoints of the Hub are kept; without it, the Hub's own.", widget="hidden"
    )
    checkpoint_interval: int = option(
        256, "Questions in one part; a part is also written every 30 seconds.", unit="questions", ge=1, le=100_000,
        advanced=True,
    )  # fmt: skip
    test: bool = option(False, "Try it on three questions, drawn from the table.")
    max_new_tokens: int = option(200, "Longest answer; 0 for no answers.", unit="tokens", ge=0, le=LONGEST_ANSWER)
    layers: Layers = option(
        "", "Layers with commas between them, from 0 (-1 is the last); empty for 0, n/4, n/2, 3n/4 and n-1.",
        advanced=True,
    )  # fmt: skip
    batch_size: int = option(
        16, "Questions read at once; halved by itself where memory runs out.", unit="questions", ge=1, le=512,
        advanced=True,
    )  # fmt: skip
    dtype: Literal["auto", "bfloat16", "float32"] = option(
        "auto",
        "Number format: auto computes as suits the device and stores bfloat16; the others compute and store in that.",
        advanced=True,
    )
    quantization: Literal["none", "nf4"] = option("none", "Load the model in 4 bits.", advanced=True)
    retry_failed: bool = option(False, "Only those questions that failed before.", advanced=True)

    @property
    def name(self) -> str:
        """What is extracted from."""
        return f"Embeddings of {self.vqa_dataset.stem}"


class VqaDemoConfig(Config):
    """Write example data: drawn scenes of coloured shapes and a table of questions about them."""

    output_dir: Path = option(Path("vqa-demo"), "Folder for questions.csv and images.", widget="hidden")
    questions: int = option(2000, "Rows of the table.", unit="questions", ge=1, le=100_000)
    questions_per_image: int = option(4, "Questions on one picture.", unit="questions", ge=1, le=20)
    seed: int = option(0, "Which scenes and questions; the same seed gives the same files.", ge=0, advanced=True)


class ExportH5Config(Config):
    """Write a run of extraction in the layout of HALP's extractors: a group for each question."""

    run: Path = option(..., "The run: its folder, or one of its parts.", positional=True, widget="folder")
    layout: Literal["seed"] = option("seed", "The layout: seed is that of HALP's extractors.")
    output_path: Path = option(Path("exported"), "Folder for the files.", widget="hidden")
    checkpoint_interval: int = option(1000, "Questions in one file.", unit="questions", ge=1, le=100_000)


class ImportH5Config(Config):
    """Make a run of files in the layout of HALP's extractors, so that it can be probed quickly."""

    files: tuple[Path, ...] = option(..., "The .h5 files, or folders of them.", positional=True, widget="file")
    output_dir: Path = option(Path("imported"), "Folder of the run.", widget="hidden")


class InspectH5Config(Config):
    """Say what an HDF5 file of embeddings holds."""

    file: Path = option(
        ..., "An .h5 file: a part of a run, one of HALP's extractors, or any other; or a run's folder.",
        positional=True, widget="file",
    )  # fmt: skip


class ProbeConfig(Config):
    """Measure how well a hallucination can be told from each representation and layer of a run, beside baselines."""

    run: Path = option(..., "The run: its folder, or an .h5 file.", positional=True, widget="folder")
    labels: Path | None = option(
        None,
        "CSV with question_id and is_hallucinating (or is_hallucinating_manual, or label), as 1 or 0, true or false, "
        "yes or no. Without it such a column of the run counts; without that, labels are made from answers and truths.",
        widget="file",
    )
    representations: Representations = option(
        "", "Representations with commas between them, such as 'query_token, multimodal'; empty for all.", advanced=True
    )
    layers: Layers = option("", "Layers with commas between them; empty for all of the run.", advanced=True)
    kinds: Literal["both", "linear", "mlp"] = option(
        "both", "Linear probes, multi-layer perceptrons (512, 256, 128 units), or both."
    )
    leaky: bool = option(
        False, "Beside it, show what a split by question would claim, in which images are trained and tested on."
    )
    bootstrap: int = option(
        1000, "Resamples of the images behind each 95 % interval.", unit="resamples", ge=100, le=20_000, advanced=True
    )
    seed: int = option(0, "Seed of the split, the probes and the resamples.", ge=0, le=2**31 - 1, advanced=True)
    output_path: Path | None = option(None, "Also copy the results into this folder.", widget="hidden")

    @property
    def name(self) -> str:
        """What is probed."""
        return f"Probe {self.run.stem}"


class ScoreProbeConfig(Config):
    """Score the questions of a run with a probe that was saved."""

    probe: Path = option(..., "The probe: a .safetensors file that probe wrote.", positional=True, widget="file")
    run: Path = option(..., "A run of the same model: its folder, or an .h5 file.", positional=True, widget="folder")
    labels: Path | None = option(None, "CSV with labels, as in probe; with labels it is also measured.", widget="file")
    bootstrap: int = option(
        1000, "Resamples of the images behind the 95 % interval.", unit="resamples", ge=100, le=20_000, advanced=True
    )
    output_path: Path = option(Path("scores.csv"), "The .csv to write, or a folder for it.", widget="hidden")
