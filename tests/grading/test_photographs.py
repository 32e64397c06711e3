"""Photographs are read once, split once, and looked at in ways a seed repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.cache import Cache
from studio.grading.photographs import LONG_EDGE, MOST_VIEWS, Photographs, drawn
from studio.settings import Settings


@pytest.fixture
def opened(photographs: Path, settings: Settings) -> Photographs:
    return Photographs.open(photographs, 0, Cache(settings.folder("cache")), settings)


def test_a_quarter_is_held_out_and_nothing_is_in_both(opened: Photographs) -> None:
    assert len(opened.held_out) == 1 and sorted(opened.held_out + opened.train) == list(range(6))
    assert opened.measured == opened.held_out


def test_another_seed_may_hold_others_out(photographs: Path, settings: Settings) -> None:
    with Cache(settings.folder("cache")) as cache:
        held = {tuple(Photographs.open(photographs, seed, cache, settings).held_out) for seed in range(8)}
    assert len(held) > 1


def test_the_pool_begins_with_whole_frames_and_repeats_by_seed(opened: Photographs) -> None:
    pool = opened.views(opened.train, 3, 28, seed=4)
    assert pool.shape == (15, 3, 28, 28) and pool.min() >= 0 and pool.max() <= 1
    assert torch.equal(pool[:5], opened.views(opened.train, 1, 28, seed=5))
    assert torch.equal(pool, opened.views(opened.train, 3, 28, seed=4))
    assert not torch.equal(pool[5:], opened.views(opened.train, 3, 28, seed=5)[5:])
    assert not torch.equal(pool[5], pool[10])


def test_the_pool_has_a_limit(opened: Photographs) -> None:
    assert len(opened.views(opened.train, 60, 4, seed=0)) == MOST_VIEWS
    assert len(opened.views(opened.train, 4, 4, seed=0, most=7)) == 7


def test_a_large_photograph_is_brought_to_the_preview_s_size(tmp_path: Path, settings: Settings) -> None:
    Image.effect_noise((3000, 1500), 60).convert("RGB").save(tmp_path / "large.jpg")
    with Cache(settings.folder("cache")) as cache:
        opened = Photographs.open(tmp_path, 0, cache, settings)
        assert opened.pixels(0).shape == (LONG_EDGE // 2, LONG_EDGE, 3)


def test_a_changed_photograph_changes_the_fingerprint(tmp_path: Path, settings: Settings) -> None:
    with Cache(settings.folder("cache")) as cache:
        prints = set()
        for colour in ("red", "red", "blue"):
            Image.new("RGB", (64, 64), colour).save(tmp_path / "one.png")
            prints.add(Photographs.open(tmp_path, 0, cache, settings).fingerprint())
    assert len(prints) == 2


def test_drawn_pictures_hold_many_colours() -> None:
    pictures = drawn(56)
    assert pictures.shape == (32, 3, 56, 56)
    chroma = (pictures.amax(1) - pictures.amin(1)).flatten().numpy()
    assert np.quantile(chroma, 0.1) < 0.1 < 0.4 < np.quantile(chroma, 0.95)
    assert drawn(112).shape[-1] == 112
