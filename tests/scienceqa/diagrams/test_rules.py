"""The right answers, worked out once more from what stands where in the picture, over hundreds of draws."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.record import Box, Drawn
from tests.scienceqa.diagrams.looking import chosen, glyphs, items, middle, phrase, quantities

DRAWS = 150


def many(family: str, seed: int = 11) -> Iterator[Drawn]:
    rng = np.random.default_rng(seed)
    for i in range(DRAWS):
        yield draw(family, rng, "held-out" if i % 3 == 0 else "training")


def test_magnets_attract_when_their_facing_poles_differ() -> None:
    for drawn in many("attract"):
        down = drawn.picture.height > drawn.picture.width
        poles = sorted(glyphs(drawn, "pole"), key=lambda glyph: middle(glyph.box)[down])
        assert len(poles) == 4 and poles[0].text != poles[1].text and poles[2].text != poles[3].text
        expected = "repel" if poles[1].text == poles[2].text else "attract"
        assert expected in chosen(drawn).lower()
        assert [fact.value for fact in drawn.facts] == [poles[1].text, poles[2].text]
        assert [fact.boxes[0] for fact in drawn.facts] == [poles[1].box, poles[2].box]


def test_particles_move_away_from_the_side_that_loses_them() -> None:
    for drawn in many("membrane"):
        tanks = [item.box for item in items(drawn, "tank")]
        left = []
        for (x0, y0, x1, y1), wall in zip(tanks, items(drawn, "membrane"), strict=True):
            inside = [middle(item.box) for item in items(drawn, "ball")]
            inside = [(x, y) for x, y in inside if x0 < x < x1 and y0 < y < y1]
            left.append((sum(x < wall.box[0] for x, _ in inside), sum(x > wall.box[2] for x, _ in inside)))
        (before, other), (after, later) = left
        assert before + other == after + later and before != after
        assert [int(fact.value) for fact in drawn.facts] == [before, other, after, later]
        assert f"to the {'right' if after < before else 'left'}" in chosen(drawn).split(" than")[0]


def test_the_deeper_fossil_is_the_older_one() -> None:
    for drawn in many("layers"):
        depth = {}
        for choice in drawn.question.choices:
            [box] = phrase(drawn, choice.removeprefix("the "))
            depth[choice] = middle(box)[1]
        older = "older" in drawn.question.question
        assert chosen(drawn) == (max if older else min)(depth, key=lambda choice: depth[choice])
        for fact in drawn.facts:
            assert fact.value in {choice.removeprefix("the ") for choice in drawn.question.choices}


def test_only_the_right_place_lies_in_the_row_or_column() -> None:
    for drawn in many("grid"):
        kind, name = drawn.question.question.rstrip("?").replace(" of the map", "").split()[-2:]
        along = kind == "row"
        heads = [glyph for glyph in drawn.glyphs if len(glyph.text) == 1 and glyph.text in "12345ABCDE"]
        assert kind in ("row", "column") and name in {glyph.text for glyph in heads}
        same = [glyph for glyph in heads if glyph.text.isdigit() == name.isdigit()]
        places = {choice: middle(phrase(drawn, choice.removeprefix("the "))[0]) for choice in drawn.question.choices}
        nearest = {
            choice: min(same, key=lambda glyph: abs(middle(glyph.box)[along] - point[along])).text
            for choice, point in places.items()
        }  # fmt: skip
        assert [choice for choice in nearest if nearest[choice] == name] == [chosen(drawn)]


def test_offspring_are_counted_from_the_alleles_at_the_edges() -> None:
    for drawn in many("punnett"):
        single = [glyph for glyph in glyphs(drawn, "allele") if len(glyph.text) == 1]
        pairs = [glyph for glyph in glyphs(drawn, "allele") if len(glyph.text) == 2]
        assert len(single) == 4 and len(pairs) == 4
        for pair in pairs:
            x, y = middle(pair.box)
            column = min(single, key=lambda glyph: abs(middle(glyph.box)[0] - x))
            row = min(single, key=lambda glyph: abs(middle(glyph.box)[1] - y))
            assert sorted(pair.text) == sorted(column.text + row.text)
        assert drawn.question.choices[drawn.question.answer or 0] == offspring(drawn, [pair.text for pair in pairs])


def offspring(drawn: Drawn, cells: list[str]) -> str:
    """The right choice, from the genotypes and the words of the question and the hint."""
    question, hint = drawn.question.question, drawn.question.hint
    big = next(cell for cell in "".join(cells).upper())
    pure, hidden, mixed = cells.count(big * 2), cells.count(big.lower() * 2), cells.count(big + big.lower())
    for name, count in (("homozygous dominant", pure), ("homozygous recessive", hidden), ("heterozygous", mixed)):
        if name in question:
            return f"{count}/4"
    dominant, recessive = traits(hint, big)
    shown = pure + mixed
    if "/" in drawn.question.choices[0]:
        return f"{shown}/4" if named(question, dominant, recessive) else f"{4 - shown}/4"
    first = named(question.split(" to ")[0].split(" compare")[0], dominant, recessive)
    return f"{shown}:{4 - shown}" if first else f"{4 - shown}:{shown}"


def named(text: str, dominant: str, recessive: str) -> bool:
    """Whether a text names the dominant form: the longer name wins where one holds the other ("no spots")."""
    names = [name for name in (dominant, recessive) if name in text]
    assert names
    return max(names, key=len) == dominant


def traits(hint: str, big: str) -> tuple[str, str]:
    """The dominant and the recessive form, as a hint tells them."""
    small = big.lower()
    if f": {big} for " in hint:
        first, second = hint.split(f": {big} for ")[1].split(f" is dominant over {small} for ")
        return first, second.split(". The Punnett")[0]
    if f", {big}, is dominant" in hint:
        return (
            hint.split("Its allele for ")[1].split(f", {big},")[0],
            hint.split("the one for ")[1].split(f", {small},")[0],
        )
    return (
        hint.split(f"Allele {big} stands for ")[1].split(" and is dominant")[0],
        hint.split("which stands for ")[1].split(". The trait")[0],
    )


def nearest(points: dict[int, tuple[float, float]], place: tuple[float, float]) -> int:
    return min(points, key=lambda which: math.dist(points[which], place))


def paired(drawn: Drawn, place: tuple[float, float]) -> int:
    """In which pair's frame a place lies: the number in its title."""
    for item in items(drawn, "pair"):
        inside = [g for g in drawn.glyphs if holds(item.box, middle(g.box))]
        if holds(item.box, place):
            [title] = [b for a, b in pairwise(inside) if a.text == "Pair"]
            return int(title.text)
    raise AssertionError(place)


