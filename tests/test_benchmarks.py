"""The benchmarks run: on a tiny model, and their two ways agree."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import apply, judge_step, lut_training, scienceqa, store
from studio.grading.config import OptimizeConfig
from studio.grading.lutfiles import LUT
from studio.grading.pixels import grade
from tests import checkpoints


def test_the_judges_step_and_the_plain_one_agree() -> None:
    torch.manual_seed(0)
    bundle = judge_step.random_bundle({}, torch.device("cpu"))
    before, after = torch.randint(256, (2, 2, 3, 56, 56)) / 255
    steps = {"plain": judge_step.plain_step(bundle, before), "ours": judge_step.our_step(bundle, before)}
    apart = judge_step.compare(steps["plain"](after), steps["ours"](after))
    assert max(apart.values()) < 1e-4
    times = judge_step.measure(steps, after, rounds=2)
    assert [len(taken) for taken in times.values()] == [2, 2]


@pytest.mark.parametrize(("name", "billions"), [("4b", 4.300), ("12b", 12.187)])
def test_real_geometries_have_the_real_sizes(name: str, billions: float) -> None:
    from transformers import Gemma3ForConditionalGeneration

    with torch.device("meta"):
        config = checkpoints.gemma3_config(checkpoints.make_tokenizer(), **judge_step.GEOMETRIES[name])
        model = Gemma3ForConditionalGeneration(config)
    assert sum(weight.numel() for weight in model.parameters()) / 1e9 == pytest.approx(billions, abs=1e-3)


@pytest.mark.parametrize("bits", [8, 16])
def test_ways_to_apply_a_lut_are_timed_and_agree(bits: int, tmp_path: Path) -> None:
    arguments = argparse.Namespace(size=9, width=96, height=64, rounds=2, threads=1)
    report = apply.compare(bits, arguments)
    assert {"ours", "OpenColorIO", "colour", "ffmpeg, float planes"} < report["mpix_per_second"].keys()
    assert ("Pillow" in report["mpix_per_second"]) == (bits == 8)
    assert min(report["mpix_per_second"].values()) > 0
    pixels, table = apply.picture(96, 64, bits), apply.table(9)
    lut = LUT.of(table)
    assert np.array_equal(apply.bare(lut.processor(pixels=pixels.dtype.name), pixels), grade(pixels, table))


def test_both_ways_of_training_are_counted_and_measured_alike(tmp_path: Path, photographs: Path) -> None:
    judge = checkpoints.save_gemma3(tmp_path / "judge")
    config = OptimizeConfig(prompt="warm", image_folder=photographs, model_type=str(judge), steps=2, lut_size=9)
    found = lut_training.compare(config, tmp_path / "home", target=1.1, seed_steps=11)
    assert found["seed"]["calls"] == 11 and not found["seed"]["reached"]
    assert found["ours"]["calls"] == 2 * (4 + 2) and not found["ours"]["reached"]
    assert 0 < found["seed"]["best"] < 1 and 0 < found["ours"]["best"] < 1
    assert found["ratio_seconds"] > 0


def test_the_first_measurement_at_the_target_ends_the_clock() -> None:
    way = iter([(1.0, 10, 0.2), (2.0, 20, 0.8), (3.0, 30, 0.9)])
    assert lut_training.until(0.7, way) == {"seconds": 2.0, "calls": 20, "best": 0.8, "reached": True}
    assert next(way) == (3.0, 30, 0.9)


def test_both_layouts_of_a_run_are_written_read_and_hold_the_same(tmp_path: Path) -> None:
    arguments = argparse.Namespace(samples=600, seed_samples=40, width=16, per_image=4, rounds=2)
    found = store.compare(arguments)  # it sees itself that the vectors are the same
    assert found["ratios"].keys() == {"write", "read", "read, once open", "size"}
    assert min(found["ratios"].values()) > 1 and found["seconds"]["read"]["ours"] > 0


def test_both_ways_of_answering_science_questions_run_and_batches_change_nothing() -> None:
    vision = {"image_size": 32, "patch_size": 8, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 4, "projection_dim": 32}  # fmt: skip
    model = scienceqa.random_model({"vision": vision, "text": {"num_hidden_layers": 2}}, torch.device("cpu"))
    found = scienceqa.compare(model, count=3, batch=2, longest=4, usual=2)
    assert found["apart"] < 1e-5 and found["ratios"].keys() == {"letter", "reasoning", "reasoning, usual length"}
    assert found["questions_per_second"].keys() == {"script", *found["ratios"]}
    assert min(found["questions_per_second"].values()) > 0
