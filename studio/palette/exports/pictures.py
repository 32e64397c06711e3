"""Palettes as pictures, four bands from edge to edge with their names, and back."""

from __future__ import annotations

import io
import re
import unicodedata
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from studio.palette.colours import SIZE, parse_colour
from studio.palette.contrast import ratio
from studio.palette.exports.code import decoded, wanted
from studio.palette.exports.palette import PROGRAM, NotAPaletteError, Palette, Token, headline, tokens

WIDTH, HEIGHT = 1600, 1000
"""Of either picture, in pixels."""

_BAND, _LEFT = WIDTH // SIZE, 32
_LINES = ((HEIGHT - 128, 40), (HEIGHT - 84, 24), (HEIGHT - 52, 24))  # baselines and sizes of the name, hex and role
_WIDE, _LONGEST = 0.6, 40  # width of a letter of an average font, of its size; characters of a name that are shown
_INSIDE = 0.1  # of a band's width that is passed over at either edge when it is read
_ROW = 0.1  # of the height, where no letters are
_SHAPES = {"rect", "path", "circle", "ellipse", "polygon"}
_FILL = re.compile(r"(?:^|;)\s*fill\s*:\s*(#[0-9a-f]{6}|#[0-9a-f]{3})\s*(?:;|$)", re.IGNORECASE)
_PLAIN_FILL = re.compile(r"#[0-9a-f]{6}|#[0-9a-f]{3}", re.IGNORECASE)
_MOST_PIXELS = 50_000_000


def svg(palette: Palette) -> bytes:
    """A picture with shapes and letters that stay editable, each band a group under the colour's name."""
    title, *rest = headline(palette)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">'
    )
    about = [f"  <title>{escape(title)}</title>", f"  <desc>{escape(' '.join(rest))}</desc>"]
    bands = [_svg_band(index, each) for index, each in enumerate(tokens(palette))]
    return ("\n".join([head, *about, *bands, "</svg>"]) + "\n").encode()


def png(palette: Palette) -> bytes:
    """A picture of pixels; its title and origin are in its text, which reading back does not need."""
    picture = Image.new("RGB", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(picture)
    for index, each in enumerate(tokens(palette)):
        left = index * _BAND
        pen.rectangle((left, 0, left + _BAND - 1, HEIGHT - 1), fill=each.hex)
        for (baseline, size), text in zip(_LINES, _labels(each), strict=True):
            font = ImageFont.load_default(_fitted(text, size))
            pen.text((left + _LEFT, baseline), _plain(text), fill=_ink(each.hex), font=font, anchor="ls")
    about = PngImagePlugin.PngInfo()
    title, *rest = headline(palette)
    for key, value in (("Title", title), ("Description", " ".join(rest)), ("Software", PROGRAM)):
        about.add_itxt(key, value)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=about, optimize=True)
    return buffer.getvalue()


def read_svg(file: bytes) -> Palette:
    """Read a drawing whose shapes are filled with four colours.

    Raises:
        NotAPaletteError: It is damaged, or its shapes have more or fewer.
    """
    text = decoded(file)
    if "<!ENTITY" in text:  # no drawing program needs them, and they can be made to swell
        raise NotAPaletteError("defines entities, which are not read")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise NotAPaletteError("is not a drawing in SVG") from None
    shapes = [each for each in root.iter() if each.tag.rpartition("}")[2] in _SHAPES]
    fills = [fill for each in shapes if (fill := _fill(each))]
    if len(fills) != SIZE:
        fills = list(dict.fromkeys(parse_colour(fill) for fill in fills))
    title = root.findtext("{http://www.w3.org/2000/svg}title") or ""
    return Palette.of(wanted(fills), title, names=_group_names(root))


def read_png(file: bytes) -> Palette:
    """Read a picture of four equal bands side by side, by its pixels alone.

    Raises:
        NotAPaletteError: It is damaged, or of anything else.
    """
    try:
        with Image.open(io.BytesIO(file), formats=["PNG"]) as picture:
            if picture.width * picture.height > _MOST_PIXELS or picture.width < SIZE:
                raise NotAPaletteError("is not of a size that palettes have")
            title = str(picture.info.get("Title", ""))
            pixels = np.asarray(picture.convert("RGB"))
    except NotAPaletteError:
        raise
    except Exception:  # decoders meet foreign bytes and raise whatever they like
        raise NotAPaletteError("is not a picture that can be read", "Export or copy it again.") from None
    row = pixels[int(_ROW * len(pixels))]
    colours = []
    for band in np.array_split(row, SIZE):
        inner = band[int(_INSIDE * len(band)) : max(1, int((1 - _INSIDE) * len(band)))]
        if (inner != inner[0]).any():
            todo = "Take the colours of any other picture with picture-palette."
            raise NotAPaletteError("does not show four bands of one colour each", todo)
        colours.append("#" + inner[0].tobytes().hex())
    return Palette.of(colours, title)


def _svg_band(index: int, token: Token) -> str:
    left, ink = index * _BAND, _ink(token.hex)
    letters = [
        f'    <text x="{left + _LEFT}" y="{y}" font-size="{_fitted(text, size)}" fill="{ink}">{escape(text)}</text>'
        for (y, size), text in zip(_LINES, _labels(token), strict=True)
    ]
    shape = f'    <rect x="{left}" width="{_BAND}" height="{HEIGHT}" fill="{token.hex}"/>'
    return "\n".join([f"  <g id={quoteattr(token.slug)} data-name={quoteattr(token.name)}>", shape, *letters, "  </g>"])


def _fitted(text: str, size: int) -> int:
    """Return the size at which letters stay within their band in whatever font, at most the one wanted."""
    return min(size, int((_BAND - 1.5 * _LEFT) / (_WIDE * max(len(text), 1))))


def _labels(token: Token) -> tuple[str, str, str]:
    name = token.name if len(token.name) <= _LONGEST else token.name[: _LONGEST - 1] + "…"
    return name, token.hex.upper(), token.role.capitalize()


def _plain(text: str) -> str:
    """Return text in ASCII, since Pillow's own font has no more: accents are lost, and what has no plain form."""
    return unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()


def _ink(code: str) -> str:
    """Return black or white, whichever is read better on a colour."""
    return max(("#000000", "#ffffff"), key=lambda ink: ratio(ink, code))


def _fill(shape: ElementTree.Element) -> str:
    """Return what a shape is filled with, as an attribute or in its style; nothing if with no hex colour."""
    styled = _FILL.search(shape.get("style", ""))
    plain = shape.get("fill", "")
    return styled[1] if styled else plain if _PLAIN_FILL.fullmatch(plain) else ""


def _group_names(root: ElementTree.Element) -> list[str]:
    return [name for each in root.iter() if (name := each.get("data-name"))]
