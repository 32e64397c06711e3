"""What a training run leaves for people: previews while it runs, then the .cube and the report beside it."""

from __future__ import annotations

import io
import json
import platform
import shutil
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from studio import __version__
from studio.errors import StudioError
from studio.events import Event
from studio.files import slug, write_atomic
from studio.grading import cube
from studio.grading.apply import Pixels, grade
from studio.grading.checkpoint import Progress
from studio.grading.config import OptimizeConfig
from studio.grading.lut import identity
from studio.grading.measuring import Measure
from studio.grading.photographs import Photographs

PREVIEW_SECONDS = 1.5
SHEET_PHOTOGRAPHS = 8
SHEET_EDGE = 280


class Results:
    """Writes into the job's folder; every file is whole before the event that names it.

    Args:
        config: The run's configuration.
        folder: The job's folder.
    """

    def __init__(self, config: OptimizeConfig, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._artifacts: dict[str, str] = {}
        self._last_preview = float("-inf")
        self._lead: Pixels | None = None
        self._thumbnails: list[Pixels] = []

    def preview(
        self,
        done: int,
        photographs: Photographs,
        table: Tensor | None,
        metrics: dict[str, float] | None = None,
        note: str = "",
    ) -> Event:
        """Return the event of a step, with a fresh ``after`` picture when the last one is old enough."""
        if self._lead is None:
            self._lead = photographs.pixels(photographs.measured[0])
            self._picture("before", self._lead, "before.jpg")
        if time.monotonic() - self._last_preview >= PREVIEW_SECONDS:
            after = self._lead if table is None else grade(self._lead, table)
            self._picture("after", after, f"after-{done:05d}.jpg")
            self._sheet(photographs, table, f"sheet-{done:05d}.jpg")
            self._last_preview = time.monotonic()
        return Event(done, self._config.steps, note, metrics or {}, dict(self._artifacts))

    def finish(self, progress: Progress, photographs: Photographs, measure: Measure, table: Tensor) -> Event:
        """Write the LUT, the report and the last pictures; return the event that hands them over."""
        name = slug(self._config.prompt)
        cube.write(self._folder / f"{name}.cube", table, f"{self._config.prompt}", (_credits(),))
        untouched, final = measure(identity(table.shape[-1], table.device)), measure(table)
        report = self._report(progress, photographs, measure, {"untouched": untouched, "final": final})
        write_atomic(self._folder / f"{name}.json", json.dumps(report, indent=1))
        self._artifacts |= {"lut": f"{name}.cube", "report": f"{name}.json"}
        if self._lead is not None:
            self._picture("after", grade(self._lead, table), "after.jpg")
        self._sheet(photographs, table, "sheet.jpg")
        note = self._copy_out(name)
        return Event(progress.step, self._config.steps, note, final, dict(self._artifacts))

    def _sheet(self, photographs: Photographs, table: Tensor | None, name: str) -> None:
        """Befores above afters of up to `SHEET_PHOTOGRAPHS` photographs, held-out ones first."""
        if not self._thumbnails:
            indices = (photographs.held_out + photographs.train)[:SHEET_PHOTOGRAPHS]
            self._thumbnails = [_thumbnail(photographs.pixels(index)) for index in indices]
        before = np.hstack(self._thumbnails)
        self._picture("sheet", np.vstack((before, before if table is None else grade(before, table))), name)

    def _picture(self, artifact: str, pixels: Pixels, name: str) -> None:
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "JPEG", quality=90)
        write_atomic(self._folder / name, data.getvalue())
        old = self._artifacts.get(artifact)
        self._artifacts[artifact] = name
        if old not in (None, name):
            # The one before stays for a page that is still loading it; older ones go.
            for stale in sorted(self._folder.glob(f"{artifact}-*.jpg"))[:-2]:
                stale.unlink(missing_ok=True)

    def _copy_out(self, name: str) -> str:
        target = self._config.output_path
        if target is None:
            return f"Finished: {name}.cube"
        target = target / f"{name}.cube" if target.is_dir() else target.with_suffix(".cube")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._folder / f"{name}.cube", target)
            shutil.copyfile(self._folder / f"{name}.json", target.with_suffix(".json"))
        except OSError as error:
            raise StudioError(
                f"The LUT could not be copied to '{target}': {error.strerror}.", f"It is kept in '{self._folder}'."
            ) from None
        return f"Finished: {target}"

    def _report(
        self, progress: Progress, photographs: Photographs, measure: Measure, scores: dict[str, dict[str, float]]
    ) -> dict[str, object]:
        training = [value for _, value in progress.curves.get("score", [])[-10:]]
        names = [path.name for path in photographs.paths]
        return {
            "prompt": self._config.prompt,
            "config": self._config.model_dump(mode="json"),
            "seed": self._config.seed,
            "scores": {**scores, "training": sum(training) / max(1, len(training))},
            "best_step": progress.best_step + 1,
            "steps": progress.step,
            "photographs": {
                "trained_on": [names[index] for index in photographs.train],
                "held_out": [names[index] for index in photographs.held_out],
                "skipped": photographs.skipped,
            },
            "known_looks": [[look.name, near] for look, near in measure.match.looks] if measure.match else [],
            "unknown_words": list(measure.match.unknown) if measure.match else self._config.prompt.split(),
            "curves": progress.curves,
            "versions": _versions(),
        }


def _thumbnail(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    return np.asarray(image.resize((SHEET_EDGE, SHEET_EDGE), box=(left, top, left + edge, top + edge)))


def _credits() -> str:
    return f"Trained from words by Gemma Studio {__version__}; input and output are sRGB code values"


def _versions() -> dict[str, str]:
    names = ("torch", "transformers", "colour-science", "opencolorio", "pillow", "numpy")
    return {"gemma-studio": __version__, "python": platform.python_version(), **{name: version(name) for name in names}}
