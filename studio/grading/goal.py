"""What a grade is after: words that a judge believes, a reference picture's colours, and a palette's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.context import Context
from studio.files import content_hash
from studio.gemma import catalog
from studio.grading import losses, report
from studio.grading.config import OptimizeConfig
from studio.grading.judges import Judge, Session, open_judge
from studio.grading.palettetarget import PaletteTarget
from studio.grading.reference import Reference

PLAIN_SIZE = 96
"""Edge, in pixels, of the views of a run without a judge."""


@dataclass(frozen=True)
class Goal:
    """A run's judge, reference picture and palette; at least one of them.

    Attributes:
        looks: The words of each look.
        shares: [P], how much each look counts; they add up to 1.
        weights: Of the terms ``image_text``, ``reference`` and ``palette``.
        identity: What the run depends on beside its configuration and photographs.
    """

    judge: Judge | None
    reference: Reference | None
    palette: PaletteTarget | None
    looks: tuple[str, ...]
    shares: Tensor
    weights: dict[str, float]
    identity: dict[str, str]

    @property
    def size(self) -> int:
        """Edge of the square views, in pixels."""
        return self.judge.size if self.judge else PLAIN_SIZE

    def open(self, before: Tensor) -> Session | None:
        """Start judging grades of photographs [N, 3, H, W] as they are shown; None without a judge."""
        return self.judge.open(before, self.looks) if self.judge else None

    def terms(self, margin: Tensor | None, before: Tensor, after: Tensor) -> dict[str, Tensor]:
        """Return the losses that fall as the goal comes near.

        Args:
            margin: [B, P], the judge's; None without one.
            before: [B, 3, H, W], the pictures as they are shown, in OKLab.
            after: [B, 3, H, W], the same graded.
        """
        terms = {}
        if margin is not None:
            terms["image_text"] = losses.image_text(margin, self.shares)
        if self.reference is not None:
            terms["reference"] = self.reference.distance(after)
        if self.palette is not None:
            terms["palette"] = self.palette.distance(before, after)
        return terms

    def loss(self, terms: dict[str, Tensor]) -> Tensor:
        """Return the weighted sum of `terms`."""
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()


@contextmanager
def opened(config: OptimizeConfig, context: Context) -> Iterator[Goal]:
    """Read the targets and hold the judge while a run goes on.

    Raises:
        StudioError: An unknown or unreachable judge, or a reference picture that cannot be read.
    """
    device, reference, seen = context.models.device, None, {}
    if config.reference is not None:
        reference = Reference.open(config.reference, context.cache, context.settings, device)
        seen["reference"] = content_hash(config.reference)
    palette = PaletteTarget(config.palette.split(", "), device) if config.palette else None
    looks = tuple(words for words, _ in config.looks)
    shares = torch.tensor([share for _, share in config.looks], device=device)
    weights = {
        "image_text": config.image_text_weight,
        "reference": 20 * config.reference_weight,
        "palette": config.palette_weight,
    }
    if not looks:
        yield Goal(None, reference, palette, looks, shares, weights, seen)
        return
    with context.models.lease(catalog.spec(config.model_type, config.quantization)) as bundle:
        judge = open_judge(bundle, config.phrasings, config.clip_form)
        yield Goal(judge, reference, palette, looks, shares, weights, {**report.identify(config, bundle), **seen})
