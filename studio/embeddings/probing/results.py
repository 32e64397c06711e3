"""What a probing found: the verdict, figures as plain data, scores and the worst mistakes, for people and programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from studio import charts
from studio.context import Context
from studio.embeddings.extraction.table import find_picture
from studio.embeddings.probing import baselines, matching, metrics
from studio.embeddings.probing import page as probepage
from studio.embeddings.probing import plots as probeplots
from studio.embeddings.probing.cells import Data, Place, Scored
from studio.embeddings.probing.labels import Labels
from studio.embeddings.probing.metrics import Measure, figure
from studio.embeddings.probing.probes import Kind
from studio.embeddings.probing.splits import FEW_IMAGES, LEAST, Indices
from studio.embeddings.store.runs import Run
from studio.errors import StudioError
from studio.files import write_atomic
from studio.settings import Settings

RESULTS = "probe.json"
MODEL = ("model", "source", "revision", "norm", "prompt", "dtype", "stored_dtype")
"""What a probe remembers of the model, from the run's metadata."""
KIND_TITLES: Mapping[Kind, str] = {"linear": "linear", "mlp": "MLP"}
MISTAKES = 24


@dataclass(frozen=True)
class Outcome:
    """A finished probing.

    Attributes:
        run: What was probed.
        labels: Of its questions.
        data: What was fitted and tested on.
        baselines: By name.
        cells: By place and kind.
        notes: Sentences on baselines left out.
        facts: Model, labels, split, configuration, versions.
        pictures: The folder of the questions' pictures; None where they may not be shown, see `pictures_of`.
    """

    run: Run
    labels: Labels
    data: Data
    baselines: Mapping[str, Scored]
    cells: Mapping[tuple[Place, Kind], Scored]
    notes: Sequence[str]
    facts: Mapping[str, Any]
    pictures: Path | None = None

    @property
    def best(self) -> tuple[Place, Kind]:
        """The cell with the highest AUROC on the validation side: chosen on the test it would flatter itself."""
        return max(self.cells, key=lambda cell: self.cells[cell].result["validation_auroc"])

    @property
    def bar(self) -> Scored:
        """The baseline with the highest AUROC on the test: the hardest to beat."""
        return max(self.baselines.values(), key=lambda each: each.result["metrics"]["auroc"]["value"])


def verdict(outcome: Outcome) -> str:
    """Return the finding in one sentence."""
    place, kind = outcome.best
    probe, bar = outcome.cells[outcome.best].result, outcome.bar.result
    words = f"The best probe, {place.title} ({KIND_TITLES[kind]}), tells a hallucination with AUROC "
    words += f"{figure(probe['metrics']['auroc'])}; the best baseline, {bar['title']}, with "
    words += f"{figure(bar['metrics']['auroc'])}; "
    low, high = probe["lead"]["low"], probe["lead"]["high"]
    if low is not None and low > 0:
        return words + f"it beats it by {figure(probe['lead'])}."
    behind = "is behind it" if high is not None and high < 0 else "does not beat it for sure"
    return words + f"it {behind}: the difference is {figure(probe['lead'], signed=True)}."


def counted(data: Data, side: Indices) -> dict[str, int]:
    """Return how many questions, images and hallucinations a side has."""
    return {
        "questions": len(side),
        "images": len(np.unique(data.images[side])),
        "hallucinations": int((data.labels[side] == 1).sum()),
    }


