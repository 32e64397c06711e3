"""ScienceQA as LLaVA's conversations: one JSON list, or JSON lines.

A record has ``id``, ``image`` (a path, absent for a question of text alone) and ``conversations``: what ``human`` says
and what ``gpt`` answers. In the lines, ``instruction`` and ``output`` may stand in their place, or ``text`` alone for
a question without an answer. What human says is taken apart into question, ``Context:`` and choices, which are
``Options: (A) ... (B) ...`` or lines that begin with ``A.``, ``B.`` ...; without choices it is a free question. The
answer is ``The answer is X.``, ``ANSWER: X.`` or the letter alone; what stands beside it is lecture (``LECTURE:``) and
solution (``SOLUTION:``, ``BECAUSE:`` or nothing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from studio.scienceqa.questions.checking import MOST_TEXT, Raw, split_of
from studio.scienceqa.questions.record import LETTERS, Unusable

_SECTION = re.compile(r"^(Question|Context|Options|BECAUSE):[ \t]*", re.MULTILINE)
_EXPLANATION = re.compile(r"(?<!\S)(LECTURE|SOLUTION|BECAUSE):[ \t]*")
_ANSWER = re.compile(r"(?:The answer is|ANSWER:)[ \t]*\(?([A-J])\b\)?\.?")
_BARE = re.compile(r"\(?([A-J])\)?(?:\.?|\.[ \n].*)", re.DOTALL)
_REQUEST = re.compile(r"\nAnswer with the option's letter[^\n]*\Z")
_ROLES = ({"human", "user"}, {"gpt", "assistant"})


def records(items: Iterable[tuple[int, Any]], split: str = "") -> Iterator[Raw]:
    """Yield the records of a file.

    Args:
        items: Their numbers, from 1, and what stands there, or a `ValueError` that says why nothing does.
        split: The split that the file's name says, if any.
    """
    for number, item in items:
        place = f"record {number}"
        if not isinstance(item, Mapping):
            yield Raw(
                place,
                None,
                {},
                split,
                trouble=Unusable(str(item) if isinstance(item, ValueError) else "It is no object."),
            )
            continue
        pid = item.get("id", item.get("question_id"))
        own = split_of(item.get("split")) or split
        image = item.get("image") or None
        names = (image, f"{own}/{image}", f"images/{own}/{image}", f"images/{image}")
        try:
            fields = _fields(*_turns(item))
            yield Raw(place, pid, fields, own, names if isinstance(image, str) else image)
        except Unusable as error:
            yield Raw(place, pid, {}, own, trouble=error)


def _turns(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is asked and what is answered."""
    turns = item.get("conversations")
    if turns is None:
        turns = [
            {"from": "human", "value": item.get("instruction", item.get("text"))},
            {"from": "gpt", "value": item.get("output", "")},
        ]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, Mapping) for turn in turns):
        raise Unusable("It has no conversation.")
    if len(turns) > 2:
        raise Unusable(f"It has {len(turns)} turns; a question has one, and its answer another.")
    said = [turn.get("value") for turn in turns] + [""]
    for turn, roles, words in zip(turns, _ROLES, said, strict=False):
        if turn.get("from") not in roles or not isinstance(words, str):
            raise Unusable("Its conversation is not what human says and gpt answers.")
        if len(words) > MOST_TEXT:
            raise Unusable(f"A turn has {len(words):,} characters, and {MOST_TEXT:,} are allowed.")
    return said[0], said[1]


def _fields(asked: str, answered: str) -> dict[str, Any]:
    asked = _REQUEST.sub("", asked.replace("<image>", "").strip())
    sections = _sections(_SECTION, asked)
    explained = sections.pop("BECAUSE", "")
    if "Options" in sections:
        choices = _lettered(sections.pop("Options"), r"(?<!\S)\({}\)\s+")
        if not choices:
            raise Unusable("Its options are not (A), (B) and so on.")
    else:  # in lines, below whatever comes last
        last = [*sections][-1]
        sections[last], choices = _below(sections[last])
    question = sections.get("Question") or sections.get("", "")
    hint = sections.get("Context", "")
    if not question:  # the context first, and no word before the question
        hint, _, question = hint.rpartition("\n")
    fields: dict[str, Any] = {"question": question, "hint": "" if hint.strip() == "N/A" else hint}
    if not choices:
        return fields | {"solution": answered}
    fields |= {"choices": choices, **_answer(answered)}
    return fields | ({"solution": explained} if explained and not fields["solution"] else {})


def _sections(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """Return what stands under each word that the pattern finds, in order; what comes first stands under ''."""
    first, *others = pattern.split(text)
    found = {"": first.strip()}
    for word, body in zip(others[::2], others[1::2], strict=True):
        found[word] = f"{found[word]}\n{word}: {body}".strip() if word in found else body.strip()
    return found


def _lettered(text: str, mark: str) -> list[str]:
    """Return the texts between marks for A, B, C ..., as many as follow one another from the beginning."""
    choices = [text]
    for letter in LETTERS:
        before, *after = re.split(mark.format(letter), choices[-1], maxsplit=1, flags=re.MULTILINE)
        if not after or (letter == "A" and before.strip()):
            break
        choices[-1:] = [before.strip(), after[0].strip()]
    return choices[1:]


def _below(text: str) -> tuple[str, list[str]]:
    """Part lines that begin with ``A.``, ``B.`` ... from what stands above them."""
    start = re.search(r"^A[.)][ \t]+", text, re.MULTILINE)
    choices = [] if start is None else _lettered(text[start.start() :], r"^{}[.)][ \t]+")
    return (text[: start.start()].strip(), choices) if start and len(choices) > 1 else (text, [])


def _answer(text: str) -> dict[str, Any]:
    """Return answer, lecture and solution of what is answered."""
    text = text.strip()
    letters = set(_ANSWER.findall(text))
    if not letters and (bare := _BARE.fullmatch(text)):
        letters, text = {bare[1]}, ""
    if len(letters) > 1 or (not letters and text not in ("", "Answer:")):
        raise Unusable(f"Its answer names {'several choices' if letters else 'no choice'}.")
    if not letters:
        return {"answer": None, "solution": ""}
    explained = _sections(_EXPLANATION, _ANSWER.sub("", text).replace("###", "").strip())
    solution = "\n".join(filter(None, (explained.get(name) for name in ("", "SOLUTION", "BECAUSE"))))
    return {"answer": LETTERS.index(letters.pop()), "lecture": explained.get("LECTURE"), "solution": solution}
