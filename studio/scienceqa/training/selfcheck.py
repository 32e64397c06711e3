"""Prove, before the first step, that what is trained gets gradients and that the right words are learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch

from studio.errors import StudioError
from studio.scienceqa.model.gemmaclip import IGNORED
from studio.scienceqa.training.learner import Learner, Shown

_TOLERANCE = 0.05  # relative: bfloat16 rounds to 0.01, weights that an evaluation repacked are off by 1
_LAYER = re.compile(r"\.layers\.(\d+)\..*\.lora_B\.")  # the half of an adapter that begins at 0 and so gets a gradient
_BROKEN = "Load the model without 4 bits, or update bitsandbytes, peft and transformers."


def check(learner: Learner, batch: Sequence[Shown]) -> None:
    """Refuse to train what would not learn, or would learn something else.

    The answers alone must be learnt, up to the end of turn. The projector (where the batch has a picture) and the first
    and the last adapted layer must get gradients, and the same ones after the model has been evaluated: some 4-bit
    layers are repacked then, and gradients end at them without an error.

    Args:
        learner: What is about to be trained.
        batch: A turn or more, with a picture if any question has one.

    Raises:
        StudioError: Naming what is wrong.
    """
    _check_labels(learner, batch)
    parts = _parts(learner, seen=any(shown.features is not None for shown in batch))
    if not parts:
        raise StudioError("No question has a picture, so the projector alone would learn nothing.", "Raise lora_r.")
    names = [name for part in parts.values() for name in part]
    before = learner.gradients(batch, names)
    with torch.no_grad():
        learner.loss(batch)  # in eval mode, as every look at validation questions is
    after = learner.gradients(batch, names)
    for part, names in parts.items():
        if any(not bool(torch.isfinite(before[name]).all()) or not bool(before[name].any()) for name in names):
            raise StudioError(f"Training would not change the {part} as a whole: its gradient is nothing.", _BROKEN)
        one, other = (torch.cat([found[name].flatten() for name in names]) for found in (before, after))
        if not float((other - one).norm()) <= _TOLERANCE * float(one.norm()):
            raise StudioError(f"The gradient of the {part} is wrong once the model has been evaluated.", _BROKEN)


def _check_labels(learner: Learner, batch: Sequence[Shown]) -> None:
    model = learner.model
    with torch.no_grad():
        asked, answers = [shown.turn.asked for shown in batch], [shown.turn.answer for shown in batch]
        labels = model.batch(asked, [shown.features for shown in batch], answers=answers).labels
    assert labels is not None
    for row, shown in zip(labels.tolist(), batch, strict=True):
        start = shown.turn.asked.length(model.tokens_per_view)
        end = start + len(shown.turn.answer)
        if any(label != IGNORED for label in row[:start] + row[end:]):
            raise StudioError("The question itself would be learnt, and not its answer alone.", _BROKEN)
        if tuple(row[start:end]) != shown.turn.answer or row[end - 1] != model.end_tokens[0]:
            raise StudioError("An answer would be learnt that does not end with its end of turn.", _BROKEN)


def _parts(learner: Learner, seen: bool) -> Mapping[str, list[str]]:
    """Return the names of the weights to look at: of the projector, and of the first and last adapted layer."""
    layers: dict[int, list[str]] = {}
    for name in learner.weights:
        if found := _LAYER.search(name):
            layers.setdefault(int(found[1]), []).append(name)
    parts = {"projector": [name for name in learner.weights if name.startswith("projector.")]} if seen else {}
    for which, layer in {"first": min(layers), "last": max(layers)}.items() if layers else ():
        parts[f"{which} adapted layer"] = layers[layer]
    return parts
