"""Tiny random checkpoints, saved once a session."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.gemma.loading import Gemma3, load_gemma3
from studio.models import ModelSpec
from tests import checkpoints

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_gemma3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Gemma 3 whose sliding window (24 tokens) is shorter than a conversation with two images."""
    return checkpoints.save_gemma3(tmp_path_factory.mktemp("gemma3"))


@pytest.fixture(scope="session")
def tiny_gemma3_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another, with a window longer than any conversation here, described as on the Hub."""
    return checkpoints.save_gemma3(tmp_path_factory.mktemp("hub"), window=512, hub_layout=True, seed=1)


@pytest.fixture(scope="session")
def tiny_gemma3_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Gemma 3 without vision."""
    return checkpoints.save_gemma3_text(tmp_path_factory.mktemp("gemma3-text"))


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP."""
    return checkpoints.save_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_gemma3: Path) -> Gemma3:
    """`tiny_gemma3`, loaded on the CPU."""
    return load_gemma3(ModelSpec("gemma3", str(tiny_gemma3)), torch.device("cpu"))


@pytest.fixture(scope="session")
def tiny_bundle_hub(tiny_gemma3_hub: Path) -> Gemma3:
    """`tiny_gemma3_hub`, loaded on the CPU."""
    return load_gemma3(ModelSpec("gemma3", str(tiny_gemma3_hub)), torch.device("cpu"))


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Three photographs of different sizes: 512 x 512, 600 x 400 and 451 x 300."""
    from skimage import data

    return [Image.fromarray(np.asarray(getattr(data, name)())) for name in ("astronaut", "coffee", "chelsea")]
