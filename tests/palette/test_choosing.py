from __future__ import annotations

import numpy as np
import pytest

from studio.palette.choosing import FLOOR, apart, choose_few
from studio.palette.colours import distances, to_lab

REDS = ["#200000", "#601010", "#b03030", "#ffd0d0"]
BLUES = ["#000020", "#101060", "#3030b0", "#d0d0ff"]


def test_order_does_not_part_palettes_and_locked_colours_do_not_count() -> None:
    found = apart([REDS, REDS[::-1], BLUES], range(4))
    assert found[0, 1] == pytest.approx(0, abs=1e-9) and np.allclose(found, found.T) and not found.diagonal().any()
    straight = np.mean([distances(to_lab([one]), to_lab([other])) for one, other in zip(REDS, BLUES, strict=True)])
    assert found[0, 2] == pytest.approx(float(straight))
    locked = [["#ffffff", *REDS[1:]], ["#ffffff", *BLUES[1:]]]
    assert apart(locked, (1, 2, 3))[0, 1] == pytest.approx(apart(locked, range(4))[0, 1] * 4 / 3)
    assert apart([REDS], range(4)).shape == (1, 1)


def test_the_first_is_the_medoid_and_no_two_are_alike() -> None:
    places = np.array([0.0, 1.0, 2.0, 30.0, 31.0, 90.0])
    across = np.abs(places[:, None] - places)
    even = np.zeros(6)
    assert choose_few(across, even, 1) == [int(across.sum(0).argmin())]
    chosen = choose_few(across, even, 6)
    assert len(chosen) == 3, "of the near ones only one each"
    assert min(across[i, j] for i in chosen for j in chosen if i != j) >= FLOOR


def test_what_weighs_more_is_chosen_first() -> None:
    places = np.array([0.0, 1.0, 2.0, 90.0])
    across = np.abs(places[:, None] - places)
    assert choose_few(across, np.array([-50.0, -50.0, -50.0, -3.0]), 1) == [3]
    assert choose_few(across, np.array([-900.0, -902.0, -903.0, -1800.0]), 4)[0] == 0, "small weights do not vanish"
    assert choose_few(np.zeros((1, 1)), np.array([-2000.0]), 3) == [0]
