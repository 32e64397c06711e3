from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog

from studio.palette import baselines
from studio.palette.colours import Colours, differences, srgb_to_lab, to_lab
from studio.palette.scoring import match, pairwise, score, transport

RANDOM = np.random.default_rng(0)


def some(count: int, colours: int) -> list[Colours]:
    return list(srgb_to_lab(RANDOM.random((count, colours, 3))))


def test_match_is_the_best_of_all_assignments() -> None:
    palette, references = some(1, 4)[0], [*some(3, 5), *some(2, 4), *some(1, 7)]
    for found, reference in zip(match(palette, references), references, strict=True):
        cost = differences(palette[:, None], reference[None])
        every = (cost[range(4), list(chosen)].mean() for chosen in itertools.permutations(range(len(reference)), 4))
        assert found == pytest.approx(min(every))


def test_a_palette_matches_its_own_colours_in_any_order() -> None:
    reference = some(1, 5)[0]
    assert match(reference[[3, 0, 4, 1]], [reference])[0] == pytest.approx(0, abs=1e-9)


def test_transport_is_the_optimum_of_the_linear_program() -> None:
    for count in (4, 5, 6):
        palette, reference = some(1, 4)[0], some(1, count)[0]
        cost = differences(palette[:, None], reference[None])
        rows = np.kron(np.eye(4), np.ones(count))
        columns = np.kron(np.ones(4), np.eye(count))
        solved = linprog(cost.ravel(), A_eq=np.concatenate([rows, columns]),
                         b_eq=np.concatenate([np.full(4, 1 / 4), np.full(count, 1 / count)]))  # fmt: skip
        assert transport(palette, reference) == pytest.approx(solved.fun, abs=1e-6)


def test_the_right_palettes_score_best_and_shuffled_ones_like_chance() -> None:
    references = some(120, 5)
    own = np.array([reference[:4] for reference in references])
    right, wrong = score(own, references), score(own[RANDOM.permutation(120)], references)
    assert right.match == pytest.approx(0, abs=1e-9) and right.relevance == 1 and right.top == 1
    assert right.pairs == 120 and math.isnan(right.best) and right.to_json()["best"] is None
    assert 0.4 < wrong.relevance < 0.6 and wrong.top < 0.25 and wrong.match > 15
    assert right.across > 10 and score(np.repeat(own[:1], 120, 0), references).across == pytest.approx(0, abs=1e-9)


def test_ties_count_as_half() -> None:
    references = [some(1, 4)[0]] * 30
    same = score(np.array(references), references)
    assert same.relevance == 0.5 and same.top == 0


def test_spreads_are_those_of_the_palettes() -> None:
    greys = to_lab(["#000000", "#555555", "#aaaaaa", "#ffffff"])
    near = to_lab(["#808080", "#828282", "#ff0000", "#0000ff"])
    found = score(np.array([greys, near]), [greys, near])
    pairs = pairwise(np.array([greys, near]))
    assert found.within == pytest.approx(pairs.mean()) and pairs.shape == (2, 6)
    assert found.nearest == pytest.approx(np.median(pairs.min(1)))
    assert found.near_duplicates == 0.5
    assert found.lightness == pytest.approx((100 + np.ptp(near[:, 0])) / 2, abs=1e-6)


def test_the_best_of_several_counts_the_nearest() -> None:
    references = some(20, 5)
    wrong = np.array(some(20, 4))
    right = np.array([reference[1:] for reference in references])
    found = score(wrong, references, np.stack([wrong, right], 1))
    assert found.best == pytest.approx(0, abs=1e-9) and found.match > 10


def test_baselines_give_four_colours_for_each_description() -> None:
    known, texts = some(60, 5), [f"word{index} thing" for index in range(60)]
    for palettes in (
        baselines.uniform(7), baselines.random_known(7, known), baselines.constant(7, known),
        baselines.nearest(texts[:7], texts, known), *baselines.neighbours(texts[:7], texts, known)[:1],
    ):  # fmt: skip
        assert palettes.shape == (7, 4, 3) and np.isfinite(palettes).all()
    assert np.array_equal(baselines.uniform(3, seed=1), baselines.uniform(3, seed=1))
    assert len(np.unique(baselines.constant(7, known), axis=0)) == 1


def test_the_nearest_known_description_is_the_one_of_the_same_words() -> None:
    known = some(4, 5)
    texts = ["ocean at night", "warm autumn market", "a red barn", "snow"]
    found = baselines.nearest(["the autumn markets", "oceans by night"], texts, known)
    assert np.array_equal(found, np.array([known[1][:4], known[0][:4]]))


def test_neighbours_give_what_most_of_the_likest_have() -> None:
    typical = some(1, 5)[0]
    known = [typical] * 15 + some(20, 5)
    texts = [f"autumn leaves {index}" for index in range(15)] + [f"snow {index}" for index in range(20)]
    medoid, firsts = baselines.neighbours(["autumn leaves"], texts, known, several=3)
    assert np.array_equal(medoid[0], typical[:4]) and firsts.shape == (1, 3, 4, 3)


def test_colour_names_like_the_words_have_their_colours_and_differ() -> None:
    found = baselines.lexicon(["emerald", "crimson red"])
    assert found[0][:, 1].mean() < -10 and found[1][:, 1].mean() > 30
    assert pairwise(found).min() >= 5
