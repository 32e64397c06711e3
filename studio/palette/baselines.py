"""What a palette model has to beat: palettes that take little or no reading of the description.

Palettes are CIE L*a*b*, [n, 4, 3]; known pairs are descriptions with palettes of four colours or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from studio.palette import naming
from studio.palette.colours import NEAR, SIZE, Colours, differences, srgb_to_lab
from studio.palette.scoring import match

NEIGHBOURS = 15
_SAMPLE = 400  # palettes among which the constant one is sought, and against which it is held


def uniform(count: int, seed: int = 0) -> Colours:
    """Return palettes of evenly random sRGB colours."""
    return srgb_to_lab(np.random.default_rng(seed).random((count, SIZE, 3)))


def random_known(count: int, known: Sequence[Colours], seed: int = 0) -> Colours:
    """Return a random known palette for each description."""
    chosen = np.random.default_rng(seed).integers(len(known), size=count)
    return np.array([known[index][:SIZE] for index in chosen])


def constant(count: int, known: Sequence[Colours], seed: int = 0) -> Colours:
    """Return for every description the one known palette that is nearest, on average, to the known ones."""
    some = np.random.default_rng(seed).permutation(len(known))[:_SAMPLE]
    sample = [known[index] for index in some]
    return np.repeat(_medoid(sample, np.ones(len(sample)))[None], count, 0)


def lexicon(texts: Sequence[str]) -> Colours:
    """Return for each description the colours of the four differing colour names that are most like it in words."""
    names, _, lab = naming.names()
    found = _likeness(names, texts)
    out = np.zeros((len(texts), SIZE, 3))
    for index in range(len(texts)):
        order = np.argsort(-found[index].toarray().ravel(), kind="stable")
        chosen: list[Colours] = []
        for place in order:
            if not chosen or differences(np.array(chosen), lab[place][None]).min() >= NEAR:
                chosen.append(lab[place])
            if len(chosen) == SIZE:
                break
        out[index] = chosen
    return out


def nearest(texts: Sequence[str], known_texts: Sequence[str], known: Sequence[Colours]) -> Colours:
    """Return the palette of the known description that is most like each in words and letters."""
    best = [int(row.toarray().argmax()) for row in _likeness(known_texts, texts)]
    return np.array([known[index][:SIZE] for index in best])


def neighbours(
    texts: Sequence[str], known_texts: Sequence[str], known: Sequence[Colours], several: int = 5
) -> tuple[Colours, Colours]:
    """Return the medoid of the palettes of the 15 descriptions most like each, and the palettes of the first few.

    Returns:
        [n, 4, 3], and [n, several, 4, 3] for the best of several.
    """
    medoids, firsts = [], []
    for row in _likeness(known_texts, texts):
        like = row.toarray().ravel()
        order = np.argsort(-like, kind="stable")[:NEIGHBOURS]
        medoids.append(_medoid([known[index] for index in order], like[order] + 1e-3))
        firsts.append([known[index][:SIZE] for index in order[:several]])
    return np.array(medoids), np.array(firsts)


def _likeness(known: Sequence[str], texts: Sequence[str]) -> Any:
    """Cosines of TF-IDF of words and of letters, summed: a sparse matrix [texts, known] in rows."""
    parts = [TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b"),
             TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)]  # fmt: skip
    fitted = [part.fit_transform(known) for part in parts]
    asked = [part.transform(texts) for part in parts]
    words, letters = (one @ other.T for one, other in zip(asked, fitted, strict=True))
    return (words + letters).tocsr()


def _medoid(palettes: Sequence[Colours], weights: NDArray[np.float64]) -> Colours:
    """The palette with the smallest weighted mean distance to all, cut to four colours."""
    far = [float((match(palette[:SIZE], palettes) * weights).sum()) for palette in palettes]
    return palettes[int(np.argmin(far))][:SIZE]
