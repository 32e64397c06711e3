"""Four colours from a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio.errors import StudioError
from studio.palette.colours import near_pairs, to_lab
from studio.palette.extraction import EDGE, extract

EXAMPLES = Path(__file__).parents[2] / "studio" / "ui" / "assets" / "examples"


def painted(*parts: tuple[str, int]) -> NDArray[np.uint8]:
    """A picture of 100 columns: each colour on as many as its number says."""
    columns = [tuple(bytes.fromhex(colour[1:])) for colour, width in parts for _ in range(width)]
    return np.broadcast_to(np.array(columns, np.uint8), (80, 100, 3)).copy()


def test_flat_colours_come_back_exactly_with_their_shares() -> None:
    image = painted(("#4dd70f", 20), ("#c5d70f", 50), ("#0fd7c1", 10), ("#0a1e49", 20))
    found = extract(image)
    assert {each.hex: round(each.share, 9) for each in found} == {
        "#c5d70f": 0.5,
        "#4dd70f": 0.2,
        "#0a1e49": 0.2,
        "#0fd7c1": 0.1,
    }
    assert (found[0].hex, found[-1].hex) == ("#c5d70f", "#0fd7c1"), "the largest first"


def test_a_small_bright_thing_is_seen_among_many_greys() -> None:
    greys = [(f"#{level:02x}{level:02x}{level:02x}", 7) for level in range(20, 228, 15)]
    assert "#ff2200" in [each.hex for each in extract(painted(("#ff2200", 2), *greys))]


def test_noise_adds_no_colours_and_moves_them_little() -> None:
    clean = painted(("#4dd70f", 25), ("#c02040", 25), ("#f0e0d0", 25), ("#0a1e49", 25))
    noise = np.random.default_rng(0).normal(0, 4, clean.shape)
    found = extract(np.clip(clean + noise, 0, 255).astype(np.uint8))
    for wanted in to_lab(["#4dd70f", "#c02040", "#f0e0d0", "#0a1e49"]):
        gaps = np.linalg.norm(to_lab([each.hex for each in found]) - wanted, axis=1)
        assert gaps.min() < 6
    assert [each.share for each in found] == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_photographs_give_colours_that_can_be_told_apart_every_time_the_same(name: str) -> None:
    picture = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    picture.thumbnail((EDGE, EDGE))
    found = extract(np.array(picture))
    assert len(found) == 4 and near_pairs(to_lab([each.hex for each in found])) == []
    shares = [each.share for each in found]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1) and min(shares) > 0.01
    assert extract(np.array(picture)) == found


def test_other_counts_can_be_asked_for() -> None:
    image = painted(("#000000", 50), ("#ffffff", 50))
    assert {each.hex for each in extract(image, 2)} == {"#000000", "#ffffff"}


def test_what_is_tiny_is_taken_when_nothing_else_is_there() -> None:
    """All clusters go to shades of two colours; two single pixels are needed to make four."""
    shades = np.array([[51 + step % 9, 102 + step // 9] for step in range(80)], np.uint8)
    image = np.zeros((80, 100, 3), np.uint8)
    image[:, :] = [*shades[0], 153]
    image[:, :50, :2] = shades[:, None]
    image[:, 50:] = (200, 30, 30)
    image[0, 0], image[0, 1] = (255, 255, 255), (0, 0, 0)
    assert {"#ffffff", "#000000", "#c81e1e"} < {each.hex for each in extract(image)}


@pytest.mark.parametrize(
    ("image", "number"),
    [
        (painted(("#336699", 100)), "one colour"),
        (painted(("#336699", 50), ("#336798", 50)), "one colour"),
        (painted(("#336699", 50), ("#ff0000", 50)), "2 colours"),
    ],
)
def test_too_few_colours_are_told(image: NDArray[np.uint8], number: str) -> None:
    with pytest.raises(StudioError) as caught:
        extract(image)
    assert caught.value.what == f"The picture has only {number} that can be told apart, and a palette needs 4."


def test_one_pixel_is_one_colour() -> None:
    with pytest.raises(StudioError, match="only one colour"):
        extract(np.zeros((1, 1, 3), np.uint8))
