from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from studio.errors import StudioError
from studio.palette.colours import to_hex
from studio.palette.pairs import Pair, read, split

FOUR = ["#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1"]


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_python_s_and_json_s_lists_are_read_and_normalised(tmp_path: Path) -> None:
    lines = ["colors,resp", "\"['#C5D70F', '4dd70f', '#0fd749', '#0fd7c1']\",  Fresh   greens "]
    lines.append('"[""#abc"", ""#DEF"", ""#012"", ""#345"", ""#678""]",five of three digits')
    table = read(write(tmp_path / "a.csv", "\n".join(lines)))
    assert table.pairs == (
        Pair(2, "Fresh greens", tuple(FOUR)),
        Pair(3, "five of three digits", ("#aabbcc", "#ddeeff", "#001122", "#334455")),
    )
    assert table.rejected == () and table.longer == 1
    other = read(write(tmp_path / "b.csv", f"Description;Colours\nsea;{json.dumps(FOUR)}\n"))
    assert other.pairs == (Pair(2, "sea", tuple(FOUR)),)


def test_what_cannot_be_used_is_listed_with_its_row(tmp_path: Path) -> None:
    rows = [
        ("good", FOUR), ("short", FOUR[:3]), ("", FOUR), ("no colour", [*FOUR[:3], "teal"]), ("Good ", FOUR),
        ("x" * 301, FOUR), ("good", FOUR[::-1]),
    ]  # fmt: skip
    text = "description\tcolors\n" + "".join(f"{words}\t{colours}\n" for words, colours in rows)
    text += "code\t__import__('os').abort()\ncut\nnumber\t7\ndeep\t" + "[" * 5000 + "\n"
    table = read(write(tmp_path / "a.tsv", text))
    assert [pair.row for pair in table.pairs] == [2, 8]
    reasons = {one.row: one.reason for one in table.rejected}
    assert list(reasons) == [3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert reasons[3] == "It has 3 colours, and a palette has 4." and reasons[6] == "It is the same as row 2."
    assert "no description" in reasons[4] and "'teal' is not a hex colour" in reasons[5] and "301" in reasons[7]
    assert all("are no list" in reasons[row] for row in (9, 10, 11, 12))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("resp,palette\nsea,[]\n", "no column colors or colours; its columns are resp, palette"),
        ("colors\n[]\n", "no column resp or description"),
        ("", "its columns are none"),
        ("resp,colors\n", "only a header"),
        ("resp;colors\nsea;['#fff']\n", "row 2: It has 1 colours"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(StudioError, match=why):
        read(write(tmp_path / "a.csv", text))
    with pytest.raises(StudioError, match="cannot be read"):
        read(tmp_path / "missing.csv")


def test_the_split_is_seeded_stratified_and_never_shares_words() -> None:
    random = np.random.default_rng(0)
    pairs = []
    for number in range(400):  # every fourth is dark red, the others are light blue; each description twice
        low, high = ([0.25, 0, 0], [0.5, 0.1, 0.1]) if number % 4 == 0 else ([0.4, 0.6, 0.9], [0.6, 0.8, 1])
        for _ in range(2):
            colours = to_hex(random.uniform(low, high, (4, 3)))
            pairs.append(Pair(len(pairs) + 2, f"Words {number}", tuple(colours)))
    train, validation = split(pairs, 0.1, 1)
    assert len(validation) == 80 and sorted([*train, *validation], key=lambda pair: pair.row) == pairs
    assert not {pair.description for pair in train} & {pair.description for pair in validation}
    assert abs(Counter(int(pair.description[6:]) % 4 == 0 for pair in validation)[True] - 20) <= 2
    assert split(pairs, 0.1, 1) == (train, validation) and split(pairs, 0.1, 2)[1] != validation


def test_small_tables_keep_something_to_train_on() -> None:
    pairs = [Pair(2, "a", tuple(FOUR)), Pair(3, "A", tuple(FOUR[::-1])), Pair(4, "b", tuple(FOUR))]
    assert split(pairs[:2], 0.5, 0) == (pairs[:2], [])
    train, validation = split(pairs, 0.01, 0)
    assert len({pair.description.casefold() for pair in validation}) == 1 and train
    assert split(pairs, 0, 0) == (pairs, [])
