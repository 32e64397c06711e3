"""Several LUTs on the same photographs: side by side, how far apart, and what a judge thinks of each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import __version__
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.gemma import catalog
from studio.grading import lut, lutfiles
from studio.grading.apply import make_folder
from studio.grading.cielab import Spread
from studio.grading.config import CompareConfig, weighted_looks
from studio.grading.contactsheet import contact_sheet
from studio.grading.health import difference
from studio.grading.judges import open_judge, probability
from studio.grading.judging import picture
from studio.grading.samples import Samples, read
from studio.grading.sidecar import base_of
from studio.images import list_images

UNGRADED = "ungraded"
Looks = tuple[tuple[str, float], ...]


def run(config: CompareConfig, context: Context) -> Iterator[Event]:
    """Compare LUTs.

    Yields:
        An `Event` a photograph read, one a photograph judged, and a last one: its metrics are the mean ΔE2000 of each
        pair on the photographs and, with a prompt, each LUT's mean P(yes) in 0..1; its artifacts ``sheet`` (.jpg) and
        ``report`` (.json).

    Raises:
        StudioError: A LUT or every photograph is unreadable, there is none, results cannot be written, or the judge
            cannot be loaded.
    """
    tables = named(config.luts)
    paths, errors = _sources(config.images, context)
    if not paths and errors:
        raise errors[0]
    make_folder(config.output_path)
    samples = Samples(skipped=[error.what for error in errors])
    total = len(paths) * (1 if config.prompt is None else 2) + 1
    yield from read(samples, paths, context, total)
    with_none = {UNGRADED: base_of(config.luts[0]), **tables}
    scores: dict[str, float] = {}
    if config.prompt is not None:
        judged: list[dict[str, float]] = []
        for one in _scores(weighted_looks(config.prompt), config.model_type, samples.paths, with_none, context):
            judged.append(one)
            yield Event(len(paths) + len(judged), total, f"Judged {samples.names[len(judged) - 1]}")
        scores = {name: sum(one[name] for one in judged) / len(judged) for name in with_none}
    report = compose(config, tables, samples, scores)
    write_atomic(config.output_path / "sheet.jpg", contact_sheet(samples.shown, with_none))
    write_atomic(config.output_path / "report.json", json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False))
    metrics = {f"{one['one']} and {one['other']}": one["photographs"]["mean"] for one in report["pairs"]} | scores
    places = {name: str((config.output_path / file).resolve()) for name, file in _FILES.items()}
    shown = f"{len(samples.paths)} photograph{'s' * (len(samples.paths) != 1)}"
    yield Event(total, total, f"Compared {len(tables)} LUTs on {shown}", metrics, places)


_FILES = {"sheet": "sheet.jpg", "report": "report.json"}


def named(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Read LUTs by their names; of several with one name the later ones are numbered.

    Raises:
        StudioError: One cannot be read.
    """
    tables: dict[str, Tensor] = {}
    for path in paths:
        names = itertools.chain([path.stem], (f"{path.stem} {number}" for number in itertools.count(2)))
        tables[next(name for name in names if name not in (UNGRADED, *tables))] = lutfiles.read(path).table()
    return tables


def compose(
    config: CompareConfig, tables: Mapping[str, Tensor], samples: Samples, scores: Mapping[str, float]
) -> dict[str, Any]:
    """Return the figures as plain data: ΔE2000 of every pair (mean, p95, max), and the scores."""
    pixels = samples.pixels
    pairs: list[dict[str, Any]] = [
        {"one": one, "other": other, **difference(tables[one], tables[other], pixels)}
        for one, other in itertools.combinations(tables, 2)
    ]
    lines = [_told(**pair) for pair in pairs]
    lines += [f"The judge believes “{config.prompt}” of {name} at {score:.0%}." for name, score in scores.items()]
    return {
        "luts": {name: str(path) for name, path in zip(tables, config.luts, strict=True)},
        "lines": lines,
        "pairs": pairs,
        "prompt": config.prompt,
        "model_type": config.model_type if config.prompt else None,
        "scores": dict(scores),
        "photographs": {"read": samples.names, "skipped": samples.skipped, "pixels": len(pixels)},
        "version": __version__,
    }


def _sources(names: tuple[Path, ...], context: Context) -> tuple[list[Path], list[StudioError]]:
    """Return the pictures named, those of folders among them, and why folders gave none."""
    paths: list[Path] = []
    errors: list[StudioError] = []
    for name in names:
        try:
            paths += list_images(name, context.settings) if name.is_dir() else [name]
        except StudioError as error:
            errors.append(error)
    return paths, errors


def _told(one: str, other: str, photographs: Spread, cube: Spread) -> str:
    seen = f"ΔE {photographs['mean']:.1f} on average on the photographs"
    most = f"{photographs['p95']:.1f} for the most different twentieth, at most {photographs['max']:.1f}"
    return f"{one} and {other} differ by {seen} ({most}), by {cube['mean']:.1f} on the whole cube."


@torch.no_grad()
def _scores(
    looks: Looks, model_type: str, paths: Sequence[Path], tables: Mapping[str, Tensor], context: Context
) -> Iterator[dict[str, float]]:
    """Yield for each photograph P(yes) of every LUT; the judge is loaded once and reads each photograph once."""
    with context.models.lease(catalog.spec(model_type)) as bundle, context.models.device_lock():
        judge, shares = open_judge(bundle), torch.tensor([share for _, share in looks])
        for path in paths:
            codes = picture(path, context)
            shown = {name: lut.apply(table, codes).clamp(0, 1) for name, table in tables.items()}
            session = judge.open(shown[UNGRADED], [words for words, _ in looks])
            margins = {name: session.margin(after, [0], exact=True)[0].cpu() @ shares for name, after in shown.items()}
            yield {name: probability(margin).item() for name, margin in margins.items()}
