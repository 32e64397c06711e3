"""An extraction in a process of its own, for the test that kills it."""

from __future__ import annotations

from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path

import torch

from studio.context import Context
from studio.embeddings.config import ExtractConfig
from studio.embeddings.extraction import extract as extraction
from studio.settings import Settings
from studio.tasks import Studio


def run(config: ExtractConfig, home: Path, begun: Event) -> None:
    """Extract; say when the model is loaded and the run's folder open."""
    torch.set_num_threads(1)
    settings = Settings(home=home, device="cpu", threads=1)
    with closing(Studio(settings, start=False)) as studio:
        context = Context(home, studio.models, studio.cache, settings)
        for number, _ in enumerate(extraction.run(config, context)):
            if number == 1:
                begun.set()
