"""What the readers and writers of LUT files share: titles, and how a line of a broken file is shown."""

from __future__ import annotations

import re
import unicodedata

AGAIN = "Export it again as a 3D LUT."

_TITLE = re.compile(r'\s*(?:#\s*)?TITLE\s*"(.*)"\s*$|\s*TITLE\s+(\S.*?)\s*$', re.IGNORECASE)
_TITLE_LENGTH = 240  # Adobe's lines have 250 bytes at most


def titled(line: str) -> str:
    """Return the title a line gives, or nothing; where a format has no keyword for it, it stands in a comment."""
    found = _TITLE.match(line.lstrip("\ufeff"))
    return (found[1] or found[2] or "").strip() if found else ""


def shown(line: str) -> str:
    """Return a line of a file in quotes, for a person: printable, on one line, not long."""
    return "'" + "".join(each if each.isprintable() else "�" for each in " ".join(line.split())[:40]) + "'"


def plain(text: str) -> str:
    """Return text as one line of printable ASCII without double quotes, since readers differ on the rest."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in ascii_text).replace('"', "'").split())


def plain_title(text: str) -> str:
    """Return a title that every reader takes, of at most 240 characters.

    It is ``untitled look`` where plain ASCII leaves no letter or digit (emoji, Chinese).
    """
    name = plain(text)[:_TITLE_LENGTH].strip()
    return name if any(each.isalnum() for each in name) else "untitled look"
