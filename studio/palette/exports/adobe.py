"""Adobe's binary swatches, and back: .ase, which Illustrator and InDesign exchange, and .aco, which Photoshop has.

Both hold big-endian numbers and names in UTF-16 that end with a zero. An .aco holds the colours twice, first without
and then with names, since Photoshop had none at first; programs read what they know.
"""

from __future__ import annotations

import colorsys
import struct
from collections.abc import Iterator

from studio.palette.colours import to_srgb
from studio.palette.exports.code import wanted
from studio.palette.exports.palette import NotAPaletteError, Palette, title_of, tokens

_GROUP, _END, _COLOUR = 0xC001, 0xC002, 0x0001
_NORMAL = 2  # neither a spot colour nor a global one
_RGB, _HSB, _GREY = 0, 1, 8
_SPACES = {2: "CMYK", 7: "Lab", 9: "wide CMYK"}
_AS_RGB = "Save its swatches as RGB colours."


def to_ase(palette: Palette) -> bytes:
    """Adobe Swatch Exchange: one group under the palette's title."""
    blocks = [_block(_GROUP, _name(title_of(palette)))]
    for each in tokens(palette):
        values = struct.pack(">4s3fH", b"RGB ", *to_srgb([each.hex])[0], _NORMAL)
        blocks.append(_block(_COLOUR, _name(each.name) + values))
    blocks.append(_block(_END, b""))
    return struct.pack(">4sHHI", b"ASEF", 1, 0, len(blocks)) + b"".join(blocks)


def to_aco(palette: Palette) -> bytes:
    """Photoshop's swatches, in both of their versions."""
    plain, named = b"", b""
    for each in tokens(palette):
        values = struct.pack(">H4H", _RGB, *[code * 257 for code in bytes.fromhex(each.hex[1:])], 0)
        plain += values
        named += values + b"\0\0" + _name(each.name)
    count = len(palette.colours)
    return struct.pack(">HH", 1, count) + plain + struct.pack(">HH", 2, count) + named


def read_ase(file: bytes) -> Palette:
    """Read Adobe Swatch Exchange with four RGB or grey colours, in groups or not.

    Raises:
        NotAPaletteError: It is damaged, or of other colours.
    """
    if file[:4] != b"ASEF":
        raise NotAPaletteError("is not an Adobe Swatch Exchange file")
    titles, colours, names = [], [], []
    try:
        for kind, block in _blocks(file):
            if kind == _GROUP:
                titles.append(_read_name(block, 0)[0])
            elif kind == _COLOUR:
                name, offset = _read_name(block, 0)
                colours.append(_ase_colour(block, offset))
                names.append(name)
    except (struct.error, UnicodeDecodeError):
        raise NotAPaletteError("is damaged: it ends too early", "Export or copy it again.") from None
    return Palette.of(wanted(colours), titles[0] if titles else "", names=names)


def read_aco(file: bytes) -> Palette:
    """Read Photoshop's swatches, four of RGB, HSB or grey, with names if there are any.

    Raises:
        NotAPaletteError: It is damaged, or of other colours.
    """
    colours, names, offset = [], [], 0
    try:
        version, count = struct.unpack_from(">HH", file)
        if version not in (1, 2):
            raise NotAPaletteError("is not a file of Photoshop's swatches")
        if version == 1 and len(file) > 4 + 10 * count:
            offset = 4 + 10 * count  # the second version says the same, and the names
            version, count = struct.unpack_from(">HH", file, offset)
        offset += 4
        for _ in range(count):
            colours.append(_aco_colour(*struct.unpack_from(">5H", file, offset)))
            offset += 10
            if version == 2:
                name, offset = _read_name(file, offset + 2)
                names.append(name)
    except (struct.error, UnicodeDecodeError):
        raise NotAPaletteError("is damaged: it ends too early", "Export or copy it again.") from None
    return Palette.of(wanted(colours), names=names)


def _blocks(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each block of an .ase."""
    (count,) = struct.unpack_from(">I", file, 8)
    offset = 12
    for _ in range(count):
        kind, length = struct.unpack_from(">HI", file, offset)
        yield kind, file[offset + 6 : offset + 6 + length]
        offset += 6 + length


def _ase_colour(block: bytes, offset: int) -> str:
    model = block[offset : offset + 4]
    if model == b"RGB ":
        return _hex(struct.unpack_from(">3f", block, offset + 4))
    if model == b"Gray":
        return _hex(struct.unpack_from(">f", block, offset + 4) * 3)
    if len(model) < 4:
        raise struct.error
    raise NotAPaletteError(f"holds {model.decode('latin-1').strip()} colours", _AS_RGB)


def _aco_colour(space: int, one: int, two: int, three: int, _: int) -> str:
    if space == _RGB:
        return _hex((one / 65535, two / 65535, three / 65535))
    if space == _HSB:
        return _hex(colorsys.hsv_to_rgb(one / 65535, two / 65535, three / 65535))
    if space == _GREY:
        return _hex((min(one, 10000) / 10000,) * 3)
    raise NotAPaletteError(f"holds {_SPACES.get(space, 'a colour book’s')} colours", _AS_RGB)


def _hex(values: tuple[float, ...]) -> str:
    codes = [min(max(round(value * 255), 0), 255) if value == value else 0 for value in values]
    return "#" + bytes(codes).hex()


def _block(kind: int, content: bytes) -> bytes:
    return struct.pack(">HI", kind, len(content)) + content


def _name(text: str) -> bytes:
    """Return a name with the number of its UTF-16 units before it and a zero at its end, which counts."""
    units = text.encode("utf-16-be") + b"\0\0"
    return struct.pack(">H", len(units) // 2) + units


def _read_name(data: bytes, offset: int) -> tuple[str, int]:
    """Return a name, and where what follows it begins."""
    (units,) = struct.unpack_from(">H", data, offset)
    end = offset + 2 + 2 * units
    if end > len(data):
        raise struct.error
    return data[offset + 2 : end].decode("utf-16-be").rstrip("\0"), end
