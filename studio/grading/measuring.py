"""Measure a LUT on photographs it was not trained on: by its judge, by a second judge, and by analysis."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

import torch
from torch import Tensor

from studio.context import Context
from studio.gemma import catalog
from studio.grading import losses
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display
from studio.grading.goal import Goal
from studio.grading.judges import Session, open_judge
from studio.grading.looks import match
from studio.grading.looktransform import agreement
from studio.grading.photographs import MOST_VIEWS, Photographs

SECOND = {"embedded": "embedded_second", "embedded_second": "embedded"} | dict.fromkeys(
    ("embedded_clip", "clip", "clip_large", "clip_large_336"), "embedded"
)
"""Which judge, of another seed or of another kind, looks at a LUT that a judge trained."""
MEASUREMENTS = 15
"""How many times a short run measures itself, spread evenly; the last step is always measured."""
LONGEST_WAIT = 25
"""Most steps between two measurements of a long run."""


FRAMES = 16
"""Most views of the held-out photographs a measurement looks at; one alone would let chance choose the best LUT."""


class Measure:
    """Scores of a table on views of the held-out photographs (of all photographs, when none are held out).

    ``held_out``, or ``measured`` when no photograph is held out, and ``second_opinion`` are mean P(yes) in [0, 1], the
    looks weighed; of several looks, ``look_1``, ``look_2`` and so on are each one's. ``analytic`` is the mean agreement
    with the known looks nearest to the words, in [0, 1], absent when no word of a look is known. ``reference_match``
    and ``palette_match`` are the part of the way to the reference picture's and the palette's colours, 0 untouched and
    1 there. ``measured_loss`` is what the best LUT is chosen by.
    """

    def __init__(
        self, config: OptimizeConfig, context: Context, aim: Goal, display: Display, photographs: Photographs
    ) -> None:
        self._config, self._context, self._aim, self._display = config, context, aim, display
        self._stack = ExitStack()
        self._codes = photographs.views(
            photographs.measured, config.views, aim.size, config.seed, most=FRAMES, jitter=not display.is_log
        )
        # A picture has colours of its own, which only many together lose: aims that are colours are measured on all.
        everything = range(len(photographs.paths) if aim.reference or aim.palette else 0)
        self._whole = photographs.views(everything, 1, aim.size, config.seed, most=MOST_VIEWS) if everything else None
        self._at_first: dict[str, Tensor] = {}
        self._own = "held_out" if photographs.held_out else "measured"
        self._sessions: dict[str, Session] = {}
        self._matches = [match(words) for words in aim.looks]

    def __enter__(self) -> Measure:
        shown = self._display.shown(self._codes)
        session = self._aim.open(shown)
        if session is not None:
            self._sessions[self._own] = session
            second = SECOND.get(self._config.model_type)
            if second:
                bundle = self._stack.enter_context(self._context.models.lease(catalog.spec(second)))
                self._sessions["second_opinion"] = open_judge(bundle).open(shown, self._aim.looks)
        device = self._context.models.device
        self._codes, self._shown = self._codes.to(device), shown.to(device)
        self._before = losses.oklab(self._shown)
        if self._whole is not None:
            self._whole = self._whole.to(device)
            self._before = losses.oklab(self._display.shown(self._whole))
            self._at_first = self._aim.terms(None, self._before, self._before)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def is_due(self, done: int) -> bool:
        """Whether a measurement follows when this many steps are done."""
        steps = self._config.steps
        return done % max(1, min(steps // MEASUREMENTS, LONGEST_WAIT)) == 0 or done == steps

    @torch.no_grad()
    def __call__(self, table: Tensor) -> dict[str, float]:
        """Measure a table [3, N, N, N]."""
        after = self._display.graded(table, self._codes)
        scores: dict[str, float] = {}
        own = None
        for name, session in self._sessions.items():
            margin = self._margin(session, after)
            own = margin if name == self._own else own
            scores[name] = self._mean(margin.sigmoid())
            if len(self._aim.looks) > 1 and name == self._own:
                each = margin.sigmoid().mean(0).tolist()
                scores |= {f"look_{number}": value for number, value in enumerate(each, 1)}
        whole = after if self._whole is None else self._display.graded(table, self._whole)
        terms = self._aim.terms(own, self._before, losses.oklab(whole))
        scores["measured_loss"] = self._aim.loss(terms).item()
        for name, first in self._at_first.items():
            scores[f"{name}_match"] = 1 - terms[name].item() / max(first.item(), 1e-9)
        if self._matches and all(self._matches):
            scores["analytic"] = self._mean(self._analytic(after))
        return scores

    def _margin(self, session: Session, after: Tensor) -> Tensor:
        parts = zip(torch.split(after, 8), torch.split(torch.arange(len(after)), 8), strict=True)
        return torch.cat([session.margin(*each, exact=True) for each in parts])

    def _analytic(self, after: Tensor) -> Tensor:
        """Return the agreement with each look, [B, P] in [0, 1]."""
        wanted = torch.stack([found.parameters for found in self._matches if found]).to(after)
        return agreement(self._shown, after, wanted.expand(len(after), -1, -1)).logit.sigmoid()

    def _mean(self, scores: Tensor) -> float:
        """Weigh the looks of [B, P]."""
        return (scores.mean(0) @ self._aim.shares).item()
