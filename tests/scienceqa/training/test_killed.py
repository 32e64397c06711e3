"""A run that was killed at random moments ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

import multiprocessing
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.context import Context
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.training.trainer import run
from tests.scienceqa.training import training
from tests.scienceqa.training.lessons import changed, contents, history


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(
    kills: int, config: TrainScienceqaConfig, house: Callable[[str], Context], tmp_path: Path
) -> None:
    """Each time the same command runs again in a process of its own, until it is killed once more."""
    config = changed(config, num_train_epochs=2 * kills, gradient_accumulation_steps=1, eval_steps=8)
    whole, broken = house("whole"), house("broken")
    list(run(changed(config, output_dir=tmp_path / "elsewhere" / "out"), whole))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.scienceqa.training.training"])
    moments, killed = random.Random(kills), 0
    while killed < kills:
        begun = processes.Event()
        process = processes.Process(target=training.run, args=(config, tmp_path / "home", broken.folder, begun))
        process.start()
        assert begun.wait(120)
        process.join(moments.uniform(0.0, 0.4))
        killed += process.is_alive()
        process.kill()
        process.join()
        if process.exitcode == 0:  # it was done before the kill: begin anew
            assert contents(broken.folder / "last") == contents(whole.folder / "last")
            shutil.rmtree(broken.folder)
            broken.folder.mkdir()
    list(run(config, broken))
    for which in ("bundle", "last"):
        assert contents(whole.folder / which) == contents(broken.folder / which)
    assert history(whole) == history(broken)
