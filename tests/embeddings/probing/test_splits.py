"""No image is on two sides, sizes and classes are as they should be, and what cannot be split says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from studio.embeddings.probing.splits import LEAST, group, split
from studio.errors import StudioError


def questions(images: int, each: int, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (rng.random(images * each) < share).astype(np.int64), np.repeat(np.arange(images), each)


@pytest.mark.parametrize(("images", "each", "share"), [(500, 4, 0.1), (60, 20, 0.4), (1500, 1, 0.9)])
def test_no_image_is_on_two_sides_and_the_shares_hold(images: int, each: int, share: float) -> None:
    labels, image = questions(images, each, share)
    labels[::7] = -1
    made = split(labels, image, seed=3)
    sides = list(made.sides().values())
    assert sorted(np.concatenate(sides)) == np.flatnonzero(labels >= 0).tolist()
    on = [set(image[side]) for side in sides]
    assert not (on[0] & on[1] or on[0] & on[2] or on[1] & on[2])
    for side, wanted in zip(sides, (0.64, 0.16, 0.2), strict=True):
        assert len(side) / (labels >= 0).sum() == pytest.approx(wanted, abs=0.03)
        assert labels[side].mean() == pytest.approx(labels[labels >= 0].mean(), abs=0.04)


def test_the_seed_alone_decides() -> None:
    labels, image = questions(100, 5, 0.3)
    one, same, other = (split(labels, image, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.test, same.test) and np.array_equal(one.train, same.train)
    assert not np.array_equal(one.test, other.test)


def test_the_leaky_split_has_images_on_both_sides() -> None:
    labels, image = questions(100, 10, 0.3)
    made = split(labels, image, 0, leaky=True)
    assert made.leaky and len(set(image[made.train]) & set(image[made.test])) > 80


def test_one_picture_under_two_names_is_one_image() -> None:
    images = pd.DataFrame({"image_id": ["a", "b", "c"], "sha256": ["1", "1", ""]})
    codes, names = group(pd.DataFrame({"image_id": ["a", "b", "c", "a"]}), images)
    assert codes.tolist() == [0, 0, 1, 0] and names == ["1", "id c"]


@pytest.mark.parametrize(
    ("labels", "images", "reason"),
    [
        (np.full(100, -1), np.arange(100), "No answer is labelled"),
        (np.ones(100, dtype=np.int64), np.arange(100), "All 100 labelled answers are hallucinations"),
        (np.arange(100) // 95, np.arange(100), "5 are hallucinations and 95 are right"),
        (np.arange(100) % 2, np.arange(100) % 9, "about 9 images only"),
        (np.arange(200) // 180, np.arange(200), "the test side has 4 hallucinations and .* 10 of each are needed"),
    ],
)
def test_what_cannot_be_split_says_why(labels: np.ndarray, images: np.ndarray, reason: str) -> None:
    with pytest.raises(StudioError, match=reason):
        split(labels, images, 0)
    assert LEAST == 10
