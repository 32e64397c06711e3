"""The pictures of questions: found within their folder when questions are read, opened when they are looked at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from studio.files import slug
from studio.images import FORMATS, admit
from studio.scienceqa.questions.record import Question, Unusable
from studio.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

_HEAD = 64  # bytes of a file that are looked at
_LFS = b"version https://git-lfs"


class Folder:
    """A folder of pictures that names lead into and never out of, also not by symbolic links.

    Args:
        path: The folder; it need not exist as long as nothing is looked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._real = os.path.realpath(path)
        self._known: dict[tuple[str, ...], str] = {}  # folders within it, and where they really lie

    def find(self, names: Sequence[str]) -> Path:
        """Return the first file that is there, as far as its first bytes tell a picture.

        Args:
            names: Paths within the folder.

        Raises:
            Unusable: One leads out of the folder, there is none, or the file is empty or no picture.
        """
        for name in names:
            shown = f"'{name[:100]}'"
            parts = PurePath(name).parts
            if ".." in parts or PurePath(name).is_absolute() or "\0" in name:
                raise Unusable(f"The picture's name {shown} leads out of the folder of pictures.")
            real = self._resolve(parts)
            if parts and not real.startswith(os.path.join(self._real, "")):
                raise Unusable(f"The picture {shown} is a link that leads out of the folder of pictures.")
            if os.path.isfile(real):
                check_encoded(_head(real, shown), f"The picture {shown}")
                return self.path / name
        raise Unusable(f"There is no picture '{names[0][:100]}' in the folder '{self.path.name}'.", "picture")

    def _resolve(self, parts: tuple[str, ...]) -> str:
        """Return where a path within the folder really lies; each folder on the way is looked at once."""
        if not parts:
            return self._real
        above = parts[:-1]
        if above not in self._known:
            self._known[above] = self._resolve(above)
        path = os.path.join(self._known[above], parts[-1])
        return os.path.realpath(path) if os.path.islink(path) else path


def check_encoded(head: bytes, what: str) -> None:
    """Refuse a file that its first bytes show to be no picture, without decoding it.

    Args:
        head: Its first bytes.
        what: What to call it in a sentence.

    Raises:
        Unusable: It is empty, the stand-in that Git LFS leaves, or in no format that is read.
    """
    from PIL import Image

    if not head:
        raise Unusable(f"{what} is empty.", "picture")
    if head.startswith(_LFS):
        raise Unusable(f"{what} has not been fetched; git lfs pull does it.", "picture")
    Image.init()
    accepts = (Image.OPEN[name][1] for name in FORMATS)
    if not any(accept is None or accept(head) for accept in accepts):
        raise Unusable(f"{what} is not a picture that can be read.", "picture")


def open_picture(question: Question, settings: Settings | None = None) -> Image | None:
    """Return a question's picture: RGB, sRGB code values, upright, whole; None for a question of text alone.

    Args:
        question: Whose picture.
        settings: Its limits decide what is admitted; without it those of the environment.

    Raises:
        StudioError: It is missing, too large, damaged or no picture.
    """
    if question.image is None:
        return None
    limits = settings or Settings.from_environment()
    if isinstance(question.image, Path):
        return admit(question.image, limits)
    with tempfile.TemporaryDirectory(prefix="gemma-studio-") as folder:
        path = Path(folder) / f"the picture of {slug(question.pid)}"  # as a sentence about it will name it
        path.write_bytes(question.image)
        return admit(path, limits)


def _head(path: str, shown: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unusable(f"The picture {shown} cannot be read: {reason}.", "picture") from None
