"""A tiny Gemma 3 and questions about photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data

from studio.gemma.loading import Gemma3, load_gemma3
from studio.models import ModelSpec
from tests import checkpoints

QUESTIONS = (
    "Is it warm?",
    "What is the colour of the thing that stands at the left of the other one, and is it larger?",
    "How many?",
    "Warm or cold and moody or vivid, teal or orange: which of these is it?",
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Gemma 3 whose sliding window (24 tokens) is shorter than a question with its image."""
    return checkpoints.save_gemma3(tmp_path_factory.mktemp("gemma3"))


@pytest.fixture(scope="session")
def bundle(folder: Path) -> Gemma3:
    """It, loaded on the CPU."""
    return load_gemma3(ModelSpec("gemma3", str(folder)), torch.device("cpu"))


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Two photographs."""
    return [Image.fromarray(getattr(data, name)()).resize((96, 80)) for name in ("astronaut", "coffee")]
