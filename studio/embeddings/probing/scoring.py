"""The task ``score-probe``: what a saved probe says of the questions of another run of the same model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from studio import __version__
from studio.context import Context
from studio.embeddings.config import ScoreProbeConfig
from studio.embeddings.probing import labels, splits
from studio.embeddings.probing.cells import image_number
from studio.embeddings.probing.metrics import Floats, Trial, figure
from studio.embeddings.probing.probes import Probe
from studio.embeddings.probing.splits import LEAST
from studio.embeddings.store.runs import Run, open_run
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic

SAME = ("model", "revision", "norm")
"""Of the run's metadata, what must be as it was where the probe was fitted."""


def run(config: ScoreProbeConfig, context: Context) -> Iterator[Event]:
    """Score a run.

    Yields:
        One `Event`: metrics ``questions``, ``called`` (how many are called hallucinations) and with labels ``auroc``;
        artifacts ``scores`` (.csv: question_id, image_id, score, hallucination, label) and ``report`` (.json).

    Raises:
        StudioError: The probe or the run cannot be read, do not fit each other, or the scores cannot be written.
    """
    probe = Probe.load(config.probe)
    with open_run(config.run) as opened:
        _check(probe, opened, config)
        vectors = opened.matrix(probe.card["representation"], probe.card["layer"])
        if vectors.shape[1] != probe.dimension:
            what = f"The probe takes {probe.dimension} numbers a vector, and the run's have {vectors.shape[1]}."
            raise StudioError(what, "Give a run of the model that the probe was fitted on.")
        scores = probe.scores(vectors)
        measured = _measure(probe, opened, scores, config)
        target = config.output_path if config.output_path.suffix else config.output_path / "scores.csv"
        called = scores >= probe.card["threshold"]
        _write(target, opened, scores, called, measured.pop("labels", None))
    report = {
        "lines": [f"{len(scores)} questions scored, {called.sum()} called hallucinations.", *measured["lines"]],
        "probe": {"path": str(config.probe), "kind": probe.kind, **probe.card},
        "run": str(config.run),
        "auroc": measured["auroc"],
        "version": __version__,
    }
    write_atomic(context.folder / "report.json", json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False))
    metrics = {"questions": float(len(scores)), "called": float(called.sum())}
    if measured["auroc"] and measured["auroc"]["value"] is not None:
        metrics["auroc"] = measured["auroc"]["value"]
    yield Event(1, 1, " ".join(report["lines"]), metrics, {"scores": str(target.resolve()), "report": "report.json"})


def _check(probe: Probe, opened: Run, config: ScoreProbeConfig) -> None:
    for name in SAME:
        wanted, found = probe.card["model"].get(name), opened.metadata.get(name)
        if wanted and found and wanted != found:
            what = f"The probe is for the {name} '{wanted}', and the run is of '{found}'."
            raise StudioError(what, "Give a run of the model that the probe was fitted on.")
    if probe.card["representation"] not in opened.layers:
        what = f"The run {config.run.name} holds no {probe.card['key']}, which the probe reads."
        raise StudioError(what, "Extract that representation and layer.")


def _measure(probe: Probe, opened: Run, scores: Floats, config: ScoreProbeConfig) -> dict[str, Any]:
    """Measure the scores where there are labels, on images that the probe has not seen."""
    try:
        found = labels.find(opened.questions, config.labels)
    except StudioError as error:
        if config.labels is not None:
            raise
        return {"auroc": None, "lines": [f"Not measured: {error.what}"]}
    images, names = splits.group(opened.questions, opened.images)
    seen = np.isin(np.array([image_number(name) for name in names], np.int64), probe.tensors["seen_images"].numpy())
    which = (found.values >= 0) & ~seen[images]
    lines = []
    if known := int(((found.values >= 0) & seen[images]).sum()):
        lines.append(f"{known} labelled questions are about images that the probe was fitted on, and are not measured.")
    wrong = int((found.values[which] == 1).sum())
    if min(wrong, int(which.sum()) - wrong) < LEAST:
        lines.append(f"Not measured: {wrong} hallucinations and {int(which.sum()) - wrong} right answers are too few.")
        return {"auroc": None, "labels": found, "lines": lines}
    trial = Trial(found.values[which], images[which], config.bootstrap, int(probe.card["seed"]))
    auroc = trial.measure(scores[which], probe.card["threshold"])[0]["auroc"].to_json()
    lines.append(f"AUROC {figure(auroc)} on {int(which.sum())} labelled questions; labels: {found.source}.")
    return {"auroc": auroc, "labels": found, "lines": lines}


def _write(target: Path, opened: Run, scores: Floats, called: Any, found: labels.Labels | None) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["question_id", "image_id", "score", "hallucination", *(["label"] if found else [])])
    columns = [opened.questions["question_id"], opened.questions["image_id"], scores.round(6), called.astype(int)]
    if found:
        columns.append(np.where(found.values >= 0, found.values.astype(str), ""))
    writer.writerows(zip(*columns, strict=True))
    try:
        write_atomic(target, text.getvalue())
    except OSError as error:
        what = f"The scores cannot be written to '{target}': {(error.strerror or str(error)).lower()}."
        raise StudioError(what, "Give another --output-path.") from None
