"""Other orders map back to the question's own, and every question gets a picture that is another one's."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import ablations


def asked(count: int, pid: str = "1") -> Question:
    return Question(pid, "test", "?", tuple("abcdefghij"[:count]), 0)


@pytest.mark.parametrize("count", [2, 3, 5, 7, 10])
@pytest.mark.parametrize("wanted", [1, 3, 24])
def test_orders_are_others_all_different_and_always_the_same(count: int, wanted: int) -> None:
    found = ablations.orders(asked(count), wanted)
    assert len(found) == len(set(found)) == min(wanted, math.factorial(count) - 1)
    assert all(sorted(order) == list(range(count)) != list(order) for order in found)
    assert found == ablations.orders(asked(count), wanted)
    if count > 3 and wanted < 24:
        assert found != ablations.orders(asked(count, "2"), wanted)


def test_every_order_comes_up_alike_over_many_questions() -> None:
    counts = Counter(ablations.orders(asked(3, str(number)), 1)[0] for number in range(2000))
    assert len(counts) == 5 and min(counts.values()) > 320


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1), (1, 2, 0)])
def test_what_was_shown_in_an_order_is_put_back(order: tuple[int, ...]) -> None:
    question = asked(3)
    shown = ablations.shuffled(question, order)
    chances = [{"a": 0.5, "b": 0.3, "c": 0.2}[choice] for choice in shown]
    assert ablations.put_back(chances, order) == (0.5, 0.3, 0.2)


def pictured(*pictures: bytes | None) -> list[Question]:
    return [Question(str(number), "test", "?", image=one) for number, one in enumerate(pictures)]


def test_pictures_go_round_and_none_stays() -> None:
    questions = pictured(*(bytes([number]) for number in range(30)), None)
    found = ablations.other_pictures(questions)
    assert set(found) == {str(number) for number in range(30)}
    assert sorted(int(other.pid) for other in found.values()) == list(range(30))
    assert all(pid != other.pid for pid, other in found.items())
    assert found == ablations.other_pictures(questions[::-1])


def test_equal_pictures_are_no_other_picture() -> None:
    questions = pictured(b"a", b"a", b"b", b"b", b"c", b"a")
    image = {one.pid: one.image for one in questions}
    found = ablations.other_pictures(questions)
    assert len(found) == 6 and all(image[pid] != other.image for pid, other in found.items())
    mostly = ablations.other_pictures(pictured(b"a", b"a", b"a", b"b"))
    assert {pid: other.image for pid, other in mostly.items()} == {"0": b"b", "1": b"b", "2": b"b", "3": b"a"}
    assert ablations.other_pictures(pictured(b"a", b"a")) == ablations.other_pictures([]) == {}
