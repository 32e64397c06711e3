"""Step one of the recipe: words, vectors, tokenizer and pictures, written into a working folder."""

from __future__ import annotations

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.judge import pictures, wordvectors
from recipes.judge.model import build_tokenizer
from recipes.judge.phrases import HELD_TEMPLATES, JOINTS, TEMPLATES, held_words
from recipes.judge.prompts import colour_prompts
from studio.grading.looks import STRENGTHS
from studio.grading.looktable import LOOKS

VOCABULARY = 11_800
_PLAIN = 1400


def spoken_words() -> list[str]:
    """Every word that phrases, frames, strengths and colour names use."""
    lines = [phrase for look in LOOKS for phrase in look.phrases]
    lines += [*TEMPLATES, *HELD_TEMPLATES, *JOINTS, *STRENGTHS, *colour_prompts()]
    text = " ".join(lines).lower().replace("{}", " ").replace(",", " ").replace("-", " ")
    return sorted(set(text.split()))


def grade_words() -> list[str]:
    """Words that are a whole phrase of a look, or a colour's whole name: what an unknown word may be read as."""
    phrases = [phrase for look in LOOKS for phrase in look.phrases]
    singles = dict.fromkeys(phrase for phrase in [*phrases, *colour_prompts()] if phrase.isalpha() and len(phrase) > 2)
    return [word for word in singles if word not in ("may", "fall", "matt", "magic")]


def prepare_words(folder: Path, wordnet: Path) -> None:
    """Choose the vocabulary; write the tokenizer, what unknown words are read as, and words that mean no look."""
    synsets = wordvectors.read_wordnet(wordnet)
    spoken, forbidden = spoken_words(), held_words()
    plain = [w for w in wordvectors.plain_words(synsets, _PLAIN) if w not in forbidden and w not in set(spoken)]
    trained, anchors = spoken + plain, grade_words() + plain
    others = [word for word in wordvectors.candidates(synsets) if word not in set(trained)]
    vectors = wordvectors.word_vectors(trained + others, synsets, 160)
    kinship = wordvectors.Kinship(trained + others, vectors, synsets)
    nearness = kinship.between(others, grade_words()).max(1)
    kept = [others[i] for i in np.argsort(-nearness, kind="stable")[: VOCABULARY - len(trained)]]
    like = kinship.between(trained + kept, anchors)
    for column, anchor in enumerate(anchors):
        like[trained.index(anchor), column] = -1  # a word is not its own explanation
    choice, share = wordvectors.mixtures(like)
    position = np.array([trained.index(anchor) for anchor in anchors])
    build_tokenizer(trained + kept).save_pretrained(folder / "tokenizer")
    np.savez(folder / "mixtures.npz", choice=position[choice], share=share, trained=len(trained))
    said = {"trained": trained, "others": kept, "plain": plain, "grades": grade_words()}
    (folder / "words.json").write_text(json.dumps(said))


def _make(arguments: tuple[int, int, tuple[str, ...], float, Path]) -> NDArray[np.uint8]:
    count, seed, names, share, backgrounds = arguments
    return pictures.make(count, seed, [pictures.load(name, backgrounds) for name in names], share)


def prepare_pictures(folder: Path, backgrounds: Path, count: int) -> None:
    """Write the banks: training, validation and test pictures, 8 bit, (count, 56, 56, 3)."""
    half = count // 2
    jobs = [
        (half, 1, pictures.TRAINING, 0.45, backgrounds),
        (half, 2, pictures.TRAINING, 0.45, backgrounds),
        (300, 98, pictures.VALIDATION, 1.0, backgrounds),
        (500, 99, pictures.TEST, 1.0, backgrounds),
    ]
    with Pool(2) as pool:
        first, second, validation, test = pool.map(_make, jobs)
    np.save(folder / "training.npy", np.concatenate([first, second]))
    np.save(folder / "validation.npy", validation)
    np.save(folder / "test.npy", test)


def main() -> None:
    """Command line: python -m recipes.judge.prepare WORK --backgrounds FOLDER --wordnet FOLDER."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--wordnet", type=Path, default=wordvectors.WORDNET)
    parser.add_argument("--pictures", type=int, default=7000)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    prepare_words(arguments.work, arguments.wordnet)
    prepare_pictures(arguments.work, arguments.backgrounds, arguments.pictures)


if __name__ == "__main__":
    main()
