"""A small convolutional network that learns to read fast, and then teaches the vision tower.

A convolution knows from the start that a digit is the same wherever it stands; a transformer over patches learns it for
every place within a patch. So this one learns first, and the tower is then told what it makes of every patch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = (64, 128, 128)
"""Channels of the three outputs: over squares of 4 pixels, then over patches of 8, early and late."""


class Block(nn.Module):
    """Two convolutions around which the input goes by."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(width)])

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, rows, columns) to the same."""
        inner = functional.relu(self.norms[0](self.first(x)))
        return functional.relu(x + self.norms[1](self.second(inner)))


def _down(wide: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(wide, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class Teacher(nn.Module):
    """Pictures to what three depths say of them."""

    def __init__(self) -> None:
        super().__init__()
        fine, early, late = STAGES
        self.fine = nn.Sequential(_down(3, 32), _down(32, fine), Block(fine))
        self.early = nn.Sequential(_down(fine, early), Block(early))
        self.late = nn.Sequential(Block(late, 2), Block(late, 3))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised pixels (n, 3, side, side) to (n, patches, features) of each stage; the first has 4 cells each."""
        fine = self.fine(pixels)
        early = self.early(fine)
        late = self.late(early)
        cells = functional.pixel_unshuffle(fine, 2)
        return tuple(stage.flatten(2).transpose(1, 2) for stage in (cells, early, late))  # type: ignore[return-value]


class Lessons(nn.Module):
    """What the tower's layers are told: to foresee, each by a linear map, one stage of the teacher.

    Args:
        width: Of the tower.
        layers: Which of its layers foresee the three stages; 1 is the first.
    """

    def __init__(self, width: int, layers: tuple[int, int, int] = (2, 4, 6)) -> None:
        super().__init__()
        self.layers = layers
        sizes = (4 * STAGES[0], STAGES[1], STAGES[2])
        self.maps = nn.ModuleList([nn.Sequential(nn.LayerNorm(width), nn.Linear(width, size)) for size in sizes])
        self.tellers = nn.ModuleList([nn.BatchNorm1d(size, affine=False, momentum=0.02) for size in sizes])

    def forward(self, states: tuple[Tensor, ...], stages: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Mean error, about 1 before anything is learnt; patches where the teacher sees nothing count little.

        Args:
            states: The tower's hidden states, (n, 1 + patches, width) each, the embeddings first.
            stages: What the teacher says, (n, patches, features) each.
        """
        busy = stages[1].std(-1)
        weight = (busy / busy.mean()).clamp(0.05, 2).flatten()
        losses = []
        for layer, foresee, teller, stage in zip(self.layers, self.maps, self.tellers, stages, strict=True):
            wanted = teller(stage.flatten(0, 1))
            found = foresee(states[layer][:, 1:].flatten(0, 1))
            losses.append(((found - wanted).square().mean(-1) * weight).sum() / weight.sum())
        return torch.stack(losses).mean()