def holds(box: Box, place: tuple[float, float]) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3]


def test_closer_and_larger_magnets_have_the_greater_force() -> None:
    for drawn in many("force"):
        found = quantities(drawn)
        distances = {paired(drawn, place): number for number, _, place in found}
        assert len(found) == len(distances) == 2 and len({unit for _, unit, _ in found}) == 1
        sizes = dict.fromkeys((1, 2), 0.0)
        for item in items(drawn, "magnet"):
            sizes[paired(drawn, middle(item.box))] += (item.box[2] - item.box[0]) * (item.box[3] - item.box[1])
        alike = abs(sizes[1] - sizes[2]) < 0.02 * sizes[1]
        greater = chosen(drawn)
        assert distances[1] == distances[2] or alike  # never both: which of them counts more is not to be guessed
        if distances[1] == distances[2] and alike:
            assert "same" in greater
            continue
        stronger = min(distances, key=lambda i: distances[i]) if alike else max(sizes, key=lambda i: sizes[i])
        less = any(word in greater for word in ("smaller", "weaker"))
        assert f"Pair {3 - stronger if less else stronger}" in greater


def test_a_gap_grows_with_its_distance() -> None:
    for drawn in many("force"):
        distances = {paired(drawn, place): number for number, _, place in quantities(drawn)}
        gaps = {paired(drawn, middle(item.box)): item.box[2] - item.box[0] for item in items(drawn, "distance")}
        if distances[1] < distances[2]:
            assert gaps[1] <= gaps[2] + 0.1


