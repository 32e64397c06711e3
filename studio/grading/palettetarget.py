"""A palette of four colours as a target: shadows, mid-tones and highlights are drawn towards it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from studio.grading import losses

SHADOWS, HIGHLIGHTS = (0.25, 0.5), (0.62, 0.82)
"""OKLab lightness where shadows end fading out, and where highlights fade in; mid-tones are what is left."""
NARROW = 0.002
"""How sharply a mid-tone takes the nearer of the two middle colours: squared OKLab distance at which it hardly asks."""
CORE = 0.01
"""OKLab distance from which the pull no longer grows, so that it stays gentle near the colour and bounded far off."""


class PaletteTarget:
    """Four colours, each the wanted mean of a part of the picture.

    Ordered by lightness, the darkest is wanted of the shadows, the lightest of the highlights, and each mid-tone goes
    with the nearer in hue of the other two. Only a and b are drawn: a palette says which colours, not how bright a
    photograph is. Parts are told by the photograph as it was, so that no colour escapes by changing its lightness.

    Args:
        colours: Four of ``#rrggbb``.
        device: Where the pictures will be.
    """

    def __init__(self, colours: Sequence[str], device: torch.device) -> None:
        rgb = torch.tensor([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in colours])
        lab = losses.oklab(rgb.T[None, :, :, None])[0, :, :, 0].T
        self.colours = lab[lab[:, 0].argsort()].to(device)

    def distance(self, before: Tensor, after: Tensor) -> Tensor:
        """Return how far the parts' mean colours lie from those wanted of them.

        The parts count by their size. Distances are those of a and b in OKLab, rounded off within `CORE`; unlike their
        squares they pull far colours no harder than near ones, which leaves a weight its even strength.

        Args:
            before: [B, 3, H, W], the photographs as they are shown, OKLab; no gradient flows to them.
            after: [B, 3, H, W], the same graded.

        Returns:
            A scalar, about 0 to 0.4, 0 when every part has its colour; differentiable.
        """
        share = self._parts(before.detach())
        size = share.sum((1, 2, 3))
        means = torch.einsum("kbhw,bchw->kc", share, after[:, 1:]) / size.clamp_min(1e-6)[:, None]
        far = (means - self.colours[:, 1:]).square().sum(1)
        return (((far + CORE**2).sqrt() - CORE) * size).sum() / size.sum()

    def _parts(self, lab: Tensor) -> Tensor:
        """Return how far each pixel belongs to each colour's part, [4, B, H, W], adding up to 1."""
        light = lab[:, 0]
        shadow = 1 - ((light - SHADOWS[0]) / (SHADOWS[1] - SHADOWS[0])).clamp(0, 1)
        high = ((light - HIGHLIGHTS[0]) / (HIGHLIGHTS[1] - HIGHLIGHTS[0])).clamp(0, 1)
        middle = 1 - shadow - high
        darker, lighter = ((lab[:, 1:] - self.colours[k, 1:, None, None]).square().sum(1) for k in (1, 2))
        second = ((darker - lighter) / NARROW).sigmoid()
        return torch.stack((shadow, middle * (1 - second), middle * second, high))
