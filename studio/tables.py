"""CSV files as people make them, read row by row as text."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from studio.errors import StudioError


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each row's number, as a spreadsheet counts, and its fields; empty rows after the first are passed over.

    Row 1 is the header, its names in lower case without the white space around them; of an empty file it has none.
    Commas, semicolons or tabs part the fields, whichever the header has most of.

    Raises:
        StudioError: The file cannot be read or is not written in UTF-8.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            top = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=top.count))
            yield 1, [name.strip().lower() for name in next(reader, [])]
            yield from ((number, values) for number, values in enumerate(reader, 2) if values)
    except UnicodeDecodeError:
        raise StudioError(f"{path.name} is not written in UTF-8.", "Save it as CSV in UTF-8.") from None
    except csv.Error as error:
        raise StudioError(f"{path.name} cannot be read as a table: {error}.", "Save it as CSV in UTF-8.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudioError(f"The table {path} cannot be read: {reason}.", "Check the path.") from None
