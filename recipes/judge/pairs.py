"""Pairs of pictures, before and after, with the teacher's answer for any prompt."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from recipes.judge.prompts import SCALE
from studio.grading.looktransform import PARAMETER_COUNT, Agreement, agreement, apply

NO = -5.0
"""The logit of a prompt that asks for no grade at all."""
_SAMPLED = 392  # of 3136 pixels, for the teacher


def lattice_noise(pictures: Tensor, amount: Tensor) -> Tensor:
    """Bend the colours by random LUTs of 3 and 8 points a side: broken LUTs, and unlucky ones.

    Args:
        pictures: (batch, 3, side, side) in [0, 1].
        amount: (batch,) standard deviation in code values; zero leaves a picture alone.
    """
    out, where = pictures, (pictures.permute(0, 2, 3, 1) * 2 - 1)[:, None]
    for points, share in ((3, 1.0), (8, 0.6)):
        lattice = torch.randn(len(pictures), 3, points, points, points) * amount.view(-1, 1, 1, 1, 1) * share
        shift = functional.grid_sample(lattice, where, align_corners=True, padding_mode="border")
        out = out + shift[:, :, 0]
    return out.clamp(0, 1)


def grade_somehow(pictures: Tensor, wanted: Tensor, others: Tensor) -> Tensor:
    """Grade each picture in a way that teaches something about the grade ``wanted``.

    Two thirds by the grade itself at strengths from 0 to 1.6, wholly or blended; the rest by its opposite,
    hardly at all, by a random grade, by two grades, or by another look; a third of all through noisy LUTs.

    Args:
        pictures: (batch, 3, side, side) in [0, 1].
        wanted: (batch, PARAMETER_COUNT).
        others: (grades, PARAMETER_COUNT) to draw second grades from.
    """
    count = len(pictures)
    kind, blend = torch.rand(count), torch.ones(count)
    grade = wanted * (torch.rand(count) * 1.6)[:, None] * (1 + 0.2 * torch.randn(count, PARAMETER_COUNT))
    other = others[torch.randint(len(others), (count,))] * (0.4 + torch.rand(count))[:, None]

    def choose(mask: Tensor, values: Tensor) -> None:
        grade[mask] = values[mask]

    choose(kind < 0.09, -wanted * (torch.rand(count) * 1.1)[:, None])
    choose((kind >= 0.09) & (kind < 0.14), wanted * 0.06 * torch.rand(count)[:, None])
    sparse = torch.randn(count, PARAMETER_COUNT) * SCALE * 0.35 * (torch.rand(count, PARAMETER_COUNT) < 0.45)
    choose((kind >= 0.14) & (kind < 0.24), sparse)
    choose((kind >= 0.24) & (kind < 0.33), grade + other * 0.8)
    choose((kind >= 0.33) & (kind < 0.41), other)
    blended = (kind >= 0.41) & (kind < 0.62)
    choose(blended, wanted)
    blend[blended] = torch.rand(int(blended.sum())) * 1.4
    graded = apply(grade, pictures)
    graded = (pictures + (graded - pictures) * blend.view(-1, 1, 1, 1)).clamp(0, 1)
    noise = torch.where(torch.rand(count) < 0.33, torch.rand(count).square() * 0.12, torch.zeros(count))
    return lattice_noise(graded, noise)


def label(before: Tensor, after: Tensor, grades: Tensor, known: Tensor) -> Agreement:
    """The teacher's answers to prompts of the given grades, on a random eighth of the pixels.

    Args:
        before, after: (batch, 3, side, side).
        grades: (batch, prompts, PARAMETER_COUNT).
        known: (batch, prompts) false where the prompt asks for nothing.
    """
    pixels = torch.randperm(before.shape[2] * before.shape[3])[:_SAMPLED]
    found = agreement(before.flatten(2)[:, :, pixels], after.flatten(2)[:, :, pixels], grades)
    logit = torch.where(known, found.logit, torch.full_like(found.logit, NO))
    return Agreement(logit, found.progress, found.residual)
