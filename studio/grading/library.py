"""A library: many looks trained one after the other in one job, a folder of LUTs with pictures and reports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import slug, write_atomic
from studio.gemma import catalog
from studio.grading import combinations, training
from studio.grading.config import LibraryConfig, OptimizeConfig
from studio.grading.photographs import Photographs

INDEX = "library.json"
"""The file that says what a library's folder holds."""
KINDS = {"lut": ".cube", "report": ".json", "sheet": ".jpg"}
"""What is kept of each look's run, and how its file's name ends."""


@dataclass(frozen=True)
class Entry:
    """A look of a library.

    Attributes:
        name: What its files' names begin with.
        prompt: Its words.
        score: Mean P(yes) on photographs held out, or on all when none are, in [0, 1]; None where it was not trained.
        error: Why it was not trained; empty when it was.
        folder: Where its files lie.
    """

    name: str
    prompt: str
    score: float | None
    error: str
    folder: Path

    def file(self, kind: str) -> Path:
        """Return the path of one of `KINDS`."""
        return self.folder / (self.name + KINDS[kind])


def entries(folder: Path) -> list[Entry]:
    """Return the looks of a library's folder, those that failed among them.

    Raises:
        StudioError: The folder holds no readable library.
    """
    path = folder / INDEX
    try:
        rows = json.loads(path.read_text("utf-8"))["looks"]
        return [Entry(slug(row["name"]), row["prompt"], row["score"], row["error"], folder) for row in rows]
    except (OSError, ValueError, LookupError, TypeError):
        raise StudioError(f"There is no library in '{folder}'.", f"Name a folder that holds {INDEX}.") from None


def run(config: LibraryConfig, context: Context) -> Iterator[Event]:
    """Train every look of the list; one that fails is noted and passed over, and a resumed run goes on where it was.

    Yields:
        An `Event` a step, counted over all looks; metrics ``finished`` and ``failed`` count them. Artifacts are
        ``library`` (the index) and the pictures of the look in hand.

    Raises:
        StudioError: The list or the photographs cannot be read, or no look could be trained.
    """
    text = combinations.read(config.prompts_file) if config.prompts_file else config.prompt
    looks = combinations.expand(text)
    yield Event(0, len(looks) * config.steps, f"{len(looks)} looks. Reading the photographs")
    Photographs.open(config.image_folder, config.seed, context.cache, context.settings)  # wrong ones are wrong for all
    shelf = _Shelf(context.folder / "luts", looks)
    with ExitStack() as stack:
        if len(looks) > shelf.done:  # held, so that no look waits for it again
            spec = catalog.spec(config.model_type, config.quantization)
            stack.enter_context(context.models.lease(spec))
        for number, prompt in enumerate(looks[shelf.done :], shelf.done):
            before = number * config.steps
            try:
                for event in _train(config, context, shelf, prompt):
                    yield _counted(event, before, len(looks) * config.steps, f"{number + 1} of {len(looks)}: {prompt}")
            except StudioError as error:
                shelf.note(prompt, None, error.what)
            yield Event(
                before + config.steps, len(looks) * config.steps, f"{number + 1} of {len(looks)}: {prompt}",
                shelf.counts(), {"library": f"luts/{INDEX}"},
            )  # fmt: skip
    if not shelf.counts()["finished"]:
        raise StudioError(f"No look could be trained: {shelf.rows[0]['error']}", "Mend that and start again.")
    total = len(looks) * config.steps
    yield Event(total, total, shelf.hand_over(config.output_path), shelf.counts(), {"library": f"luts/{INDEX}"})


class _Shelf:
    """The folder of finished looks and its index, which is written after a look's files."""

    def __init__(self, folder: Path, looks: list[str]) -> None:
        self.folder = folder
        self.names = _names(looks)
        path = folder / INDEX
        self.rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["looks"] if path.is_file() else []

    @property
    def done(self) -> int:
        return len(self.rows)

    def counts(self) -> dict[str, float]:
        failed = sum(bool(row["error"]) for row in self.rows)
        return {"finished": self.done - failed, "failed": failed}

    def take(self, prompt: str, made: Path, last: Event) -> None:
        """Move the files of a look's run here, whole before the index names them."""
        name = self.names[prompt]
        for kind, ending in KINDS.items():
            write_atomic(self.folder / f"{name}{ending}", (made / last.artifacts[kind]).read_bytes())
        score = last.metrics.get("held_out", last.metrics.get("measured"))
        self.note(prompt, score, "")

    def note(self, prompt: str, score: float | None, error: str) -> None:
        self.rows.append({"name": self.names[prompt], "prompt": prompt, "score": score, "error": error})
        write_atomic(self.folder / INDEX, json.dumps({"looks": self.rows}, indent=1))

    def hand_over(self, target: Path | None) -> str:
        """Copy the folder to where it was asked for, and say what became of everything."""
        failed = [f"{row['prompt']}: {row['error']}" for row in self.rows if row["error"]]
        told = f"{self.done - len(failed)} looks trained" + (f"; not trained: {' '.join(failed)}" if failed else "")
        if target is None:
            return told
        try:
            for path in sorted(self.folder.iterdir(), key=lambda each: each.name == INDEX):
                write_atomic(target / path.name, path.read_bytes())
        except OSError as error:
            return f"{told}. They lie in {self.folder}, since '{target}' could not be written ({error.strerror})"
        return f"{told}, in {target}"


def _train(config: LibraryConfig, context: Context, shelf: _Shelf, prompt: str) -> Iterator[Event]:
    """Train one look in a folder of its own, which goes when its files are on the shelf."""
    shared = set(OptimizeConfig.model_fields) - {"prompt", "output_path"}
    values = {name: getattr(config, name) for name in shared}
    folder = context.folder / "work" / shelf.names[prompt]
    folder.mkdir(parents=True, exist_ok=True)
    last = Event()
    for last in training.run(validate(OptimizeConfig, {**values, "prompt": prompt}), replace(context, folder=folder)):
        yield replace(last, artifacts={
            name: f"work/{folder.name}/{path}" for name, path in last.artifacts.items() if name in ("before", "after")
        })  # fmt: skip
    shelf.take(prompt, folder, last)
    shutil.rmtree(folder)


def _counted(event: Event, before: int, total: int, look: str) -> Event:
    """Count an event of one look's run among all."""
    note = f"{look}. {event.note}" if event.note else look
    return replace(event, done=before + event.done, total=total, note=note)


def _names(looks: list[str]) -> dict[str, str]:
    """Name each look's files; of two looks whose names would be one, the later gets a number."""
    names: dict[str, str] = {}
    for look in looks:
        name, number = slug(look), 2
        while name in names.values():
            name, number = f"{slug(look)}-{number}", number + 1
        names[look] = name
    return names
