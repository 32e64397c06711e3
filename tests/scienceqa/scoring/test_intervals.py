"""Intervals are those of the literature, and hold where the usual ones do not."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from studio.scienceqa.scoring.intervals import Difference, Share


@pytest.mark.parametrize(("right", "total"), [(0, 10), (3, 7), (7, 7), (2164, 4241)])
def test_a_share_s_interval_is_wilson_s(right: int, total: int) -> None:
    wanted = binomtest(right, total).proportion_ci(0.95, "wilson")
    assert Share(right, total).interval == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_a_share_counts_and_says_nothing_about_nothing() -> None:
    assert Share.of([True, False, True]) == Share(2, 3)
    assert Share(1, 4).to_json() == {"right": 1, "total": 4, "value": 0.25, "low": 0.045587, "high": 0.699358}
    assert Share.of([]).to_json() == {"right": 0, "total": 0, "value": None, "low": None, "high": None}


def test_a_difference_s_interval_is_newcombe_s() -> None:
    found = Difference(36, 12, 2, 0)  # the example of his paper: 0.0569 to 0.3404
    assert found.value == pytest.approx(0.2) and found.interval == pytest.approx((0.0569, 0.3404), abs=5e-5)
    swapped = Difference(36, 2, 12, 0)
    assert swapped.interval == pytest.approx(tuple(-value for value in reversed(found.interval)))


def test_no_difference_seen_is_not_no_difference_for_sure() -> None:
    low, high = Difference(20, 0, 0, 0).interval
    assert low < -0.1 and high > 0.1
    wider = Difference(2, 0, 0, 0).interval
    assert wider[0] < low and wider[1] > high


def test_pairs_are_counted() -> None:
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    assert Difference.of(pairs) == Difference(1, 2, 1, 1)
    assert Difference.of(pairs).to_json()["value"] == 0.2 and Difference.of(pairs).total == 5
