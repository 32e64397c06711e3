"""Writing a run in the seed's layout, for code that reads that."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from studio import __version__
from studio.context import Context
from studio.embeddings.config import ExportH5Config
from studio.embeddings.representations import PER_IMAGE, VISION
from studio.embeddings.store import manifest, vectors
from studio.embeddings.store.parts import QUESTION_COLUMNS, TEXT, image_of
from studio.embeddings.store.records import storable
from studio.embeddings.store.runs import Run, open_run
from studio.embeddings.store.seedlayout import MORE, TEXTS, VISION_ONLY, group_name
from studio.embeddings.store.writing import METADATA
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic

_STEP = 100  # questions from one event to the next


def run(config: ExportH5Config, context: Context) -> Iterator[Event]:
    """Write the files of a run.

    Yields:
        An `Event` every 100 questions, and one for each file with its path as an artifact, which is absolute; the last
        has all of them, and its note repeats what could not be read of the run.

    Raises:
        StudioError: The run cannot be read or is empty, or the folder holds other parts or cannot be written.
    """
    with open_run(config.run) as source:
        if not len(source):
            raise StudioError(f"'{config.run.name}' holds no questions yet.", "Extract some first.")
        model = str(source.metadata.get("model", "unknown"))
        count = -(-len(source) // config.checkpoint_interval)
        names = [manifest.part_name(model, number + 1) for number in range(count)]
        _check_folder(config.output_path, names)
        files: dict[str, str] = {}
        for number, name in enumerate(names):
            start = number * config.checkpoint_interval
            stop = min(len(source), start + config.checkpoint_interval)
            data = yield from encode(source, start, stop)
            _write(config.output_path / name, data)
            files[f"part_{number + 1:03d}"] = str((config.output_path / name).resolve())
            artifacts = files if stop == len(source) else dict([[*files.items()][-1]])
            note = " ".join([f"{name} holds {stop - start} questions.", *(source.notes if stop == len(source) else ())])
            yield Event(stop, len(source), note, artifacts=artifacts)


def encode(source: Run, start: int, stop: int) -> Generator[Event, None, bytes]:
    """Make one file of the questions in rows ``start`` up to ``stop``, and return its bytes.

    Vectors are bfloat16 where that holds them exactly, which plain h5py reads as float32, and else float32. Those that
    the questions on an image share are stored once and linked.

    Yields:
        An `Event` every 100 questions.
    """
    with h5py.File("part", "w", driver="core", backing_store=False, block_size=1 << 24) as file:
        _write_attributes(file, source, stop - start)
        shared: dict[tuple[str, str], tuple[h5py.Dataset, vectors.Matrix]] = {}
        images = source.images.set_index("image_id").to_dict("index")
        for first in range(start, stop, _STEP):
            if first > start:
                yield Event(first, len(source))
            last = min(stop, first + _STEP)
            matrices = {key: source.rows(key, first, last) for key in source.keys}
            rows = source.questions.iloc[first:last].to_dict("records")
            for place, row in enumerate(rows):
                group = file.create_group(group_name(row["question_id"]))
                _write_texts(group, row, images[row["image_id"]])
                for key, matrix in matrices.items():
                    _write_vector(group, key, matrix[place], row["image_id"], shared)
        return image_of(file)


def seed_model_type(metadata: Mapping[str, Any]) -> str:
    """Return a model's name in the style of the seed's ``model_type``, such as ``gemma-3-12b-multimodal``."""
    name = _model_name(metadata).rstrip("/").rpartition("/")[2].lower()
    return f"{name.removesuffix('-it').removesuffix('-pt')}-multimodal"


def _model_name(metadata: Mapping[str, Any]) -> str:
    """Return the repository on the Hub; of a model in a local folder, whose path is nobody's business, its name."""
    source = str(metadata.get("source") or "")
    return source if source and not Path(source).is_absolute() else str(metadata.get("model", "unknown"))


def _write_attributes(file: h5py.File, source: Run, count: int) -> None:
    said = source.metadata
    file.attrs["model_name"] = storable(_model_name(said))
    file.attrs["model_type"] = storable(seed_model_type(said))
    for name in ("device", "dtype", "created_at"):
        file.attrs[name] = storable(str(said.get(name, "unknown")))
    file.attrs["num_samples"] = count
    file.attrs["layout"] = "seed"
    file.attrs["studio"] = __version__
    for name in ("revision", "norm", "prompt"):
        if said.get(name):
            file.attrs[name] = storable(str(said[name]))
    if layers := sorted({layer for each in source.layers.values() for layer in each}):
        file.attrs["layers"] = np.array(layers)
    file.attrs["metadata"] = json.dumps(dict(said))


def _write_texts(group: h5py.Group, row: Mapping[str, Any], image: Mapping[str, Any]) -> None:
    for name in TEXTS:
        group.create_dataset(name, data=row[name], dtype=TEXT)
    more = {name: row[name] for name in MORE} | {name: image[name] for name in ("sha256", "width", "height")}
    more = {name: value.item() if isinstance(value, np.generic) else value for name, value in more.items()}
    more["extra"] = {name: value for name, value in row.items() if name not in QUESTION_COLUMNS}
    group.attrs["question_id"] = row["question_id"]
    group.attrs["more"] = json.dumps(more)


def _write_vector(
    group: h5py.Group,
    key: str,
    vector: vectors.Matrix,
    image_id: str,
    shared: dict[tuple[str, str], tuple[h5py.Dataset, vectors.Matrix]],
) -> None:
    """Write a vector, or link it to the same one of another question on the image."""
    name = VISION_ONLY if key == VISION else key
    earlier = shared.get((image_id, key))
    if earlier is not None and np.array_equal(vector, earlier[1]):
        group[name] = earlier[0]
    else:
        dataset = vectors.write(group, name, vector, "exact")
        if key.partition("/")[0] in PER_IMAGE:
            shared[image_id, key] = dataset, vector
    if key == VISION:
        group[VISION] = group[name]


def _check_folder(folder: Path, names: list[str]) -> None:
    if (folder / METADATA).exists():
        raise StudioError(f"'{folder}' is the folder of a run.", "Choose another --output-path.")
    others = [path.name for path in sorted(folder.glob("*.h5")) if path.name not in names]
    if others:
        raise StudioError(
            f"'{folder}' holds {others[0]}, which is not of this export.", "Choose another --output-path."
        )


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomic(path, data)
    except OSError as error:
        what = f"'{path}' cannot be written: {(error.strerror or str(error)).lower()}."
        raise StudioError(what, "Choose another --output-path.") from None
