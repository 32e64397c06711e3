"""Commits 60 small parts of a run, or what is missing of them: the process that the kill test kills.

python -m tests.embeddings.store.killed FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from studio.embeddings.store.records import Failure
from studio.embeddings.store.writing import Store
from tests.embeddings.store.samples import METADATA, batch

PARTS = 60


def work(folder: Path) -> None:
    sizes = np.random.default_rng(1).integers(1, 5, PARTS)
    with Store.open(folder, METADATA) as store:
        print("begun", flush=True)
        for stop, size in zip(sizes.cumsum(), sizes, strict=True):
            images, questions = batch(int(stop - size), int(stop))
            if not store.done.issuperset(question.question_id for question in questions):
                store.commit(images, questions, [Failure(100_000 + int(stop), f"bad{stop}", "", "It is empty.")])


if __name__ == "__main__":
    work(Path(sys.argv[1]))
