"""Which choice a model takes: a probability for each, read off one padded forward pass for a whole batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from studio.errors import StudioError
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Prompt


@torch.no_grad()
def score(
    model: GemmaClip,
    asked: Sequence[Prompt],
    features: Sequence[Tensor | None],
    choices: Sequence[Sequence[str]],
    *,
    reasoning: Sequence[Sequence[int]] | None = None,
) -> list[tuple[float, ...]]:
    """Return the probability of every choice of every question.

    With the studio's template the letters' tokens are compared behind an opened bracket. The seed's template knows no
    letters: there the choices' texts are compared, by the mean log-probability of their tokens.

    Args:
        model: Which model.
        asked: The questions, as `prompts.ask` lays them out.
        features: For each, the features of its views, or None without a picture.
        choices: For each, its choices, two or more.
        reasoning: For each, the token ids of what was reasoned before, without an end; None asks at once.

    Returns:
        For each question a number of 0..1 for every choice; they add up to 1.

    Raises:
        StudioError: A question has fewer than two choices, or the tokenizer lacks single tokens for the letters.
    """
    if any(len(each) < 2 for each in choices):
        raise StudioError("A question with fewer than two choices cannot be scored.", "Give two choices or more.")
    template, tokenizer = model.info.template, model.tokenizer
    if reasoning is None:
        opened = [prompt.then(prompts.opening(tokenizer, template)) for prompt in asked]
    else:
        end = prompts.conclusion(tokenizer, template)
        opened = [prompt.then((*said, *end)) for prompt, said in zip(asked, reasoning, strict=True)]
    if template == "seed":
        return _by_text(model, opened, features, choices)
    batch = model.batch(opened, features)
    last = batch.mask.sum(1) - 1
    scores = model.logits(model.hidden(batch)[torch.arange(len(last), device=last.device), last])
    tokens = prompts.letters(tokenizer, max(map(len, choices)))
    compared = [row[list(tokens[: len(each)])] for row, each in zip(scores, choices, strict=True)]
    return [tuple(row.softmax(0).tolist()) for row in compared]


def _by_text(
    model: GemmaClip,
    opened: Sequence[Prompt],
    features: Sequence[Tensor | None],
    choices: Sequence[Sequence[str]],
) -> list[tuple[float, ...]]:
    found = []
    for prompt, seen, each in zip(opened, features, choices, strict=True):
        texts = [prompts.choice_ids(model.tokenizer, choice) for choice in each]
        batch = model.batch([prompt] * len(texts), [seen] * len(texts), answers=texts)
        assert batch.labels is not None
        said = batch.labels[:, 1:]
        rows, places = (said >= 0).nonzero(as_tuple=True)
        chances = model.logits(model.hidden(batch)[rows, places]).log_softmax(-1)
        chosen = chances[torch.arange(len(rows), device=rows.device), said[rows, places]]
        sums = torch.zeros(len(texts), device=chosen.device).index_add_(0, rows, chosen)
        means = sums / torch.tensor([len(text) for text in texts], device=sums.device)
        found.append(tuple(means.softmax(0).tolist()))
    return found