def compose(outcome: Outcome) -> dict[str, Any]:
    """Return everything as plain data."""
    place, kind = outcome.best
    best, bar = outcome.cells[outcome.best], outcome.bar
    data, labels = outcome.data, outcome.labels
    truths = data.labels[data.split.test]
    shown = {"probe": best.scores, "baseline": bar.scores}
    return {
        **outcome.facts,
        "verdict": verdict(outcome),
        "lines": [verdict(outcome), *_lines(outcome)],
        "best": {
            "key": place.key,
            "kind": kind,
            "title": place.title,
            "probe": best.result["probe"],
            "leads": {name: lead.to_json() for name, lead in _leads(outcome).items()},
        },
        "best_baseline": bar.result["name"],
        "cells": [each.result for each in outcome.cells.values()],
        "baselines": [each.result for each in outcome.baselines.values()],
        "by_type": _tables(outcome),
        "curves": {
            "calibration": {name: charts.calibration_bins(truths, scores) for name, scores in shown.items()},
            "risk_coverage": {name: metrics.risk_coverage(truths, scores) for name, scores in shown.items()},
        },
        "mistakes": _mistakes(outcome),
        "labels": {
            "source": labels.source,
            "by_rule": labels.by_rule(),
            "rules": {rule.name: rule.sentence for rule in matching.RULES},
            "notes": labels.notes,
        },
        "notes": [*outcome.run.notes, *labels.notes, *outcome.notes],
        "explained": {
            "best": "The best probe is chosen on the validation side, the best baseline on the test itself.",
            "beats": "A probe beats the best baseline when the 95 % interval of the difference of their AUROCs, on the "
            "same resamples of images, lies above 0.",
            "ece": f"Expected calibration error over {charts.BINS} bins of equal width.",
            "threshold": "F1 and accuracy are at the threshold with the best F1 on the validation side.",
            "intervals": f"{outcome.data.resamples} resamples of the test's images, 2.5th to 97.5th percentile.",
        },
    }


def write(outcome: Outcome, context: Context, target: Path | None) -> dict[str, str]:
    """Write the results into the job's folder, and copy them where they were asked for; return them by name.

    Raises:
        StudioError: The target cannot be written.
    """
    results = compose(outcome)
    plots = probeplots.draw(outcome.data.labels[outcome.data.split.test], outcome.cells, outcome.bar)
    files = {
        RESULTS: json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False),
        "scores.csv": _scores(outcome),
        **{f"{name}.svg": svg for name, svg in plots.items()},
        "report.html": probepage.page(results, plots, context),
    }
    best = str(results["best"]["probe"])
    for name, text in files.items():
        write_atomic(context.folder / name, text)
    artifacts = {Path(name).stem: name for name in files}
    artifacts |= {"report": RESULTS, "page": "report.html", "best": best}
    del artifacts["probe"]
    if target is None:
        return artifacts
    try:
        for path in (*files, *(str(each["probe"]) for each in results["cells"])):
            write_atomic(target / path, (context.folder / path).read_bytes())
    except OSError as error:
        what = f"The results cannot be written into '{target}': {(error.strerror or str(error)).lower()}."
        raise StudioError(what, f"They lie in {context.folder}.") from None
    return {name: str((target / path).resolve()) for name, path in artifacts.items()}


def _lines(outcome: Outcome) -> list[str]:
    """Say how the split and the labels came about."""
    data, test = outcome.data, counted(outcome.data, outcome.data.split.test)
    labelled = int((data.labels >= 0).sum())
    lines = [
        f"Labels: {outcome.labels.source}; {labelled} of {len(data.labels)} questions are labelled, "
        f"{int((data.labels == 1).sum())} as hallucinations.",
        f"Tested on {test['questions']} questions ({test['hallucinations']} hallucinations) about {test['images']} "
        "images, none of which a probe was fitted on.",
    ]
    beaten = sum(bool(each.result["beats"]) for each in outcome.cells.values())
    lines.append(f"{beaten} of {len(outcome.cells)} probes beat the best baseline.")
    leads = {outcome.baselines[name].result["title"]: lead.to_json() for name, lead in _leads(outcome).items()}
    told = "; ".join(f"{title} {figure(lead, signed=True)}" for title, lead in leads.items())
    lines.append(f"The best probe's AUROC less that of each baseline: {told}.")
    if test["images"] < FEW_IMAGES:
        lines.append(f"The test is about {test['images']} images only, so the intervals are themselves uncertain.")
    flattered = outcome.cells[outcome.best].result.get("leaky")
    if flattered:
        lines.append(f"Split by question, with images on both sides, the same probe would claim {figure(flattered)}.")
    return lines


