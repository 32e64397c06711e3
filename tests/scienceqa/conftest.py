"""One tiny bundle, saved and loaded once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.loading import load
from studio.scienceqa.model.source import Source
from studio.scienceqa.questions.record import Question
from tests.scienceqa import tiny

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its own towers, two tiles a picture."""
    return tiny.save_bundle(tmp_path_factory.mktemp("science") / "bundle")


@pytest.fixture(scope="session")
def model(tiny_folder: Path) -> GemmaClip:
    """It, loaded on the CPU; nobody changes it."""
    return load(Source(bundle=str(tiny_folder)).spec(), torch.device("cpu"))


@pytest.fixture(scope="session")
def question() -> Question:
    """A question with a picture."""
    return Question(
        "1", "test", "Which of these pairs attract?", ("Pair 1", "Pair 2", "neither"), 1, "See the picture.",
        solution="The poles north and south face each other.",
    )  # fmt: skip


@pytest.fixture(scope="session")
def picture() -> Image.Image:
    """A flat diagram: black on the left, a red bar on the right."""
    picture = Image.new("RGB", (90, 30), "black")
    picture.paste((220, 20, 20), (60, 0, 90, 30))
    return picture
