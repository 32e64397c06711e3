"""Scenes are what their styles promise, and answers follow from them by a check that shares nothing with the asking."""

from __future__ import annotations

import re
from collections import Counter
from colorsys import rgb_to_hsv
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio.embeddings.scenes.questions import BIGGER, CATEGORIES, CLEAR, PHRASES, Question, ask, ask_many
from studio.embeddings.scenes.scenes import (
    COLOURS,
    HELD_OUT,
    SHAPES,
    STYLES,
    TRAINING,
    Scene,
    Style,
    Thing,
    compose,
    draw,
    outline_points,
)

BOTH = pytest.mark.parametrize("style", [TRAINING, HELD_OUT], ids=lambda style: style.name)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def matching(scene: Scene, words: str) -> list[Thing]:
    """The things that a description such as ``red crosses`` fits, read from its words."""
    found = list(scene.things)
    for word in words.split():
        if word in COLOURS:
            found = [thing for thing in found if thing.colour == word]
        elif word.rstrip("s") not in ("shape", "one", "thing"):
            name = "cross" if word.startswith("cross") else word.rstrip("s")
            assert name in SHAPES, words
            found = [thing for thing in found if thing.shape == name]
    return found


NAME = r"((?:(?:red|orange|yellow|green|blue|purple|pink|brown) )?(?:\w+))"
SIDE = "(to the left of|to the right of|above|below)"


def right_answer(scene: Scene, question: str) -> str:
    """Answer a question by reading it, as a person would who sees the scene's list."""

    def read(pattern: str) -> tuple[str, ...] | None:
        found = re.search(pattern, question)
        return found.groups() if found else None

    def denial(*names: str) -> str | None:
        missing = [name for name in names if not matching(scene, name)]
        return f"There is no {missing[0]}." if missing else None

    def only(name: str) -> Thing:
        (thing,) = matching(scene, name)
        return thing

    if found := read(rf"more {NAME} than {NAME}\?"):
        return "yes" if len(matching(scene, found[0])) > len(matching(scene, found[1])) else "no"
    if found := read(rf"the {NAME} (?:bigger|larger) than the {NAME}\?"):
        return denial(*found) or ("yes" if only(found[0]).radius > only(found[1]).radius else "no")
    if found := read(rf"the {NAME}(?: lie)? {SIDE} the {NAME}\?"):
        if said := denial(found[0], found[2]):
            return said
        one, two = only(found[0]), only(found[2])
        holds = {"above": one.y < two.y, "below": one.y > two.y, "to the left of": one.x < two.x}
        return "yes" if holds.get(found[1], one.x > two.x) else "no"
    if re.search("left|right", question):
        (name,) = read(rf"the {NAME}(?:,| lie| on)") or ("",)
        return denial(name) or ("left" if only(name).x < 0.5 else "right")
    if re.search("top|bottom", question):
        (name,) = read(rf"the {NAME}(?:,| lie| at)") or ("",)
        return denial(name) or ("top" if only(name).y < 0.5 else "bottom")
    if found := read(rf"(?:How many|Count the|number of) {NAME}"):
        return str(len(matching(scene, found[0])))
    found = read(r"the (\w+) (?:have the colour )?(\w+)\?$")
    if found and found[0] in SHAPES and found[1] in COLOURS:
        return denial(found[0]) or ("yes" if only(found[0]).colour == found[1] else "no")
    if re.search("colour|color", question):
        (name,) = read(r"the (\w+)(?:\?|\.| have)") or ("",)
        return denial(name) or only(name).colour
    if found := read(r"^W.*\b(red|orange|yellow|green|blue|purple|pink|brown)\b"):
        return denial(f"{found[0]} shape") or only(found[0]).shape
    (name,) = read(rf"(?:an?|any) {NAME}(?: here)?\?") or ("",)
    return "yes" if matching(scene, name) else "no"


@BOTH
def test_every_answer_follows_from_the_scene(style: Style) -> None:
    draws, seen = random(1), Counter[str]()
    for _ in range(150):
        scene = compose(draws, style, 1, 8)
        for question in ask_many(scene, 9, draws):
            assert right_answer(scene, question.text) == question.answer, (question, scene)
            seen[question.category] += 1
    assert set(seen) == set(CATEGORIES) and min(seen.values()) > 50


def test_answers_within_a_category_are_balanced_and_every_phrasing_is_used() -> None:
    draws, answers, texts = random(2), Counter[tuple[str, str]](), list[str]()
    for _ in range(400):
        for question in ask_many(compose(draws, TRAINING, 2, 8), 6, draws):
            answers[question.category, question.answer] += 1
            texts.append(question.text)
    for category in ("existence", "attribute", "relation", "comparison"):
        yes, no = answers[category, "yes"], answers[category, "no"]
        assert 0.4 < yes / (yes + no) < 0.6, category
    assert all(answers["colour", colour] for colour in COLOURS) and all(answers["shape", shape] for shape in SHAPES)
    for phrase in (phrase for phrases in PHRASES.values() for phrase in phrases):
        pattern = re.sub(r"\\{\w+\\}", ".+", re.escape(phrase))
        assert any(re.fullmatch(pattern, text) for text in texts), phrase


def test_a_form_whose_premise_fails_also_occurs_with_one_that_holds() -> None:
    draws = random(3)
    asked = [q for _ in range(300) for q in ask_many(compose(draws, TRAINING, 2, 8), 6, draws)]
    for form in ("What colour", "Which shape", "Is the .* green", "on the left or", "to the left of", "bigger than"):
        denied = [q.category == "false premise" for q in asked if re.search(form, q.text)]
        assert 0.08 < sum(denied) / len(denied) < 0.65, form


