"""Making a run of files in the seed's layout, so that they can be read by layer and not by question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas

from studio.context import Context
from studio.embeddings.config import ImportH5Config
from studio.embeddings.representations import PER_IMAGE
from studio.embeddings.store.manifest import part_number
from studio.embeddings.store.parts import IMAGE_COLUMNS, QUESTION_COLUMNS
from studio.embeddings.store.records import ImageRecord, QuestionRecord
from studio.embeddings.store.runs import open_part
from studio.embeddings.store.seedlayout import told
from studio.embeddings.store.stacked import Part, split_key
from studio.embeddings.store.vectors import Matrix
from studio.embeddings.store.writing import Store
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic

_STEP = 500  # questions of a part


def run(config: ImportH5Config, context: Context) -> Iterator[Event]:
    """Make the run, or go on with it: questions that it held before are passed over without a word.

    Vectors become bfloat16 where that holds all of a part's exactly, as it does what a model in bfloat16 gave, and
    else stay float32.

    Yields:
        An `Event` a part of the run, counting files, and one a file, whose note says what of it was passed over. The
        last has the metrics ``questions``, ``passed_over``, ``twice`` (ids that an earlier file holds) and
        ``unreadable`` (files), the run's folder as the artifact ``run``, which is absolute, and ``report``.

    Raises:
        StudioError: No file can be read, or the folder holds another run.
        OSError: The folder cannot be written.
    """
    paths = _listed(config.files)
    tally = dict.fromkeys(("questions", "passed_over", "twice", "unreadable"), 0)
    lines: list[str] = []
    with ExitStack() as stack:
        store: Store | None = None
        for done, path in enumerate(paths):
            try:
                part = open_part(path)
            except StudioError as error:
                tally["unreadable"] += 1
                lines.append(error.what)
            else:
                stack.callback(part.close)
                if store is None:
                    store = stack.enter_context(Store.open(config.output_dir, _metadata(part)))
                    before = store.done
                yield from (Event(done, len(paths)) for _ in _take(part, store, before, tally, lines))
                part.close()
            if done + 1 < len(paths):
                yield Event(done + 1, len(paths), lines[-1])
    if store is None:
        raise StudioError(f"None of the files can be read: {' '.join(lines)}", "Choose other files.")
    write_atomic(context.folder / "report.json", json.dumps({"lines": lines, **tally}))
    artifacts = {"run": str(config.output_dir.resolve()), "report": "report.json"}
    metrics = {name: float(count) for name, count in tally.items()}
    yield Event(len(paths), len(paths), lines[-1], metrics, artifacts)


def _listed(files: Sequence[Path]) -> list[Path]:
    """Return the files, and those of folders by the numbers in their names.

    Raises:
        StudioError: A folder holds none.
    """
    found: list[Path] = []
    for path in files:
        inside = sorted(path.glob("*.h5"), key=lambda each: (part_number(each.name) or 0, each.name))
        if path.is_dir() and not inside:
            raise StudioError(f"'{path}' holds no .h5 files.", "Choose files, or a folder of them.")
        found += inside or [path]
    return list(dict.fromkeys(found))


def _metadata(part: Part) -> dict[str, Any]:
    """Return the metadata of a run that begins with a file; where its pictures lie, a file of others cannot tell."""
    identity = {"model": part.metadata.get("model", "unknown"), "vectors": dict(part.keys)}
    told = {name: value for name, value in part.metadata.items() if name != "images_dir"}
    return {**told, "model": identity["model"], "stored_dtype": "exact", "identity": identity}


def _take(part: Part, store: Store, before: frozenset[str], tally: dict[str, int], lines: list[str]) -> Iterator[None]:
    """Take in one file, a part of the run at a time, and add a line on it; ``before`` the run held when it began."""
    name = part.path.name
    if _metadata(part)["identity"] != store.metadata["identity"]:
        tally["unreadable"] += 1
        lines.append(f"{name} is passed over: its model or its vectors are not those of the run.")
        return
    lost, taken, twice = dict(part.skipped), 0, 0
    for start in range(0, len(part.questions), _STEP):
        places, matrices = _read(part, start, min(len(part.questions), start + _STEP), lost)
        chosen: dict[str, int] = {}
        for row, place in enumerate(places):
            question_id = part.questions["question_id"].iloc[place]
            odd = [key for key, matrix in matrices.items() if not np.isfinite(matrix[row]).all()]
            if question_id in store.done or question_id in chosen:
                twice += question_id not in before
            elif odd:
                lost[question_id] = f"{odd[0]} holds values that are not finite"
            else:
                chosen[question_id] = row
        rows = [*chosen.values()]
        if rows:
            records = part.questions.iloc[[places[row] for row in rows]]
            store.commit(*_records(records, part.images, {key: matrix[rows] for key, matrix in matrices.items()}))
        taken += len(rows)
        yield
    for label, count in (("questions", taken), ("twice", twice), ("passed_over", len(lost))):
        tally[label] += count
    lines.append(_line(part, taken, twice, lost))


def _read(part: Part, start: int, stop: int, lost: dict[str, str]) -> tuple[list[int], dict[str, Matrix]]:
    """Return the rows from ``start`` up to ``stop`` that can be read, and their vectors; the others are noted."""
    try:
        return [*range(start, stop)], {key: part.read(key, start, stop) for key in part.keys}
    except StudioError as error:
        if stop - start == 1:
            lost[part.questions["question_id"].iloc[start]] = error.what.rstrip(".")
            return [], {key: np.empty((0, length), np.float32) for key, length in part.keys.items()}
        middle = (start + stop) // 2
        (places, one), (others, two) = _read(part, start, middle, lost), _read(part, middle, stop, lost)
        return places + others, {key: np.concatenate((one[key], two[key])) for key in part.keys}


def _records(
    questions: pandas.DataFrame, images: pandas.DataFrame, matrices: Mapping[str, Matrix]
) -> tuple[list[ImageRecord], list[QuestionRecord]]:
    """Return what to commit. A vector that is the same for all questions on each image becomes the image's.

    That of the image's token should be so, and is not in files of the seed's own code, which takes it at a place that
    moves with the question's length.
    """
    first: dict[str, int] = {}
    for row, image_id in enumerate(questions["image_id"]):
        first.setdefault(image_id, row)
    places = [first[image_id] for image_id in questions["image_id"]]
    shared = {
        key
        for key in matrices
        if split_key(key)[0] in PER_IMAGE and np.array_equal(matrices[key], matrices[key][places])
    }
    tables = images.set_index("image_id", drop=False)
    found = []
    for image_id, row in first.items():
        values = {name: tables.at[image_id, name] for name in IMAGE_COLUMNS}
        found.append(ImageRecord(**values, vectors={key: matrices[key][row] for key in matrices if key in shared}))
    asked = []
    for row, record in enumerate(questions.to_dict("records")):
        values = {name: record.pop(name) for name in QUESTION_COLUMNS}
        own = {key: matrices[key][row] for key in matrices if key not in shared}
        extra = {str(name).removeprefix("csv_"): value for name, value in record.items() if isinstance(value, str)}
        asked.append(QuestionRecord(**values, extra=extra, vectors=own))
    return found, asked


def _line(part: Part, taken: int, twice: int, lost: Mapping[str, str]) -> str:
    """Say in a line what became of a file."""
    found = [f"{part.path.name}: {taken} questions taken in"]
    found += [f"{twice} that another file holds too"] if twice else []
    return ", ".join(found) + (f", {told(lost)}" if lost else ".")
