"""Distributional vectors of English words, from WordNet's own glosses and relations.

A word is seen as the synsets it names; a synset as its words, the words of its gloss and its
neighbours (similar, derived, attribute, hypernym). Two steps of a random walk over that graph give
each word a spread over gloss words; positive pointwise mutual information and a truncated singular
value decomposition make a short vector of it. Words that mean alike come out near one another,
which is all the judge needs to guess at a word that it never met in training.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

WORDNET = Path("/usr/share/wordnet")
_FILES = {"data.noun": "n", "data.adj": "a", "data.verb": "v", "data.adv": "r"}
_NEIGHBOURS = {"&": 1.0, "+": 1.0, "=": 1.0, "@": 0.6, "^": 0.5, "\\": 0.8, "@i": 0.6, "~": 0.15}
_STOP_WORDS = (
    "a an the of or and in to for with by from as is are be being been it its that which at on not"
    " having have has used usually especially very one who person someone something any some other"
    " than into etc made make do does up out such so no more most when where was were he his her"
    " their they often e g"
)
_STOP = frozenset(_STOP_WORDS.split())
# Chosen on the validation words, by how well the mixtures alone name the right look.
_NEIGHBOUR_BONUS, _SYNONYM_BONUS, _TEMPERATURE, _DOUBT = 0.12, 0.35, 0.15, 0.5
# Glosses tell colours apart mostly by these words, which an embedding of this size would blur.
_BASIC = (
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "white", "black", "gray",
    "dark", "light", "pale", "bright", "cold", "warm", "gold", "night",
)  # fmt: skip
# WordNet lexicographer files of things that say nothing of how a picture looks.
_UNPICTURED = {4, 5, 6, 8, 9, 10, 14, 18, 21, 23, 24}
# ... and of those that well may: attributes, feelings, food, places, objects, phenomena, plants, matter, time
_PICTURED = {0, 7, 12, 13, 15, 17, 19, 20, 26, 27, 28}


@dataclass(frozen=True)
class Synset:
    """One meaning: its words, gloss words, neighbours and lexicographer file."""

    words: tuple[str, ...]
    gloss: tuple[str, ...]
    neighbours: tuple[tuple[str, float], ...]
    kind: str
    file: int


def read_wordnet(folder: Path = WORDNET) -> dict[str, Synset]:
    """All synsets by key (part of speech and offset), from the `data.*` files."""
    synsets: dict[str, Synset] = {}
    for name, kind in _FILES.items():
        for line in (folder / name).read_text("utf-8", "replace").splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition("|")
            synsets[kind + line[:8]] = _synset(fields.split(), gloss, kind)
    return synsets


def _synset(parts: list[str], gloss: str, kind: str) -> Synset:
    count = int(parts[3], 16)
    words = tuple(re.sub(r"\(.*\)", "", parts[4 + 2 * i]).lower() for i in range(count))
    pointers = parts[5 + 2 * count :][: 4 * int(parts[4 + 2 * count])]
    neighbours = []
    for symbol, offset, pos, _ in zip(*[iter(pointers)] * 4, strict=True):
        if symbol in _NEIGHBOURS:
            neighbours.append((("a" if pos == "s" else pos) + offset, _NEIGHBOURS[symbol]))
    spoken = tuple(w for w in re.findall(r"[a-z]+", gloss.lower()) if w not in _STOP and len(w) > 2)
    return Synset(words, spoken, tuple(neighbours), kind, int(parts[1]))


def base_form(word: str, known: set[str]) -> str:
    """The dictionary form of a plainly inflected word, if it is known."""
    for suffix, other in (("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"),
                          ("er", ""), ("er", "e"), ("est", ""), ("y", ""), ("ies", "y"), ("ish", "")):  # fmt: skip
        stem = word[: -len(suffix)] + other
        if word.endswith(suffix) and len(stem) > 2 and stem in known:
            return stem
    return word


def candidates(synsets: dict[str, Synset]) -> list[str]:
    """Every single word that may describe a picture: all adjectives, and nouns that glosses use."""
    frequency = Counter(word for synset in synsets.values() for word in set(synset.gloss))
    found = {
        word: frequency[word]
        for synset in synsets.values()
        for word in synset.words
        if re.fullmatch(r"[a-z]{3,14}", word)
        and not re.fullmatch(r"[ivxlcm]+", word)
        and (synset.kind == "a" or (synset.kind == "n" and synset.file in _PICTURED and frequency[word]))
    }
    return sorted(found, key=lambda word: (-found[word], word))


class Kinship:
    """How alike words are: the cosine of their vectors, and more for words of one synset or of neighbouring ones."""

    def __init__(self, words: list[str], vectors: NDArray[np.float32], synsets: dict[str, Synset]) -> None:
        everything = {word for synset in synsets.values() for word in synset.words}
        self._index = {word: i for i, word in enumerate(words)}
        self._unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        senses: dict[str, set[str]] = {}
        for key, synset in synsets.items():
            for word in synset.words:
                senses.setdefault(word, set()).add(key)
        forms = {word: word if word in everything else base_form(word, everything) for word in words}
        self._senses = {word: senses.get(form, set()) for word, form in forms.items()}
        self._around = {
            word: {key for sense in own for key, _ in synsets[sense].neighbours} for word, own in self._senses.items()
        }

    def between(self, words: list[str], anchors: list[str]) -> NDArray[np.float32]:
        """Likeness of every word to every anchor, about 0 to 1.4. Shape (words, anchors)."""
        rows = self._unit[[self._index[word] for word in words]]
        like = rows @ self._unit[[self._index[anchor] for anchor in anchors]].T
        holders: dict[str, list[int]] = {}
        for column, anchor in enumerate(anchors):
            for sense in self._senses[anchor]:
                holders.setdefault(sense, []).append(column)
        for row, word in enumerate(words):
            near = {column for sense in self._around[word] for column in holders.get(sense, ())}
            same = {column for sense in self._senses[word] for column in holders.get(sense, ())}
            like[row, list(near - same)] += _NEIGHBOUR_BONUS
            like[row, list(same)] += _SYNONYM_BONUS
        return np.asarray(like, np.float32)


def mixtures(like: NDArray[np.float32], count: int = 6) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The anchors a word is read as, and how much of each; what is left of 1 is doubt. Both (words, count)."""
    best = np.argsort(-like, axis=1, kind="stable")[:, :count]
    value = np.take_along_axis(like, best, axis=1)
    part = np.exp((value - value.max(1, keepdims=True)) / _TEMPERATURE)
    doubt = np.exp((_DOUBT - value.max(1, keepdims=True)) / _TEMPERATURE)
    return best, np.asarray(part / (part.sum(1, keepdims=True) + doubt), np.float32)


