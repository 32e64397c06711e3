"""The tasks export-palette and picture-palette, from their configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.palette import exporting, exports, picturing
from studio.palette.config import ExportPaletteConfig, PicturePaletteConfig
from studio.palette.exports import SUFFIXES
from studio.palette.roles import ROLES

House = Callable[[str], Context]
SEED = ("#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1")
EXAMPLES = Path(__file__).parents[2] / "studio" / "ui" / "assets" / "examples"


def export(house: House, *palette: str, **values: Any) -> Event:
    config = validate(ExportPaletteConfig, {"palette": palette, **values})
    (event,) = exporting.run(config, house("job"))
    return event


def picture(house: House, path: Path, **values: Any) -> dict[str, Any]:
    context = house("job")
    (event,) = picturing.run(PicturePaletteConfig(image=path, **values), context)
    found: dict[str, Any] = json.loads((context.folder / event.artifacts["report"]).read_text("utf-8"))
    assert event.note == found["summary"]
    return found


@pytest.mark.parametrize("written", [("C5D70F", "4dd70f", "#0fd749", "0fd7c1"), ("#c5d70f,#4dd70f, #0fd749 #0fd7c1",)])
def test_colours_are_written_in_a_folder_under_the_title(house: House, tmp_path: Path, written: tuple[str]) -> None:
    event = export(house, *written, title="Fresh Greens!", output_path=tmp_path / "out")
    assert event.artifacts["palette"] == str(tmp_path / "out" / "fresh-greens.css")
    assert exports.read(tmp_path / "out" / "fresh-greens.css").colours == SEED
    assert " ".join(SEED) in event.note


@pytest.mark.parametrize("kind", SUFFIXES)
def test_the_extension_says_the_kind(house: House, tmp_path: Path, kind: str) -> None:
    place = tmp_path / f"mine{SUFFIXES[kind]}"
    export(house, *SEED, output_path=place)
    export(house, *SEED, output_path=tmp_path / "same", format=kind, title="Mine")
    ours = (tmp_path / "same" / f"mine{SUFFIXES[kind]}").read_bytes()
    assert exports.read(place).colours == SEED and len(ours) > 40
    if kind in ("tokens", "tailwind3", "tailwind4"):
        assert place.read_bytes()[:1] == ours[:1]


def test_a_title_of_its_own_is_made_of_names(house: House, tmp_path: Path) -> None:
    event = export(house, *SEED, output_path=tmp_path)
    assert Path(event.artifacts["palette"]).name == "corrosive-green-on-ice-climber.css"


def test_a_file_becomes_another_and_keeps_its_title(house: House, tmp_path: Path) -> None:
    export(house, *SEED, title="Fresh", output_path=tmp_path / "one.ase")
    export(house, str(tmp_path / "one.ase"), output_path=tmp_path / "two.svg")
    found = exports.read(tmp_path / "two.svg")
    assert (found.colours, found.title) == (SEED, "Fresh")
    assert "from one.ase, by" in (tmp_path / "two.svg").read_text("utf-8")


def test_one_of_several_palettes_is_taken(house: House, tmp_path: Path) -> None:
    several = {"palettes": [["#111", "#222", "#333", "#444"], {"colours": list(SEED), "title": "Second"}]}
    (tmp_path / "many.json").write_text(json.dumps(several))
    export(house, str(tmp_path / "many.json"), number=2, output_path=tmp_path / "two.gpl")
    assert exports.read(tmp_path / "two.gpl").title == "Second"
    with pytest.raises(StudioError, match=r"^many\.json holds 2 palettes, and number 3 is asked for\."):
        export(house, str(tmp_path / "many.json"), number=3)


@pytest.mark.parametrize(
    ("palette", "sentence"),
    [
        (("red",), "A palette has 4 colours, and one is given."),
        (SEED[:3], "A palette has 4 colours, and 3 are given."),
        ((*SEED, "#000"), "A palette has 4 colours, and 5 are given."),
        ((*SEED[:3], "teal"), "'teal' is not a hex colour."),
        (("none.ase",), "The palette none.ase cannot be read: no such file or directory."),
    ],
)
def test_what_is_no_palette_gets_one_sentence(house: House, palette: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(StudioError) as caught:
        export(house, *palette)
    assert caught.value.what == sentence


def test_places_that_cannot_be_written_are_told(house: House, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"^'\.jpg' is no kind of palette\. Use --format, or one of \.css"):
        export(house, *SEED, output_path=tmp_path / "a.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written to"):
        export(house, *SEED, output_path=tmp_path / "file" / "a.css")
    export(house, *SEED, output_path=tmp_path / "a.css")
    with pytest.raises(StudioError, match=r"^'a\.css' would be written over itself\."):
        export(house, str(tmp_path / "a.css"), output_path=tmp_path / "a.css")


def test_a_picture_becomes_a_palette_that_can_be_exported(house: House, tmp_path: Path) -> None:
    found = picture(house, EXAMPLES / "coffee.jpg", output_path=tmp_path / "coffee.json")
    assert len(found["colours"]) == 4 and sum(found["shares"]) == pytest.approx(1, abs=1e-3)
    assert {each["role"] for each in found["description"]["colours"]} == set(ROLES)
    assert any(each["family"] in ("red", "orange", "brown") for each in found["description"]["colours"])
    assert found["lines"][0].startswith(found["colours"][0]) and "% of the picture" in found["lines"][0]
    export(house, str(tmp_path / "coffee.json"), output_path=tmp_path / "c.css")
    text = (tmp_path / "c.css").read_text("utf-8")
    assert "Four colours from the picture coffee.jpg, by" in text and text.startswith("/*\n * coffee\n")


def test_a_picture_of_one_colour_and_no_picture_are_told(house: House, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "#ff0000").save(tmp_path / "red.png")
    with pytest.raises(StudioError) as caught:
        picture(house, tmp_path / "red.png")
    assert str(caught.value) == (
        "red.png has only one colour that can be told apart, and a palette needs 4. Give a picture with more colours."
    )
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(StudioError, match=r"^text\.png is not a picture that can be read"):
        picture(house, tmp_path / "text.png")
    with pytest.raises(StudioError, match="There is no picture file at"):
        picture(house, tmp_path / "none.png")
