"""A small judge of the real class, and a house to run tasks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from studio.cache import Cache
from studio.context import Context
from studio.gemma.loading import LOADERS
from studio.models import ModelManager
from studio.settings import Settings
from tests.checkpoints import save_gemma3


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint: proves shapes, equality and order, never quality."""
    return save_gemma3(tmp_path_factory.mktemp("judge"))


@pytest.fixture
def house(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str], Context]]:
    """Make contexts with a folder each, one model manager and one cache."""
    torch.set_num_threads(1)
    models = ModelManager(LOADERS, device="cpu", budget=2**31)
    cache = Cache(settings.folder("cache"))

    def context(name: str) -> Context:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Context(folder, models, cache, settings)

    yield context
    models.close()
    cache.close()
