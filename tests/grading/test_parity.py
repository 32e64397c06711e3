from __future__ import annotations

import shutil

import numpy as np
import torch

from studio.grading.lut import identity
from studio.grading.parity import round_trip, through


def test_every_program_at_hand_agrees_on_a_rough_table() -> None:
    assert shutil.which("ffmpeg"), "ffmpeg is installed by make test"
    table = torch.rand((3, 5, 5, 5), generator=torch.Generator().manual_seed(0))
    found = round_trip(table)
    assert found.keys() == {"file", "opencolorio", "colour", "ffmpeg"}
    assert found["file"] <= 5e-9 + 2**-24 and max(found.values()) <= 1e-6


def test_values_beyond_the_range_are_no_difference() -> None:
    assert max(round_trip(1.5 * identity(5) - 0.2).values()) <= 1e-6


def test_through_is_exact_for_the_identity_and_keeps_what_lies_beyond() -> None:
    rgb = np.random.default_rng(0).random((50, 3))
    assert (through(identity(33), rgb) == rgb).all()
    assert through(2 * identity(3), np.ones((1, 3))).tolist() == [[2, 2, 2]]
