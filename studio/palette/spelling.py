"""How a tokenizer spells an answer: found by encoding answers, never assumed.

An answer is always `` ["#rrggbb", "#rrggbb", "#rrggbb", "#rrggbb"]`` and the end token, so all of it but twenty-four
digits is known beforehand. Most tokenizers give a digit a token; the embedded model's gives every pair one. Some also
merge what happens to be a piece of a word (``fac`` of ``#facade``), so that letters and numbers would be drawn
unevenly: of those the single digits alone are used, in training as in decoding.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError
from studio.palette.prompt import COLOURS, prompt, target

DIGITS = 6
"""Hexadecimal digits of a colour."""
_ALPHABET = "0123456789abcdef"
_TRIED = "fresh greens"  # any description: what stands before the answer does not change how it is spelt
_ADVICE = "Take a model whose tokenizer has a token for every hexadecimal digit, as Gemma's has."


@dataclass(frozen=True)
class Spelling:
    """The tokens of an answer.

    Attributes:
        width: Digits a token stands for: 1 or 2.
        digits: The token of every value, ``16 ** width`` of them.
        opening: Tokens before the first colour's digits.
        between: Tokens between the digits of two colours.
        closing: Tokens behind the last colour's digits, the end token included.
    """

    width: int
    digits: tuple[int, ...]
    opening: tuple[int, ...]
    between: tuple[int, ...]
    closing: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Tokens that stand for the digits of one colour."""
        return DIGITS // self.width

    def values(self, colour: str) -> tuple[int, ...]:
        """Return a colour ``#rrggbb`` as values, each the place of a token in `digits`."""
        return tuple(int(colour[start : start + self.width], 16) for start in range(1, DIGITS + 1, self.width))

    def colour(self, values: Sequence[int]) -> str:
        """Return the colour ``#rrggbb`` of `steps` values."""
        return "#" + "".join(f"{value:0{self.width}x}" for value in values)

    def answer(self, colours: Sequence[str]) -> tuple[int, ...]:
        """Return a whole answer, with the end token."""
        spelt = [[self.digits[value] for value in self.values(colour)] for colour in colours]
        joined = spelt[0] + [token for digits in spelt[1:] for token in (*self.between, *digits)]
        return (*self.opening, *joined, *self.closing)


def ask(tokenizer: Any, description: str) -> tuple[int, ...]:
    """Return the tokens of the prompt, up to the answer.

    Prompt and answer are encoded as one text and parted by offsets, so that the border lies where it lay in training.

    Raises:
        StudioError: A token reaches over the border.
    """
    before = prompt(description)
    encoded = tokenizer(before + target(["#123456"] * COLOURS), return_offsets_mapping=True)
    asked = [token for token, (_, end) in _pieces(encoded) if end <= len(before)]
    if any(start < len(before) < end for _, (start, end) in _pieces(encoded)):
        raise StudioError("The model's tokenizer does not part the prompt from the answer.", _ADVICE)
    return tuple(asked)


def learn(tokenizer: Any) -> Spelling:
    """Find out how a tokenizer spells answers.

    Raises:
        StudioError: It has no end token, gives no offsets, or has neither a token for every digit nor one for every
            pair of digits.
    """
    if tokenizer.eos_token_id is None or not getattr(tokenizer, "is_fast", False):
        raise StudioError("The model's tokenizer has no end token, or gives no offsets.", _ADVICE)
    answers = [_spans(tokenizer, colours) for colours in _samples()]
    for width in (2, 1):
        found = [each for each in answers if each.is_spelt(width)]
        if width == 1 or len(found) == len(answers):
            digits: dict[str, set[int]] = {}
            for each in found:
                each.gather(width, digits)
            names = ["".join(name) for name in itertools.product(_ALPHABET, repeat=width)]
            literals = {each.literals() for each in found}
            if digits.keys() == set(names) and all(len(one) == 1 for one in digits.values()) and len(literals) == 1:
                opening, between, closing = literals.pop()
                tokens = tuple(next(iter(digits[name])) for name in names)
                return Spelling(width, tokens, opening, between, (*closing, int(tokenizer.eos_token_id)))
    raise StudioError("The model's tokenizer has no token for every hexadecimal digit.", _ADVICE)


@dataclass(frozen=True)
class _Spans:
    """An answer's tokens, each with where its text starts and ends in the answer."""

    text: str
    tokens: tuple[tuple[int, int, int], ...]

    def _runs(self) -> list[range]:
        starts = [place + 1 for place, sign in enumerate(self.text) if sign == "#"]
        return [range(start, start + DIGITS) for start in starts]

    def is_spelt(self, width: int) -> bool:
        """Whether every colour's digits are whole tokens of that width."""
        wanted = {(start, start + width) for run in self._runs() for start in run[::width]}
        inside = {place for run in self._runs() for place in run}
        return wanted == {(start, end) for _, start, end in self.tokens if inside.intersection(range(start, end))}

    def gather(self, width: int, digits: dict[str, set[int]]) -> None:
        """Note which token stands for which digits."""
        places = {start for run in self._runs() for start in run[::width]}
        for token, start, end in self.tokens:
            if start in places:
                digits.setdefault(self.text[start:end], set()).add(token)

    def literals(self) -> tuple[tuple[int, ...], ...]:
        """Return the tokens before, between and behind the colours; more than three where they differ."""
        runs = self._runs()
        borders = [0, *itertools.chain(*((run.start, run.stop) for run in runs)), len(self.text)]
        gaps = [
            tuple(token for token, start, _ in self.tokens if low <= start < high)
            for low, high in zip(borders[::2], borders[1::2], strict=True)
        ]
        return (gaps[0], *dict.fromkeys(gaps[1:-1]), gaps[-1])


def _spans(tokenizer: Any, colours: Sequence[str]) -> _Spans:
    before, answer = prompt(_TRIED), target(colours)
    encoded = tokenizer(before + answer, return_offsets_mapping=True)
    found = [(token, start - len(before), end - len(before)) for token, (start, end) in _pieces(encoded)]
    return _Spans(answer, tuple((token, max(start, 0), end) for token, start, end in found if end > 0))


def _pieces(encoded: Mapping[str, Any]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield an encoded text's tokens with their offsets; an end token that a tokenizer adds is left out."""
    for place, (token, (start, end)) in enumerate(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)):
        if start < end or place == 0:
            yield int(token), (int(start), int(end))


def _samples() -> Iterator[list[str]]:
    """Yield palettes that hold every pair of digits, and every digit between letters and between numbers."""
    pairs = [a + b for a, b in itertools.product(_ALPHABET, repeat=2)]
    pairs += pairs[: -len(pairs) % (3 * COLOURS) or None]
    mixed = ["".join(pair) for a in _ALPHABET for pair in ((a, "1"), (a, "a"), (a, "7"), (a, "e"))]
    for names in (pairs, [name for name in mixed for _ in range(3)], [name for name in mixed for _ in range(3)][::-1]):
        colours = ["#" + "".join(names[start : start + 3]) for start in range(0, len(names) - 2, 3)]
        yield from (colours[start : start + COLOURS] for start in range(0, len(colours) - COLOURS + 1, COLOURS))
