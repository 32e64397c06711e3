"""The Models tab names every checkpoint and what is loaded."""

from __future__ import annotations

import time

from studio.gemma.catalog import CHECKPOINTS
from studio.models import ModelSpec, Resident
from studio.ui import models


def test_every_checkpoint_is_in_the_table() -> None:
    table = models.catalog()
    for checkpoint in CHECKPOINTS.values():
        assert f"<code>{checkpoint.name}</code>" in table


def test_a_loaded_model_says_its_size_and_who_uses_it() -> None:
    judge = CHECKPOINTS["embedded"]
    held = models._resident(Resident(ModelSpec("gemma3", judge.source), 7 * 2**20, 2, time.time()))
    assert judge.title in held and "7 MiB · in use by 2" in held and "auto" not in held
    idle = models._resident(Resident(ModelSpec("gemma3", "/a/<b>", "float32", "nf4"), 2**30, 0, time.time() - 75))
    assert "/a/&lt;b&gt;" in idle and "1.0 GiB · float32 · nf4 · idle for 1 min" in idle
