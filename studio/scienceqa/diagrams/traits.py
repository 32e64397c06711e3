"""Traits for Punnett squares: known ones, and made-up ones, so that a model must read the hint and not remember."""

from __future__ import annotations

from dataclasses import dataclass

from studio.scienceqa.diagrams.chance import Chance


@dataclass(frozen=True)
class Trait:
    """A trait of a group of living things; the two forms complete "some have ..."."""

    group: str
    name: str
    dominant: str
    recessive: str


_ANIMALS = (
    "rabbits", "mice", "cats", "dogs", "sheep", "goats", "horses", "cows", "guinea pigs", "hamsters", "deer mice",
    "llamas", "minks", "rats",
)  # fmt: skip
_PLANTS = (
    "pea plants", "tomato plants", "corn plants", "rose plants", "sunflowers", "pumpkin plants", "petunias",
    "bean plants", "melon plants", "snapdragons", "cucumber plants",
)  # fmt: skip
_OTHERS = ("fruit flies", "frogs", "snakes", "parrots", "koi fish", "chickens", "pigeons", "finches", "newts", "geckos")
_COLOURS = ("black", "white", "brown", "gray", "red", "yellow", "blue", "green", "orange", "pink", "purple", "cream")
_PARTS = {
    _ANIMALS: ("fur", "eyes", "a coat", "whiskers", "ears", "a tail", "hooves", "skin"),
    _PLANTS: ("flowers", "leaves", "seeds", "fruit", "stems", "pods", "petals"),
    _OTHERS: ("eyes", "a body", "spots", "scales", "wings", "legs", "skin", "a tail"),
}
_PAIRS = (
    ("round", "wrinkled"), ("long", "short"), ("smooth", "rough"), ("straight", "curly"), ("wide", "narrow"),
    ("thick", "thin"), ("spotted", "plain"), ("striped", "plain"), ("tall", "short"), ("hairy", "smooth"),
    ("shiny", "dull"), ("pointed", "blunt"), ("folded", "straight"), ("dark", "pale"), ("large", "small"),
)  # fmt: skip
_ONSETS, _VOWELS, _ENDS = "bdfghklmnprstvz", "aeio", ("", "", "n", "r", "l", "s")


def trait(chance: Chance) -> Trait:
    """Draw a trait and who has it; one in four is made up."""
    groups = chance.pick(tuple(_PARTS))
    group, part = chance.pick(groups), chance.pick(_PARTS[groups])
    if chance.often(0.25):
        first, second = word(chance), word(chance)
        group = f"{word(chance)} {chance.pick(('birds', 'fish', 'plants', 'beetles', 'lizards'))}"
    elif chance.often(0.5):
        first, second = chance.some(_COLOURS, 2)
    else:
        first, second = chance.shuffled(chance.pick(_PAIRS))
    article, noun = ("a ", part[2:]) if part.startswith("a ") else ("", part)
    kind = "color" if first in _COLOURS else "type"
    if chance.often(0.12) and not article:
        return Trait(group, noun, noun, f"no {noun}")
    forms = [
        (f"an {word} {noun}" if article and word[0] in "aeiou" else f"{article}{word} {noun}")
        for word in (first, second)
    ]
    return Trait(group, f"{noun.removesuffix('s') if noun.endswith('s') else noun} {kind}", forms[0], forms[1])


def word(chance: Chance) -> str:
    """Return a word that does not exist but can be said."""
    syllables = (chance.pick(_ONSETS) + chance.pick(_VOWELS) for _ in range(chance.whole(2, 3)))
    return "".join(syllables) + chance.pick(_ENDS)
