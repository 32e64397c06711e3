"""The parametric grade behind every look, and the analytic measure of agreement with it.

A grade is a vector of :data:`PARAMETERS`; :func:`apply` turns pictures by it, and
:func:`agreement` says how far any change between two pictures, however it was made, goes in the
direction of a grade. Pictures are sRGB code values in [0, 1]; differences are measured in OKLab
(Björn Ottosson, "A perceptual color space for image processing", 2020).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

PARAMETERS: tuple[str, ...] = (
    "exposure",  # stops, in linear light
    "temperature",  # warm above zero: red up, blue down
    "tint",  # magenta above zero, green below
    "contrast",  # log2 of the slope at the pivot
    "saturation",  # relative: -1 takes all chroma away
    "black",  # output level of black: above zero lifts, below crushes
    "white",  # output level of white, relative to 1
    "gamma",  # log2, brightens the middle above zero
    "shadow_a",  # OKLab offsets of the shadows, the middle and the highlights
    "shadow_b",
    "middle_a",
    "middle_b",
    "highlight_a",
    "highlight_b",
    "contrast_red",  # log2 slopes of single channels, as in cross-processing
    "contrast_green",
    "contrast_blue",
    "axis_x",  # pull all hues towards an axis: amount · (cos 2θ, sin 2θ)
    "axis_y",
    "hue",  # rotation in radians
)
PARAMETER_COUNT = len(PARAMETERS)
_INDEX = {name: index for index, name in enumerate(PARAMETERS)}

_PIVOT = 0.45  # sRGB code value that contrast leaves alone
_CHROMA_WEIGHT = 1.6  # a step in a or b counts more than a step in lightness
_FLOOR = 0.018  # OKLab: changes of this size are barely a grade
_LOGIT_LIMIT = 6.0

_LINEAR_TO_LMS = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_OKLAB = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LMS_TO_LINEAR = torch.linalg.inv(_LINEAR_TO_LMS.double()).float()
_OKLAB_TO_LMS = torch.linalg.inv(_LMS_TO_OKLAB.double()).float()


class Agreement(NamedTuple):
    """How far a change follows a look. Each field has shape (batch, looks).

    ``logit`` is the log-odds of "yes, this is the look"; ``progress`` is 0 for no change, 1 for
    the look at full strength; ``residual`` is the size of everything else that changed, relative
    to the look's own size.
    """

    logit: Tensor
    progress: Tensor
    residual: Tensor


def vector(**values: float) -> Tensor:
    """A grade from named parameters, zeros elsewhere. Shape (PARAMETER_COUNT,)."""
    grade = torch.zeros(PARAMETER_COUNT)
    for name, value in values.items():
        grade[_INDEX[name]] = value
    return grade


def hue_axis(amount: float, degrees: float) -> dict[str, float]:
    """Parameters that pull hues towards the OKLab axis at ``degrees``; ``amount`` in [0, 1]."""
    angle = math.radians(2 * degrees)
    return {"axis_x": amount * math.cos(angle), "axis_y": amount * math.sin(angle)}


def to_linear(rgb: Tensor) -> Tensor:
    """sRGB code values to linear light (IEC 61966-2-1)."""
    high = ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(rgb <= 0.04045, rgb / 12.92, high)


def to_codes(linear: Tensor) -> Tensor:
    """Linear light to sRGB code values (IEC 61966-2-1)."""
    high = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, high)


def to_oklab(rgb: Tensor) -> Tensor:
    """sRGB code values of shape (batch, 3, pixels) to OKLab of the same shape."""
    lms = torch.einsum("ij,bjn->bin", _LINEAR_TO_LMS.to(rgb), to_linear(rgb)).clamp_min(1e-7)
    return torch.einsum("ij,bjn->bin", _LMS_TO_OKLAB.to(rgb), lms ** (1 / 3))


def from_oklab(lab: Tensor) -> Tensor:
    """OKLab of shape (batch, 3, pixels) to sRGB code values, clipped to [0, 1]."""
    lms = torch.einsum("ij,bjn->bin", _OKLAB_TO_LMS.to(lab), lab) ** 3
    return to_codes(torch.einsum("ij,bjn->bin", _LMS_TO_LINEAR.to(lab), lms).clamp(0, 1))


def apply(parameters: Tensor, rgb: Tensor) -> Tensor:
    """Grade pictures.

    Args:
        parameters: (batch, PARAMETER_COUNT), or (PARAMETER_COUNT,) for all pictures alike.
        rgb: (batch, 3, ...) sRGB code values in [0, 1].

    Returns:
        The graded pictures, in the shape of ``rgb``, in [0, 1]. Zeros are the identity (2e-5).
    """
    grade = parameters.expand(rgb.shape[0], -1).to(rgb)
    codes = _tone(grade, _balance(grade, rgb.flatten(2)))
    lab = _colour(grade, to_oklab(codes))
    codes = from_oklab(lab)
    black, white = _column(grade, "black")[:, None], _column(grade, "white")[:, None]
    return (black + (1 + white - black) * codes).clamp(0, 1).view_as(rgb)


def agreement(before: Tensor, after: Tensor, parameters: Tensor) -> Agreement:
    """Compare the change from ``before`` to ``after`` with what each grade would have done.

    With e the change that happened and d the change the grade asks for (OKLab, chroma weighted),
    progress is <e, d> / <d, d> and residual |e - progress·d| / |d|. The logit rises with
    progress, stays when the look is complete, falls when it is over-done by a third or when more
    than 15 % of something else came along.

    Args:
        before, after: (batch, 3, ...) sRGB code values in [0, 1].
        parameters: (batch, looks, PARAMETER_COUNT).
    """
    batch, looks, _ = parameters.shape
    first, second = before.flatten(2), after.flatten(2)
    pixels = first.shape[2]
    lab = to_oklab(first)
    wanted = to_oklab(apply(parameters.flatten(0, 1), first.repeat_interleave(looks, 0)))
    weight = torch.tensor([1.0, _CHROMA_WEIGHT, _CHROMA_WEIGHT]).to(lab)[:, None]
    actual = (to_oklab(second) - lab) * weight
    asked = (wanted.view(batch, looks, 3, pixels) - lab[:, None]) * weight
    asked_square = asked.square().sum((2, 3))
    actual_square = actual.square().sum((1, 2))[:, None]
    product = (actual[:, None] * asked).sum((2, 3))
    floor = pixels * _FLOOR**2
    progress = product / (asked_square + 0.3 * floor)
    rest = actual_square - 2 * progress * product + progress.square() * asked_square
    residual = (rest.clamp_min(0) / (asked_square + floor) + 1e-8).sqrt()
    return Agreement(_logit(progress, residual), progress, residual)


def _logit(progress: Tensor, residual: Tensor) -> Tensor:
    reached = progress.clamp_max(1.0) - 1.2 * (progress - 1.35).clamp_min(0)
    logit = 9.0 * (reached - 0.5) - 6.0 * (residual - 0.15).clamp_min(0)
    return _LOGIT_LIMIT * torch.tanh(logit / _LOGIT_LIMIT)


def _column(grade: Tensor, name: str) -> Tensor:
    """One parameter of every picture, as (batch, 1), to broadcast over pixels."""
    return grade[:, _INDEX[name], None]


def _balance(grade: Tensor, codes: Tensor) -> Tensor:
    """White balance at constant luminance, and exposure, in linear light."""
    warm, tint = _column(grade, "temperature"), _column(grade, "tint")
    red, green, blue = 0.6 * warm + 0.15 * tint, -0.35 * tint, -0.9 * warm + 0.15 * tint
    gains = 2 ** torch.stack([red, green, blue], 1)
    luma = torch.tensor([0.2126, 0.7152, 0.0722]).to(codes)[:, None]
    gains = gains / (gains * luma).sum(1, keepdim=True)
    stops = 2 ** _column(grade, "exposure")[:, None]
    return to_codes((to_linear(codes) * gains * stops).clamp(0, 1))


def _tone(grade: Tensor, codes: Tensor) -> Tensor:
    """Gamma, then contrast about the pivot, overall and per channel."""
    value = codes.clamp(1e-5, 1) ** (2 ** (-_column(grade, "gamma")[:, None]))
    channels = [_column(grade, f"contrast_{name}") for name in ("red", "green", "blue")]
    slope = 2 ** (_column(grade, "contrast")[:, None] + torch.stack(channels, 1))
    low = _PIVOT * (value / _PIVOT).clamp_min(1e-6) ** slope
    high = 1 - (1 - _PIVOT) * ((1 - value) / (1 - _PIVOT)).clamp(1e-6, 1) ** slope
    return torch.where(value < _PIVOT, low, high)


def _colour(grade: Tensor, lab: Tensor) -> Tensor:
    """Saturation, hue, the pull towards an axis, and the three-way offsets, in OKLab."""
    light, a, b = lab.unbind(1)
    scale = (1 + _column(grade, "saturation")).clamp_min(0)
    cos, sin = _column(grade, "hue").cos() * scale, _column(grade, "hue").sin() * scale
    a, b = a * cos - b * sin, a * sin + b * cos
    x, y = _column(grade, "axis_x"), _column(grade, "axis_y")
    amount, angle = (x.square() + y.square() + 1e-12).sqrt().clamp(0, 1), torch.atan2(y, x) / 2
    cos, sin = angle.cos(), angle.sin()
    along, across = a * cos + b * sin, (b * cos - a * sin) * (1 - amount)
    a, b = along * cos - across * sin, along * sin + across * cos
    level = light.clamp(0, 1)
    near_black, near_white = (level * 6).clamp(0, 1), ((1 - level) * 8).clamp(0, 1)
    shadow = 1.5 * (1 - level).square() * near_black
    middle = (4 * level * (1 - level)).clamp(0, 1) * 0.85 + 0.15 * near_black
    highlight = 1.2 * level.square() * near_white
    for weight, name in ((shadow, "shadow"), (middle, "middle"), (highlight, "highlight")):
        a = a + weight * _column(grade, f"{name}_a")
        b = b + weight * _column(grade, f"{name}_b")
    return torch.stack([light, a, b], 1)
