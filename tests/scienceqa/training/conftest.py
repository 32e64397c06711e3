"""A short run."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.scienceqa.config import TrainScienceqaConfig
from tests.scienceqa.training import lessons


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with questions and towers that no test changes."""
    return Path(lessons.configure(tmp_path_factory.mktemp("science")).data).parent


@pytest.fixture
def config(place: Path, tmp_path: Path) -> TrainScienceqaConfig:
    """Six steps over 22 questions, a look at six others after every second."""
    return lessons.configure(place, output_dir=tmp_path / "out")
