"""How footage is encoded, and the neutral conversion that shows it on a display.

The transfer functions and gamuts are colour-science's. Camera logs hold scene light far above a display's white, so
their conversion ends in a shoulder: below linear 0.5 (sRGB code value 188 of 255) it is colour-science's result
unchanged, above it rolls off logarithmically until the encoding's largest value meets white.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.grading import colourscience

Colours = NDArray[np.float64]

KNEE = 0.5
"""Linear light from which camera logs roll off; 0.18 is mid grey, 1 the display's white."""


@dataclass(frozen=True)
class Encoding:
    """What code values in [0, 1] mean.

    Attributes:
        name: As configurations write it.
        title: As its makers write it.
        curve: colour-science's name of a camera's log curve; empty for an encoding made for displays.
        gamut: colour-science's name of its primaries and white.
    """

    name: str
    title: str
    curve: str = ""
    gamut: str = "sRGB"

    @property
    def is_log(self) -> bool:
        """Whether it is a camera's, and needs a conversion before a person may look at it."""
        return bool(self.curve)

    def decode(self, codes: Colours) -> Colours:
        """Turn code values [..., 3] into linear light of the sRGB primaries; above 1 only for a log."""
        colour = colourscience.load()
        if self.name == "srgb":
            return np.asarray(colour.eotf(codes, "sRGB"))
        if not self.is_log:
            return np.asarray(colour.eotf(codes, "ITU-R BT.1886"))
        with warnings.catch_warnings():  # Canon's curve computes all its branches, also where they have no value
            warnings.simplefilter("ignore", RuntimeWarning)
            linear = colour.log_decoding(codes, function=self.curve)
        return np.asarray(colour.RGB_to_RGB(linear, self.gamut, "sRGB"))

    def encode(self, linear: Colours) -> Colours:
        """Turn linear light of the sRGB primaries into code values, the inverse of `decode`."""
        colour = colourscience.load()
        if self.name == "srgb":
            return np.asarray(colour.eotf_inverse(linear, "sRGB"))
        if not self.is_log:
            return np.asarray(colour.eotf_inverse(linear, "ITU-R BT.1886"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.asarray(colour.log_encoding(colour.RGB_to_RGB(linear, "sRGB", self.gamut), function=self.curve))

    @cached_property
    def _bend(self) -> float:
        """The shoulder's curvature b, where log(1 + b t) = b brings the largest value, at t, to white with slope 1."""
        colour = colourscience.load()
        largest = float(colour.log_decoding(1.0, function=self.curve))
        reach, bend = (largest - KNEE) / (1 - KNEE), 1.0
        for _ in range(100):
            bend = math.log1p(bend * reach)
        return bend

    def roll_off(self, linear: Colours) -> Colours:
        """Bring a log's linear light under 1; a display's is there already."""
        if not self.is_log:
            return linear
        above = np.maximum(linear - KNEE, 0) / (1 - KNEE)
        return np.where(linear > KNEE, KNEE + (1 - KNEE) * np.log1p(self._bend * above) / self._bend, linear)

    def roll_on(self, shown: Colours) -> Colours:
        """Return the linear light whose `roll_off` is `shown`."""
        if not self.is_log:
            return shown
        above = np.maximum(shown - KNEE, 0) / (1 - KNEE)
        return np.where(shown > KNEE, KNEE + (1 - KNEE) * np.expm1(self._bend * above) / self._bend, shown)


_KNOWN = (
    Encoding("srgb", "sRGB"),
    Encoding("rec709", "Rec.709"),
    Encoding("slog3", "S-Log3/S-Gamut3.Cine", "S-Log3", "S-Gamut3.Cine"),
    Encoding("logc3", "ARRI LogC3/Wide Gamut 3", "ARRI LogC3", "ARRI Wide Gamut 3"),
    Encoding("logc4", "ARRI LogC4/Wide Gamut 4", "ARRI LogC4", "ARRI Wide Gamut 4"),
    Encoding("vlog", "V-Log/V-Gamut", "V-Log", "V-Gamut"),
    Encoding("clog3", "Canon Log 3/Cinema Gamut", "Canon Log 3", "Cinema Gamut"),
    Encoding("acescct", "ACEScct/AP1", "ACEScct", "ACEScct"),
)
ENCODINGS: dict[str, Encoding] = {each.name: each for each in _KNOWN}


def convert(codes: Colours, source: str, target: str) -> Colours:
    """Show footage: what a neutral conversion makes of it, without any grade.

    Args:
        codes: [..., 3] code values of `source` in [0, 1].
        source: One of `ENCODINGS`.
        target: A display's: ``srgb`` or ``rec709`` (gamma 2.4, ITU-R BT.1886).

    Returns:
        [..., 3] code values of `target`, clipped to [0, 1]; `codes` themselves when nothing is to be done.
    """
    if source == target:
        return codes
    encoding = ENCODINGS[source]
    linear = np.clip(encoding.roll_off(encoding.decode(codes)), 0, 1)
    return np.clip(ENCODINGS[target].encode(linear), 0, 1)


def shoot(codes: Colours, target: str) -> Colours:
    """Encode sRGB code values [..., 3] as footage whose neutral conversion to sRGB is the same picture."""
    if target == "srgb":
        return codes
    encoding = ENCODINGS[target]
    return np.clip(encoding.encode(encoding.roll_on(ENCODINGS["srgb"].decode(codes))), 0, 1)


def conversion_table(source: str, target: str, size: int) -> NDArray[np.float32]:
    """Sample `convert` on a lattice: what a LUT holds that adds no grade.

    Between the points a log's conversion is off by at most 4.5 code values of 255 along the neutral axis with 33
    points, in Canon Log 3's deepest shadows, and by at most 1.5 with 65; for most logs it is 1 to 2, and under 1.

    Returns:
        float32 [3, N, N, N]: channel, then the lattice indices of blue, green and red.
    """
    axis = np.linspace(0, 1, size)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return convert(np.stack((red, green, blue), -1), source, target).transpose(3, 0, 1, 2).astype(np.float32)


def described(source: str, target: str) -> str:
    """Say what goes in and comes out, for titles and comments: 'S-Log3/S-Gamut3.Cine to sRGB'."""
    return f"{ENCODINGS[source].title} to {ENCODINGS[target].title}"
