from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studio.palette.colours import to_hex
from studio.settings import Settings
from studio.tasks import Studio

WORDS = ("fresh greens", "ocean at night", "warm red market", "navy autumn", "vibrant twist", "red", "greens", "ocean")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of 16 palettes, one of them short, and one twice."""
    random = np.random.default_rng(0)
    rows = [(f"{words} {number}", to_hex(random.random((4, 3)))) for number in range(2) for words in WORDS]
    rows += [("short", rows[0][1][:3]), rows[1]]
    path = tmp_path / "palettes.csv"
    path.write_text("resp;colors\n" + "".join(f"{words};{json.dumps(colours)}\n" for words, colours in rows), "utf-8")
    return path


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    studio = Studio(Settings(home=tmp_path / "home", device="cpu", threads=1), start=False)
    yield studio
    studio.close()
