"""A training in a process of its own, for the test that kills it."""

from __future__ import annotations

import math
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path

import torch

from studio.context import Context
from studio.scienceqa.config import TrainScienceqaConfig
from studio.scienceqa.training import trainer
from studio.settings import Settings
from studio.tasks import Studio
from studio.training import checkpoint


def run(config: TrainScienceqaConfig, home: Path, folder: Path, begun: Event) -> None:
    """Train, keeping the state after every step; say when it has done a step."""
    torch.set_num_threads(1)
    checkpoint.INTERVAL, checkpoint._SHARE = 0.0, math.inf
    settings = Settings(home=home, device="cpu", threads=1)
    with closing(Studio(settings, start=False)) as studio:
        for event in trainer.run(config, Context(folder, studio.models, studio.cache, settings)):
            if "loss" in event.metrics:
                begun.set()
