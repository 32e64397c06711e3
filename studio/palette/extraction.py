"""The colours of a picture: clusters in CIE L*a*b*, of which those are taken that are large and unlike one another.

Four clusters alone would be four averages, in which a small bright thing is lost; so there are more clusters first, and
a palette is chosen from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from studio.errors import StudioError
from studio.palette.colours import NEAR, SIZE, Colours, distances, srgb_to_lab, to_hex

EDGE = 240
"""The long edge in pixels that a picture need not exceed; more changes no palette."""

_MOST_PIXELS = 60_000
_BITS = 3  # of each channel that are left out when like colours are counted together
_CLUSTERS = 16
_TYPICAL = 3.0  # CIEDE2000 from a cluster's mean within which its commonest colour stands for it
_VIVID = 100.0  # chroma in CIE L*a*b* that makes a colour twice as welcome as a grey: it is what one remembers
_APART = 40.0  # CIEDE2000 beyond which more difference makes a colour no more welcome


@dataclass(frozen=True)
class Extracted:
    """A colour of a picture.

    Attributes:
        hex: ``#rrggbb``.
        share: Of the picture's area, to which no other of the colours is nearer, 0 to 1; the shares add up to 1.
    """

    hex: str
    share: float


def extract(image: NDArray[np.uint8], count: int = SIZE) -> list[Extracted]:
    """Return the colours that stand for a picture, the one of the largest share first; the same for the same pixels.

    Args:
        image: sRGB code values of shape [height, width, 3].
        count: How many; no two are closer than `NEAR`.

    Raises:
        StudioError: The picture has fewer colours that can be told apart.
    """
    srgb, weights = _counted(image)
    lab = srgb_to_lab(srgb)
    leaders, sizes = _clusters(lab, weights)
    chosen = leaders[_chosen(lab[leaders], sizes, count)]
    if len(chosen) < count:  # what is tiny may be no cluster of its own
        chosen = _chosen(lab, weights, count)
    if len(chosen) < count:
        number = "one colour" if len(chosen) == 1 else f"{len(chosen)} colours"
        what = f"The picture has only {number} that can be told apart, and a palette needs {count}."
        raise StudioError(what, "Give a picture with more colours.")
    owner = distances(lab, lab[chosen]).argmin(1)
    shares = np.bincount(owner, weights, count) / weights.sum()
    hexes = to_hex(srgb[chosen])
    return [Extracted(hexes[index], float(shares[index])) for index in np.argsort(-shares, kind="stable")]


def _counted(image: NDArray[np.uint8]) -> tuple[Colours, NDArray[np.float64]]:
    """Count like colours together.

    Returns:
        Their mean sRGB code values [n, 3], rounded to eight bits, and how many pixels each stands for [n].
    """
    step = int(np.ceil(np.sqrt(max(image.shape[0] * image.shape[1] / _MOST_PIXELS, 1))))
    pixels = image[::step, ::step].reshape(-1, 3).astype(np.int64)
    keys = ((pixels >> _BITS) << [16, 8, 0]).sum(1)
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(place, channel) for channel in pixels.T], 1)
    return np.rint(sums / counts[:, None]) / 255, counts.astype(np.float64)


def _clusters(lab: Colours, weights: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Part CIE L*a*b* colours [n, 3] into clusters, each led by a common colour near its mean, not by the mean itself.

    Returns:
        The index of each leader, and the weight of each cluster.
    """
    means = KMeans(min(_CLUSTERS, len(lab)), n_init=1, random_state=0).fit(lab, sample_weight=weights)
    near = 1 + (distances(means.cluster_centers_, lab) / _TYPICAL) ** 2
    inside = means.labels_ == np.arange(len(near))[:, None]
    leaders: NDArray[np.intp] = np.where(inside, weights / near, -1).argmax(1)
    sizes = np.bincount(means.labels_, weights, len(near)).astype(np.float64)
    return leaders, sizes


def _chosen(lab: Colours, weights: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Choose the largest of CIE L*a*b* colours [n, 3], then what is large, colourful and unlike those that are chosen.

    Returns:
        Their indices, at most ``count``; fewer when no other is further than `NEAR` from all of them.
    """
    chosen = [int(weights.argmax())]
    gaps = distances(lab, lab[chosen])[:, 0]
    appeal = np.sqrt(weights) * (1 + np.hypot(lab[:, 1], lab[:, 2]) / _VIVID)
    while len(chosen) < count and gaps.max() >= NEAR:
        merit = np.where(gaps >= NEAR, appeal * np.minimum(gaps, _APART), 0)
        chosen.append(int(merit.argmax()))
        gaps = np.minimum(gaps, distances(lab, lab[chosen[-1:]])[:, 0])
    return np.array(chosen)
