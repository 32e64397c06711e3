"""What the vision encoder says of pictures: computed once for each, and kept on the disk for later epochs and runs.

A picture of CLIP at 336 pixels is a megabyte a view, so a whole data set would empty the studio's cache of everything
else and not fit it. These have a cache of their own beside it, with a limit of its own; what does not fit is computed
again.
"""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple, Self

import safetensors.torch
import torch
from torch import Tensor

from studio.cache import Cache
from studio.errors import StudioError
from studio.files import content_hash
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.views import Grid
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import Question
from studio.settings import Settings

LIMIT = 32 * 2**30
"""Bytes that features may take; where the disk has less than twice that, half of what it has."""
_NAME = "features"


class Picture(NamedTuple):
    """A picture whose features are known: under which key, and into which grid of views it was cut."""

    key: str
    grid: Grid


class Features(AbstractContextManager["Features"]):
    """The features of pictures, by the pictures' content and by all of the model that they depend on.

    They are kept in 16 bits, and come so even the first time: a run that finds them equals one that computes them.

    Args:
        model: Whose encoder.
        settings: Where they are kept, and which pictures are admitted.

    Attributes:
        again: How often features had to be computed again, since there was no room for them.
    """

    def __init__(self, model: GemmaClip, settings: Settings) -> None:
        folder = settings.folder(_NAME)
        taken = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        limit = min(LIMIT, (shutil.disk_usage(folder).free + taken) // 2)
        self._cache = Cache(folder, limit)
        self._model = model
        self._settings = settings
        self.again = 0

    def admit(self, question: Question) -> Picture | None:
        """Make sure that the features of a question's picture are known; None without a picture.

        Raises:
            StudioError: The picture cannot be used.
        """
        if question.image is None:
            return None
        try:
            key = content_hash(self._model.feature_key, question.image)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StudioError(f"The picture of question {question.pid} cannot be read: {reason}.") from None
        known = self._cache.get(_grid_key(key))
        if known is None:
            return Picture(key, self._compute(question, key)[0])
        rows, columns = json.loads(known)
        return Picture(key, (rows, columns))

    def of(self, question: Question, picture: Picture | None) -> Tensor | None:
        """Return the features of a question's picture, ``[views, patches, width]`` float32 on the CPU; None without
        one.

        Raises:
            StudioError: They have been thrown away meanwhile, and the picture can no longer be used.
        """
        if picture is None:
            return None
        if (kept := self._cache.get(picture.key)) is not None:
            return safetensors.torch.load(kept)[_NAME].float()
        self.again += 1
        return self._compute(question, picture.key)[1]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._cache.close()

    def __enter__(self) -> Self:
        return self

    def _compute(self, question: Question, key: str) -> tuple[Grid, Tensor]:
        """Encode one picture, by itself, so that its features depend on no other."""
        picture = open_picture(question, self._settings)
        cut = self._model.cut(picture)
        exact = self._model.features(cut.tiles).cpu()
        fits = bool(exact.abs().max() <= torch.finfo(torch.float16).max)
        features = exact.to(torch.float16 if fits else torch.float32).contiguous()
        self._cache.put(key, safetensors.torch.save({_NAME: features}))
        self._cache.put(_grid_key(key), json.dumps(cut.grid).encode())
        return cut.grid, features.float()


def _grid_key(key: str) -> str:
    return f"{key} grid"