def _leads(outcome: Outcome) -> dict[str, Measure]:
    """Return by how much the best probe's AUROC is above that of each baseline, on the same resamples of images."""
    best = outcome.cells[outcome.best]
    _, samples = outcome.data.trial.measure(best.scores, best.result["threshold"])  # a restored cell has none
    value = best.result["metrics"]["auroc"]["value"]
    return {
        name: metrics.difference(value, one.result["metrics"]["auroc"]["value"], samples, one.samples)
        for name, one in outcome.baselines.items()
    }


def _tables(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    """Return the AUROC of the best probe and the best baseline within each answer type and category."""
    test = outcome.data.split.test
    questions = outcome.run.questions
    groups: dict[str, pd.Series[str] | None] = {
        "answer_type": baselines.answer_types(questions),
        "category": baselines.categories(questions),
    }
    return {name: _table(outcome, of.iloc[test].to_numpy()) for name, of in groups.items() if of is not None}


def _table(outcome: Outcome, values: Any) -> list[dict[str, Any]]:
    truths = outcome.data.labels[outcome.data.split.test]
    best, bar = outcome.cells[outcome.best], outcome.bar
    rows = []
    for value, count in pd.Series(values).value_counts().items():
        which = values == value
        wrong = int(truths[which].sum())
        row: dict[str, Any] = {"type": value, "questions": int(count), "hallucinations": wrong}
        if min(wrong, int(count) - wrong) < LEAST:
            row["undefined"] = f"Fewer than {LEAST} hallucinations or right answers."
        else:
            scored = {"probe": best, "baseline": bar}
            row |= {name: outcome.data.trial.within(which, one.scores).to_json() for name, one in scored.items()}
        rows.append(row)
    return rows


def _mistakes(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the test's questions that the best probe was most sure and wrong about, the worst first."""
    best = outcome.cells[outcome.best]
    test, threshold = outcome.data.split.test, best.result["threshold"]
    truths = outcome.data.labels[test]
    gap = np.abs(truths - best.scores)
    wrong = np.flatnonzero((best.scores >= threshold) != (truths == 1))
    found = []
    for at in wrong[np.argsort(-gap[wrong], kind="stable")][:MISTAKES]:
        row = outcome.run.questions.iloc[int(test[at])]
        named = {name: str(row[name]) for name in ("question_id", "image_id", "question", "answer")}
        truth = {"truth": str(row["ground_truth_answer"]), "label": int(truths[at])}
        found.append({**named, **truth, "score": float(best.scores[at]), "picture": _picture(outcome.pictures, row)})
    return found


def pictures_of(run: Run, path: Path, settings: Settings) -> Path | None:
    """Return the folder a run says its pictures lie in.

    A run that was uploaded may say anything, and its pictures go into a page that a stranger reads: it may only name
    what was uploaded, too.
    """
    folder = Path(str(run.metadata.get("images_dir") or "")).resolve()
    uploads = (settings.home / "uploads").resolve()
    foreign = path.resolve().is_relative_to(uploads) and not folder.is_relative_to(uploads)
    return None if foreign or not run.metadata.get("images_dir") else folder


def _picture(folder: Path | None, row: Any) -> str | None:
    """Return the path of a question's picture, or None when it is not where the run found it."""
    try:
        return str(find_picture(folder, str(row["image_id"]))) if folder else None
    except ValueError:
        return None


def _scores(outcome: Outcome) -> str:
    """Return a CSV of the test's questions with the scores of the best probe and the best baseline."""
    test = outcome.data.split.test
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["question_id", "image_id", "label", "best_probe", "best_baseline"])
    questions = outcome.run.questions.iloc[test]
    columns = (questions["question_id"], questions["image_id"], outcome.data.labels[test])
    scores = (each.scores.round(6) for each in (outcome.cells[outcome.best], outcome.bar))
    writer.writerows(zip(*columns, *scores, strict=True))
    return text.getvalue()
