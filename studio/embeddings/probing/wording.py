"""Words of short answers: tokens, clauses, numbers, yes and no, denial; English only."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

Tokens = tuple[str, ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TOKEN = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
_CLAUSE = re.compile(r"[!?;\n]|[.,:](?!\d)|\b(?:but|although|though|however|whereas)\b")
_SENTENCE = re.compile(r"[!?\n]|\.(?!\d)")
_SPELT = re.compile(r"^\W*(?:(y\W+e\W+s)|(n\W+o))\W*$")
_NUMERAL = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")

_YES, _NO = _words("yes yeah yep yup true"), _words("no nope nah false")
_DENIALS = _words("no none nothing nobody neither nowhere")
_NEGATORS = _DENIALS | _words("not never without nor cannot")
_DENYING = re.compile(
    r"\bthere (?:(?:is|are|was|were) not\b|(?:isn|aren|wasn|weren)'t\b)"
    r"|\bnot (?:any|present|visible|shown|there|in the (?:picture|image|photo|scene))\b"
    r"|\b(?:do not|does not|don't|doesn't|cannot|can't) (?:have|show|contain|exist|appear|include|see)\b"
)
_TELL = r"(?:tell|say|determine|know|answer|identif|infer|judg)\w*"
_HEDGE = re.compile(
    r"(?:\bnot|n't) (?:sure|certain|clear|enough information|known)\b"
    r"|\b(?:unsure|unclear|uncertain|unknown|unanswerable)\b"
    r"|\b(?:don't|do not) know\b|\binsufficient information\b"
    rf"|\b(?:(?:unable|impossible|possible|hard|difficult) to|can't|cannot|can not|couldn't|could not) (?:be )?{_TELL}"
)

_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_SMALL = {word: number for number, word in enumerate(_TO_NINETEEN.split())}
_FROM_TWENTY = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * at for at, word in enumerate(_FROM_TWENTY.split(), 2)}
_MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
_NUMBER_WORDS = {*_SMALL, *_TENS, *_MULTIPLES}
_NOT_COUNTING = _words("no the this that which another each any some every other")
"""Before *one* they make it a pronoun."""

_EMPTY = _words(
    "is are was were be been being there here it its it's this that these those of in on at to for from with by and or "
    "as do does did has have had can could will would should may might must any some what which who whom whose how "
    "many much when where why you your i we they he she them his her image picture photo photograph scene shown "
    "visible see seen answer yes no not a an the"
)
"""Words that carry no meaning of their own in a question or an answer."""
_ARTICLES = _words("a an the")
_AUXILIARIES = _words("is are was were do does did has have had can could will would should")


def plain(text: str) -> str:
    """Return text in lower case and one form, with a yes or no that was spelt letter by letter, ``y, e, s``, mended."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'").replace("‘", "'").strip()
    spelt = _SPELT.match(text)
    return text if spelt is None else "yes" if spelt[1] else "no"


def tokens(text: str) -> Tokens:
    """Return the words and numbers of plain text; ``1,000``, ``10:30`` and ``3rd`` are one each."""
    return tuple(_TOKEN.findall(text))


def clauses(text: str) -> list[Tokens]:
    """Return the tokens of each clause of plain text; a negation reaches no further than its own."""
    return [found for part in _CLAUSE.split(text) if (found := tokens(part))]


