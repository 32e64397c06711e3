"""What words mean as a grade, as far as the table of looks can honestly say.

The studio uses this beside a judge: :func:`match` names the looks nearest to a prompt and the words it does not
know, :func:`agreement` is the analytic check of a graded picture against such a look. Neither asks a model.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from torch import Tensor

from studio.grading.looktable import LOOKS, Look
from studio.grading.looktransform import PARAMETER_COUNT, PARAMETERS, Agreement, agreement, apply, vector

__all__ = [
    "LOOKS",
    "PARAMETERS",
    "PARAMETER_COUNT",
    "STRENGTHS",
    "Agreement",
    "Look",
    "Match",
    "agreement",
    "apply",
    "match",
    "vector",
]

STRENGTHS: dict[str, float] = {
    "subtle": 0.55, "slightly": 0.5, "slight": 0.5, "gently": 0.6, "a touch of": 0.5, "a hint of": 0.45,
    "a little": 0.55, "somewhat": 0.65, "barely": 0.4, "faintly": 0.4, "mildly": 0.6, "strong": 1.35,
    "strongly": 1.35, "heavy": 1.4, "intense": 1.4, "intensely": 1.4, "very": 1.3, "extremely": 1.5,
    "extreme": 1.5, "really": 1.25, "super": 1.35, "heavily": 1.4, "full": 1.1,
}  # fmt: skip
"""Words of strength, and what they multiply the grade after them by."""

_TWO_LOOKS = 0.8  # each of two joined looks keeps this much of its strength
_FILLER_WORDS = (
    "a an and the of in with to by on for at it this that my i me is as like please make turn give want should feel"
    " feels feeling look looks looking style styled mood vibe vibes atmosphere ambience aesthetic tone tones toned"
    " color colors colour colours coloring grade graded grading palette photo picture image film movie scene shot"
    " lighting light effect filter tint touch hint little but also plus meets more overall some bit"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
_ENDINGS = ("ish", "toned", "like", "tone", "ness", "ly", "ed", "y", "s")
_PHRASES: dict[tuple[str, ...], Look] = {tuple(phrase.split()): look for look in LOOKS for phrase in look.phrases}
_STRENGTH_WORDS = {tuple(words.split()): factor for words, factor in STRENGTHS.items()}
_LONGEST = max(len(phrase) for phrase in (*_PHRASES, *_STRENGTH_WORDS))
_SINGLE = {phrase[0]: look for phrase, look in _PHRASES.items() if len(phrase) == 1}


def _single_hints() -> dict[str, Look]:
    """Words that occur in the longer phrases of exactly one look."""
    owners: dict[str, set[str]] = {}
    for phrase, look in _PHRASES.items():
        for word in phrase:
            owners.setdefault(word, set()).add(look.name)
    named = {look.name: look for look in LOOKS}
    return {
        word: named[next(iter(names))]
        for word, names in owners.items()
        if len(names) == 1 and word not in _FILLERS and len(word) > 3
    }


_HINTS = _single_hints()


@dataclass(frozen=True)
class Match:
    """How a prompt reads as known looks.

    ``looks`` are (look, similarity in (0, 1]), in the order of the prompt; 1 means the prompt has one of the look's
    own phrases, less that a word only resembles one. ``unknown`` are the words that said nothing. ``parameters``
    has shape (PARAMETER_COUNT,): the looks at their spoken strengths, joined.
    """

    looks: list[tuple[Look, float]]
    unknown: tuple[str, ...]
    parameters: Tensor


def match(prompt: str) -> Match | None:
    """Read a prompt: known phrases, words of strength before them, joined looks; None if nothing is known."""
    words = re.findall(r"[^\W_]+", prompt.lower())
    found: list[tuple[Look, float, float]] = []
    unknown: list[str] = []
    strength, position = 1.0, 0
    while position < len(words):
        length, look, factor = _read_at(words, position)
        if look is not None:
            found.append((look, 1.0, strength))
            strength = 1.0
        elif factor is not None:
            strength *= factor
        elif words[position] not in _FILLERS:
            near = _resembles(words[position])
            if near is None:
                unknown.append(words[position])
            else:
                found.append((*near, strength))
                strength = 1.0
        position += length
    found = _without_frame(found)
    if not found:
        return None
    share = 1.0 if len(found) == 1 else 2 * _TWO_LOOKS / len(found)
    parameters = vector()
    for look, _, factor in found:
        parameters = parameters + look.parameters * factor * share
    return Match([(look, near) for look, near, _ in found], tuple(unknown), parameters)


def _read_at(words: list[str], position: int) -> tuple[int, Look | None, float | None]:
    """The longest known phrase or word of strength at a position: its length, its look or its factor."""
    for length in range(min(_LONGEST, len(words) - position), 0, -1):
        phrase = tuple(words[position : position + length])
        if phrase in _PHRASES:
            return length, _PHRASES[phrase], None
        if phrase in _STRENGTH_WORDS:
            return length, None, _STRENGTH_WORDS[phrase]
    return 1, None, None


def _resembles(word: str) -> tuple[Look, float] | None:
    """The look a single word comes near to: by its ending, by a misspelling, or as part of a longer phrase."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        for form in (stem, stem + "e", stem + "y"):
            if stem != word and len(stem) > 2 and form in _SINGLE:
                return _SINGLE[form], 0.8
    if word in _HINTS:
        return _HINTS[word], 0.5
    close = difflib.get_close_matches(word, _SINGLE, n=1, cutoff=0.86) if len(word) > 4 else []
    return (_SINGLE[close[0]], 0.7) if close else None


def _without_frame(found: list[tuple[Look, float, float]]) -> list[tuple[Look, float, float]]:
    """Once per look; and "cinematic" beside another look is only a manner of speaking."""
    once = list({look.name: (look, near, factor) for look, near, factor in reversed(found)}.values())[::-1]
    others = [entry for entry in once if entry[0].name != "cinematic"]
    return others or once
