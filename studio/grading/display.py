"""What a viewer sees of footage, with and without a LUT; judges and previews look through it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.grading.apply import grade
from studio.grading.config import OptimizeConfig
from studio.grading.encodings import ENCODINGS, conversion_table, convert, shoot
from studio.grading.looktransform import to_codes
from studio.grading.lut import apply

Pixels = NDArray[np.uint8]


class Display:
    """The way from a file's code values to sRGB, through a LUT.

    Args:
        config: Names the encodings in and out, and the size of the LUT.

    Attributes:
        base: [3, N, N, N], the table that adds no grade; None where that is the identity.
    """

    def __init__(self, config: OptimizeConfig) -> None:
        self._source, self._target = config.input_encoding, config.output
        self.base: Tensor | None = None
        if self._source != self._target:
            self.base = torch.from_numpy(conversion_table(self._source, self._target, config.lut_size))

    @property
    def is_log(self) -> bool:
        """Whether a camera's log goes in."""
        return ENCODINGS[self._source].is_log

    def shown(self, codes: Tensor) -> Tensor:
        """Return footage [B, 3, H, W] as a viewer sees it without a grade, sRGB code values."""
        return self._to_srgb(codes if self.base is None else apply(self.base.to(codes.device), codes))

    def graded(self, table: Tensor, codes: Tensor) -> Tensor:
        """Return footage [B, 3, H, W] as a viewer sees it through a LUT's table, sRGB code values; differentiable."""
        return self._to_srgb(apply(table, codes))

    def picture(self, pixels: Pixels, table: Tensor | None) -> Pixels:
        """Return a photograph [H, W, 3] as a viewer sees it, through a table or (None) without a grade."""
        table = self.base if table is None else table
        seen = pixels if table is None else grade(pixels, table)
        if self._target == "srgb":
            return seen
        levels = np.arange(256)[:, None] / 255
        return np.rint(255 * convert(levels, self._target, "srgb")[:, 0]).astype(np.uint8)[seen]

    def footage(self, shown: Tensor) -> Tensor:
        """Return drawn pictures [B, 3, H, W], sRGB code values, as this footage would hold them."""
        if self._source == "srgb":
            return shown
        codes = shoot(shown.permute(0, 2, 3, 1).double().numpy(), self._source)
        return torch.from_numpy(codes).float().permute(0, 3, 1, 2)

    def _to_srgb(self, codes: Tensor) -> Tensor:
        return codes if self._target == "srgb" else to_codes(codes.clamp_min(1e-6) ** 2.4)
