"""What an HDF5 file of embeddings holds, of either layout; of any other, what its tree looks like."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from studio.context import Context
from studio.embeddings.config import InspectH5Config
from studio.embeddings.store import opening, vectors
from studio.embeddings.store.runs import Run, open_run
from studio.embeddings.store.stacked import is_stacked, split_key
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic

MEASURED = 1000
"""Vectors of each key that are measured at most, the first ones."""
_SHOWN, _LONGEST = 5, 300  # rows of the preview; characters of a text
_MOST_NODES, _DEEPEST = 200, 16  # of a tree
_KNOWN = ("model", "revision", "model_type", "device", "dtype", "norm", "created_at")


def run(config: InspectH5Config, context: Context) -> Iterator[Event]:
    """Look into a file or a run's folder; nothing in it leads to another file, and what is read is bounded.

    Yields:
        An `Event` for each key of vectors; the last has the artifact ``report`` (.json), as `inspect` returns it.

    Raises:
        StudioError: It is missing, truncated or no HDF5 file.
    """
    report = yield from inspect(config.file)
    write_atomic(context.folder / "report.json", json.dumps(report, indent=1, allow_nan=False))
    total = len(report["vectors"]) + 1
    metrics = {name: float(report[name]) for name in ("questions", "images", "bytes")}
    yield Event(total, total, report["summary"], metrics, {"report": "report.json"})


def inspect(path: Path) -> Generator[Event, None, dict[str, Any]]:
    """Return what a file or a folder holds, as plain data without NaN.

    Its keys are ``name``, ``kind`` ("run", "part", "seed" or "other"), ``bytes``, ``files``, ``summary``, ``lines``
    (all of it for a person), ``about`` (model, revision, dtype ...; those known), ``layers`` (by representation),
    ``questions``, ``images``, ``vectors`` (see `measure`), ``failures`` (how many by reason), ``notes``,
    ``attributes``, ``preview`` (the first rows), ``tree`` (of other files: path, kind, shape, dtype, trouble).

    Raises:
        StudioError: It is missing, truncated or no HDF5 file.
    """
    files = sorted(path.glob("*.h5")) if path.is_dir() else [path]
    report: dict[str, Any] = {"name": path.resolve().name, "kind": "other", "files": len(files)}
    report |= {"questions": 0, "images": 0, "layers": {}, "about": {}, "vectors": [], "failures": {}, "preview": []}
    report |= {"attributes": {}, "tree": [], "notes": []}
    stacked = False
    if path.is_file():
        with opening.open_file(path) as file:
            stacked = is_stacked(file)
            report["attributes"] = {name: _shown(value) for name, value in opening.attributes(file).items()}
    try:
        source = open_run(path)
    except StudioError as error:
        if not path.is_file():
            raise
        with opening.open_file(path) as file:
            report |= {"notes": [error.what], "tree": [*islice(_tree(file, set()), _MOST_NODES + 1)]}
            if len(report["tree"]) > _MOST_NODES:
                report["tree"].pop()
                report["notes"].append(f"Only the first {_MOST_NODES} entries are listed.")
    else:
        with source:
            report["kind"] = "run" if path.is_dir() else "part" if stacked else "seed"
            report |= _described(source)
            for number, key in enumerate(source.keys):
                report["vectors"].append(measure(source, key))
                yield Event(number + 1, len(source.keys) + 1)
    report["bytes"] = sum(each.stat().st_size for each in files)
    report["summary"] = _summary(report)
    report["lines"] = _lines(report)
    return report


def measure(source: Run, key: str) -> dict[str, Any]:
    """Return figures of the vectors under a key.

    They are ``key``, ``representation``, ``layer`` (or None), ``count``, ``length``, ``stored`` (the type in the file),
    ``measured`` (how many of them the rest is about), ``minimum``, ``maximum``, ``mean_norm`` (Euclidean; these three
    are None where no vector is finite) and ``not_finite`` (vectors with NaN or an infinity).
    """
    representation, layer = split_key(key)
    found = source.rows(key, 0, MEASURED)
    whole = found[np.isfinite(found).all(axis=1)]
    figures = dict.fromkeys(("minimum", "maximum", "mean_norm"))
    if len(whole):
        norms = np.linalg.norm(whole.astype(np.float64), axis=1)
        figures = {"minimum": float(whole.min()), "maximum": float(whole.max()), "mean_norm": float(norms.mean())}
    return {
        "key": key, "representation": representation, "layer": layer, "count": len(source),
        "length": source.keys[key], "stored": source.stored(key), "measured": len(found), **figures,
        "not_finite": len(found) - len(whole),
    }  # fmt: skip


def _described(source: Run) -> dict[str, Any]:
    about = {name: _shown(source.metadata[name]) for name in _KNOWN if source.metadata.get(name)}
    if isinstance(about.get("norm"), dict) and len(set(about["norm"].values())) == 1:
        about["norm"] = f"{next(iter(about['norm'].values()))}, at every layer"
    rows = source.questions.head(_SHOWN).to_dict("records")
    return {
        "questions": len(source),
        "images": len(source.images),
        "layers": {name: list(layers) for name, layers in source.layers.items()},
        "about": about,
        "failures": dict(Counter(failure.reason for failure in source.failures).most_common()),
        "notes": list(source.notes),
        "preview": [{str(name): _shown(value) for name, value in row.items()} for row in rows],
    }


def _shown(value: Any) -> Any:
    """Return a value as plain data without NaN, its texts cut where they are long."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and np.isfinite(value):
        return float(f"{value:.4g}")
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
    if isinstance(value, list):
        return [_shown(each) for each in value[:_LONGEST]]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _tree(group: h5py.Group, seen: set[h5py.Group], above: str = "", depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield what lies in a file, a group that has several names only once; the caller ends it."""
    seen.add(group)
    for name in group:
        path = f"{above}/{name}"
        found = opening.child(group, name)
        if isinstance(found, h5py.Dataset):
            yield {"path": path, "kind": "dataset", **_extent(found)}
        elif isinstance(found, h5py.Group):
            yield {"path": path, "kind": "group"}
            if depth < _DEEPEST and found not in seen:
                yield from _tree(found, seen, path, depth + 1)
        else:
            yield {"path": path, "kind": "link or type, not followed"}


def _extent(found: h5py.Dataset) -> dict[str, Any]:
    try:
        shape = None if found.shape is None else list(found.shape)
        return {"shape": shape, "dtype": vectors.stored(found), "trouble": opening.trouble(found)}
    except opening.READ_ERRORS as error:  # a type that NumPy has not
        return {"shape": None, "dtype": "unknown", "trouble": str(error)}


def _summary(report: dict[str, Any]) -> str:
    size = f"{report['bytes'] / 1e6:,.1f} MB in {_count(report['files'], 'file')}"
    if report["kind"] == "other":
        return f"{report['name']} holds no embeddings; {size}."
    kind = {"run": "a run", "part": "a part of a run", "seed": "a file in the seed's layout"}[report["kind"]]
    model = report["about"].get("model", "an unknown model")
    return (
        f"{report['name']} is {kind} of {model}: {_count(report['questions'], 'question')} on "
        f"{_count(report['images'], 'image')}; {size}."
    )


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [report["summary"], *(f"{name}: {value}" for name, value in report["about"].items())]
    lines += [
        f"{name}: {'layers ' + ', '.join(map(str, layers)) if layers else 'no layers'}"
        for name, layers in report["layers"].items()
    ]
    for each in report["vectors"]:
        line = f"{each['key']}: {each['count']} × {each['length']} {each['stored']}"
        if each["mean_norm"] is not None:
            line += f", {each['minimum']:.4g} to {each['maximum']:.4g}, mean norm {each['mean_norm']:.4g}"
        line += f", {each['not_finite']} not finite" if each["not_finite"] else ""
        lines.append(line + (f" (of the first {each['measured']})" if each["measured"] < each["count"] else ""))
    lines += [f"failed, {_count(count, 'row')}: {reason}" for reason, count in report["failures"].items()]
    lines += [f"note: {note}" for note in report["notes"]]
    if report["kind"] == "other":
        lines += [f"attribute {name}: {value}" for name, value in report["attributes"].items()]
    for each in report["tree"]:
        about = f"{each['shape']} {each['dtype']}" if each["kind"] == "dataset" else each["kind"]
        lines.append(f"{each['path']}: {about}" + (f"; {each['trouble']}" if each.get("trouble") else ""))
    for row in report["preview"]:
        lines.append(f"{row['question_id']} ({row['image_id']}): {row['question']} → {row['answer']}, "
                     f"truth {row['ground_truth_answer']}")  # fmt: skip
    return ["".join(each if each.isprintable() else "\ufffd" for each in " ".join(line.split())) for line in lines]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
