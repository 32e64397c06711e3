"""Train, validation and test: by image, so that no picture a probe was fitted on is in its test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from studio.errors import StudioError

FOLDS = 5
"""One in five for the test, and one in five of the rest for validation: 64, 16 and 20 per cent."""
LEAST = 10
"""Hallucinations, and right answers, that a test must hold; below, every figure is mostly chance."""
FEW_IMAGES = 20
"""Images in a test below which an interval over images is itself uncertain."""

Indices = NDArray[np.int64]
_MORE = "Label more questions, or extract more."


@dataclass(frozen=True)
class Split:
    """Indices of labelled questions, in ascending order; `leaky` when an image may be on two sides."""

    train: Indices
    validation: Indices
    test: Indices
    leaky: bool = False

    def sides(self) -> dict[str, Indices]:
        """Return the three sides by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def group(questions: pd.DataFrame, images: pd.DataFrame) -> tuple[Indices, list[str]]:
    """Return which image each question is about, ``[N]``, and what identifies each image.

    One picture under two names is one image: pictures are known by the SHA-256 of their files where the run has it.
    """
    hashes = {name: sha for name, sha in zip(images["image_id"], images["sha256"], strict=True) if isinstance(sha, str)}
    known = [hashes.get(name) or f"id {name}" for name in questions["image_id"]]
    codes, names = pd.factorize(np.array(known, dtype=object))
    return codes.astype(np.int64), [str(name) for name in names]


def split(labels: NDArray[np.int64], images: Indices, seed: int, leaky: bool = False) -> Split:
    """Split the labelled questions.

    Args:
        labels: ``[N]``, 1, 0, or below 0 for unlabelled.
        images: ``[N]`` which image each question is about.
        seed: Of the shuffle; the same gives the same split.
        leaky: Split by question and not by image, as is often done and flatters.

    Raises:
        StudioError: There are too few questions or images, one class only, or fewer than `LEAST` of one in the test.
    """
    labelled = np.flatnonzero(labels >= 0)
    counts = np.bincount(labels[labelled], minlength=2)
    if counts.min() == 0:
        only = "hallucinations" if counts[1] else "right"
        all_one = f"All {len(labelled)} labelled answers are {only}."
        raise StudioError(
            all_one if len(labelled) else "No answer is labelled.", "A probe needs answers of both kinds."
        )
    if counts.min() < LEAST:
        what = f"Of {len(labelled)} labelled answers {counts[1]} are hallucinations and {counts[0]} are right."
        raise StudioError(what, _MORE)
    if not leaky and len(np.unique(images[labelled])) < 2 * FOLDS:
        raise StudioError(f"The labelled questions are about {len(np.unique(images[labelled]))} images only.", _MORE)
    rest, test = _part(labelled, labels, images, seed, leaky)
    train, validation = _part(rest, labels, images, seed + 1, leaky)
    made = Split(train, validation, test, leaky)
    for name, side in made.sides().items():
        least = LEAST if name == "test" else 1
        have = np.bincount(labels[side], minlength=2)
        if have.min() < least:
            what = f"Split by image, the {name} side has {have[1]} hallucinations and {have[0]} right answers"
            raise StudioError(f"{what}; {least} of each are needed.", _MORE)
    return made


def _part(
    which: Indices, labels: NDArray[np.int64], images: Indices, seed: int, leaky: bool
) -> tuple[Indices, Indices]:
    """Take one fifth of some questions, with about as many of each class as the rest."""
    if leaky:
        rest, taken = train_test_split(which, test_size=1 / FOLDS, random_state=seed, stratify=labels[which])
    else:
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        first, second = next(folds.split(which, labels[which], images[which]))
        rest, taken = which[first], which[second]
    return np.sort(rest), np.sort(taken)
