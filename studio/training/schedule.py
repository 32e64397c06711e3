"""How the learning rate rises and falls."""

from __future__ import annotations

import math
from typing import Literal


def share(done: int, steps: int, warmup_ratio: float, shape: Literal["linear", "cosine"]) -> float:
    """Return the share of the full learning rate, 0 to 1, after ``done`` of ``steps`` steps; the next step takes it.

    It rises along a straight line, above 0 from the first step on, is 1 for the step after the warm-up, falls, and is 0
    exactly once the last step is done.

    Args:
        done: Steps done, 0 to ``steps``.
        steps: Steps in all.
        warmup_ratio: Share of the steps in which it rises, 0 to 1.
        shape: A straight line, or half a cosine.
    """
    rising = min(math.ceil(warmup_ratio * steps), steps - 1)
    if done >= steps:
        return 0.0
    if done < rising:
        return (done + 1) / (rising + 1)
    left = (steps - done) / (steps - rising)
    return left if shape == "linear" else (1 - math.cos(math.pi * left)) / 2
