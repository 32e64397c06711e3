"""Writing a run of extraction and reading one layer of it, against the layout of HALP's extractor, in the same run.

    python -m benchmarks.store [--samples 10000] [--seed-samples 1000] [--width 3840] [--per-image 1] [--rounds 3]

Sixteen vectors a question, of numbers that bfloat16 holds, as a model in bfloat16 gives them. The extractor's layout is
a group for each question with float32 and gzip, a thousand questions a file, written in one go without a flush to the
disk; ours is written in parts of 256, each flushed, with a manifest. Reading is opening all files and taking the query
token's vectors of one layer for every question: the extractor's as its probing scripts do, ours with the tables of
questions, which those do not read, and without, from a run that is open. All have just been written, so they lie in the
system's memory. The extractor's layout shares no cost among files, so it is measured on one of them, and its seconds
and bytes are scaled up. Prints one line of JSON: seconds (medians of reading), megabytes, and the extractor's / ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from studio.embeddings.representations import MULTIMODAL, PER_IMAGE, QUERY_TOKEN, keys
from studio.embeddings.store.records import ImageRecord, QuestionRecord
from studio.embeddings.store.runs import open_run
from studio.embeddings.store.writing import Store

LAYERS = (0, 12, 24, 36, 47)
KEYS = keys(LAYERS)
LAYER = 24
PART, SEED_PART = 256, 1000

Matrix = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed-samples", type=int, default=1000, help="questions to measure the extractor's layout on")
    parser.add_argument("--width", type=int, default=3840)
    parser.add_argument("--per-image", type=int, default=1, help="questions on one image")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(json.dumps({"benchmark": "store", **vars(arguments), **compare(arguments)}))


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return seconds and megabytes of both layouts for all samples, and their ratios."""
    pool = vectors(arguments.width)
    with tempfile.TemporaryDirectory() as place:
        ours, seed = Path(place) / "ours", Path(place) / "seed"
        written = {
            "seed": timed(lambda: write_seed(seed, pool, arguments.seed_samples)),
            "ours": timed(lambda: write_ours(ours, pool, arguments.samples, arguments.per_image)),
        }
        check(ours, seed, min(arguments.samples, arguments.seed_samples))
        scale = arguments.samples / arguments.seed_samples
        with open_run(ours) as run:
            matrix = median(lambda: run.matrix(QUERY_TOKEN, LAYER), arguments.rounds)
        seconds = {
            "write": {"seed": written["seed"] * scale, "ours": written["ours"]},
            "read": {
                "seed": median(lambda: read_seed(seed), arguments.rounds) * scale,
                "ours": median(lambda: read_ours(ours), arguments.rounds),
                "ours, once open": matrix,
            },
        }
        sizes = {"seed": megabytes(seed) * scale, "ours": megabytes(ours)}
    ratios = {name: round(each["seed"] / each["ours"], 1) for name, each in seconds.items()}
    ratios |= {"read, once open": round(seconds["read"]["seed"] / matrix, 1)}
    ratios |= {"size": round(sizes["seed"] / sizes["ours"], 2)}
    rounded = {name: {way: round(taken, 3) for way, taken in each.items()} for name, each in seconds.items()}
    return {"seconds": rounded, "megabytes": {way: round(size) for way, size in sizes.items()}, "ratios": ratios}


def vectors(width: int) -> Matrix:
    """Return [512, width] numbers that bfloat16 holds."""
    values = np.random.default_rng(0).normal(size=(512, width)).astype(np.float32)
    return (values.view(np.uint32) & 0xFFFF0000).view(np.float32)


def sample(pool: Matrix, number: int, key: str) -> Matrix:
    return pool[(number * 7 + KEYS.index(key) * 31) % len(pool)]


def write_ours(folder: Path, pool: Matrix, samples: int, per_image: int) -> None:
    image_keys = [key for key in KEYS if key.partition("/")[0] in PER_IMAGE]
    with Store.open(folder, {"model": "benchmark", "layers": [*LAYERS]}) as store:
        for start in range(0, samples, PART):
            numbers = range(start, min(samples, start + PART))
            images = [
                ImageRecord(
                    f"{n}.jpg", "0" * 64, 896, 896, {key: sample(pool, n * per_image, key) for key in image_keys}
                )
                for n in dict.fromkeys(number // per_image for number in numbers)
            ]
            store.commit(images, [question(pool, number, per_image) for number in numbers], [])


def question(pool: Matrix, number: int, per_image: int) -> QuestionRecord:
    found = {key: sample(pool, number, key) for key in KEYS if key.partition("/")[0] in (QUERY_TOKEN, MULTIMODAL)}
    return QuestionRecord(
        f"q{number}", f"{number // per_image}.jpg", number + 2, "Is there a dog in the picture?", "yes",
        "Yes, there is a dog in the picture.", "Yes", 0.75, 11, True, {"category": "object"}, found,
    )  # fmt: skip


def write_seed(folder: Path, pool: Matrix, samples: int) -> None:
    text = h5py.string_dtype()
    folder.mkdir()
    for part in range(-(-samples // SEED_PART)):
        with h5py.File(folder / f"gemma3_12b_embeddings_part_{part + 1:03d}.h5", "w") as file:
            for number in range(part * SEED_PART, min(samples, (part + 1) * SEED_PART)):
                group = file.create_group(f"q{number}")
                for name in ("image_id", "question", "ground_truth_answer", "answer"):
                    group.create_dataset(name, data="Is there a dog in the picture?", dtype=text)
                for key in KEYS:
                    group.create_dataset(key, data=sample(pool, number, key), compression="gzip")


def read_seed(folder: Path) -> dict[str, Matrix]:
    return dict(_each_of_seed(folder))


def _each_of_seed(folder: Path) -> Iterator[tuple[str, Matrix]]:
    for path in sorted(folder.glob("*.h5")):
        with h5py.File(path, "r") as file:
            for name in file:
                yield name, file[name][QUERY_TOKEN][f"layer_{LAYER}"][:]


def read_ours(folder: Path) -> Matrix:
    with open_run(folder) as run:
        return run.matrix(QUERY_TOKEN, LAYER)


def check(ours: Path, seed: Path, samples: int) -> None:
    """See that both hold the same vectors."""
    theirs, mine = read_seed(seed), read_ours(ours)
    if not all(np.array_equal(theirs[f"q{number}"], mine[number]) for number in range(samples)):
        raise AssertionError("the two layouts hold different vectors")


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def median(work: Callable[[], Any], rounds: int) -> float:
    return statistics.median(timed(work) for _ in range(rounds))


def timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