def test_the_solution_with_more_particles_for_its_volume_is_the_more_concentrated_one() -> None:
    for drawn in many("concentration"):
        places = {i: middle(item.box) for i, item in enumerate(items(drawn, "vessel"))}
        across = {i: (x, 0.0) for i, (x, _) in places.items()}
        counts = dict.fromkeys(places, 0)
        for item in items(drawn, "ball"):
            counts[nearest(across, (middle(item.box)[0], 0))] += 1
        volumes = {nearest(across, (place[0], 0)): number for number, _, place in quantities(drawn)}
        assert len(volumes) == len(quantities(drawn)) == 2
        first, second = Fraction(counts[0], volumes[0]), Fraction(counts[1], volumes[1])
        titles = {i: nearest(across, (middle(phrase(drawn, f"Solution {'AB'[i]}")[0])[0], 0)) for i in (0, 1)}
        assert titles == {0: 0, 1: 1}
        higher = any(word in drawn.question.question for word in ("higher", "greater"))
        if first == second:
            assert "neither" in chosen(drawn)
        else:
            assert chosen(drawn) == ("Solution A" if (first > second) == higher else "Solution B")


def test_the_gas_with_more_kinetic_energy_is_the_hotter_one() -> None:
    for drawn in many("temperature"):
        across = {i: (middle(item.box)[0], 0.0) for i, item in enumerate(items(drawn, "jar"))}
        mass, speed = dict[int, int](), dict[int, int]()
        for number, unit, place in quantities(drawn):
            (speed if unit == "m/s" else mass)[nearest(across, (place[0], 0))] = number
        first, second = (mass[i] * speed[i] ** 2 for i in (0, 1))
        balls = [nearest(across, (middle(item.box)[0], 0)) for item in items(drawn, "ball")]
        assert balls.count(0) == balls.count(1) >= 4
        if first == second:
            assert "neither" in chosen(drawn)
        else:
            higher = "higher" in drawn.question.question
            assert chosen(drawn).lower() == ("sample a" if (first > second) == higher else "sample b")


def test_the_longest_bar_is_that_of_the_wettest_month() -> None:
    for drawn in many("bars"):
        boxes = sorted((item.box for item in items(drawn, "bar")), key=lambda box: box[0] + box[1])
        lying = len({round(box[0]) for box in boxes}) == 1
        boxes.sort(key=lambda box: box[1] if lying else box[0])
        lengths = [box[2] - box[0] if lying else box[3] - box[1] for box in boxes]
        year = [calendar.month_name[i] for i in range(1, 13)]
        length = {choice: lengths[i] for choice in drawn.question.choices for i in range(12) if year[i] in choice}
        assert len(length) == 3 and len(boxes) == 12
        text = drawn.question.question + chosen(drawn)
        most = any(word in text for word in ("most", "highest", "wettest"))
        ranked = sorted(length, key=lambda choice: length[choice])
        assert chosen(drawn) == ranked[-1 if most else 0]
        assert length[ranked[0]] + 4 < length[ranked[1]] < length[ranked[2]] - 4


def test_thermal_energy_flows_to_what_gets_warmer() -> None:
    for drawn in many("heat"):
        readings = [glyph for glyph in drawn.glyphs if re.fullmatch(r"\d+(\.\d)?", glyph.text)]
        readings = [glyph for glyph in readings if float(glyph.text) > 2 or "." in glyph.text]  # "Vase 2" is a name
        readings = readings[-4:]
        rows = sorted(readings, key=lambda glyph: (round(middle(glyph.box)[1]), glyph.box[0]))
        upper = [glyph for glyph in drawn.glyphs if glyph.box[1] < drawn.picture.height * 0.3]
        beside = any(glyph.text.lower() in ("initial", "before", "first") for glyph in upper)
        first, second, third, fourth = (float(glyph.text) for glyph in rows)
        pairs = ((first, second), (third, fourth)) if beside else ((first, third), (second, fourth))
        warmer = {after > before for before, after in pairs}
        assert len(warmer) == 1 and all(before != after for before, after in pairs)
        assert chosen(drawn).startswith("the surroundings to") == warmer.pop()


@pytest.mark.parametrize("family", ["attract", "membrane", "layers", "grid", "punnett"])
def test_the_reasoning_ends_with_the_right_choice(family: str) -> None:
    for drawn in many(family, 12):
        words = chosen(drawn).lower().removeprefix("the ").removeprefix("they ").rstrip(".").split(" than")[0]
        last = drawn.question.solution.lower()
        assert words.replace(" side", "") in last
