"""Every kind of file is read back to the same four colours, and by readers that are not ours."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import GimpPaletteFile, Image

from studio.errors import StudioError
from studio.palette import exports
from studio.palette.colours import to_hex, to_srgb
from studio.palette.description import describe
from studio.palette.exports import KINDS, SUFFIXES, Palette
from studio.palette.exports.palette import slugs, tokens

SEED = Palette.of(["#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1"], "Fresh greens", "the words “fresh greens”")
SLATE = Palette.of(["#1b2a41", "#e0e1dd", "#778da9", "#ff6b6b"])
NAMED = Palette.of(
    ["#abc", "#000", "#fff", "#f00"], "Café */ </svg> */", names=["Text", "9th & Main", "Brand", "Brand"]
)
ALIKE = Palette.of(["#808080", "#808080", "#000000", "#000000"], "All alike")


def foreign(package: str, path: str) -> ModuleType:
    """A module of another package by its file: the readers of .ase and .aco both call themselves swatch."""
    place = distribution(package).locate_file(path)
    spec = importlib.util.spec_from_file_location(f"foreign_{package.replace('-', '_')}", str(place))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("palette", [SEED, SLATE, NAMED, ALIKE], ids=["seed", "slate", "named", "alike"])
def test_every_kind_is_read_back(kind: str, palette: Palette, tmp_path: Path) -> None:
    path = tmp_path / f"some file{SUFFIXES[kind]}"
    exports.write(path, palette, kind)
    found = exports.read(path)
    assert found.colours == palette.colours
    if kind != "aco":  # which has no place for one
        assert found.title == palette.title or not palette.title
    if palette is SEED and kind != "png":
        assert found.names == ("Lime Twist", "Corrosive Green", "Green Priestess", "Ice Climber")


@pytest.mark.parametrize("kind", KINDS)
def test_any_colours_are_read_back(kind: str, tmp_path: Path) -> None:
    few = 3 if kind == "png" else 25  # pictures take a while to pack
    path = tmp_path / f"one{SUFFIXES[kind]}"
    for colours in np.random.default_rng(0).random((few, 4, 3)):
        palette = Palette.of(to_hex(colours))
        exports.write(path, palette, kind)
        assert exports.read(path).colours == palette.colours


def test_a_palette_goes_through_every_kind_in_a_row(tmp_path: Path) -> None:
    palette = SLATE
    for kind, suffix in SUFFIXES.items():
        path = tmp_path / f"step{suffix}"
        exports.write(path, palette, kind)
        palette = exports.read(path)
    assert palette.colours == SLATE.colours


def test_ase_is_what_another_reader_reads() -> None:
    parser = foreign("swatch", "swatch/parser.py")
    file = io.BytesIO(exports.render(SEED, "ase"))
    assert file.read(8) == b"ASEF\0\1\0\0"
    count = int.from_bytes(file.read(4), "big")
    (group,) = list(parser.parse_chunk(file))
    assert count == 6 and group["name"] == "Fresh greens" and file.read() == b""
    assert [each["name"] for each in group["swatches"]] == [each.name for each in tokens(SEED)]
    values = np.array([each["data"]["values"] for each in group["swatches"]])
    assert {each["data"]["mode"] for each in group["swatches"]} == {"RGB"}
    np.testing.assert_allclose(values, to_srgb(SEED.colours), atol=1e-7)


def test_ase_of_another_writer_is_read(tmp_path: Path) -> None:
    writer = foreign("swatch", "swatch/writer.py")
    rgb = {"type": "Global", "data": {"mode": "RGB", "values": [1.0, 0.5, 0.0]}}
    grey = {"type": "Process", "data": {"mode": "Gray", "values": [0.75]}}
    objects: list[dict[str, Any]] = [{"name": "Ä", **rgb}, {"name": "B", **grey}]
    objects.append({"name": "G", "type": "Color Group", "swatches": [{"name": "C", **rgb}, {"name": "D", **grey}]})
    head = b"ASEF\0\1\0\0" + writer.chunk_count(objects).to_bytes(4, "big")
    path = tmp_path / "theirs.ase"
    path.write_bytes(head + b"".join(writer.chunk_for_object(each) for each in objects))
    found = exports.read(path)
    assert found.colours == ("#ff8000", "#bfbfbf", "#ff8000", "#bfbfbf") and found.names == ("Ä", "B", "C", "D")
    objects[0]["data"] = {"mode": "CMYK", "values": [0.1, 0.2, 0.3, 0.4]}
    path.write_bytes(head + b"".join(writer.chunk_for_object(each) for each in objects))
    with pytest.raises(StudioError, match=r"^theirs\.ase holds CMYK colours\. Save its swatches as RGB colours\.$"):
        exports.read(path)


def test_aco_is_what_another_reader_reads() -> None:
    file = exports.render(SEED, "aco")
    found = foreign("adobe-color-swatch", "swatch/swatch.py").load_aco_file(io.BytesIO(file))
    sixteen_bits = ["#" + "".join(2 * each[at : at + 2] for at in (1, 3, 5)) for each in SEED.colours]
    assert [each.color_hex.lower() for each in found] == sixteen_bits
    assert [each.name for each in found] == [each.name for each in tokens(SEED)]
    assert file[:4] == b"\0\1\0\4" and file[44:48] == b"\0\2\0\4", "both versions, one after the other"


def test_aco_of_either_version_and_of_another_writer_is_read(tmp_path: Path) -> None:
    file, path = exports.render(SEED, "aco"), tmp_path / "a.aco"
    for part in (file[:44], file[44:]):
        path.write_bytes(part)
        assert exports.read(path).colours == SEED.colours
    other = foreign("adobe-color-swatch", "swatch/swatch.py")
    spaces = other.ColorSpace
    rows = [("One", spaces.RGB, 65535, 0, 0), ("Two", spaces.HSB, 0, 65535, 65535), ("Three", spaces.GRAYSCALE, 5000)]
    with open(path, "wb") as file_of_theirs:
        other.save_aco_file(
            [other.RawColor(*row) for row in (*rows, ("Four", spaces.RGB, 0, 0, 65535))], file_of_theirs
        )
    found = exports.read(path)
    assert found.colours == ("#ff0000", "#ff0000", "#808080", "#0000ff") and found.names[2] == "Three"


def test_gpl_is_what_pillow_reads() -> None:
    file = exports.render(SEED, "gpl")
    found, mode = GimpPaletteFile.GimpPaletteFile(io.BytesIO(file)).getpalette()
    assert mode == "RGB" and found[:12] == bytes.fromhex("".join(each[1:] for each in SEED.colours))


def test_png_survives_a_smaller_size_and_loss_of_its_text(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(exports.render(SLATE, "png"))) as picture:
        assert picture.size == (1600, 1000) and "WCAG AAA" in picture.info["Description"]
        picture.resize((203, 127), Image.Resampling.LANCZOS).save(tmp_path / "small.png")
    assert exports.read(tmp_path / "small.png").colours == SLATE.colours


def test_tokens_are_as_the_format_asks() -> None:
    content = json.loads(exports.render(SEED, "tokens"))
    token = content["palette"]["lime-twist"]
    assert content["palette"]["$type"] == "color" and token["$description"] == "Lime Twist"
    assert token["$value"]["colorSpace"] == "srgb" and token["$value"]["hex"] == "#c5d70f"
    np.testing.assert_allclose(token["$value"]["components"], to_srgb(["#c5d70f"])[0], atol=1e-5)
    for role, alias in content["role"].items():
        target = re.fullmatch(r"\{palette\.([a-z0-9-]+)\}", alias["$value"]) if role != "$type" else None
        assert role == "$type" or (target is not None and target[1] in content["palette"])


@pytest.mark.parametrize("kind", ["css", "scss", "tailwind3", "tailwind4"])
def test_code_names_colours_and_roles_and_says_where_it_comes_from(kind: str) -> None:
    text = exports.render(SEED, kind).decode()
    assert "Four colours from the words “fresh greens”, by Gemma Studio" in text and "Analogous: " in text
    assert "Text on background: 1.13 to 1, too little to read." in text
    for word in ("lime-twist", "ice-climber", "background", "surface", "accent", "text"):
        assert word in text
    assert text.count("#c5d70f") == 1, "each colour stands once, so that one change changes it everywhere"
    assert text.count("{") == text.count("}")


def test_words_of_others_break_out_of_no_comment_and_no_drawing() -> None:
    css = exports.render(NAMED, "css").decode()
    assert css.index("*/") > css.index("Text on background") and css.count(":root {") == 1
    assert exports.render(NAMED, "svg").decode().count("</svg>") == 1
    assert "\n" not in Palette.of(SEED.colours, "one\ntwo").title


def test_names_for_programs_are_usable_and_differ() -> None:
    assert slugs(["Text", "9th & Main", "Brand", "Brand"]) == ["text-colour", "colour-9th-main", "brand", "brand-2"]
    assert slugs(["Brand 2", "Brand", "Brand", "漢"])[:3] == ["brand-2", "brand", "brand-3"]
    assert slugs(["漢"])[0].startswith("colour-")


FOREIGN = {
    "vars.css": ":root{--a:#ABC;--b:#DDEEFF;/* --old: #123456; */--c:#000;--d:#fff;--again:#abc}",
    "site.scss": "// http://example.org/#123456\n$a: #abc;\n$b: #def;\n$c: #000;\n$d: #fff;\n",
    "theme.js": "export default {a: '#aabbcc', 'b': \"#def\", c: `x`, d: '#000', e: '#ffffff'}",
    "list.json": '["#abc", "ddeeff", "#000", "#FFF"]',
    "colors.json": '{"colors": ["#abc", "#def", "#000", "#fff"], "title": "T"}',
    "several.json": '{"palettes": [["#abc", "#def", "#000", "#fff"], ["#111", "#222", "#333", "#444"]]}',
    "old.tokens": '{"c": {"$type": "color", "a": {"$value": "#abc"}, "b": {"$value": "#def"}, "x": {"$value": "{c.a}"},'
    ' "d": {"$value": "#000"}, "e": {"$value": "#fff"}}, "size": {"$type": "dimension", "$value": "1px"}}',
    "drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg"><path fill="#abc"/><circle style="stroke:#111;fill:#def"/>'
    '<rect fill="#000"/><rect fill="#ABC"/><rect fill="#fff"/><rect fill="none"/></svg>',
    "gimp.gpl": "GIMP Palette\r\n#\r\n170 187 204\r\n221\t238 255 Sky\r\n  0   0   0\r\n255 255 255 White\r\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_programs_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(FOREIGN[name], "utf-8")
    found = exports.read(path)
    assert found.colours == ("#aabbcc", "#ddeeff", "#000000", "#ffffff")
    assert found.title == ("T" if name == "colors.json" else path.stem) and found.origin == name


def test_a_file_of_several_gives_all(tmp_path: Path) -> None:
    path = tmp_path / "several.json"
    path.write_text(FOREIGN["several.json"])
    assert [each.colours[0] for each in exports.read_all(path)] == ["#aabbcc", "#111111"]


def test_what_the_studio_makes_of_words_is_read_with_them(tmp_path: Path) -> None:
    path = tmp_path / "palettes.json"
    made = [describe(each.colours).to_json() for each in (SEED, SLATE)]
    path.write_text(json.dumps({"description": "fresh greens", "palettes": made}))
    first, second = exports.read_all(path)
    assert (first.colours, second.colours) == (SEED.colours, SLATE.colours)
    assert first.title == "fresh greens" and first.origin == "the words “fresh greens”"
    assert first.names == ("Lime Twist", "Corrosive Green", "Green Priestess", "Ice Climber")


BROKEN = {
    "a.txt": (b"#abc", "is of no kind that palettes are read from."),
    "five.css": (b"a{--a:#111;--b:#222;--c:#333;--d:#444;--e:#555}", "holds 5 colours, and a palette has 4."),
    "one.scss": (b"$a: #111;", "holds one colour, and a palette has 4."),
    "empty.css": (b"", "holds no colours, and a palette has 4."),
    "binary.css": (b"\xff\xfe\x00", "is not text in UTF-8."),
    "cut.json": (b'{"colours": ["#111"', "is not JSON."),
    "deep.json": (b"[" * 100_000, "is not JSON."),
    "other.json": (b'{"a": 1}', "holds no list of colours."),
    "number.json": (b"7", "is JSON of another kind."),
    "empty.json": (b'{"palettes": []}', "holds no palettes."),
    "wrong.json": (b'["#111", "red", "#333", "#444"]', "cannot be used: 'red' is not a hex colour."),
    "odd.tokens.json": (b'{"a": {"$type": "color", "$value": 7}}', "is JSON of another kind."),
    "a.ase": (b"nope", "is not an Adobe Swatch Exchange file."),
    "cut.ase": (b"ASEF\0\1\0\0\0\0\0\4\xc0\1", "is damaged: it ends too early."),
    "a.aco": (b"\0\7\0\4", "is not a file of Photoshop's swatches."),
    "cut.aco": (b"\0\1\0\4\0\0", "is damaged: it ends too early."),
    "book.aco": (b"\0\1\0\1\0\3" + bytes(8), "holds a colour book’s colours."),
    "a.gpl": (b"JASC-PAL", "does not begin with 'GIMP Palette'."),
    "high.gpl": (b"GIMP Palette\n300 0 0 x\n", "holds a value above 255."),
    "a.svg": (b"<svg", "is not a drawing in SVG."),
    "swell.svg": (b'<!DOCTYPE a [<!ENTITY b "c">]><svg/>', "defines entities, which are not read."),
    "a.png": (b"\x89PNG\r\n\x1a\n", "is not a picture that can be read."),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_palette_gets_one_sentence(name: str, tmp_path: Path) -> None:
    content, sentence = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        exports.read(path)
    assert caught.value.what == f"{name} {sentence}" and caught.value.todo.count(".") >= 1


@pytest.mark.parametrize("kind", ["ase", "aco", "png", "json", "svg"])
def test_a_file_cut_anywhere_gets_a_sentence_and_no_traceback(kind: str, tmp_path: Path) -> None:
    whole, path = exports.render(SEED, kind), tmp_path / f"cut{SUFFIXES[kind]}"
    for share in np.linspace(0, 0.9, 20):
        path.write_bytes(whole[: int(share * len(whole))])
        try:
            assert exports.read(path).colours == SEED.colours  # the first version of an .aco stands alone
        except StudioError as error:
            assert error.what.startswith(f"cut{SUFFIXES[kind]} ") or "Illegal" not in error.what


def test_a_photograph_is_told_where_to_go(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    with pytest.raises(StudioError, match=r"four bands of one colour each\. Take .* with picture-palette\.$"):
        exports.read(tmp_path / "a.png")


def test_a_missing_file_and_a_large_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="cannot be read: no such file or directory"):
        exports.read(tmp_path / "none.ase")
    (tmp_path / "large.css").write_bytes(bytes(5 * 2**20))
    with pytest.raises(StudioError, match=r"^large\.css is larger than any palette\."):
        exports.read(tmp_path / "large.css")
