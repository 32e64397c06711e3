"""A list of looks says in a few lines what a night is to train."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.grading.combinations import expand, read
from studio.grading.config import MOST_LIBRARY_LOOKS


def test_lists_in_braces_stand_for_every_combination_in_order() -> None:
    assert expand("{warm, cold} {city,forest}\n") == ["warm city", "warm forest", "cold city", "cold forest"]
    assert expand("{, very} faded | matte: 0.5") == ["faded | matte: 0.5", "very faded | matte: 0.5"]


def test_comments_empty_lines_and_twins_are_passed_over() -> None:
    assert expand("# night\n\n noir  \nsepia # old\nnoir\n") == ["noir", "sepia"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no look"), ("# all\n{,}", "holds no look"), ("warm\n{cold", "Line 2"), ("a} b", "Line 1"),
        ("{a,{b,c}}", "Line 1"), ("warm: 0", "Line 1.*above 0"), ("warm\n" + "x" * 301, "Line 2.*300"),
        ("{" + ",".join(map(str, range(40))) + "}{" + ",".join(map(str, range(40))) + "}", "1600 looks"),
        ("\n".join(map(str, range(MOST_LIBRARY_LOOKS + 1))), f"over {MOST_LIBRARY_LOOKS}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        expand(text)


def test_a_file_is_read_or_named(tmp_path: Path) -> None:
    path = tmp_path / "looks.txt"
    path.write_bytes("\ufeffcafé\r\nnoir\r\n".encode())
    assert expand(read(path)) == ["café", "noir"]
    path.write_bytes(b"\xff\xfe\x00")
    for wrong in (path, tmp_path / "gone.txt"):
        with pytest.raises(StudioError, match=wrong.name):
            read(wrong)
