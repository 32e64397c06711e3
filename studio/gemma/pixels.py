"""Differentiable preprocessing, equal to the processors' own.

The Hub's processors work on 8-bit pictures: Pillow resizes horizontally, rounds to 8 bits, resizes vertically and
rounds again. `Preprocessing` does the same with tensors and lets gradients through, for Gemma 3 (fixed size) and
CLIP (shortest edge, then the centre).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from studio.errors import StudioError

_FILTERS = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers of resampling filters


@dataclass(frozen=True)
class Preprocessing:
    """From pictures to what a vision tower takes.

    Attributes:
        height: Pixels the model sees, vertically.
        width: Pixels the model sees, horizontally.
        shortest_edge: Resize so that the shorter side has this many pixels, then cut out the centre; 0 resizes to
            `height` by `width` whatever the aspect ratio.
        filter: ``"bilinear"`` or ``"bicubic"``, both antialiased.
        mean: Subtracted per channel, in units of 0..1.
        std: Divided by per channel.
    """

    height: int
    width: int
    shortest_edge: int
    filter: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, image_processor: Any) -> Preprocessing:
        """Read the settings of a Hugging Face image processor.

        Raises:
            StudioError: The processor does something this class does not.
        """
        size, edge = image_processor.size, 0
        if "shortest_edge" in size and image_processor.do_center_crop:
            size, edge = image_processor.crop_size, int(size["shortest_edge"])
        if "height" not in size or int(image_processor.resample) not in _FILTERS:
            raise StudioError(f"The preprocessing of {type(image_processor).__name__} is not supported: size {size}.")
        return cls(
            int(size["height"]),
            int(size["width"]),
            edge,
            _FILTERS[int(image_processor.resample)],
            tuple(image_processor.image_mean),
            tuple(image_processor.image_std),
        )

    def __call__(self, pictures: Tensor, *, exact: bool = False) -> Tensor:
        """Prepare pictures for the vision tower.

        Args:
            pictures: ``[B, 3, H, W]``, sRGB code values in 0..1.
            exact: Round to 8 bits wherever the processor does, so that the result is the processor's within one
                8-bit level; the gradient passes the rounding unchanged. Without, values are only clamped, which is
                smooth and meant for training steps.

        Returns:
            ``[B, 3, height, width]`` float32, normalised.
        """
        pictures = _store(pictures.float(), exact)
        height, width = self._resized(*pictures.shape[-2:])
        if pictures.shape[-1] != width:
            pictures = _store(self._resize(pictures, pictures.shape[-2], width), exact)
        if pictures.shape[-2] != height:
            pictures = _store(self._resize(pictures, height, width), exact)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        pictures = pictures[..., top : top + self.height, left : left + self.width]
        mean = torch.tensor(self.mean, device=pictures.device)[:, None, None]
        std = torch.tensor(self.std, device=pictures.device)[:, None, None]
        return (pictures - mean) / std

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        if not self.shortest_edge:
            return self.height, self.width
        short, long = sorted((height, width))
        long = int(self.shortest_edge * long / short)
        return (self.shortest_edge, long) if height <= width else (long, self.shortest_edge)

    def _resize(self, pictures: Tensor, height: int, width: int) -> Tensor:
        return functional.interpolate(
            pictures, size=(height, width), mode=self.filter, align_corners=False, antialias=True
        )


def _store(pictures: Tensor, exact: bool) -> Tensor:
    """Clamp to 0..1 and, when exact, round to 8 bits with a straight-through gradient."""
    pictures = pictures.clamp(0, 1)
    if not exact:
        return pictures
    return pictures + ((pictures * 255).round() / 255 - pictures).detach()
