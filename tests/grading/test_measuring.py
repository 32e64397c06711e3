"""A LUT is measured on what it was not trained on, by more than its own judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.context import Context
from studio.gemma import catalog
from studio.grading import lut, measuring
from studio.grading.config import OptimizeConfig
from studio.grading.judges import Gemma3Judge
from studio.grading.looktransform import apply as grade
from studio.grading.measuring import FRAMES, LONGEST_WAIT, MEASUREMENTS, Measure
from studio.grading.photographs import Photographs

House = Callable[[str], Context]


def config_of(folder: Path, judge: Path, prompt: str, steps: int = 30) -> OptimizeConfig:
    return OptimizeConfig(prompt=prompt, image_folder=folder, model_type=str(judge), steps=steps)


def measured(config: OptimizeConfig, context: Context, table: torch.Tensor) -> dict[str, float]:
    opened = Photographs.open(config.image_folder, 0, context.cache, context.settings)
    spec = catalog.spec(config.model_type)
    with context.models.lease(spec) as bundle, Measure(config, context, Gemma3Judge(bundle), opened) as measure:
        return measure(table)


def table_of(look: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    start = lut.identity(17)
    return grade(strength * look, start[None].flatten(3))[0].view_as(start)


def test_measurements_are_spread_evenly_and_end_with_the_last_step(
    judge_folder: Path, photographs: Path, house: House
) -> None:
    context = house("job")
    opened = Photographs.open(photographs, 0, context.cache, context.settings)
    with context.models.lease(catalog.spec(str(judge_folder))) as bundle:
        for steps in (1, 7, 150, 151):
            config = config_of(photographs, judge_folder, "warm", steps)
            measure = Measure(config, context, Gemma3Judge(bundle), opened)
            due = [done for done in range(1, steps + 1) if measure.is_due(done)]
            assert due[-1] == steps and min(steps, MEASUREMENTS) <= len(due) <= MEASUREMENTS + 2
        long = Measure(config_of(photographs, judge_folder, "warm", 9000), context, Gemma3Judge(bundle), opened)
        assert [done for done in range(1, 60) if long.is_due(done)] == [LONGEST_WAIT, 2 * LONGEST_WAIT]


def test_the_analytic_check_knows_a_right_grade_from_none_and_from_its_opposite(
    judge_folder: Path, photographs: Path, house: House
) -> None:
    config = config_of(photographs, judge_folder, "warm")
    look = measuring.match("warm")
    assert look is not None
    right, none, opposite = (
        measured(config, house("job"), table_of(look.parameters, strength))["analytic"] for strength in (1.0, 0.0, -1.0)
    )
    assert right > 0.9 and none < 0.1 and opposite < none


def test_words_nobody_knows_have_no_analytic_check(judge_folder: Path, photographs: Path, house: House) -> None:
    scores = measured(config_of(photographs, judge_folder, "zzz qqq"), house("job"), lut.identity(5))
    assert "analytic" not in scores and 0 <= scores["held_out"] <= 1


def test_a_second_judge_of_another_seed_looks_on(
    judge_folder: Path, photographs: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(photographs, judge_folder, "warm")
    monkeypatch.setattr(measuring, "SECOND", {str(judge_folder): str(judge_folder)})
    context = house("job")
    scores = measured(config, context, lut.identity(5))
    assert scores["second_opinion"] == pytest.approx(scores["held_out"])
    assert not any(resident.holders for resident in context.models.loaded())


def test_a_measurement_looks_at_a_bounded_number_of_views(photographs: Path, house: House) -> None:
    context = house("job")
    opened = Photographs.open(photographs, 0, context.cache, context.settings)
    assert len(opened.views(opened.train, 30, 8, 0, most=FRAMES)) == FRAMES
