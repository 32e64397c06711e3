from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from studio.errors import StudioError
from studio.gemma.pixels import Preprocessing


def as_tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None] / 255


def levels_apart(processor: Any, picture: Image.Image, exact: bool) -> torch.Tensor:
    """Distance to the processor's own result, in 8-bit levels."""
    wanted = processor(picture, return_tensors="pt")["pixel_values"]
    std = torch.tensor(processor.image_std)[:, None, None]
    got = Preprocessing.of(processor)(as_tensor(picture), exact=exact)
    return torch.abs((got - wanted) * std * 255)


@pytest.fixture(scope="module", params=["gemma3", "gemma3 at 896", "clip"])
def processor(request: pytest.FixtureRequest, tiny_gemma3_hub: Path, tiny_clip: Path) -> Any:
    if request.param == "gemma3 at 896":
        return Gemma3ImageProcessorPil(size={"height": 896, "width": 896})
    if request.param == "clip":
        return CLIPImageProcessorPil.from_pretrained(tiny_clip)
    return Gemma3ImageProcessorPil.from_pretrained(tiny_gemma3_hub)


def test_exact_is_the_processors_own_within_a_level(processor: Any, pictures: list[Image.Image]) -> None:
    apart = [levels_apart(processor, picture, exact=True) for picture in pictures]
    ties = 512 * 7 == 896 * 4  # 512 to 896 puts many values exactly between two levels, where rounding is arbitrary
    assert ties
    for picture, distance in zip(pictures, apart, strict=True):
        tied = picture.size == (512, 512) and distance.shape[-1] == 896
        assert distance.max() <= (2.01 if tied else 1.01)
        assert (distance > 0.5).float().mean() < (0.1 if tied else 0.005)


def test_without_rounding_it_stays_within_a_level(processor: Any, pictures: list[Image.Image]) -> None:
    for picture in pictures:
        distance = levels_apart(processor, picture, exact=False)
        assert distance.max() < 1.1
        assert distance.mean() < 0.35


def test_the_right_size_passes_untouched(processor: Any) -> None:
    preprocessing = Preprocessing.of(processor)
    picture = torch.rand(2, 3, preprocessing.height, preprocessing.width)
    mean = torch.tensor(preprocessing.mean)[:, None, None]
    std = torch.tensor(preprocessing.std)[:, None, None]
    torch.testing.assert_close(preprocessing(picture), (picture - mean) / std)


@pytest.mark.parametrize("exact", [False, True])
def test_gradients_are_those_of_the_unrounded_function(exact: bool) -> None:
    preprocessing = Preprocessing(8, 8, 0, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    picture = 0.1 + 0.8 * torch.rand(1, 3, 20, 12, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    leaf = picture.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((preprocessing(leaf, exact=exact) * weight).sum(), leaf)
    nudge = torch.randn(picture.shape, generator=torch.Generator().manual_seed(2)) * 1e-3
    moved = [(preprocessing(picture + sign * nudge) * weight).sum() for sign in (1, -1)]
    assert ((moved[0] - moved[1]) / 2).item() == pytest.approx((gradient * nudge).sum().item(), rel=2e-2)


def test_exact_judges_what_a_saved_picture_would_hold() -> None:
    preprocessing = Preprocessing(16, 16, 0, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    picture = torch.rand(1, 3, 16, 16)
    saved = (picture * 255).round() / 255
    assert torch.equal(preprocessing(picture, exact=True), preprocessing(saved))


def test_colours_outside_the_range_are_clamped() -> None:
    preprocessing = Preprocessing(4, 4, 0, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert preprocessing(torch.full((1, 3, 9, 9), 1.7)).max() == 1


def test_an_unknown_way_of_resizing_is_refused() -> None:
    with pytest.raises(StudioError, match="not supported"):
        Preprocessing.of(Gemma3ImageProcessorPil(size={"height": 8, "width": 8}, resample=Image.Resampling.LANCZOS))