def stem(word: str) -> str:
    """Return a word without the ending of a plural."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def stems(words: Iterable[str]) -> Tokens:
    """Return the stems of words, articles left out."""
    return tuple(stem(word) for word in words if word not in _ARTICLES)


def content(text: str) -> frozenset[str]:
    """Return the stems of the words of plain text that carry meaning; numbers are not among them."""
    words = (word for word in tokens(text) if word not in _EMPTY and word not in _NUMBER_WORDS)
    return frozenset(stem(word) for word in words if not word[0].isdigit())


def aliases(truth: str) -> list[str]:
    """Return the truths written in one field, plain: a JSON list, or parted by ``|`` or ``;``."""
    if truth.lstrip().startswith("["):
        try:
            found = json.loads(truth)
        except ValueError:
            found = None  # a truth that only begins like a list
        if isinstance(found, list):
            return [text for one in found if (text := plain(str(one)))]
    return [text for one in re.split(r"[|;]", truth) if (text := plain(one))]


def numbers(text: str) -> list[float]:
    """Return the numbers of plain text, in digits or words, in order; times, fractions and ordinals are none."""
    found: list[float] = []
    words: list[str] = []
    before = ""
    for token in (*tokens(text), ""):
        counting = token in _NUMBER_WORDS and not (token == "one" and before in _NOT_COUNTING)
        if words and not (_goes_on(words[-1], token) if counting else _joins(words[-1], token)):
            found.append(_value(words))
            words = []
        if counting:
            words.append(token)
        elif _NUMERAL.fullmatch(token):
            found.append(float(token.replace(",", "")))
        before = token
    return found or [1.0] * ("single" in tokens(text))


def _goes_on(last: str, word: str) -> bool:
    """Whether a number word goes on with the number before it: *twenty one*, *two hundred*, *hundred five*."""
    return word in _MULTIPLES or last in _MULTIPLES or (last in _TENS and 0 < _SMALL.get(word, 0) < 10)


def _joins(last: str, word: str) -> bool:
    return word == "and" and last in _MULTIPLES


def _value(words: Sequence[str]) -> float:
    whole = part = 0
    for word in words:
        if word in _MULTIPLES:
            part = max(part, 1) * _MULTIPLES[word]
            if _MULTIPLES[word] >= 1000:
                whole, part = whole + part, 0
        else:
            part += _SMALL.get(word, 0) + _TENS.get(word, 0)
    return float(whole + part)


def is_number(text: str) -> bool:
    """Whether plain text is one number and nothing else."""
    allowed = {*_NUMBER_WORDS, "and", "single"}
    return len(numbers(text)) == 1 and all(word in allowed or word[0].isdigit() for word in tokens(text))


def hedges(text: str) -> bool:
    """Whether plain text says that it cannot be told; what begins with yes or no tells."""
    return bool(_HEDGE.search(text)) and begins_with_yes_or_no(text) is None


def denies(text: str) -> bool:
    """Whether plain text says that something is not there."""
    return bool(_DENIALS.intersection(tokens(text)) or _DENYING.search(text))


def negated(clause: Sequence[str], at: int) -> bool:
    """Whether one of the three words before a place in a clause negates it."""
    return any(map(_negates, clause[max(0, at - 3) : at]))


def asks_yes_or_no(question: str) -> bool:
    """Whether a plain question begins as one that is answered with yes or no, and offers no choice."""
    words = tokens(question)
    return bool(words) and words[0] in _AUXILIARIES and "or" not in words


def begins_with_yes_or_no(text: str) -> bool | None:
    """Return True for plain text that begins with yes as a word of its own, False for no, None for neither or both."""
    words = next(iter(clauses(text)), ("",))
    if words[0] not in _YES | _NO or (words[1:] and words[1] in ("and", "or")):
        return None
    return words[0] in _YES


def says_yes_or_no(text: str, question: str) -> bool | None:
    """Return what plain text answers to a plain yes-or-no question: True, False, or None when it cannot be told.

    A yes or no at the beginning decides; then one alone in the first sentence; then a negation there, which is no; and
    a sentence without any that holds every meaningful word of the question says yes.
    """
    sentence = next((part for part in _SENTENCE.split(text) if tokens(part)), "")
    first, words = begins_with_yes_or_no(sentence), tokens(sentence)
    if first is not None:
        return first
    yes, no = bool(_YES.intersection(words)), bool(_NO.intersection(words))
    if yes or no:
        return None if yes and no else yes
    if any(map(_negates, words)):
        return False
    asked = content(question)
    return True if asked and asked <= content(sentence) else None


def _negates(word: str) -> bool:
    return word in _NEGATORS or word.endswith("n't")
