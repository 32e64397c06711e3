from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.palette.loading import PaletteModel, load, spec_of
from tests.palette import tiny


@pytest.fixture(scope="session", params=tiny.TOKENIZERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, once with single digits and once with pairs of them."""
    return tiny.save(tmp_path_factory.mktemp(request.param), tiny.TOKENIZERS[request.param]())


@pytest.fixture(scope="session")
def model(folder: Path) -> PaletteModel:
    return load(spec_of(str(folder)), torch.device("cpu"))
