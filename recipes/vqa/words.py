"""Words the model learns beside those of the scenes' own questions: things that no scene holds, and spelling."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np

from studio.embeddings.scenes import questions as scenequestions
from studio.embeddings.scenes.questions import Question
from studio.embeddings.scenes.scenes import COLOURS, SHAPES

THINGS = (
    "dog", "cat", "bird", "fish", "horse", "cow", "car", "bus", "train", "boat", "plane", "bike", "house", "tree",
    "flower", "leaf", "sun", "moon", "cloud", "mountain", "river", "person", "man", "woman", "child", "hand", "face",
    "hat", "shoe", "book", "cup", "table", "chair", "lamp", "door", "window", "ball", "clock", "phone", "key", "apple",
    "banana", "cake", "pizza", "diamond", "arrow", "oval", "line", "letter", "number",
)  # fmt: skip
"""What a question may ask for although no scene holds it."""
NUMBERS = tuple(str(number) for number in range(10))
_ANSWERS = ("yes", "no", "there", "is", "a", "an", "left", "right", "top", "bottom")


def words() -> list[str]:
    """Every word of a question or an answer, lower case, once."""
    phrases = " ".join(phrase for kind in scenequestions.PHRASES.values() for phrase in kind)
    spoken = re.findall(r"[a-z]+", re.sub(r"{\w+}", " ", phrases).lower())
    sides = " ".join(scenequestions.SIDES).split()
    plural = [name + ending for name in (*SHAPES, "shape", *THINGS) for ending in ("", "s")] + ["crosses"]
    return list(dict.fromkeys([*_ANSWERS, *NUMBERS, *COLOURS, *spoken, *sides, *plural]))


def estrange(question: Question, random: np.random.Generator) -> Question:
    """Ask a question whose right answer is that nothing of the kind is there for a thing that no scene holds."""
    thing = THINGS[random.integers(len(THINGS))]
    if question.category == "existence" and question.answer == "no":
        names: Iterator[str] = iter(SHAPES)
    elif question.category == "false premise":
        names = iter([question.answer.removeprefix("There is no ").removesuffix(".")])
    else:
        return question
    for name in names:
        text = re.sub(rf"\b{name}(es|s)?\b", lambda found: thing + ("s" if found.group(1) else ""), question.text)
        if text != question.text:
            text = re.sub(r"\b(a|an) (?=" + thing + ")", "an " if thing[0] in "aeiou" else "a ", text)
            answer = f"There is no {thing}." if question.answer_type == "denial" else question.answer
            called = tuple(each.replace(name, thing) for each in question.names)
            return dataclasses.replace(question, text=text, answer=answer, names=called)
    return question
