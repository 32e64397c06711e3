"""The health report of a LUT: measure it, say what it means, draw it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from studio import __version__
from studio.context import Context
from studio.events import Event
from studio.files import write_atomic
from studio.grading import health, lutfiles, lutplots, verdicts
from studio.grading.apply import make_folder
from studio.grading.config import LutReportConfig
from studio.grading.contactsheet import contact_sheet
from studio.grading.lutpage import page
from studio.grading.samples import Samples, read
from studio.grading.sidecar import base_of, held_out
from studio.images import list_images


def run(config: LutReportConfig, context: Context) -> Iterator[Event]:
    """Report on a LUT.

    Yields:
        An `Event` a photograph read, and a last one: its metrics are the `figures`, its artifacts ``report`` (.json),
        ``page`` (.html, which holds everything), ``channels``, ``tint`` and ``lattice`` (.svg), and with photographs
        ``sheet`` (.jpg), without and with the LUT.

    Raises:
        StudioError: The LUT or every photograph is unreadable, the folder holds none, or results cannot be written.
    """
    table, base = lutfiles.read(config.lut).table(), base_of(config.lut)
    paths = list_images(config.image_folder, context.settings) if config.image_folder else []
    folder = config.output_path or context.folder
    make_folder(folder)
    samples, total = Samples(), len(paths) + 1
    yield from read(samples, paths, context, total)
    report, lines = compose(config.lut, table, base, samples)
    files = {"report.json": json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False)} | _drawn(
        report, lines, table, base, samples
    )
    for name, data in files.items():
        write_atomic(folder / name, data)
    artifacts = {"page" if name.endswith(".html") else Path(name).stem: name for name in files}
    if config.output_path is not None:
        artifacts = {name: str((folder / file).resolve()) for name, file in artifacts.items()}
    yield Event(total, total, report["summary"], figures(report["measures"]), artifacts)


def compose(path: Path, table: Tensor, base: Tensor, samples: Samples) -> tuple[dict[str, Any], list[verdicts.Verdict]]:
    """Return the report as plain data without infinities, and its verdicts.

    Args:
        path: The LUT's file; the .json that training left beside it tells the held-out score.
        table: [3, N, N, N].
        base: What no grade would be, see `studio.grading.health`.
        samples: Photographs.
    """
    measures = {"score": held_out(path)} | health.measure(table, samples, base)
    lines = verdicts.judge(measures)
    report = {
        "lut": path.stem,
        "size": table.shape[-1],
        "summary": verdicts.summary(lines),
        "lines": verdicts.told(lines),
        "verdicts": [asdict(line) for line in lines],
        "measures": measures,
        "curves": lutplots.curves(table, base),
        "photographs": {"read": samples.names, "skipped": samples.skipped, "pixels": len(samples.pixels)},
        "version": __version__,
    }
    return report, lines


def figures(measures: dict[str, Any]) -> dict[str, float]:
    """Return the report's leading figures by name, all plain numbers in the measures' own units."""
    where = "pixels" if measures["clipping"]["pixels"] else "nodes"
    shift = measures["shift"]["photographs"] or measures["shift"]["cube"]
    found = {f"shift_{name}": value for name, value in shift.items()}
    found |= {name: measures["neutrals"][name] for name in ("drop", "tint")}
    found |= {name: measures["banding"][name] for name in ("step", "bend", "distinct")}
    found |= {"folded": measures["folding"]["folded"], "clipped": measures["clipping"][where]["either"]}
    found |= {name: measures["points"][name]["lightness"] for name in ("black", "white")}
    found |= {f"{name}_skin_turn": one["turn"] for name, one in measures["skin"].items()}
    found |= {"coverage": measures["coverage"]["nodes"]} if measures["coverage"] else {}
    found |= {"score": measures["score"]["score"]} if measures["score"] else {}
    return {name: float(value) for name, value in found.items()}


def _drawn(
    report: dict[str, Any], lines: list[verdicts.Verdict], table: Tensor, base: Tensor, samples: Samples
) -> dict[str, str | bytes]:
    """Return the plots and the page by file name."""
    found = report["curves"]
    plots = {
        "channels.svg": lutplots.channels(found),
        "tint.svg": lutplots.tint(found),
        "lattice.svg": lutplots.lattice(table, base),
    }
    luts = {"ungraded": base, report["lut"]: table}
    sheet = contact_sheet(samples.shown, luts) if samples.shown else None
    files: dict[str, str | bytes] = {**plots, "report.html": page(report, lines, list(plots.values()), sheet)}
    return files | ({"sheet.jpg": sheet} if sheet else {})
