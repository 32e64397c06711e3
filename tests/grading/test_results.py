"""What a run leaves for people is whole, and tells where it came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.context import Context
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display
from studio.grading.lut import identity
from studio.grading.photographs import Photographs
from studio.grading.results import Results

House = Callable[[str], Context]


def test_a_page_always_finds_the_picture_it_was_told_of(
    photographs: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old previews go, but never the one before the newest, which a page may still be loading."""
    monkeypatch.setattr("studio.grading.results.PREVIEW_SECONDS", 0)
    context = house("job")
    opened = Photographs.open(photographs, 0, context.cache, context.settings)
    config = OptimizeConfig(prompt="warm", image_folder=photographs)
    results = Results(config, context.folder, Display(config))
    events = [results.preview(step, opened, identity(3) * (1 - step / 20)) for step in range(6)]
    for event in events[-2:]:
        for name in event.artifacts.values():
            assert (context.folder / name).is_file()
    assert len(list(context.folder.glob("after-*.jpg"))) == 2
