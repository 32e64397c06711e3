"""A reference picture as a target: its colours, and how far others lie from them."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from studio.cache import Cache
from studio.errors import StudioError
from studio.grading import losses
from studio.images import load_view
from studio.settings import Settings

LONG_EDGE = 320
"""Pixels along the long edge at which a reference is read; its colours are all that counts."""
DIRECTIONS = 32
QUANTILES = 128
MOST = 16_384
"""Colours sorted along each direction; sorting is what the distance costs."""
CHROMA = 2.0
"""How much more a step in a or b counts than one in lightness; they span less."""


class Reference:
    """The distribution of a picture's colours in OKLab.

    Args:
        rgb: [1, 3, H, W] sRGB code values in [0, 1].
    """

    def __init__(self, rgb: Tensor) -> None:
        self._directions = _directions().to(rgb.device)
        self._wanted = self._quantiles(losses.oklab(rgb))

    @classmethod
    def open(cls, path: Path, cache: Cache, settings: Settings, device: torch.device) -> Reference:
        """Read a reference picture.

        Raises:
            StudioError: It cannot be read.
        """
        try:
            pixels = load_view(path, LONG_EDGE, cache, settings)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StudioError(f"The reference picture {path} cannot be read: {reason}.", "Name a picture.") from None
        return cls(torch.from_numpy(pixels).permute(2, 0, 1)[None].to(device) / 255)

    def distance(self, lab: Tensor) -> Tensor:
        """Return how far the colours of all pictures together lie from the reference's.

        The sliced Wasserstein distance (Rabin et al., 2011), squared: along each of `DIRECTIONS` lines through OKLab,
        chroma counted `CHROMA` times, the mean squared difference of the sorted colours; then the mean over the lines.

        Args:
            lab: [B, 3, H, W], OKLab.

        Returns:
            A scalar, 0 for the same distribution, differentiable.
        """
        return (self._quantiles(lab) - self._wanted).square().mean()

    def _quantiles(self, lab: Tensor) -> Tensor:
        colours = lab.permute(1, 0, 2, 3).flatten(1)
        colours = colours[:, :: -(-colours.shape[1] // MOST)] * lab.new_tensor((1, CHROMA, CHROMA))[:, None]
        ordered = (self._directions @ colours).sort(dim=1).values
        places = (torch.arange(QUANTILES, device=lab.device) + 0.5) / QUANTILES * (ordered.shape[1] - 1)
        return ordered[:, places.round().long()]


def _directions() -> Tensor:
    """Return unit vectors spread evenly over half a sphere by the golden angle, [D, 3]."""
    index = torch.arange(DIRECTIONS, dtype=torch.float32)
    height = (index + 0.5) / DIRECTIONS
    angle = index * math.pi * (3 - math.sqrt(5))
    radius = (1 - height.square()).sqrt()
    return torch.stack((height, radius * angle.cos(), radius * angle.sin()), 1)
