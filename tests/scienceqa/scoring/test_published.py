"""Published rows are what their tables say: each row's columns add up to its average."""

from __future__ import annotations

import pytest

from studio.scienceqa.scoring.columns import COLUMNS
from studio.scienceqa.scoring.published import ROWS, Published

SIZE = {column.name: column.published for column in COLUMNS}
WHOLE = [row for row in ROWS if set(row.figures) == set(SIZE) and row.name != "Human"]


@pytest.mark.parametrize("row", WHOLE, ids=[row.name for row in WHOLE])
@pytest.mark.parametrize("names", [("NAT", "SOC", "LAN"), ("G1-6", "G7-12")])
def test_a_row_s_columns_add_up_to_its_average(row: Published, names: tuple[str, ...]) -> None:
    mean = sum(row.figures[name] * SIZE[name] for name in names) / SIZE["Avg"]
    assert mean == pytest.approx(row.figures["Avg"], abs=0.02)


def test_every_row_has_known_columns_an_average_and_a_source() -> None:
    assert len(WHOLE) == 3 and len({row.name for row in ROWS}) == len(ROWS) == 6
    for row in ROWS:
        assert set(row.figures) <= set(SIZE) and 0 < row.figures["Avg"] < 100 and row.source and row.note
