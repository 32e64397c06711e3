"""Prompts with their grades: what the judge is taught to read.

A prompt is a phrase of a look, perhaps weakened or strengthened, perhaps joined with another, or the name
of a colour from the xkcd survey, in one of many frames. Prompts of no meaning carry no grade: the judge must
say No to them whatever it is shown.
"""

from __future__ import annotations

import random as python_random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.colors import XKCD_COLORS, to_rgb
from torch import Tensor

from recipes.judge.phrases import HELD_TEMPLATES, JOINTS, TEMPLATES, held_words
from studio.grading.looks import STRENGTHS
from studio.grading.looktable import LOOKS, Look
from studio.grading.looktransform import PARAMETERS, to_oklab, vector

SCALE = torch.stack([look.parameters for look in LOOKS]).abs().amax(0) + 1e-6
"""The largest value of each parameter in the table of looks: the unit of distances between grades."""

# Looks that validation found hard to learn are written of more often.
_HARD = {"teal and orange": 3.0, "cinematic": 2.5, "vibrant": 2.0, "summer": 2.0, "high contrast": 2.0,
         "low contrast": 2.0, "technicolor": 1.5, "portra": 1.5, "cross process": 1.5, "crushed blacks": 1.5,
         "warm": 1.3, "cool": 1.3, "retro 70s": 1.3, "muted": 1.3, "matte": 1.3}  # fmt: skip
_UNFIT = {"shit", "poop", "poo", "puke", "vomit", "barf", "booger", "snot", "pee", "piss", "diarrhea", "bile"}
_SATURATION = PARAMETERS.index("saturation")


@dataclass(frozen=True)
class Prompt:
    """Words, the grade they ask for, and whether they ask for one at all."""

    text: str
    grade: Tensor
    known: bool
    look: int = -1


def colour_prompts() -> dict[str, Tensor]:
    """The names of the xkcd colour survey (CC0) as tints: an OKLab offset by hue, lightness as exposure."""
    forbidden = held_words()
    taken = {phrase for look in LOOKS for phrase in look.phrases}
    tints = {}
    for key, code in XKCD_COLORS.items():
        name = key.removeprefix("xkcd:").replace("/", " ").replace("-", " ").replace("'", "")
        if name in taken or set(name.split()) & (forbidden | _UNFIT):
            continue
        light, a, b = to_oklab(torch.tensor(to_rgb(code)).view(1, 3, 1)).flatten().tolist()
        chroma = (a * a + b * b) ** 0.5
        reach = min(0.075, 0.02 + 0.4 * chroma) / max(chroma, 1e-6)
        if chroma < 0.03:
            tints[name] = vector(saturation=-0.6, exposure=1.4 * (light - 0.6))
        else:
            tints[name] = vector(middle_a=a * reach, middle_b=b * reach, exposure=0.9 * (light - 0.62),
                                 saturation=-0.15 if chroma < 0.08 else 0.0)  # fmt: skip
    return tints


class Writer:
    """Writes prompts at random, from the phrases that training may see or in frames it may not."""

    def __init__(self, seed: int, nonsense: Sequence[str], held: bool = False) -> None:
        self._random = python_random.Random(seed)
        self._templates = HELD_TEMPLATES if held else TEMPLATES
        self._colours = list(colour_prompts().items())
        self._nonsense = list(nonsense)
        self._weights = [_HARD.get(look.name, 1.0) for look in LOOKS]
        units = torch.stack([look.parameters for look in LOOKS]) / SCALE
        units = torch.nn.functional.normalize(units, dim=1)
        self._alike = units @ units.T

    def write(self, nonsense_share: float = 0.07) -> Prompt:
        """One prompt: a look (50 %), weaker or stronger (14), two looks (14), a colour (15), or nonsense (7)."""
        random, draw = self._random, self._random.random()
        if draw < nonsense_share:
            return Prompt(self._frame(self._senseless()), vector(), known=False)
        draw = random.random()
        if draw < 0.16:
            name, grade = random.choice(self._colours)
            return Prompt(self._frame(name), grade, known=True)
        index = random.choices(range(len(LOOKS)), self._weights)[0]
        phrase, grade, look = self._phrase(LOOKS[index]), LOOKS[index].parameters, index
        if draw > 0.70:
            phrase, grade, look = self._join(index, phrase) if draw > 0.85 else (phrase, grade, index)
            word, factor = random.choice(list(STRENGTHS.items()))
            if draw < 0.85 or random.random() < 0.15:
                phrase, grade, look = f"{word} {phrase}", grade * factor, -1
        elif random.random() < 0.05:
            phrase = f"{phrase} {self._gibberish()}" if random.random() < 0.5 else f"{self._gibberish()} {phrase}"
        return Prompt(self._frame(phrase), grade, known=True, look=look)

    def frame(self, phrase: str) -> str:
        """The phrase in a random frame."""
        return self._frame(phrase)

    def _phrase(self, look: Look) -> str:
        phrase = look.phrases[0] if self._random.random() < 0.12 else self._random.choice(look.phrases)
        if self._random.random() < 0.04 and " " not in phrase:
            phrase += self._random.choice(("ish", "y", "s", "toned", "like"))
        return phrase

    def _join(self, index: int, phrase: str) -> tuple[str, Tensor, int]:
        first = LOOKS[index].parameters
        for _ in range(30):
            other = self._random.randrange(len(LOOKS))
            both = float(first[_SATURATION] + LOOKS[other].parameters[_SATURATION])
            if other != index and float(self._alike[index, other]) > -0.15 and both > -1.2:
                text = self._random.choice(JOINTS).format(phrase, self._phrase(LOOKS[other]))
                return text, (first + LOOKS[other].parameters) * 0.8, -1
        return phrase, first, index

    def _senseless(self) -> str:
        count = self._random.choice((1, 1, 2, 2, 3))
        words = [self._random.choice(self._nonsense) for _ in range(count)]
        return " ".join(self._gibberish() if self._random.random() < 0.35 else word for word in words)

    def _gibberish(self) -> str:
        return "".join(self._random.choice("bcdfghjklmnpqrstvwxz") for _ in range(self._random.randint(4, 8)))

    def _frame(self, phrase: str) -> str:
        text = self._random.choice(self._templates).format(phrase)
        return text.capitalize() if self._random.random() < 0.06 else text
