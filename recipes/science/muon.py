"""Muon for a CPU: matrices of one shape are made orthogonal together, in float32.

PyTorch's own works in bfloat16 one matrix at a time, which on a processor without bfloat16 units takes a fifth of a
step of this recipe's vision tower; this takes a twentieth. The method is Keller Jordan's (2024); the rate is scaled so
that an update has the size of one of AdamW's, as Liu et al. (2025) do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_A, _B, _C = 3.4445, -4.7750, 2.0315  # Jordan's quintic, applied again and again, drives singular values to about 1


def orthogonal(matrices: Tensor, steps: int) -> Tensor:
    """The nearest matrices with orthogonal rows or columns, roughly: (n, rows, columns)."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=_B, alpha=_C), x, beta=_A)
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made orthogonal.

    Args:
        matrices: Parameters of two dimensions, or kernels of convolutions.
        lr: Learning rate, in AdamW's scale.
        momentum: Share of the old direction that is kept.
        weight_decay: Share of the weights that a step takes off, times the rate.
        steps: Newton-Schulz steps.
    """

    def __init__(
        self, matrices: Iterable[Any], lr: float, momentum: float = 0.95, weight_decay: float = 0.02, steps: int = 4
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "steps": steps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    alike[parameter.shape].append(parameter)
            for shape, parameters in alike.items():
                directions = []
                for parameter in parameters:
                    kept = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
                    kept.lerp_(parameter.grad, 1 - group["momentum"])
                    directions.append(parameter.grad.lerp(kept, group["momentum"]).flatten(1))
                size = 0.2 * max(shape[0], shape[1:].numel()) ** 0.5 * group["lr"]
                for parameter, update in zip(
                    parameters, orthogonal(torch.stack(directions), group["steps"]), strict=True
                ):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(update.view(shape), alpha=size)
