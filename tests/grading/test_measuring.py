"""A LUT is measured on what it was not trained on, by more than its own judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.context import Context
from studio.grading import goal, lut, measuring
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display
from studio.grading.looktransform import apply as grade
from studio.grading.measuring import FRAMES, LONGEST_WAIT, MEASUREMENTS, Measure
from studio.grading.photographs import Photographs

House = Callable[[str], Context]


def config_of(folder: Path, judge: Path, prompt: str, steps: int = 30) -> OptimizeConfig:
    return OptimizeConfig(prompt=prompt, image_folder=folder, model_type=str(judge), steps=steps)


def measured(config: OptimizeConfig, context: Context, table: torch.Tensor) -> dict[str, float]:
    opened = Photographs.open(config.image_folder, 0, context.cache, context.settings)
    with goal.opened(config, context) as aim, Measure(config, context, aim, Display(config), opened) as measure:
        return measure(table)


def table_of(look: torch.Tensor, strength: float = 1.0) -> torch.Tensor:
    start = lut.identity(17)
    return grade(strength * look, start[None].flatten(3))[0].view_as(start)


def test_measurements_are_spread_evenly_and_end_with_the_last_step(
    judge_folder: Path, photographs: Path, house: House
) -> None:
    context = house("job")
    opened = Photographs.open(photographs, 0, context.cache, context.settings)
    with goal.opened(config_of(photographs, judge_folder, "warm"), context) as aim:

        def measure_of(steps: int) -> Measure:
            config = config_of(photographs, judge_folder, "warm", steps)
            return Measure(config, context, aim, Display(config), opened)

        for steps in (1, 7, 150, 151):
            due = [done for done in range(1, steps + 1) if measure_of(steps).is_due(done)]
            assert due[-1] == steps and min(steps, MEASUREMENTS) <= len(due) <= MEASUREMENTS + 2
        long = measure_of(9000)
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


def test_several_looks_are_measured_each_and_weighed(judge_folder: Path, photographs: Path, house: House) -> None:
    together = config_of(photographs, judge_folder, "warm: 3 | film noir")
    scores = measured(together, house("job"), lut.identity(5))
    apart = [
        measured(config_of(photographs, judge_folder, words), house("job"), lut.identity(5))["held_out"]
        for words in ("warm", "film noir")
    ]
    assert [scores["look_1"], scores["look_2"]] == pytest.approx(apart, abs=1e-5)
    assert scores["held_out"] == pytest.approx(0.75 * apart[0] + 0.25 * apart[1], abs=1e-5)


def test_a_reference_alone_is_measured_without_any_judge(photographs: Path, house: House) -> None:
    reference = sorted(photographs.glob("*.jpg"))[0]
    config = OptimizeConfig(image_folder=photographs, reference=reference, model_type="no such judge")
    scores = measured(config, house("job"), lut.identity(5))
    assert scores.keys() == {"reference_match", "measured_loss"} and scores["reference_match"] == pytest.approx(0)
