"""Fixtures shared by the tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Before torch is imported, here and in what the tests start: two threads on a busy machine wait more than they work.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest

from studio.settings import Settings

if TYPE_CHECKING:
    from studio.context import Context

for name in [name for name in os.environ if name.startswith("STUDIO_")]:
    del os.environ[name]
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty home, on the CPU."""
    return Settings(home=tmp_path / "home", device="cpu", memory_budget=2**31, threads=1)


@pytest.fixture
def house(settings: Settings, tmp_path: Path) -> Iterator[Callable[[str], Context]]:
    """A house to run tasks in: makes contexts with a folder each, one model manager and one cache."""
    import torch

    from studio.cache import Cache
    from studio.context import Context
    from studio.models import ModelManager
    from studio.tasks import LOADERS, load_model

    torch.set_num_threads(1)
    models = ModelManager(dict.fromkeys(LOADERS, load_model), device="cpu", budget=2**31)
    cache = Cache(settings.folder("cache"))

    def context(name: str) -> Context:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Context(folder, models, cache, settings)

    yield context
    models.close()
    cache.close()


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of six real photographs from scikit-image, as a user's camera would leave them (JPEG)."""
    from PIL import Image
    from skimage import data

    folder = tmp_path_factory.mktemp("photographs")
    for name in ("astronaut", "coffee", "chelsea", "rocket", "hubble_deep_field", "retina"):
        Image.fromarray(getattr(data, name)()[..., :3]).resize((480, 320)).save(folder / f"{name}.jpg", quality=92)
    yield folder
