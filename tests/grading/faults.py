"""LUTs with one planted fault each, or one look that is none."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from studio.grading.lut import identity

SIZE = 33


def luma(table: Tensor) -> Tensor:
    return (table * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None, None]).sum(0, keepdim=True)


def folded() -> Tensor:
    """Green goes back and forth among saturated blues; greys, skin and every end stay."""
    table = identity(SIZE).clone()
    red, green, blue = identity(SIZE)
    wave = torch.sin(math.pi * green) ** 2 * torch.sin(2 * math.pi * green)
    table[1] = green - 2.6 * (blue - red).clamp_min(0) * wave * (1 - green)
    return table.clamp(0, 1)


def luts() -> dict[str, Tensor]:
    same = identity(SIZE)
    tinted, grey = same.clone(), luma(same).expand(3, -1, -1, -1)
    tinted[2] += 0.2 * same[2] * (1 - same[2])
    return {
        "identity": same,
        "crushed": ((same - 0.2) / 0.8).clamp(0, 1),
        "clipped": (1.3 * same).clamp(0, 1),
        "banded": (15 * same).round() / 15,
        "folded": folded(),
        "tinted": tinted,
        "inverted": 1 - same,
        "lifted": 0.1 + 0.9 * same,
        "swapped": same[[2, 1, 0]],
        "black and white": grey,
        "veil": 0.4 + 0.2 * same,
    }
