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
from studio.grading.judges import Gemma3Judge
from studio.grading.looks import match
from studio.grading.looktransform import agreement
from studio.grading.lut import apply
from studio.grading.photographs import Photographs

SECOND = {"embedded": "embedded_second", "embedded_second": "embedded"}
"""Which judge of another seed looks at a LUT that a judge trained."""
MEASUREMENTS = 15
"""How many times a short run measures itself, spread evenly; the last step is always measured."""
LONGEST_WAIT = 25
"""Most steps between two measurements of a long run."""


FRAMES = 16
"""Most views of the held-out photographs a measurement looks at; one alone would let chance choose the best LUT."""


class Measure:
    """Scores of a table on views of the held-out photographs (of all photographs, when none are held out).

    ``held_out``, or ``measured`` when no photograph is held out, and ``second_opinion`` are mean P(yes) in [0, 1];
    ``analytic`` is the mean agreement with the known looks nearest to the words, in [0, 1], absent when no word is
    known; ``measured_loss`` is what the best LUT is chosen by.
    """

    def __init__(self, config: OptimizeConfig, context: Context, judge: Gemma3Judge, photographs: Photographs) -> None:
        self._config, self._stack = config, ExitStack()
        self._device = context.models.device
        self._context = context
        self._frames = photographs.views(photographs.measured, config.views, judge.size, config.seed, most=FRAMES)
        self._own = "held_out" if photographs.held_out else "measured"
        self._judges = {self._own: judge}
        self.match = match(config.prompt)

    def __enter__(self) -> Measure:
        second = SECOND.get(self._config.model_type)
        if second:
            bundle = self._stack.enter_context(self._context.models.lease(catalog.spec(second)))
            self._judges["second_opinion"] = Gemma3Judge(bundle)
        self._sessions = {name: judge.open(self._frames, self._config.prompt) for name, judge in self._judges.items()}
        self._frames = self._frames.to(self._device)
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
        after = apply(table, self._frames)
        index = torch.arange(len(after))
        scores = {}
        for name, session in self._sessions.items():
            margin = torch.cat(
                [
                    session.margin(*each, exact=True)
                    for each in zip(torch.split(after, 8), torch.split(index, 8), strict=True)
                ]
            )
            scores[name] = margin.sigmoid().mean().item()
            if name == self._own:
                scores["measured_loss"] = losses.image_text(margin).item()
        if self.match is not None:
            wanted = self.match.parameters.to(after).expand(len(after), 1, -1)
            scores["analytic"] = agreement(self._frames, after, wanted).logit.sigmoid().mean().item()
        return scores
