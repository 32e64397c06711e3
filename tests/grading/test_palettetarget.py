"""A palette draws shadows, mid-tones and highlights towards its colours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.grading import losses
from studio.grading.config import OptimizeConfig
from studio.grading.palettetarget import PaletteTarget
from studio.grading.training import run

DEVICE = torch.device("cpu")
DARK_TO_LIGHT = ("#14213d", "#1f6f78", "#e07a5f", "#f2e9d8")


def flat(*colours: str) -> Tensor:
    """One picture [1, 3, n, 8] of stripes, in OKLab."""
    rgb = torch.tensor([[int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in colours])
    return losses.oklab(rgb.T[None, :, :, None].expand(1, 3, len(colours), 8).contiguous())


def test_a_picture_of_the_palette_has_arrived_whatever_the_order() -> None:
    for order in (DARK_TO_LIGHT, DARK_TO_LIGHT[::-1]):
        target = PaletteTarget(order, DEVICE)
        shown, grey = flat(*DARK_TO_LIGHT), flat("#202020", "#606060", "#a0a0a0", "#f0f0f0")
        assert target.distance(shown, shown) < target.distance(grey, grey) / 5


def test_each_part_is_drawn_to_its_own_colour() -> None:
    target = PaletteTarget(DARK_TO_LIGHT, DEVICE)
    before = flat("#202020", "#4f7f7f", "#8f7060", "#f0f0f0")
    after = before.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(target.distance(before, after), after)
    towards = target.colours[:, 1:].T - before[0, 1:, :, 0]  # (2, parts)
    cosine = torch.nn.functional.cosine_similarity(-gradient[0, 1:, :, 0], towards, dim=0)
    assert (cosine > 0.9).all()
    assert gradient[:, 0].abs().max() == 0  # how bright a photograph is, a palette does not say


def test_far_colours_are_not_pulled_harder_than_near_ones() -> None:
    target = PaletteTarget(("#000000", "#808080", "#808080", "#ffffff"), DEVICE)
    pulls = []
    for colour in ("#a07060", "#ff3000"):
        after = flat(colour).requires_grad_()
        (gradient,) = torch.autograd.grad(target.distance(flat("#808080"), after), after)
        pulls.append(gradient.norm().item())
    assert pulls[0] == pytest.approx(pulls[1], rel=0.1) and pulls[0] > 0


def test_a_training_goes_most_of_the_way_without_any_judge(photographs: Path, house: object) -> None:
    context: Context = house("job")  # type: ignore[operator]
    config = OptimizeConfig(
        image_folder=photographs, palette=", ".join(DARK_TO_LIGHT), palette_weight=2, steps=60, views=1,
        model_type="no such judge", lut_size=9, learning_rate=0.01,
    )  # fmt: skip
    told = list(run(config, context))
    assert told[-1].metrics["palette_match"] > 0.5
    assert {"palette", "palette_match"} <= {name for event in told for name in event.metrics}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("#14213D 1f6f78,e07a5f , #f2e9d8", "#14213d, #1f6f78, #e07a5f, #f2e9d8"),
        ("#abc #000 fff #123456", "#aabbcc, #000000, #ffffff, #123456"),
        ("", ""),
    ],
)
def test_colours_are_written_one_way(written: str, kept: str) -> None:
    assert validate(OptimizeConfig, {"prompt": "warm", "image_folder": ".", "palette": written}).palette == kept


@pytest.mark.parametrize(
    ("written", "said"),
    [("#14213d, teal, #fff, #000", "'teal' is no colour"), ("#fff #000 #123", "four colours, and these are 3")],
)
def test_what_is_no_palette_is_said(written: str, said: str) -> None:
    with pytest.raises(StudioError, match=said):
        validate(OptimizeConfig, {"prompt": "warm", "image_folder": ".", "palette": written})
