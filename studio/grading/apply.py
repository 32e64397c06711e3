"""Put a LUT on pictures and videos, one after another; what is done already is not done again when a job resumes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from studio.context import Context
from studio.deep import Pixels
from studio.errors import StudioError
from studio.events import Event
from studio.files import content_hash, write_atomic
from studio.grading import lutfiles, originals, video
from studio.grading.config import ApplyConfig
from studio.grading.lutfiles import LUT
from studio.grading.pixels import Grader, grade, grader
from studio.grading.sidecar import base_of
from studio.images import list_foreign, list_images

__all__ = ["Pixels", "grade", "run"]

_REASONS = 5  # named in the error when no picture could be graded


@dataclass(frozen=True)
class _Source:
    """A picture or video, and where its result goes below the output folder."""

    path: Path
    folder: Path = Path()


def run(config: ApplyConfig, context: Context) -> Iterator[Event]:
    """Grade every picture and video; what cannot be read or saved, and a folder without any, is named and skipped.

    Results of a folder lie as its pictures do, in folders of the same names. An event's artifacts are the result of
    its picture by name, those of the last event all results; its metrics count ``graded`` and ``skipped``. No picture
    named is ever written over. Run again in the same folder with the same LUT, it passes over what it had done.

    Raises:
        StudioError: The LUT is unreadable, results cannot be put where they should, or no picture could be graded.
    """
    lut = lutfiles.read(config.lut)
    base = base_of(config.lut, lut.size) if lut.exact else None
    graded_by = grader(lut, config.strength, config.interpolation, base)
    ledger = _Ledger(context.folder / "done.json", content_hash(config.lut, config.model_dump_json()))
    sources, skipped = _sources(config, context, ledger)
    if sources:
        make_folder(config.output_path)
    for error in skipped:
        yield Event(0, len(sources) or None, f"Skipped: {error}")
    taken = {_place(source.path) for source in sources}
    graded: dict[str, str] = {}
    for done, source in enumerate(sources, 1):
        result: dict[str, str] = {}
        try:
            target, note = ledger.find(source.path), "was done before"
            if target is None:
                for step in _grade(source, lut, base, graded_by, config, context, taken):
                    if isinstance(step, str):
                        yield Event(done - 1, len(sources), step)
                    else:
                        target, note = step
                assert target is not None
                ledger.add(source.path, target)
            taken.add(_place(target))
            result[target.relative_to(config.output_path).as_posix()] = str(target.resolve())
            note = f"{source.path.name} → {target}{f' ({note})' if note else ''}"
        except StudioError as error:
            skipped.append(error)
            note = f"Skipped: {error}"
        graded |= result
        if done < len(sources):
            yield Event(done, len(sources), note, artifacts=result)
        else:
            yield Event(done, done, note, {"graded": len(graded), "skipped": len(skipped)}, graded)
    if not graded:
        raise _nothing(skipped)


def _grade(
    source: _Source,
    lut: LUT,
    base: Tensor | None,
    graded_by: Grader,
    config: ApplyConfig,
    context: Context,
    taken: set[str],
) -> Iterator[str | tuple[Path, str]]:
    """Grade one; yield sentences on the way of a long one, and last the result's file and remarks on it."""
    folder = config.output_path / source.folder
    if video.is_video(source.path):
        target = _free_name(folder, source.path, source.path.suffix, taken)
        remark = yield from video.grade(source.path, target, lut, config.strength, config.interpolation, base)
        yield target, remark
        return
    original = originals.read(source.path, context.settings)
    suffixes = originals.SUFFIXES[original.format]
    suffix = source.path.suffix if source.path.suffix.lower() in suffixes else suffixes[0]
    target = _free_name(folder, source.path, suffix, taken)
    originals.write(original, graded_by(original.pixels), target)
    yield target, ", ".join(original.remarks)


class _Ledger:
    """What a job has graded, in its folder: a source is as done as long as it and its result are unchanged.

    Args:
        path: Its file.
        key: What the results depend on beside their sources; a ledger with another is forgotten.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self._done: dict[str, list[object]] = {}
        if path.exists():
            kept = json.loads(path.read_text("utf-8"))
            self._done = kept["done"] if kept["key"] == key else {}

    def find(self, source: Path) -> Path | None:
        """Return the result of a source that was graded before."""
        entry = self._done.get(str(source))
        return Path(str(entry[0])) if entry and entry[1:] == [_state(source), _state(Path(str(entry[0])))] else None

    def add(self, source: Path, target: Path) -> None:
        """Note a source as graded; its result is on the disk."""
        self._done[str(source)] = [str(target), _state(source), _state(target)]
        write_atomic(self._path, json.dumps({"key": self._key, "done": self._done}))

    def holds(self, target: Path) -> bool:
        """Whether a file is a result of this job."""
        return any(entry[0] == str(target) for entry in self._done.values())


def _state(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _sources(config: ApplyConfig, context: Context, ledger: _Ledger) -> tuple[list[_Source], list[StudioError]]:
    """Return the pictures and videos named, those of folders among them, and why others are left out.

    One named twice counts once. In a folder, results of this job and, where they go below it, of earlier ones are no
    sources.
    """
    sources: list[_Source] = []
    errors: list[StudioError] = []
    output = config.output_path.resolve()
    for name in config.images:
        if not name.is_dir():
            sources.append(_Source(name))
            continue
        foreign = [StudioError(each.reason) for each in list_foreign(name)]
        videos = video.list_videos(name)
        try:
            found = list_images(name, context.settings)
        except StudioError as error:
            errors += [] if videos else [error]
            found = []
        errors += foreign if found or videos else []
        for path in found + videos:
            inside = output != name.resolve() and path.resolve().is_relative_to(output)
            if not inside and not ledger.holds(path):
                sources.append(_Source(path, path.relative_to(name).parent))
    return list({source.path.resolve(): source for source in reversed(sources)}.values())[::-1], errors


def make_folder(folder: Path) -> None:
    """Make the folder of the results, and fail before the work when nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = f"Results cannot be put into {folder}: {error.strerror}."
        raise StudioError(what, "Choose another folder with --output-path.") from None


def _place(path: Path) -> str:
    return str(path.resolve()).casefold()  # on macOS and Windows, names that differ in case are one file


def _free_name(folder: Path, source: Path, suffix: str, taken: set[str]) -> Path:
    """Keep the source's name; never write over a source or another result of this run, but over an earlier run's."""
    target, number = folder / (source.stem + suffix), 2
    while _place(target) in taken:
        target, number = folder / f"{source.stem}-{number}{suffix}", number + 1
    return target


def _nothing(skipped: list[StudioError]) -> StudioError:
    """Return the error of a run without result, with the reasons in it, since a command line keeps no log."""
    shown = skipped[:_REASONS]
    more = f" So with {len(skipped) - len(shown)} more." if len(skipped) > len(shown) else ""
    reasons = " ".join(error.what for error in shown)
    todo = " ".join(dict.fromkeys(error.todo for error in shown))
    return StudioError(f"No picture could be graded: {reasons}{more}", todo)
