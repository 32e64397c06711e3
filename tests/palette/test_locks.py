from __future__ import annotations

import pytest

from studio.errors import StudioError
from studio.palette.locks import Locks, parse


def test_locks_keep_their_places_and_others_take_the_first_free() -> None:
    assert parse("") == parse(" , ") == Locks()
    assert parse("#ABC").arrangement == ("#aabbcc", None, None, None)
    assert parse("2=#aabbcc") == Locks((None, "#aabbcc", None, None), placed=True)
    mixed = parse("fff, 1 = #123456 ,#ff0000")
    assert mixed == Locks(("#123456", "#ffffff", "#ff0000", None), placed=False)
    assert mixed.free == (3,) and mixed.colours == ("#123456", "#ffffff", "#ff0000")


def test_arrangements_are_all_ways_to_place_them() -> None:
    assert parse("").arrangements() == [(None,) * 4]
    one = parse("3=#aabbcc").arrangements()
    assert one[0] == (None, None, "#aabbcc", None) and len(set(one)) == len(one) == 4
    assert len(set(parse("#000,#fff").arrangements())) == 12
    assert len(set(parse("#000,#fff,#f00").arrangements())) == 24


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("#000,#fff,#f00,#0f0,#00f", "5 colours are locked"),
        ("#000,#fff,#f00,#0f0", "nothing to make"),
        ("blue", "'blue' is not a hex colour"),
        ("2=", "not a hex colour"),
        ("5=#fff", "locks place 5"),
        ("0=#fff", "locks place 0"),
        ("2=#fff,2=#000", "Place 2 is locked twice"),
        ("#123456,3=#123457", "too alike"),
    ],
)
def test_what_cannot_be_locked_is_said(text: str, why: str) -> None:
    with pytest.raises(StudioError, match=why):
        parse(text)
