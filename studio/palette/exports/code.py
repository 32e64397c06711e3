"""Palettes as text that programs include: CSS, SCSS, Tailwind, and GIMP's list; and back."""

from __future__ import annotations

import re

from studio.files import slug
from studio.palette.colours import SIZE, parse_colour
from studio.palette.exports.palette import NotAPaletteError, Palette, Token, by_role, headline, tokens
from studio.palette.naming import nearest

_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w])//[^\n]*", re.DOTALL)
_DECLARED = re.compile(
    r"""(?P<quote>["']?)(?:--|\$)?(?P<name>[\w-]+)(?P=quote)\s*:\s*["']?(?P<hex>\#(?:[0-9a-f]{6}|[0-9a-f]{3}))\b""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_PREFIX = "color-"
_GPL_ROW = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s+(.*))?")


def css(palette: Palette) -> bytes:
    """CSS variables: the colours by name, and the roles, which point to them."""
    parts = tokens(palette)
    rows = [f"  --{_PREFIX}{each.slug}: {each.hex}; /* {each.family} */" for each in parts]
    uses = [f"  --{_PREFIX}{role}: var(--{_PREFIX}{each.slug});" for role, each in by_role(parts)]
    return _joined(_comment(palette), ":root {", *rows, "", "  /* What each is for */", *uses, "}")


def scss(palette: Palette) -> bytes:
    """SCSS: a variable for each colour and each role, and a map of the roles to loop over."""
    parts = tokens(palette)
    rows = [f"${each.slug}: {each.hex}; // {each.family}" for each in parts]
    uses = [f"${role}: ${each.slug};" for role, each in by_role(parts)]
    table = [f'  "{role}": ${role},' for role, _ in by_role(parts)]
    return _joined(_comment(palette), *rows, "", "// What each is for", *uses, "", "$palette: (", *table, ");")


def tailwind3(palette: Palette) -> bytes:
    """Tailwind 3: a preset, so that a project keeps its own configuration."""
    parts = tokens(palette)
    hint = 'Use it in tailwind.config.js: presets: [require("./this-file")], then write bg-background, text-accent ...'
    rows = [f'  "{each.slug}": "{each.hex}", // {each.family}' for each in parts]
    uses = [f'        {role}: palette["{each.slug}"],' for role, each in by_role(parts)]
    return _joined(
        _comment(palette, hint), "const palette = {", *rows, "};", "",
        "/** @type {import('tailwindcss').Config} */", "module.exports = {", "  theme: {", "    extend: {",
        "      colors: {", "        ...palette,", *uses, "      },", "    },", "  },", "};",
    )  # fmt: skip


def tailwind4(palette: Palette) -> bytes:
    """Tailwind 4: theme variables; the roles are inline, since they point to others."""
    parts = tokens(palette)
    hint = 'Import it after Tailwind: @import "tailwindcss"; @import "./this-file"; then write bg-background ...'
    rows = [f"  --{_PREFIX}{each.slug}: {each.hex}; /* {each.family} */" for each in parts]
    uses = [f"  --{_PREFIX}{role}: var(--{_PREFIX}{each.slug});" for role, each in by_role(parts)]
    return _joined(_comment(palette, hint), "@theme {", *rows, "}", "", "@theme inline {", *uses, "}")


def gpl(palette: Palette) -> bytes:
    """GIMP's palette, which Inkscape, Krita and others read as well."""
    title, *rest = headline(palette)
    rows = [f"{_codes(each)}\t{each.name}" for each in tokens(palette)]
    return _joined("GIMP Palette", f"Name: {title}", f"Columns: {SIZE}", *[f"# {line}" for line in rest], *rows)


def read(file: bytes) -> Palette:
    """Read CSS, SCSS or JavaScript with four colours in it, as ``name: #hex``.

    Raises:
        NotAPaletteError: It is not text, or holds more or fewer.
    """
    text = decoded(file)
    found = [(each["name"], parse_colour(each["hex"])) for each in _DECLARED.finditer(_COMMENT.sub(" ", text))]
    if len(found) != SIZE:  # another program may repeat a colour under other names
        first: dict[str, tuple[str, str]] = {}
        for name, code in found:
            first.setdefault(code, (name, code))
        found = list(first.values())
    wanted([code for _, code in found])
    names = [_spelt(name.removeprefix(_PREFIX), code) for name, code in found]
    return Palette.of([code for _, code in found], _title(text), names=names)


def read_gpl(file: bytes) -> Palette:
    """Read GIMP's palette of four colours.

    Raises:
        NotAPaletteError: It is not one, or holds more or fewer.
    """
    first, *lines = decoded(file).splitlines() or [""]
    if first.strip() != "GIMP Palette":
        raise NotAPaletteError("does not begin with 'GIMP Palette'")
    titles = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("name:")]
    rows = [match for line in lines if (match := _GPL_ROW.fullmatch(line))]
    values = [[int(each) for each in row.groups()[:3]] for row in rows]
    if any(max(each) > 255 for each in values):
        raise NotAPaletteError("holds a value above 255")
    colours = wanted(["#" + bytes(each).hex() for each in values])
    names = [(row[4] or "").strip() for row in rows]
    return Palette.of(colours, titles[0] if titles else "", names=names)


def wanted(colours: list[str]) -> list[str]:
    """Return colours if they are four.

    Raises:
        NotAPaletteError: They are not.
    """
    if len(colours) != SIZE:
        count = {0: "no colours", 1: "one colour"}.get(len(colours), f"{len(colours)} colours")
        raise NotAPaletteError(f"holds {count}, and a palette has {SIZE}")
    return colours


def decoded(file: bytes) -> str:
    """Return text in UTF-8, with or without a mark of it.

    Raises:
        NotAPaletteError: It is none.
    """
    try:
        return file.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotAPaletteError("is not text in UTF-8") from None


def _comment(palette: Palette, *more: str) -> str:
    lines = [line.replace("*/", "* /") for line in (*headline(palette), *more)]
    return "\n".join(["/*", *[f" * {line}" for line in lines], " */"])


def _title(text: str) -> str:
    """Return the title that `_comment` wrote; nothing for the comments of others."""
    match = re.match(r"\s*/\*\n \* (.*)\n \* Four colours\b.* by Gemma Studio ", text)
    return match[1].replace("* /", "*/") if match else ""


def _spelt(word: str, code: str) -> str:
    """Return the name that a word for programs stands for: with its accents, if it is the colour's own."""
    own = nearest([code])[0].name
    return own if slug(own) == word else " ".join(word.replace("_", "-").split("-")).title()


def _codes(token: Token) -> str:
    return " ".join(f"{value:3d}" for value in bytes.fromhex(token.hex[1:]))


def _joined(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()
