"""How the next token is drawn from a model's scores."""

from __future__ import annotations

import torch
from torch import Tensor


def choose(scores: Tensor, temperature: float, top_p: float, generator: torch.Generator) -> list[int]:
    """Choose a token for each row of scores.

    Args:
        scores: ``[N, vocabulary]``; minus infinity excludes a token.
        temperature: 0 always takes the likeliest.
        top_p: Tokens are drawn from the likeliest that together hold this share of the chance.
        generator: On the CPU, whatever the device, so that a seed draws the same everywhere.
    """
    if temperature == 0:
        return [int(token) for token in scores.argmax(-1)]
    chances, order = (scores / temperature).softmax(-1).sort(-1, descending=True)
    kept = chances * (chances.cumsum(-1) - chances < top_p)
    drawn = torch.rand(len(scores), 1, generator=generator).to(scores.device)
    places = torch.searchsorted(kept.cumsum(-1), drawn * kept.sum(-1, keepdim=True), right=True)
    last = (kept > 0).sum(-1, keepdim=True) - 1  # rounding may point behind it
    return [int(token) for token in order.gather(-1, torch.minimum(places, last))[:, 0]]
