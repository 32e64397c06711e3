"""The table of tasks, their presets, and the assembled studio that runs them."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.cache import Cache
from studio.config import Config, validate
from studio.context import Context
from studio.device import use_threads
from studio.embeddings.config import (
    ExportH5Config,
    ExtractConfig,
    ImportH5Config,
    InspectH5Config,
    ProbeConfig,
    ScoreProbeConfig,
    VqaDemoConfig,
)
from studio.errors import StudioError
from studio.events import Event
from studio.grading.config import (
    ApplyConfig,
    CompareConfig,
    ExportConfig,
    JudgeConfig,
    LibraryConfig,
    LutReportConfig,
    OptimizeConfig,
)
from studio.jobs import Job, Jobs
from studio.models import ModelManager, ModelSpec
from studio.modelstate import measure
from studio.palette.config import ExportPaletteConfig, PaletteConfig, PicturePaletteConfig, TrainPaletteConfig
from studio.scienceqa.config import (
    AskConfig,
    DataConfig,
    DrawConfig,
    EvaluateScienceqaConfig,
    ExportBundleConfig,
    TrainScienceqaConfig,
)
from studio.settings import Settings

PRESETS = Path(__file__).parents[1] / "presets"


@dataclass(frozen=True)
class Task:
    """One row of the table.

    Attributes:
        name: Its command; with underscores, its endpoint.
        config: Its configuration.
        target: ``module:function`` of its generator, imported when it runs.
        lane: ``device`` when it needs the accelerator for long, else ``light``.
        sentence: What it does.
        long: Whether the command line runs it as a job that survives and resumes; or what tells it of a configuration.
    """

    name: str
    config: type[Config]
    target: str
    lane: Literal["device", "light"]
    sentence: str
    long: bool | Callable[[Any], bool] = True

    def is_long(self, config: Config) -> bool:
        """Whether one run of it is long."""
        return self.long(config) if callable(self.long) else self.long


_TABLE = (
    Task("optimize", OptimizeConfig, "studio.grading.training:run", "device", "Train a LUT from words."),
    Task("library", LibraryConfig, "studio.grading.library:run", "device", "Train a LUT for every look of a list."),
    Task(
        "apply",
        ApplyConfig,
        "studio.grading.apply:run",
        "light",
        "Put a LUT on pictures and videos.",
        ApplyConfig.is_long,
    ),
    Task(
        "export-lut",
        ExportConfig,
        "studio.grading.export:run",
        "light",
        "Write a LUT as another kind of file, at any strength.",
        long=False,
    ),
    Task(
        "judge",
        JudgeConfig,
        "studio.grading.judging:run",
        "device",
        "Ask how far the judge believes that words describe the change between two pictures.",
        long=False,
    ),
    Task(
        "lut-report",
        LutReportConfig,
        "studio.grading.lutreport:run",
        "light",
        "Measure the health of a LUT: one plain line for each measure.",
        long=False,
    ),
    Task(
        "compare",
        CompareConfig,
        "studio.grading.comparing:run",
        "device",
        "Put photographs through several LUTs, side by side, with how far they differ.",
        long=False,
    ),
    Task(
        "extract",
        ExtractConfig,
        "studio.embeddings.extraction.extract:run",
        "device",
        "Extract a model's embeddings and answers for a table of questions about pictures, to HDF5.",
    ),
    Task(
        "vqa-demo",
        VqaDemoConfig,
        "studio.embeddings.scenes.demo:run",
        "light",
        "Write example data for extraction: drawn scenes and questions about them.",
        long=False,
    ),
    Task(
        "inspect-h5",
        InspectH5Config,
        "studio.embeddings.store.inspecting:run",
        "light",
        "Say what an HDF5 file of embeddings holds.",
        long=False,
    ),
    Task(
        "export-h5",
        ExportH5Config,
        "studio.embeddings.store.exporting:run",
        "light",
        "Write a run of extraction in the layout of HALP's extractors.",
        long=False,
    ),
    Task(
        "import-h5",
        ImportH5Config,
        "studio.embeddings.store.importing:run",
        "light",
        "Make a run of files in the layout of HALP's extractors.",
        long=False,
    ),
    Task(
        "probe",
        ProbeConfig,
        "studio.embeddings.probing.probe:run",
        "light",
        "Measure how well a run's embeddings tell a hallucination, beside baselines.",
    ),
    Task(
        "score-probe",
        ScoreProbeConfig,
        "studio.embeddings.probing.scoring:run",
        "light",
        "Score the questions of a run with a saved probe.",
        long=False,
    ),
    Task(
        "draw-questions",
        DrawConfig,
        "studio.scienceqa.diagrams.series:run",
        "light",
        "Draw science questions with pictures, right answers and reasoning.",
        DrawConfig.is_long,
    ),
    Task(
        "scienceqa-data",
        DataConfig,
        "studio.scienceqa.questions.describing:run",
        "light",
        "Say what a set of science questions holds, and what of it cannot be used.",
        long=False,
    ),
    Task(
        "export-bundle",
        ExportBundleConfig,
        "studio.scienceqa.model.exporting:run",
        "device",
        "Write a science model in another layout: its adapters merged, or as gemmaclip's script does.",
        long=False,
    ),
    Task(
        "ask",
        AskConfig,
        "studio.scienceqa.answering.ask:run",
        "device",
        "Ask a Gemma-CLIP model a science question: its reasoning streams, and each choice gets a probability.",
        long=False,
    ),
    Task(
        "evaluate-scienceqa",
        EvaluateScienceqaConfig,
        "studio.scienceqa.scoring.evaluate:run",
        "device",
        "Evaluate a Gemma-CLIP model: ScienceQA's official columns, baselines, and whether it looks at the picture.",
    ),
    Task(
        "train-scienceqa",
        TrainScienceqaConfig,
        "studio.scienceqa.training.trainer:run",
        "device",
        "Train the projector and the adapters of a Gemma-CLIP model on science questions.",
    ),
    Task(
        "export-palette",
        ExportPaletteConfig,
        "studio.palette.exporting:run",
        "light",
        "Write a palette for a design tool: CSS, Tailwind, design tokens, Adobe's swatches and others.",
        long=False,
    ),
    Task(
        "picture-palette",
        PicturePaletteConfig,
        "studio.palette.picturing:run",
        "light",
        "Take a palette of four colours from a picture, and describe it.",
        long=False,
    ),
    Task(
        "palette",
        PaletteConfig,
        "studio.palette.generation:run",
        "device",
        "Make palettes of four colours from words, around those that are locked.",
        long=False,
    ),
    Task(
        "train-palette",
        TrainPaletteConfig,
        "studio.palette.training.trainer:run",
        "device",
        "Fine-tune a palette model on a table of descriptions and colours.",
    ),
)
TASKS: Mapping[str, Task] = {task.name: task for task in _TABLE}


LOADERS: Mapping[str, str] = {
    "gemma3": "studio.gemma.loading:load_gemma3",
    "clip": "studio.gemma.clip:load_clip",
    "science": "studio.scienceqa.model.loading:load",
    "palette": "studio.palette.loading:load",
}
"""What the model manager loads, by kind: ``module:function``, imported when it is needed."""


def find(name: str) -> Task:
    """Return a row by name; hyphens and underscores are the same.

    Raises:
        StudioError: There is no such task.
    """
    task = TASKS.get(name.replace("_", "-"))
    if task is None:
        raise StudioError(f"There is no task '{name}'.", f"Tasks are {', '.join(TASKS)}.")
    return task


def presets(task: str) -> dict[str, dict[str, Any]]:
    """Return a task's presets by name, each validated against its configuration's known keys."""
    folder = PRESETS / find(task).name
    return {path.stem: load_preset(task, path.stem) for path in sorted(folder.glob("*.toml"))}


def load_preset(task: str, name: str) -> dict[str, Any]:
    """Read one preset.

    Raises:
        StudioError: It does not exist, is no TOML, or holds a key or value the task does not take.
    """
    row = find(task)
    path = PRESETS / row.name / f"{name}.toml"
    if path.parent != PRESETS / row.name or not path.is_file():
        known = ", ".join(each.stem for each in sorted((PRESETS / row.name).glob("*.toml")))
        raise StudioError(f"There is no preset '{name}' of {row.name}.", f"Presets are {known}.")
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise StudioError(f"The preset '{path.name}' is not readable: {error}.") from None
    validate(row.config, _fill_required(row.config, values))
    return values


def _fill_required(config: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """Stand-ins for what only the user can name, so that the rest of a preset can be checked."""
    required = [name for name, field in config.model_fields.items() if field.is_required()]
    return {**{name: "." for name in required}, **values}


def load_model(spec: ModelSpec, device: Any) -> Any:
    """Load a model of any kind of `LOADERS`."""
    return _named(LOADERS[spec.kind])(spec, device)


def _named(target: str) -> Any:
    module, function = target.split(":")
    return getattr(importlib.import_module(module), function)


class Studio:
    """The house assembled: settings, cache, models and jobs.

    Args:
        settings: The studio's settings.
        start: Whether queued jobs are worked on; False only looks at and edits the store.
    """

    def __init__(self, settings: Settings, *, start: bool = True) -> None:
        self.settings = settings
        self.cache = Cache(settings.folder("cache"))
        self.models = ModelManager(
            dict.fromkeys(LOADERS, self._load), device=settings.device, budget=settings.memory_budget
        )
        self.jobs = Jobs(settings.folder("jobs"), self.run, start=start)

    def submit(self, task: str, values: Mapping[str, Any], *, owner: str = "") -> Job:
        """Queue a task as a job; a wrong configuration is refused here, before anything is queued.

        Raises:
            StudioError: Naming every wrong value.
        """
        row = find(task)
        config = validate(row.config, values)
        title = str(getattr(config, "name", row.sentence))
        return self.jobs.submit(row.name, config.model_dump(mode="json"), lane=row.lane, title=title, owner=owner)

    def run(self, task: str, values: Mapping[str, Any], folder: Path) -> Iterator[Event]:
        """Run a task in a folder; closing the iterator cancels it."""
        row = find(task)
        config = validate(row.config, values)
        context = Context(folder, self.models, self.cache, self.settings)
        events: Iterator[Event] = _named(row.target)(config, context)
        return events

    def close(self) -> None:
        """Stop the lanes, leave running jobs resumable, give memory back."""
        self.jobs.close()
        self.models.close()
        self.cache.close()

    def _load(self, spec: ModelSpec, device: Any) -> Any:
        model = load_model(spec, device)
        use_threads(self.settings.threads, measure(model))
        return model
