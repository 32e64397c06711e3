"""Judge one grade: how far a model believes that words describe the change between two pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.gemma import catalog
from studio.grading.config import JudgeConfig
from studio.grading.judges import open_judge, probability
from studio.grading.measuring import SECOND
from studio.grading.photographs import LONG_EDGE
from studio.images import load_view


def run(config: JudgeConfig, context: Context) -> Iterator[Event]:
    """Score a pair of pictures.

    Yields:
        One `Event` with metrics ``margin``, logit(Yes) - logit(No), and ``score``, P(Yes) in 0..1; where `SECOND`
        names another judge for this one also ``second_opinion``, that one's P(Yes).

    Raises:
        StudioError: A picture cannot be read, or the judge cannot be loaded.
    """
    margin = _margin(config, config.model_type, context)
    metrics = {"margin": margin, "score": _score(margin)}
    if config.model_type in SECOND:
        metrics["second_opinion"] = _score(_margin(config, SECOND[config.model_type], context))
    yield Event(1, 1, f"The judge believes it: {metrics['score']:.0%}", metrics)


@torch.no_grad()
def _margin(config: JudgeConfig, model_type: str, context: Context) -> float:
    with context.models.lease(catalog.spec(model_type)) as bundle, context.models.device_lock():
        judge = open_judge(bundle, clip_form=config.clip_form)
        before, after = (picture(path, context) for path in (config.before, config.after))
        looks = config.looks
        margins = judge.open(before, [words for words, _ in looks]).margin(after, [0], exact=True)[0].cpu()
        return (margins @ torch.tensor([share for _, share in looks])).item()


def picture(path: Path, context: Context) -> torch.Tensor:
    """Return ``[1, 3, H, W]`` in 0..1, decoded as for training, so that the scores are comparable."""
    try:
        view = load_view(path, LONG_EDGE, context.cache, context.settings)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudioError(f"{path} cannot be read: {reason}.", "Check the path and the file's rights.") from None
    return torch.from_numpy(view).permute(2, 0, 1)[None] / 255


def _score(margin: float) -> float:
    return probability(torch.tensor(margin)).item()
