"""A small judge of the real class."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoints import save_gemma3


@pytest.fixture(scope="session")
def judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint: proves shapes, equality and order, never quality."""
    return save_gemma3(tmp_path_factory.mktemp("judge"))
