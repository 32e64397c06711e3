"""Questions about a scene, with answers that follow from it: nine categories, each in several phrasings.

Some questions take for granted what is not there ("What colour is the star?" where there is no star); the right answer
says so. For every such question there are others of the same form whose premise holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from studio.embeddings.scenes.scenes import COLOURS, SHAPES, Scene, Thing

CLEAR = 0.08
"""How far apart two places must be, as a share of the edge, before a question compares them."""
_TRIES = 6  # a draw may offer nothing although the scene does
BIGGER = 1.3
"""How many times larger a radius must be before a question compares sizes."""


@dataclass(frozen=True)
class Question:
    """A question, its right answer, and what it is about.

    Attributes:
        category: One of `CATEGORIES`.
        answer_type: ``yes/no``, ``number``, ``colour``, ``shape``, ``place`` or ``denial``.
        names: What the question calls the things it speaks of, one or two descriptions, singular.
        first: Indices of the things that the first of them fits.
        second: Indices of those that the second fits.
    """

    text: str
    answer: str
    category: str
    answer_type: str
    names: tuple[str, ...]
    first: tuple[int, ...] = ()
    second: tuple[int, ...] = ()


@dataclass(frozen=True)
class Named:
    """A description of things by shape, by colour, or by both; None is any."""

    shape: str | None
    colour: str | None

    def among(self, things: Sequence[Thing]) -> tuple[int, ...]:
        """Indices of the things it describes."""
        return tuple(
            i for i, thing in enumerate(things)
            if self.shape in (None, thing.shape) and self.colour in (None, thing.colour)
        )  # fmt: skip

    @property
    def one(self) -> str:
        """For one thing: ``red star``, ``star``, ``red shape``."""
        return " ".join(filter(None, (self.colour, self.shape or "shape")))

    @property
    def many(self) -> str:
        """For several: ``red stars``, ``crosses``, ``red shapes``."""
        return self.one + ("es" if self.shape == "cross" else "s")

    @property
    def a(self) -> str:
        """With its article: ``a red star``, ``an orange shape``."""
        return ("an " if self.one[0] in "aeiou" else "a ") + self.one


PHRASES: dict[str, tuple[str, ...]] = {
    "existence": ("Is there {a}?", "Do you see {a}?", "Are there any {many}?", "Can you see {a} here?",
                  "Does the picture show {a}?"),
    "attribute": ("Is the {shape} {colour}?", "Does the {shape} have the colour {colour}?",
                  "Would you call the {shape} {colour}?"),
    "colour": ("What colour is the {one}?", "Which colour does the {one} have?", "What is the colour of the {one}?",
               "Tell me the colour of the {one}.", "What color is the {one}?"),
    "shape": ("What shape is the {colour} one?", "Which shape is {colour}?", "What is the {colour} thing?",
              "What is the shape of the {colour} one?"),
    "count": ("How many {many} are there?", "How many {many} do you see?", "Count the {many}.",
              "What is the number of {many}?"),
    "across": ("Is the {one} on the left or on the right?", "On which side is the {one}, left or right?",
               "Does the {one} lie left or right of the middle?"),
    "down": ("Is the {one} at the top or at the bottom?", "Does the {one} lie in the top or in the bottom half?",
             "Where is the {one}, top or bottom?"),
    "relation": ("Is the {first} {side} the {second}?", "Does the {first} lie {side} the {second}?",
                 "Can you see the {first} {side} the {second}?"),
    "size": ("Is the {first} bigger than the {second}?", "Is the {first} larger than the {second}?",
             "Would you call the {first} bigger than the {second}?"),
    "number": ("Are there more {first} than {second}?", "Do you see more {first} than {second}?"),
}  # fmt: skip
SIDES = {"to the left of": (0, -1), "to the right of": (0, 1), "above": (1, -1), "below": (1, 1)}


def ask(scene: Scene, category: str, random: np.random.Generator) -> Question | None:
    """Ask a question of one of `CATEGORIES`; None when the scene (or this draw) offers none.

    Raises:
        KeyError: There is no such category.
    """
    return _MAKERS[category](scene, random)


def ask_many(
    scene: Scene, count: int, random: np.random.Generator, categories: Sequence[str] | None = None
) -> list[Question]:
    """Ask up to ``count`` different questions, of categories in random order, each as often as ``categories`` has it.

    None stands for all categories. A category the scene offers nothing of is left out; when all were asked, they come
    again.
    """
    categories = CATEGORIES if categories is None else categories
    asked: dict[str, Question] = {}
    for _ in range(count):
        for place in random.permutation(len(categories)):
            tries = (ask(scene, categories[place], random) for _ in range(_TRIES))
            new = next((question for question in tries if question and question.text not in asked), None)
            if new is not None:
                asked[new.text] = new
            if len(asked) == count:
                return list(asked.values())
    return list(asked.values())


def _say(random: np.random.Generator, kind: str, name: Named | None = None, **words: str) -> str:
    phrases = PHRASES[kind]
    forms = {"one": name.one, "many": name.many, "a": name.a} if name else {}
    return phrases[random.integers(len(phrases))].format(**forms, **words)


def _names(thing: Thing) -> tuple[Named, Named, Named]:
    return Named(thing.shape, None), Named(None, thing.colour), Named(thing.shape, thing.colour)


def _absent(scene: Scene, random: np.random.Generator, *, kind: int) -> Named | None:
    """A description of nothing in the scene: a shape (kind 0), a colour (1), or both (2).

    Most of the last kind are near misses: both the shape and the colour are there, but not together.
    """
    shapes, colours = {thing.shape for thing in scene.things}, {thing.colour for thing in scene.things}
    if kind == 0:
        names = [Named(shape, None) for shape in SHAPES if shape not in shapes]
    elif kind == 1:
        names = [Named(None, colour) for colour in COLOURS if colour not in colours]
    else:
        names = [Named(shape, colour) for shape in SHAPES for colour in COLOURS]
        names = [name for name in names if not name.among(scene.things)]
        near = [name for name in names if name.shape in shapes and name.colour in colours]
        names = near if near and random.random() < 0.7 else names
    return names[random.integers(len(names))] if names else None


def _unique(scene: Scene, random: np.random.Generator, kinds: Sequence[int] = (0, 1, 2)) -> tuple[Named, int] | None:
    """A description of exactly one thing, of one of the kinds that `_absent` knows, and the index of the thing."""
    names = {_names(thing)[kind] for thing in scene.things for kind in kinds}
    fitting = sorted((name.one, name) for name in names if len(name.among(scene.things)) == 1)
    if not fitting:
        return None
    name = fitting[random.integers(len(fitting))][1]
    return name, name.among(scene.things)[0]


def _existence(scene: Scene, random: np.random.Generator) -> Question | None:
    kind = int(random.integers(3))
    if random.random() < 0.5:
        name = _names(scene.things[random.integers(len(scene.things))])[kind]
    elif (absent := _absent(scene, random, kind=kind)) is not None:
        name = absent
    else:
        return None
    found = name.among(scene.things)
    return Question(
        _say(random, "existence", name), "yes" if found else "no", "existence", "yes/no", (name.one,), found
    )


def _attribute(scene: Scene, random: np.random.Generator) -> Question | None:
    chosen = _unique(scene, random, (0,))
    if chosen is None:
        return None
    thing = scene.things[chosen[1]]
    others = [each.colour for each in scene.things] if random.random() < 0.5 else list(COLOURS)
    others = [colour for colour in others if colour != thing.colour] or [c for c in COLOURS if c != thing.colour]
    colour = thing.colour if random.random() < 0.5 else others[random.integers(len(others))]
    text = _say(random, "attribute", shape=thing.shape, colour=colour)
    return Question(text, "yes" if colour == thing.colour else "no", "attribute", "yes/no", (thing.shape,), chosen[1:])


def _colour(scene: Scene, random: np.random.Generator) -> Question | None:
    chosen = _unique(scene, random, (0,))
    if chosen is None:
        return None
    name, index = chosen
    answer = scene.things[index].colour
    return Question(_say(random, "colour", name), answer, "colour", "colour", (name.one,), (index,))


def _shape(scene: Scene, random: np.random.Generator) -> Question | None:
    chosen = _unique(scene, random, (1,))
    if chosen is None:
        return None
    thing = scene.things[chosen[1]]
    text = _say(random, "shape", colour=thing.colour)
    return Question(text, thing.shape, "shape", "shape", (thing.colour,), chosen[1:])


def _count(scene: Scene, random: np.random.Generator) -> Question | None:
    draw, thing = random.random(), scene.things[random.integers(len(scene.things))]
    name: Named | None = Named(None, None)
    if draw < 0.1:
        name = _absent(scene, random, kind=int(random.integers(2)))
    elif draw < 0.75:
        name = _names(thing)[random.integers(2)]
    if name is None:
        return None
    found = name.among(scene.things)
    return Question(_say(random, "count", name), str(len(found)), "count", "number", (name.one,), found)


def _position(scene: Scene, random: np.random.Generator) -> Question | None:
    chosen = _unique(scene, random)
    if chosen is None:
        return None
    name, index = chosen
    across = random.random() < 0.5
    off = (scene.things[index].x if across else scene.things[index].y) - 0.5
    if abs(off) < CLEAR:
        return None
    answer = ("left", "right")[off > 0] if across else ("top", "bottom")[off > 0]
    text = _say(random, "across" if across else "down", name)
    return Question(text, answer, "position", "place", (name.one,), (index,))


def _relation(scene: Scene, random: np.random.Generator) -> Question | None:
    first, second = _unique(scene, random), _unique(scene, random)
    if first is None or second is None or first[1] == second[1]:
        return None
    side = tuple(SIDES)[random.integers(4)]
    axis, sign = SIDES[side]
    one, two = ((scene.things[index].x, scene.things[index].y)[axis] for index in (first[1], second[1]))
    if abs(one - two) < CLEAR:
        return None
    text = _say(random, "relation", first=first[0].one, second=second[0].one, side=side)
    answer = "yes" if (one - two) * sign > 0 else "no"
    return Question(text, answer, "relation", "yes/no", (first[0].one, second[0].one), first[1:], second[1:])


def _comparison(scene: Scene, random: np.random.Generator) -> Question | None:
    if random.random() < 0.6:
        first, second = _unique(scene, random), _unique(scene, random)
        if first is None or second is None or first[1] == second[1]:
            return None
        ratio = scene.things[first[1]].radius / scene.things[second[1]].radius
        if 1 / BIGGER < ratio < BIGGER:
            return None
        text = _say(random, "size", first=first[0].one, second=second[0].one)
        pair, answer = (first[0].one, second[0].one), "yes" if ratio > 1 else "no"
        return Question(text, answer, "comparison", "yes/no", pair, first[1:], second[1:])
    kind = int(random.integers(2))
    counts = Counter(_names(thing)[kind] for thing in scene.things)
    names = sorted(counts, key=lambda name: name.one)
    if len(names) < 2:
        return None
    one, two = (names[i] for i in random.choice(len(names), 2, replace=False))
    if counts[one] == counts[two]:
        return None
    text, answer = _say(random, "number", first=one.many, second=two.many), "yes" if counts[one] > counts[two] else "no"
    found = (one.among(scene.things), two.among(scene.things))
    return Question(text, answer, "comparison", "yes/no", (one.one, two.one), *found)


def _false_premise(scene: Scene, random: np.random.Generator) -> Question | None:
    form = ("colour", "shape", "attribute", "across", "down", "relation", "size")[random.integers(7)]
    kind = {"colour": 0, "attribute": 0, "shape": 1}.get(form, int(random.integers(3)))
    name, other = _absent(scene, random, kind=kind), _unique(scene, random)
    if name is None or other is None:
        return None
    words = {"colour": tuple(COLOURS)[random.integers(len(COLOURS))]} if form == "attribute" else {}
    names: tuple[str, ...] = (name.one,)
    found: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    if form in ("relation", "size"):
        pair = [name, other[0]] if random.random() < 0.5 else [other[0], name]
        names, found = (pair[0].one, pair[1].one), (pair[0].among(scene.things), pair[1].among(scene.things))
        words = {"first": names[0], "second": names[1], "side": tuple(SIDES)[random.integers(4)]}
    elif form == "attribute":
        words["shape"] = name.one
    elif form == "shape":
        words["colour"], names = str(name.colour), (str(name.colour),)
    text = _say(random, form, name if form in ("colour", "across", "down") else None, **words)
    return Question(text, f"There is no {name.one}.", "false premise", "denial", names, *found)


_MAKERS: dict[str, Callable[[Scene, np.random.Generator], Question | None]] = {
    "existence": _existence, "attribute": _attribute, "colour": _colour, "shape": _shape, "count": _count,
    "position": _position, "relation": _relation, "comparison": _comparison, "false premise": _false_premise,
}  # fmt: skip
CATEGORIES = tuple(_MAKERS)
