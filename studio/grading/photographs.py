"""The photographs of a grade: which are learnt on, which are held out, and the views the judge gets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from studio.cache import Cache
from studio.errors import StudioError
from studio.files import content_hash
from studio.images import list_foreign, list_images, load_view
from studio.settings import Settings

LONG_EDGE = 1280
"""Pixels along the long edge at which a photograph is decoded, once, for views and previews."""
MOST_VIEWS = 64
"""Most views a run learns on; each keeps a prefix, of 40 MiB with a 4B judge, so that 64 take 2.5 GiB."""
_DRAWN = Path(__file__).with_name("drawn.png")
_DRAWN_EDGE = 56


@dataclass
class Photographs:
    """A folder's readable photographs, split for training.

    Attributes:
        folder: Where they lie.
        paths: All that could be read, in natural order, each content once.
        train: Indices learnt on, shuffled.
        held_out: Indices never learnt on, shuffled; empty when there are fewer than four photographs.
        skipped: Names, relative to the folder, with the reason each was left out.
    """

    folder: Path
    paths: list[Path]
    train: list[int]
    held_out: list[int]
    cache: Cache
    settings: Settings
    skipped: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, seed: int, cache: Cache, settings: Settings) -> Photographs:
        """Decode a folder once and hold a quarter of it out, eight photographs at most.

        Raises:
            StudioError: The folder is missing, or holds no readable photograph.
        """
        contents: dict[str, Path] = {}
        skipped: dict[str, str] = {}
        for path in list_images(folder, settings):
            try:
                load_view(path, LONG_EDGE, cache, settings)
            except StudioError as error:
                skipped[_name(path, folder)] = error.what
                continue
            twin = contents.setdefault(content_hash(path), path)
            if twin != path:  # the same picture must not be learnt on and held out
                skipped[_name(path, folder)] = f"{path.name} is the same picture as {_name(twin, folder)}."
        skipped |= {_name(one.path, folder): one.reason for one in list_foreign(folder)}
        if not contents:
            raise StudioError(f"No photograph in '{folder}' could be read.", " ".join(skipped.values()))
        order = np.random.default_rng(seed).permutation(len(contents)).tolist()
        held = min(8, len(contents) // 4)
        return cls(folder, list(contents.values()), order[held:], order[:held], cache, settings, skipped)

    def names(self, indices: Sequence[int]) -> list[str]:
        """Return the photographs' names, relative to the folder, in natural order."""
        return [_name(self.paths[index], self.folder) for index in sorted(indices)]

    def told(self) -> str:
        """Say how many were read and which were left out."""
        count = f"{len(self.paths)} photograph{'s' * (len(self.paths) != 1)} read"
        return count + (f"; left out {len(self.skipped)}: {' '.join(self.skipped.values())}" if self.skipped else "")

    @property
    def measured(self) -> list[int]:
        """Indices the score is measured on: the held-out ones, or all when none are held out."""
        return self.held_out or self.train

    def fingerprint(self) -> str:
        """Identify the photographs by content."""
        return content_hash(*self.paths)

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """Return one photograph, uint8 [H, W, 3], oriented, long edge at most `LONG_EDGE`."""
        return load_view(self.paths[index], LONG_EDGE, self.cache, self.settings)

    def views(
        self, indices: Sequence[int], views: int, size: int, seed: int, most: int = MOST_VIEWS, jitter: bool = True
    ) -> Tensor:
        """Return views of some photographs: every whole frame first, squashed to a square, then crops.

        Args:
            indices: Which photographs.
            views: Views of each.
            size: Edge in pixels.
            seed: With a photograph's index and a view's number it fixes the crop.
            most: Most views in all.
            jitter: Also vary exposure, tint and noise; not for a log, where the same factor moves many stops.

        Returns:
            float32 [n, 3, size, size] in [0, 1].
        """
        wanted = [(number, index) for number in range(views) for index in indices][:most]
        made = {}
        for index in indices:  # photograph by photograph, so that each is read once
            picture = _tensor(self.pixels(index))
            for number in (number for number, of in wanted if of == index):
                made[number, index] = _view(picture, size, number, np.random.default_rng((seed, index, number)), jitter)
        return torch.stack([made[key] for key in wanted])


def drawn(size: int) -> Tensor:
    """Return the drawn pictures that stand beside few photographs, float32 [n, 3, size, size] in [0, 1].

    They come from the generator of ``recipes/judge`` and hold colours across the gamut.
    """
    from PIL import Image

    with Image.open(_DRAWN) as image:
        sheet = np.asarray(image.convert("RGB"))
    rows, columns = sheet.shape[0] // _DRAWN_EDGE, sheet.shape[1] // _DRAWN_EDGE
    tiles = sheet.reshape(rows, _DRAWN_EDGE, columns, _DRAWN_EDGE, 3).swapaxes(1, 2)
    return torch.stack([_resize(_tensor(tile), size) for tile in tiles.reshape(-1, _DRAWN_EDGE, _DRAWN_EDGE, 3)])


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _tensor(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)


def _resize(picture: Tensor, size: int) -> Tensor:
    resized = F.interpolate(picture[None], (size, size), mode="bilinear", align_corners=False, antialias=True)
    return resized[0].clamp(0, 1)


def _view(picture: Tensor, size: int, number: int, random: np.random.Generator, jitter: bool) -> Tensor:
    """View 0 is the whole frame; others are square crops, perhaps mirrored, with a little exposure, tint and noise."""
    if number == 0:
        return _resize(picture, size)
    height, width = picture.shape[1:]
    edge = max(1, int(min(height, width) * random.uniform(0.45, 1)))
    top, left = random.integers(0, height - edge + 1), random.integers(0, width - edge + 1)
    view = _resize(picture[:, top : top + edge, left : left + edge], size)
    if random.random() < 0.5:
        view = view.flip(-1)
    if not jitter:
        return view
    gain = random.uniform(0.8, 1.15) * (1 + 0.06 * random.standard_normal((3, 1, 1)))
    noise = 0.015 * random.standard_normal(view.shape)
    return (view * torch.from_numpy(gain).float() + torch.from_numpy(noise).float()).clamp(0, 1)
