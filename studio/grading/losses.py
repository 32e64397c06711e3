"""The terms a LUT is trained with; every one is zero, or constant, for a LUT that changes nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from studio.grading.looktransform import to_oklab
from studio.grading.lut import LUMA

SATURATION = 3.0
"""Margin, in nats, from which the judge counts as convinced (P(yes) = 0.95)."""


def oklab(rgb: Tensor) -> Tensor:
    """Convert sRGB code values [B, 3, H, W] in [0, 1] to OKLab of the same shape; L in [0, 1] (Ottosson, 2020)."""
    return to_oklab(rgb.flatten(2)).view_as(rgb)


def image_text(margin: Tensor, shares: Tensor) -> Tensor:
    """Mean softplus(SATURATION - margin): falls with slope one until the judge is convinced, then saturates.

    Margins are [B, P], one for each look; `shares` [P] weigh the looks and add up to 1.
    """
    return (F.softplus(SATURATION - margin).mean(0) * shares).sum()


def protect_skin(before: Tensor, after: Tensor) -> Tensor:
    """Mean squared OKLab change of what looks like skin before the grade, times 50; lightness counts a quarter.

    Skin of any shade lies at OKLab hues of 40 to 80 degrees and chromas of 0.03 to 0.12 (the ColorChecker's two and the
    Fitzpatrick scale's six); the weight falls off as a Gaussian of 16 degrees around 58 and of 0.035 around 0.075.
    """
    light, a, b = before.unbind(1)
    chroma, hue = torch.hypot(a, b), torch.atan2(b, a)
    weight = torch.exp(-((hue - 1.01) / 0.28).square() - ((chroma - 0.075) / 0.035).square())
    weight = weight * ((light - 0.2) / 0.1).clamp(0, 1) * ((0.97 - light) / 0.05).clamp(0, 1)
    change = (after - before).square()
    return 50 * _weighted(change[:, 1] + change[:, 2] + 0.25 * change[:, 0], weight)


def protect_highlights(before: Tensor, after: Tensor) -> Tensor:
    """Mean squared OKLab change of highlights, times 50: weight 0 up to L = 0.8, 1 from 0.95 (code 187 and 239)."""
    weight = ((before[:, 0] - 0.8) / 0.15).clamp(0, 1)
    return 50 * _weighted((after - before).square().sum(1), weight)


def _weighted(change: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean, fading out where hardly anything has weight: [B, H, W] both."""
    return (weight * change).sum() / (weight.sum() + 0.01 * weight.numel())


def image_smoothness(before: Tensor, after: Tensor) -> Tensor:
    """Mean square of the high frequencies the grade adds, in OKLab, times 100.

    The change (after - before, both OKLab [B, 3, H, W]) minus its half-resolution copy. The photograph's own texture
    cancels; banding and amplified noise do not.
    """
    change = after - before
    coarse = F.interpolate(F.avg_pool2d(change, 2, ceil_mode=True), change.shape[-2:], mode="bilinear")
    return 100 * (change - coarse).square().mean()


def image_regularization(before: Tensor, after: Tensor) -> Tensor:
    """Mean squared OKLab distance between before and after, both [B, 3, H, W]."""
    return (after - before).square().sum(1).mean()


def black_preservation(before: Tensor, after: Tensor) -> Tensor:
    """Mean lift of OKLab lightness where the photograph is near black, times 3.

    Weight (1 - L / 0.25) clamped at 0: full at black, none from L = 0.25 (about code value 32 of 255).
    """
    lightness = before[:, 0]
    weight = (1 - lightness / 0.25).clamp_min(0)
    return 3 * (weight * F.relu(after[:, 0] - lightness)).sum() / (weight.sum() + 1)


def lut_smoothness(table: Tensor) -> Tensor:
    """Mean square of the bends of the table [3, N, N, N] along its axes, weighed to be independent of N."""
    size = table.shape[-1]
    if size < 3:
        return table.new_zeros(())
    bends = [torch.diff(table, n=2, dim=axis).square().mean() for axis in (1, 2, 3)]
    return torch.stack(bends).sum() * (size - 1) ** 3 / 16


def neutral_monotonicity(table: Tensor) -> Tensor:
    """How far luma falls along the grey axis, mean of relu(-slope); brighter in must not become darker out."""
    index = torch.arange(table.shape[-1], device=table.device)
    greys = table[:, index, index, index]
    luma = (greys * greys.new_tensor(LUMA)[:, None]).sum(0)
    return F.relu(-luma.diff() * (len(index) - 1)).mean()


def folding(table: Tensor) -> Tensor:
    """How far colour space folds over: mean relu(-det J) over the cells of a table [3, N, N, N]."""
    return F.relu(-torch.linalg.det(jacobians(table))).mean()


def jacobians(table: Tensor) -> Tensor:
    """Return each cell's change of output by input, [N - 1, N - 1, N - 1, output, input], of a table [3, N, N, N]."""
    inner = table[:, :-1, :-1, :-1]
    steps = (table[:, :-1, :-1, 1:] - inner, table[:, :-1, 1:, :-1] - inner, table[:, 1:, :-1, :-1] - inner)
    return torch.stack(steps, dim=-1).permute(1, 2, 3, 0, 4) * (table.shape[-1] - 1)


def out_of_range(unclamped: Tensor) -> Tensor:
    """Mean square of what lies outside [0, 1] before clamping; brings a clipped node back within reach."""
    return (F.relu(-unclamped).square() + F.relu(unclamped - 1).square()).mean()
