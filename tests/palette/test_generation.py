from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.__main__ import main
from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.palette import generation, loading
from studio.palette.choosing import FLOOR, apart
from studio.palette.colours import near_pairs, to_lab
from studio.palette.config import PaletteConfig
from studio.settings import Settings
from studio.tasks import Studio

WORDS = "fresh greens with a vibrant twist"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    place = tmp_path_factory.mktemp("palette")
    studio = Studio(Settings(home=place / "home", device="cpu", threads=1), start=False)
    yield Context(place, studio.models, studio.cache, studio.settings)
    studio.close()


def make(context: Context, folder: Path, **values: Any) -> dict[str, Any]:
    given = {"description": WORDS, "model": str(folder), "temperature": 1.5, **values}
    *_, last = generation.run(validate(PaletteConfig, given), context)
    assert last.artifacts["palettes"] == last.artifacts["report"]
    found: dict[str, Any] = json.loads((context.folder / last.artifacts["palettes"]).read_text("utf-8"))
    return found


def test_palettes_are_four_colours_that_differ_and_are_described(context: Context, folder: Path) -> None:
    found = make(context, folder, count=6)
    palettes = [one["colours"] for one in found["palettes"]]
    hexes = [[each["hex"] for each in one] for one in palettes]
    assert len(hexes) == 6 and all(len(one) == 4 for one in hexes) and found["note"] == ""
    assert not any(near_pairs(to_lab(one)) for one in hexes)
    distances = apart(hexes, range(4))
    assert min(distances[i, j] for i in range(6) for j in range(i)) >= FLOOR
    assert found["lines"] == ["  ".join(one) for one in hexes]
    assert all(each["name"] and each["role"] for one in palettes for each in one)
    assert len(found["palettes"][0]["contrast"]) == 6 and found["palettes"][0]["notes"]


def test_a_seed_makes_the_same_palettes(context: Context, folder: Path) -> None:
    first, again, other = (make(context, folder, count=3, seed=seed)["lines"] for seed in (1, 1, 2))
    assert first == again != other


def test_locked_colours_are_in_every_palette(context: Context, folder: Path) -> None:
    found = make(context, folder, lock="3=#ABC,#f00", count=4)
    hexes = [[each["hex"] for each in one["colours"]] for one in found["palettes"]]
    assert len(hexes) == 4 and {(one[0], one[2]) for one in hexes} == {("#ff0000", "#aabbcc")}
    distances = apart(hexes, (1, 3))
    assert min(distances[i, j] for i in range(4) for j in range(i)) >= FLOOR


def test_fewer_palettes_come_with_a_reason(context: Context, folder: Path) -> None:
    found = make(context, folder, temperature=0, count=3)
    assert len(found["palettes"]) == 1 and found["drawn"] == 1
    assert "Only one palette of 3 could be made: temperature 0" in found["note"] and found["lines"][-1] == found["note"]
    assert make(context, folder, temperature=0, count=1)["note"] == ""
    cold = make(context, folder, temperature=1e-3, count=24)
    assert len(cold["palettes"]) < 24 and "too much alike" in cold["note"]


def test_stopping_leaves_the_model_as_it_was(context: Context, folder: Path) -> None:
    whole = make(context, folder, count=2)
    work = generation.run(validate(PaletteConfig, {"description": WORDS, "model": str(folder)}), context)
    assert next(work).total and next(work).done == 2
    work.close()  # type: ignore[attr-defined]
    assert not any(one.holders for one in context.models.loaded())
    assert make(context, folder, count=2)["lines"] == whole["lines"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"description": " \n "}, "There is no description"),
        ({"description": "x" * 5000}, "5,000 characters, and at most 300"),
        ({"lock": "teal"}, "'teal' is not a hex colour"),
        ({"lock": "#000,#fff,#f00,#0f0,#00f"}, "5 colours are locked"),
        ({"model": "no/such-model"}, "no/such-model"),
    ],
)
def test_bad_input_gets_a_sentence(context: Context, folder: Path, values: dict[str, str], why: str) -> None:
    with pytest.raises(StudioError, match=why):
        make(context, folder, **values)
    with pytest.raises(StudioError, match="'count' cannot be 0"):
        validate(PaletteConfig, {"description": "x", "count": 0})


def test_without_the_embedded_model_a_sentence_says_so(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "EMBEDDED", tmp_path)
    with pytest.raises(StudioError, match="not in this installation"):
        make(context, Path("embedded"))


def test_the_command_prints_palettes_for_people_and_for_scripts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    monkeypatch.setenv("STUDIO_DEVICE", "cpu")
    command = ["palette", WORDS, "--model", str(folder), "--count", "2", "--temperature", "1.5"]
    assert main([*command, "--lock", "#aabbcc", "--lock", "4=#102030,#fa0000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith("#aabbcc  #fa0000  #") for line in lines)
    assert all(line.endswith("  #102030") for line in lines)
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["state"] == "done" and len(told["report"]["palettes"]) == 2
