"""What a training run leaves for people: previews while it runs, then the .cube and the report beside it."""

from __future__ import annotations

import io
import json
import os
import platform
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
from studio.grading import lutexport
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display, Pixels
from studio.grading.encodings import described
from studio.grading.photographs import Photographs

PREVIEW_SECONDS = 1.5
KEEP_SECONDS = 10.0
"""How old the .cube of the best LUT so far may be while training goes on; whatever ends a run renews it."""
DOUBT = 0.3
"""A score under which the finished LUT is handed over with a warning."""
SHEET_PHOTOGRAPHS = 8
SHEET_EDGE = 280


class Results:
    """Writes into the job's folder; every file is whole before the event that names it.

    Args:
        config: The run's configuration.
        folder: The job's folder.
        display: How the photographs are shown.

    Raises:
        StudioError: The place the LUT is to be copied to cannot be written.
    """

    def __init__(self, config: OptimizeConfig, folder: Path, display: Display) -> None:
        self._config, self._folder, self._display = config, folder, display
        self._artifacts: dict[str, str] = {}
        self._last_preview = self._last_kept = float("-inf")
        self._lead: Pixels | None = None
        self._thumbnails: list[Pixels] = []
        if config.output_path is not None:
            _check_writable(_target(config.output_path, slug(config.name)))

    def preview(
        self,
        done: int,
        photographs: Photographs,
        table: Tensor | None,
        metrics: dict[str, float] | None = None,
        note: str = "",
    ) -> Event:
        """Return the event of a step, with fresh pictures when the last ones are old enough."""
        if self._lead is None:
            self._lead = photographs.pixels(photographs.measured[0])
            self._picture("before", self._display.picture(self._lead, None), "before.jpg")
        if time.monotonic() - self._last_preview >= PREVIEW_SECONDS:
            self._picture("after", self._display.picture(self._lead, table), f"after-{done:05d}.jpg")
            self._sheet(photographs, table, f"sheet-{done:05d}.jpg")
            self._last_preview = time.monotonic()
        return Event(done, self._config.steps, note, metrics or {}, dict(self._artifacts))

    def keep(self, report: dict[str, object], table: Tensor, *, now: bool = False) -> None:
        """Write the best LUT and its report: `now` for good, else as a draft, unless those on disk are young."""
        if now or time.monotonic() - self._last_kept >= KEEP_SECONDS:
            name = slug(self._config.name)
            path = self._folder / f"{name}.cube"
            if now:
                lutexport.write(path, table, self._title(), (self._credits(),))
            else:
                lutexport.write_draft(path, table, self._title())
            write_atomic(self._folder / f"{name}.json", json.dumps({**report, "versions": _versions()}, indent=1))
            self._artifacts |= {"lut": f"{name}.cube", "report": f"{name}.json"}
            self._last_kept = time.monotonic()

    def _title(self) -> str:
        """Name the look, and what goes in and comes out unless both are sRGB."""
        source, target = self._config.input_encoding, self._config.output
        plain = source == target == "srgb"
        return self._config.name if plain else f"{self._config.name} ({described(source, target)})"

    def _credits(self) -> str:
        source, target = self._config.input_encoding, self._config.output
        return f"Trained from words by Gemma Studio {__version__}; code values: {described(source, target)}"

    def finish(self, done: int, photographs: Photographs, table: Tensor, scores: dict[str, float]) -> Event:
        """Show the best LUT on the pictures and copy it out; return the event that hands it over."""
        if self._lead is not None:
            self._picture("after", self._display.picture(self._lead, table), "after.jpg")
        self._sheet(photographs, table, "sheet.jpg")
        early = f" early, after {done} steps without enough gain" if done < self._config.steps else ""
        note = f"Finished{early}: {self._copy_out(slug(self._config.name))}"
        belief = scores.get("held_out", scores.get("measured", 1.0))
        if belief < DOUBT:
            note += f". The judge does not believe it ({belief:.0%}); it may not know these words"
        return Event(done, self._config.steps, note, scores, dict(self._artifacts))

    def _sheet(self, photographs: Photographs, table: Tensor | None, name: str) -> None:
        """Befores above afters of up to `SHEET_PHOTOGRAPHS` photographs, held-out ones first."""
        if not self._thumbnails:
            indices = (photographs.held_out + photographs.train)[:SHEET_PHOTOGRAPHS]
            self._thumbnails = [_thumbnail(photographs.pixels(index)) for index in indices]
        row = np.hstack(self._thumbnails)
        both = [self._display.picture(row, each) for each in (None, table)]
        self._picture("sheet", np.vstack(both), name)

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
        """Copy LUT and report to where they were asked for; a failure is told, since both are safe already."""
        if self._config.output_path is None:
            return f"{name}.cube"
        target = _target(self._config.output_path, name)
        try:
            for suffix, path in ((".cube", target), (".json", target.with_suffix(".json"))):
                write_atomic(path, (self._folder / f"{name}{suffix}").read_bytes())
        except OSError as error:
            return f"{self._folder / name}.cube, since '{target}' could not be written ({error.strerror})"
        return str(target)


def _target(path: Path, name: str) -> Path:
    """The file a LUT is copied to: in a folder under its own name, else as named, ending in .cube."""
    if path.is_dir():
        return path / f"{name}.cube"
    return path if path.suffix.lower() == ".cube" else path.with_name(f"{path.name}.cube")


def _check_writable(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudioError(
            f"The LUT cannot be written to '{target}': {error.strerror}.", "Name another output path."
        ) from None
    if not os.access(target.parent, os.W_OK):
        raise StudioError(f"The folder '{target.parent}' cannot be written to.", "Name another output path.")


def _thumbnail(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    return np.asarray(image.resize((SHEET_EDGE, SHEET_EDGE), box=(left, top, left + edge, top + edge)))


def _versions() -> dict[str, str]:
    names = ("torch", "transformers", "colour-science", "opencolorio", "pillow", "numpy")
    return {"gemma-studio": __version__, "python": platform.python_version(), **{name: version(name) for name in names}}
