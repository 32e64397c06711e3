"""Train a 3D LUT from words: the loop, and the order in which things reach the disk."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.grading import goal, losses, report
from studio.grading.checkpoint import Progress
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display
from studio.grading.goal import Goal
from studio.grading.judges import Session
from studio.grading.lut import KNOTS, ResidualLUT, identity
from studio.grading.measuring import Measure
from studio.grading.photographs import Photographs, drawn
from studio.grading.results import Results

FEW = 12
"""Below this many photographs a batch also holds drawn pictures, half as many again."""
READ_AT_ONCE = 8
"""Views the judge reads between two events; a stop waits no longer."""
PROTECTIONS = ("protect_skin", "protect_highlights")
"""Options, and losses of the same names, that leave something alone."""


def run(config: OptimizeConfig, context: Context) -> Iterator[Event]:
    """Train a LUT; stops within one step, resumes exactly, and keeps the LUT that did best on held-out photographs.

    Yields:
        An `Event` a step: metrics ``margin``, ``score`` and every loss term, the measured scores now and then;
        artifacts ``before``, ``after`` and ``sheet`` (JPEG), and from the first measurement on ``lut`` (.cube) and
        ``report`` (.json) of the best LUT so far, which a stopped run leaves too.

    Raises:
        StudioError: No readable photograph, an unknown or unreachable judge, a place that cannot be written, or other
            photographs or another judge on a resume.
    """
    display = Display(config)
    results = Results(config, context.folder, display)
    yield Event(0, config.steps, "Reading the photographs")
    photographs = Photographs.open(config.image_folder, config.seed, context.cache, context.settings)
    yield results.preview(0, photographs, table=None, note=f"{photographs.told()}. Loading the judge")
    with goal.opened(config, context) as aim:
        lut = ResidualLUT(config.lut_size, display.base, monochrome=config.black_and_white).to(context.models.device)
        with Measure(config, context, aim, display, photographs) as measure, context.models.device_lock():
            yield from _train(config, context, aim, display, lut, photographs, measure, results)


def _train(
    config: OptimizeConfig,
    context: Context,
    aim: Goal,
    display: Display,
    lut: ResidualLUT,
    photographs: Photographs,
    measure: Measure,
    results: Results,
) -> Iterator[Event]:
    codes, views = _pool(config, photographs, display, aim.size)
    session = aim.open(codes[:0])
    for note in _read(session, display.shown(codes)):
        yield results.preview(0, photographs, table=None, note=note)
    optimizer = torch.optim.Adam(lut.parameters(), lr=config.learning_rate)
    progress = Progress.load(context.folder, lut, optimizer, photographs.fingerprint() + json.dumps(aim.identity))
    compose = functools.partial(report.compose, config, progress, photographs, aim.identity)
    if not progress.untouched:
        progress.consider(measure(lut.table().detach()), lut)
    codes = codes.to(context.models.device)
    results.keep(compose(), progress.best_table(lut))  # so that every step's event names a LUT, however soon one stops
    try:
        while progress.step < config.steps and not _is_stale(config, progress, measure):
            index = _batch(config, progress.step, views, len(codes) - views)
            pictures = display.shown(codes[index]), display.graded(lut.table(), codes[index])
            margin = session.margin(pictures[1], index) if session is not None else None
            numbers = _step(config, aim, lut, optimizer, pictures, margin, progress.step / config.steps)
            progress.step += 1
            table = lut.table().detach()
            if measure.is_due(progress.step):
                scores = measure(table)
                if progress.consider(scores, lut):
                    results.keep(compose(), table)
                numbers |= scores
            progress.record(numbers, lut, optimizer)
            yield results.preview(progress.step, photographs, table, metrics=numbers)
    finally:  # a stopped run hands over its best LUT as well, measured now if it never was
        if progress.step and "measured_loss" not in progress.curves:
            progress.consider(measure(lut.table().detach()), lut)
        results.keep(compose(), progress.best_table(lut), now=True)
    yield results.finish(progress.step, photographs, progress.best_table(lut), progress.best)


def _step(
    config: OptimizeConfig,
    aim: Goal,
    lut: ResidualLUT,
    optimizer: torch.optim.Adam,
    pictures: tuple[torch.Tensor, torch.Tensor],
    margin: torch.Tensor | None,
    part: float,
) -> dict[str, float]:
    """Take one step of Adam on pictures before and after, and their margins, when this part of the run is done."""
    before, after = map(losses.oklab, pictures)
    wanted = aim.terms(margin, before, after)
    terms = _terms(config, before, after, lut.shape(min(KNOTS, config.lut_size)))
    weights = _weights(config)
    loss = aim.loss(wanted) + torch.stack([weights[name] * term for name, term in terms.items()]).sum()
    if not torch.isfinite(loss):
        raise StudioError("The loss is not a number.", "Try a smaller learning rate, or the judge without 4 bits.")
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(lut.parameters(), 1.0)
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * _schedule(part)
    optimizer.step()
    numbers = {"loss": loss, **wanted, **terms}
    if margin is not None:
        mean = margin.mean(0) @ aim.shares
        numbers |= {"margin": mean, "score": margin.sigmoid().mean(0) @ aim.shares}
    return {name: value.item() for name, value in numbers.items()}


def _pool(config: OptimizeConfig, photographs: Photographs, display: Display, size: int) -> tuple[torch.Tensor, int]:
    """Return the views to learn on with drawn pictures behind them when photographs are few, and how many are views."""
    views = photographs.views(photographs.train, config.views, size, config.seed, jitter=not display.is_log)
    few = len(photographs.train) < FEW
    return torch.cat((views, display.footage(drawn(size)))) if few else views, len(views)


def _read(session: Session | None, before: torch.Tensor) -> Iterator[str]:
    """Let the judge read the pictures before grading, some at a time; yield a sentence for each part."""
    if session is None:
        return
    for part in torch.split(before, READ_AT_ONCE):
        session.extend(part)
        yield f"The judge looks at the photographs: {len(session)} of {len(before)} views"


def _is_stale(config: OptimizeConfig, progress: Progress, measure: Measure) -> bool:
    """Whether the last measurement came too long after the best one."""
    measured = progress.step > 0 and measure.is_due(progress.step)
    return measured and 0 < config.patience <= progress.step - progress.best_step


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
    config: OptimizeConfig, before: torch.Tensor, after: torch.Tensor, unclamped: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return what keeps a grade sound, from pictures in OKLab and from the grade alone on a lattice."""
    table = unclamped.clamp(0, 1)
    lattice = [losses.oklab(one.flatten(2, 3)[None]) for one in (identity(table.shape[-1], table.device), table)]
    terms = {
        "image_smoothness": losses.image_smoothness(before, after),
        "image_regularization": losses.image_regularization(before, after),
        "black_preservation": losses.black_preservation(before, after),
        "lut_smoothness": losses.lut_smoothness(table),
        "neutral_monotonicity": losses.neutral_monotonicity(table),
        "folding": losses.folding(table),
        "out_of_range": losses.out_of_range(unclamped),
    }
    for name in PROTECTIONS:  # on the pictures' colours, and on those that no picture holds
        if getattr(config, name):
            protect = getattr(losses, name)
            terms[name] = (protect(before, after) + protect(*lattice)) / 2
    return terms


def _weights(config: OptimizeConfig) -> dict[str, float]:
    return {
        "image_smoothness": config.image_smoothness,
        "image_regularization": config.image_regularization,
        "black_preservation": config.black_preservation,
        "lut_smoothness": config.lut_smoothness,
        "neutral_monotonicity": 1.0,
        "folding": 1.0,
        "out_of_range": 10.0,
        **{name: getattr(config, name) for name in PROTECTIONS},
    }