def plain_words(synsets: dict[str, Synset], count: int) -> list[str]:
    """Common nouns none of whose meanings could describe a picture: what the judge must say NO to."""
    frequency: Counter[str] = Counter()
    files: dict[str, set[int]] = {}
    for synset in synsets.values():
        frequency.update(set(synset.gloss))
        for word in synset.words:
            files.setdefault(word, set()).add(synset.file if synset.kind != "a" else 0)
    allowed = [
        w
        for w, f in files.items()
        if f <= (_UNPICTURED | set(range(29, 44))) and f & _UNPICTURED and re.fullmatch(r"[a-z]{4,12}", w)
    ]
    return sorted(allowed, key=lambda w: -frequency[w])[:count]


def word_vectors(words: list[str], synsets: dict[str, Synset], size: int = 128, seed: int = 0) -> NDArray[np.float32]:
    """Vectors of ``words``, zero where WordNet knows nothing. Shape (words, size + basic words)."""
    keys = {key: i for i, key in enumerate(synsets)}
    everything = {w for s in synsets.values() for w in s.words}
    columns = _gloss_columns(synsets)
    gloss = _matrix(
        [
            (keys[k], columns[w], 1.0 if w in s.gloss else 2.0)
            for k, s in synsets.items()
            for w in {base for raw in s.gloss + s.words for base in [raw] if base in columns}
        ],
        (len(keys), len(columns)),
    )
    walk = _matrix(
        [(keys[k], keys[n], x) for k, s in synsets.items() for n, x in s.neighbours if n in keys],
        (len(keys), len(keys)),
    )
    rows = {w: i for i, w in enumerate(words)}
    named: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        form = word if word in everything else base_form(word, everything)
        named.setdefault(form, []).append(i)
    entries = []
    for key, synset in synsets.items():
        for word in synset.words:
            for i in named.get(word, ()):
                entries.append((i, keys[key], (1.5 if synset.kind == "a" else 1.0)))
    start = _matrix(entries, (len(rows), len(keys)))
    own = _normalise(gloss)
    step = _normalise(walk) @ own
    spread = _normalise(start) @ (own + 0.7 * step + 0.3 * (_normalise(walk) @ step))
    hues = _normalise(start) @ _matrix(
        [(keys[k], _BASIC.index(w), 1.0) for k, s in synsets.items() for w in s.gloss + s.words if w in _BASIC],
        (len(keys), len(_BASIC)),
    )
    basic = np.minimum(hues.toarray(), 1.0).astype(np.float32)
    return np.concatenate([_squeeze(spread, size, seed), 0.6 * basic], axis=1)


def _gloss_columns(synsets: dict[str, Synset]) -> dict[str, int]:
    count: Counter[str] = Counter()
    for synset in synsets.values():
        count.update(set(synset.gloss) | set(synset.words))
    return {w: i for i, w in enumerate(w for w, n in count.items() if 3 <= n <= 4000)}


def _matrix(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> sp.csr_matrix:
    rows, columns, values = zip(*entries, strict=True)
    return sp.csr_matrix((values, (rows, columns)), shape=shape, dtype=np.float32)


def _normalise(matrix: sp.csr_matrix) -> sp.csr_matrix:
    total = np.asarray(matrix.sum(1)).ravel()
    return sp.diags(1 / np.maximum(total, 1e-9)).astype(np.float32) @ matrix


def _squeeze(spread: sp.csr_matrix, size: int, seed: int) -> NDArray[np.float32]:
    table = spread.tocoo()
    column = np.asarray(spread.sum(0)).ravel() ** 0.75
    prior = column / column.sum()
    value = np.log(np.maximum(table.data / (prior[table.col] * 3 + 1e-12), 1.0))
    keep = value > 0
    positive = sp.csr_matrix((value[keep], (table.row[keep], table.col[keep])), shape=table.shape)
    left, weight, _ = randomized_svd(positive, size, random_state=seed, n_iter=4)
    vectors = left * weight**0.5
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norm, 1e-6) * (norm > 1e-6), np.float32)
