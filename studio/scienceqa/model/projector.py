"""The projector: from what the vision encoder says of a patch to what the language model reads as a token."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn


class Projector(nn.Module):
    """Two linear layers with GELU between them, over single patches or squares of neighbouring ones.

    Language models expect tokens of the size their embeddings have, so the result is scaled to that root mean square,
    times a gain for each feature that is learnt from 1 on. Its tensors bear the names of gemmaclip's script
    (``net.0`` and ``net.2``).

    Args:
        vision_width: Features of a patch.
        language_width: Features of a token.
        hidden: Features between; 0 for the mean of what comes in and goes out.
        merge: Edge of the square of patches that one token stands for.
        text_rms: Root mean square of embedded text; None leaves the size as it comes out, as the seed does.
        seed: Of the first weights.
    """

    def __init__(
        self,
        vision_width: int,
        language_width: int,
        *,
        hidden: int = 0,
        merge: int = 1,
        text_rms: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        width = vision_width * merge**2
        hidden = hidden or (width + language_width) // 2
        self.net = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, language_width))
        self.gain = None if text_rms is None else nn.Parameter(torch.ones(language_width))
        self.text_rms = text_rms
        self.merge = merge
        self.reset(seed)

    @property
    def into(self) -> nn.Linear:
        """The first layer."""
        return cast(nn.Linear, self.net[0])

    @property
    def out(self) -> nn.Linear:
        """The last layer."""
        return cast(nn.Linear, self.net[2])

    def tensors(self) -> dict[str, Tensor]:
        """Return its tensors by name, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}

    def reset(self, seed: int) -> None:
        """Give it the first weights of a seed, PyTorch's usual ones for linear layers."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for layer in (self.into, self.out):
                bound = 1 / math.sqrt(layer.in_features)
                for weight in (layer.weight, layer.bias):
                    weight.copy_(torch.empty(weight.shape).uniform_(-bound, bound, generator=generator))
            if self.gain is not None:
                self.gain.fill_(1)

    def forward(self, features: Tensor) -> Tensor:
        """Project features.

        Args:
            features: ``[V, P, vision_width]``; with `merge` above 1 a square of patches, row by row.

        Returns:
            ``[V, P / merge**2, language_width]``, in the projector's own number format.
        """
        found: Tensor = self.net(_merged(features.to(self.into.weight), self.merge))
        if self.gain is None or self.text_rms is None:
            return found
        scaled = found.float()
        scaled = scaled * torch.rsqrt(scaled.square().mean(-1, keepdim=True) + 1e-12) * self.text_rms
        return (scaled * self.gain.float()).to(found)


def _merged(features: Tensor, edge: int) -> Tensor:
    """Put squares of neighbouring patches side by side: ``[V, P, D]`` to ``[V, P / edge**2, D * edge**2]``."""
    if edge == 1:
        return features
    views, patches, width = features.shape
    side = math.isqrt(patches)
    squares = features.reshape(views, side // edge, edge, side // edge, edge, width).transpose(2, 3)
    return squares.reshape(views, patches // edge**2, width * edge**2)
