"""Train a 3D LUT from words: the loop, and the order in which things reach the disk."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from studio.context import Context
from studio.events import Event
from studio.gemma import catalog
from studio.grading import losses
from studio.grading.checkpoint import Progress
from studio.grading.config import OptimizeConfig
from studio.grading.judges import Gemma3Judge
from studio.grading.lut import KNOTS, ResidualLUT, apply
from studio.grading.measuring import Measure
from studio.grading.photographs import Photographs, drawn
from studio.grading.results import Results


def run(config: OptimizeConfig, context: Context) -> Iterator[Event]:
    """Train a LUT; stops within one step, resumes exactly, and keeps the LUT that did best on held-out photographs.

    Yields:
        An `Event` a step: metrics ``margin``, ``score`` and every loss term, the measured scores now and then;
        artifacts ``before`` and ``after`` (JPEG), ``sheet`` (JPEG), at the end ``lut`` (.cube) and ``report`` (.json).

    Raises:
        StudioError: No readable photograph, an unknown or unreachable judge, or changed photographs on a resume.
    """
    results = Results(config, context.folder)
    yield Event(0, config.steps, "Reading the photographs")
    photographs = Photographs.open(config.image_folder, config.seed, context.cache, context.settings)
    yield results.preview(0, photographs, table=None, note=f"Loading the judge {config.model_type}")
    with context.models.lease(catalog.spec(config.model_type, config.quantization)) as bundle:
        judge = Gemma3Judge(bundle, config.phrasings)
        with Measure(config, context, judge, photographs) as measure, context.models.device_lock():
            yield from _train(config, context, judge, photographs, measure, results)


def _train(
    config: OptimizeConfig,
    context: Context,
    judge: Gemma3Judge,
    photographs: Photographs,
    measure: Measure,
    results: Results,
) -> Iterator[Event]:
    views, extra = _pool(config, photographs, judge.size)
    session = judge.open(torch.cat((views, extra)), config.prompt)
    before = torch.cat((views, extra)).to(context.models.device)
    lut = ResidualLUT(config.lut_size).to(context.models.device)
    optimizer = torch.optim.Adam(lut.parameters(), lr=config.learning_rate)
    progress = Progress.load(context.folder, lut, optimizer, photographs.fingerprint())
    for step in range(progress.step, config.steps):
        index = _batch(config, step, len(views), len(extra))
        after = apply(lut.table(), before[index])
        margin = session.margin(after, index)
        terms = _terms(before[index], after, lut.unclamped(min(KNOTS, config.lut_size)), margin)
        loss = sum((_weights(config)[name] * term for name, term in terms.items()), torch.zeros(()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(lut.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(step / config.steps)
        optimizer.step()

        numbers = {"margin": margin.mean().item(), "score": margin.sigmoid().mean().item(), "loss": loss.item()}
        numbers |= {name: term.item() for name, term in terms.items()}
        if measure.is_due(step):
            scores = measure(lut.table().detach())
            progress.consider(step, scores["held_out_loss"], lut)
            numbers |= scores
        progress.record(step, numbers, lut, optimizer)
        yield results.preview(step + 1, photographs, lut.table(), metrics=numbers)
        if config.patience and step - progress.best_step >= config.patience:
            break
    yield results.finish(progress, photographs, measure, progress.best_table(lut))


def _pool(config: OptimizeConfig, photographs: Photographs, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the views to learn on, and drawn pictures to stand beside them when photographs are few."""
    few = len(photographs.train) < FEW
    views = photographs.views(photographs.train, config.views, size, config.seed)
    return views, drawn(size)[: None if few else 0]


FEW = 12
"""Below this many photographs a batch also holds drawn pictures, half as many again."""


def _batch(config: OptimizeConfig, step: int, views: int, extra: int) -> torch.Tensor:
    """Choose the views of one step from (seed, step) alone, which is what makes a resumed run exact."""
    random = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    chosen = torch.randperm(views, generator=random)[: config.batch_size]
    beside = torch.randperm(extra, generator=random)[: (config.batch_size + 1) // 2]
    return torch.cat((chosen, views + beside))


def _schedule(progress: float) -> float:
    """Full learning rate for 60 % of the steps, then a straight line down to a tenth."""
    return 1.0 if progress < 0.6 else 1.0 - 0.9 * (progress - 0.6) / 0.4


def _terms(
    before: torch.Tensor, after: torch.Tensor, unclamped: torch.Tensor, margin: torch.Tensor
) -> dict[str, torch.Tensor]:
    table = unclamped.clamp(0, 1)
    lab_before, lab_after = losses.oklab(before), losses.oklab(after)
    return {
        "image_text": losses.image_text(margin),
        "image_smoothness": losses.image_smoothness(lab_before, lab_after),
        "image_regularization": losses.image_regularization(lab_before, lab_after),
        "black_preservation": losses.black_preservation(lab_before, lab_after),
        "lut_smoothness": losses.lut_smoothness(table),
        "neutral_monotonicity": losses.neutral_monotonicity(table),
        "folding": losses.folding(table),
        "out_of_range": losses.out_of_range(unclamped),
    }


def _weights(config: OptimizeConfig) -> dict[str, float]:
    return {
        "image_text": config.image_text_weight,
        "image_smoothness": config.image_smoothness,
        "image_regularization": config.image_regularization,
        "black_preservation": config.black_preservation,
        "lut_smoothness": config.lut_smoothness,
        "neutral_monotonicity": 1.0,
        "folding": 1.0,
        "out_of_range": 10.0,
    }
