"""The task ``probe``: how well each representation and layer of a run tells a hallucination, beside baselines."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from studio import __version__
from studio.context import Context
from studio.device import use_threads
from studio.embeddings.config import ProbeConfig
from studio.embeddings.probing import baselines, cells, labels, splits
from studio.embeddings.probing import results as proberesults
from studio.embeddings.probing.baselines import Baseline
from studio.embeddings.probing.cells import Data, Ledger, Place, Scored
from studio.embeddings.probing.metrics import Trial, figure
from studio.embeddings.probing.probes import Epoch, Kind, Matrix, Probe
from studio.embeddings.store.runs import Run, open_run
from studio.errors import StudioError
from studio.events import Event
from studio.files import content_hash


def run(config: ProbeConfig, context: Context) -> Iterator[Event]:
    """Probe a run.

    Every baseline and every cell (representation, layer and kind) is on disk before its event; run again in the same
    folder, those are not fitted again.

    Yields:
        An `Event` a baseline, an epoch and a cell, with its ``auroc``, and a last one, whose artifacts are ``report``
        (probe.json), ``page`` (report.html), ``scores`` (scores.csv), ``best`` (the best probe) and the plots
        ``heatmap``, ``roc``, ``calibration`` and ``coverage`` (.svg).

    Raises:
        StudioError: The run or the labels cannot be read or do not serve, the folder holds another probing, or results
            cannot be written.
    """
    with open_run(config.run) as opened:
        yield from _probe(opened, config, context)


def _probe(opened: Run, config: ProbeConfig, context: Context) -> Iterator[Event]:
    found = labels.find(opened.questions, config.labels)
    where = cells.places(opened, config)
    data = _prepare(opened, found, config)
    kinds = cells.KINDS if config.kinds == "both" else (config.kinds,)
    known, notes = baselines.available(opened.questions)
    ledger = Ledger(context.folder, _plan(opened, found, config))
    total = len(known) + len(where) * len(kinds) + 1
    bars: dict[str, Scored] = {}
    for done, baseline in enumerate(known, 1):
        bars[baseline.name] = one = _baseline(baseline, opened, data, ledger)
        yield Event(done, total, f"Baseline {baseline.title}: {_told(one)}", _metrics(one))
    bar = max(bars.values(), key=lambda each: each.result["metrics"]["auroc"]["value"])
    facts = _facts(opened, found, config, data)
    results: dict[tuple[Place, Kind], Scored] = {}
    done = len(known)
    for place in where:
        todo = [kind for kind in kinds if not _restored(place, kind, data, ledger, results)]
        vectors = _vectors(opened, place, context) if todo else None
        for kind in kinds:
            if vectors is not None and kind in todo:
                for step in cells.fit(place, kind, vectors, data):
                    if isinstance(step, Epoch):
                        yield Event(done, total, f"{_named(place, kind)}: epoch {step.number}, loss {step.loss:.3f}")
                    else:
                        scored, probe = step
                        results[place, kind] = _keep(place, kind, scored, probe, bar, data, facts, ledger, context)
            done += 1
            one = results[place, kind]
            yield Event(done, total, f"{_named(place, kind)}: {_told(one)}", _metrics(one))
    pictures = proberesults.pictures_of(opened, config.run, context.settings)
    outcome = proberesults.Outcome(opened, found, data, bars, results, notes, facts, pictures)
    artifacts = proberesults.write(outcome, context, config.output_path)
    best = outcome.best
    yield Event(total, total, proberesults.verdict(outcome), _metrics(results[best]), artifacts)


def _prepare(opened: Run, found: labels.Labels, config: ProbeConfig) -> Data:
    images, names = splits.group(opened.questions, opened.images)
    made = splits.split(found.values, images, config.seed)
    leaky = splits.split(found.values, images, config.seed, leaky=True) if config.leaky else None
    trial = Trial(found.values[made.test], images[made.test], config.bootstrap, config.seed)
    return Data(found.values, images, names, made, leaky, trial, config.seed, config.bootstrap)


def _plan(opened: Run, found: labels.Labels, config: ProbeConfig) -> str:
    """Identify what results depend on."""
    settings = config.model_dump(mode="json", exclude={"output_path", "labels"})
    identity = json.dumps(
        [settings, opened.metadata, __version__, version("scikit-learn")], sort_keys=True, default=str
    )
    return content_hash(identity, found.values.tobytes(), "\n".join(opened.questions["question_id"].astype(str)))


def _facts(opened: Run, found: labels.Labels, config: ProbeConfig, data: Data) -> dict[str, Any]:
    """Return what is written into every result and every saved probe."""
    packages = {name: version(name) for name in ("torch", "scikit-learn", "numpy")}
    return {
        "model": {name: opened.metadata.get(name) for name in proberesults.MODEL},
        "run": str(config.run),
        "labels": found.source,
        "split": {name: proberesults.counted(data, side) for name, side in data.split.sides().items()},
        "config": config.model_dump(mode="json"),
        "seed": config.seed,
        "versions": {"studio": __version__, "python": platform.python_version(), **packages},
    }


def _baseline(baseline: Baseline, opened: Run, data: Data, ledger: Ledger) -> Scored:
    name = f"baseline-{baseline.name}"
    if (kept := ledger.find(name)) is not None:
        return Scored(*kept, data.trial.measure(kept[1], kept[0]["threshold"])[1])
    scores, card = baselines.fit(baseline, opened.questions, data.labels, data.split)
    scored = cells.score(data, scores[data.split.validation], scores[data.split.test])
    scored.result.update({"name": baseline.name, "title": baseline.title, "fit": card})
    if data.leaky is not None:
        scores, _ = baselines.fit(baseline, opened.questions, data.labels, data.leaky)
        scored.result["leaky"] = cells.flattered(data, scores[data.leaky.test]).to_json()
    ledger.add(name, scored.result, scored.scores)
    return scored


def _restored(place: Place, kind: Kind, data: Data, ledger: Ledger, results: dict[tuple[Place, Kind], Scored]) -> bool:
    """Whether a cell was done before; it is then among the results."""
    kept = ledger.find(_slug(place, kind))
    if kept is not None:
        results[place, kind] = Scored(*kept, np.empty(0))
    return kept is not None


def _vectors(opened: Run, place: Place, context: Context) -> Matrix:
    vectors = opened.matrix(place.representation, place.layer)
    if not np.isfinite(vectors).all():
        rows = np.flatnonzero(~np.isfinite(vectors).all(1))
        question = opened.questions["question_id"].iloc[rows[0]]
        what = f"The vector {place.key} of question '{question}' holds a number that is not finite."
        raise StudioError(what, "Extract the run again, or leave the representation or layer out.")
    use_threads(context.settings.threads, vectors.nbytes)
    return vectors


def _keep(
    place: Place, kind: Kind, scored: Scored, probe: Probe, bar: Scored, data: Data, facts: dict[str, Any],
    ledger: Ledger, context: Context,
) -> Scored:  # fmt: skip
    """Save a cell's probe, and then its result."""
    path = f"probes/{_slug(place, kind)}.safetensors"
    named = {"representation": place.representation, "layer": place.layer, "key": place.key, "title": place.title}
    scored.result.update({**named, **cells.compare(scored, bar), "probe": path})
    kept = {name: scored.result[name] for name in (*named, "threshold", "metrics", "fit")}
    seen = {**probe.tensors, "seen_images": torch.from_numpy(data.seen())}
    Probe(kind, seen, {**kept, **facts}).save(context.folder / path)
    ledger.add(_slug(place, kind), scored.result, scored.scores)
    return scored


def _slug(place: Place, kind: Kind) -> str:
    return f"{place.key.replace('/', '-')}-{kind}"


def _named(place: Place, kind: Kind) -> str:
    return f"{place.title[0].upper()}{place.title[1:]}, {proberesults.KIND_TITLES[kind]}"


def _told(one: Scored) -> str:
    return f"AUROC {figure(one.result['metrics']['auroc'])}"


def _metrics(one: Scored) -> dict[str, float]:
    found = one.result["metrics"]["auroc"]["value"]
    return {} if found is None else {"auroc": found}