def test_questions_ask_nothing_that_cannot_be_seen() -> None:
    draws, close = random(4), 0
    for _ in range(200):
        scene = compose(draws, TRAINING, 2, 8)
        things = scene.things
        for question in ask_many(scene, 9, draws, ["position", "relation", "comparison"]):
            first, second = ([things[i] for i in part] for part in (question.first, question.second))
            if question.category == "position":
                off = first[0].x - 0.5 if question.answer in ("left", "right") else first[0].y - 0.5
                assert abs(off) >= CLEAR
            elif question.category == "relation":
                gap = (first[0].x - second[0].x) if re.search("left|right", question.text) else first[0].y - second[0].y
                assert abs(gap) >= CLEAR
                close += abs(gap) < 2 * CLEAR
            elif re.search("bigger|larger", question.text):
                ratio = first[0].radius / second[0].radius
                assert max(ratio, 1 / ratio) >= BIGGER
    assert close > 5


@BOTH
def test_things_keep_to_their_style_lie_within_the_picture_and_do_not_touch(style: Style) -> None:
    draws = random(5)
    for _ in range(60):
        things = compose(draws, style, 3, 8).things
        assert len(things) >= 3
        for index, thing in enumerate(things):
            assert style.radius[0] <= thing.radius <= style.radius[1] and abs(thing.angle) <= style.angle
            assert thing.radius < thing.x < 1 - thing.radius and thing.radius < thing.y < 1 - thing.radius
            for other in things[:index]:
                apart = np.hypot(thing.x - other.x, thing.y - other.y)
                assert apart > thing.radius + other.radius


def test_the_same_seed_gives_the_same_scene_picture_and_questions() -> None:
    scenes = [compose(random(seed), HELD_OUT) for seed in (6, 6, 7)]
    assert scenes[0] == scenes[1] != scenes[2]
    pictures = [draw(scene).tobytes() for scene in scenes]
    assert pictures[0] == pictures[1] != pictures[2]
    assert ask_many(scenes[0], 6, random(8)) == ask_many(scenes[1], 6, random(8))


def test_the_styles_share_nothing_that_is_drawn() -> None:
    assert STYLES == {"training": TRAINING, "held-out": HELD_OUT}
    for part in ("backgrounds", "fills"):
        assert not set(getattr(TRAINING, part)) & set(getattr(HELD_OUT, part))
    assert set(TRAINING.outlines) & set(HELD_OUT.outlines) == {"none"}
    assert HELD_OUT.angle > TRAINING.angle and HELD_OUT.radius < TRAINING.radius and HELD_OUT.tint > TRAINING.tint
    thing = Thing("circle", "red", 0.5, 0.5, 0.3, 0.0)
    plain, other = (draw(Scene((thing,), name, 3)) for name in STYLES)
    assert np.abs(pixels(plain) - pixels(other)).mean() > 3


def pixels(picture: Image.Image) -> NDArray[np.float64]:
    return np.asarray(picture, np.float64)


@BOTH
@pytest.mark.parametrize("colour", COLOURS)
def test_a_thing_is_drawn_where_it_is_in_its_colour(style: Style, colour: str) -> None:
    for seed in range(6):
        thing = Thing("square", colour, 0.3, 0.7, 0.12, 0.0)
        with_it, without = pixels(draw(Scene((thing,), style.name, seed))), pixels(draw(Scene((), style.name, seed)))
        centre = with_it[145:168, 56:79].mean((0, 1))
        (hue, _, light), (meant, _, _) = (rgb_to_hsv(*(rgb / 255)) for rgb in (centre, np.array(COLOURS[colour])))
        assert min(abs(hue - meant), 1 - abs(hue - meant)) < 0.05
        assert (light < 0.62) == (colour == "brown") or colour not in ("brown", "orange")
        if style.tint == 0:  # a tint is drawn after the things, from where they left the seed
            assert (with_it[:, 130:] == without[:, 130:]).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_have_about_the_same_size_and_are_told_apart(shape: str) -> None:
    assert np.hypot(*outline_points(shape).T).max() <= 1.1
    masks = {}
    for name in SHAPES:
        picture = draw(Scene((Thing(name, "red", 0.5, 0.5, 0.4, 0.0),), "training", 4))
        red = pixels(picture)
        masks[name] = (red[..., 0] - red[..., 1]) > 60
        assert 0.1 < masks[name].mean() < 0.5
    others = [np.logical_xor(masks[shape], masks[name]).mean() for name in SHAPES if name != shape]
    assert min(others) > 0.02


def test_an_unknown_shape_or_category_is_refused() -> None:
    with pytest.raises(KeyError):
        outline_points("dodo")
    with pytest.raises(KeyError):
        ask(compose(random(), TRAINING), "weather", random())


def test_a_scene_without_what_a_category_asks_of_offers_nothing() -> None:
    twins = (Thing("star", "red", 0.3, 0.3, 0.1, 0.0), Thing("star", "red", 0.7, 0.7, 0.1, 0.0))
    scene = Scene(twins, "training", 0)
    for category in ("colour", "shape", "attribute", "relation", "position"):
        assert ask(scene, category, random()) is None
    asked = ask_many(scene, 12, random(1))
    assert {question.category for question in asked} <= {"existence", "count", "false premise"}
    assert len({question.text for question in asked}) == len(asked) == 12
    one = replace(scene, things=twins[:1])
    questions = [ask(one, "attribute", random(seed)) for seed in range(9)]
    assert {question.answer for question in questions if isinstance(question, Question)} == {"yes", "no"}
