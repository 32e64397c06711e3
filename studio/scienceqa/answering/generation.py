"""Generating answers: token by token as a stream of whole characters, or for a batch of questions at once.

Prompts are padded on the left, so that every row goes on in the same cell of the cache. Padding takes no position and
is seen by nobody, and a sliding window counts tokens as it would without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from studio.errors import StudioError
from studio.gemma.sampling import choose
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Prompt, View

_BROKEN = "\ufffd"  # what a character of which a part is missing decodes to


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen.

    Attributes:
        longest: Tokens of an answer at most.
        temperature: 0 always takes the likeliest token.
        top_p: Tokens are drawn from the likeliest that together hold this share of the chance.
        seed: Of the drawing, which no other drawing disturbs.
    """

    longest: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 42


@dataclass(frozen=True)
class Said:
    """What a model has said so far.

    Attributes:
        ids: Its tokens, the closing one aside.
        text: Its words; a character that is not whole yet is held back.
        finished: Whether it ended by itself.
    """

    ids: tuple[int, ...] = ()
    text: str = ""
    finished: bool = False


class Decoder:
    """What a language model has read, so that it goes on from there; keeps the cache of it, and not the model.

    Attributes:
        read: What each row has read.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._cache = DynamicCache()  # without the configuration: it keeps all cells, and masks make the windows
        self._mask: Tensor | None = None
        self.read: list[Prompt] = []

    @property
    def nbytes(self) -> int:
        """Bytes of the cache."""
        layers: Any = self._cache.layers
        return sum(int(layer.keys.nbytes + layer.values.nbytes) for layer in layers)

    @torch.no_grad()
    def go_on(self, model: GemmaClip, prompts: Sequence[Prompt], features: Sequence[Tensor | None]) -> Tensor:
        """Let the model, always the same, read more of every row.

        Returns:
            The scores of each row's next token, ``[N, vocabulary]``.
        """
        batch = model.batch(prompts, features, left=True)
        self._mask = batch.mask if self._mask is None else torch.cat([self._mask, batch.mask], 1)
        positions = (self._mask.cumsum(1) - 1).clamp_min(0)[:, -batch.mask.shape[1] :]
        states = model.decoder(
            inputs_embeds=batch.embeds, attention_mask=self._mask, position_ids=positions,
            past_key_values=self._cache, use_cache=True,
        ).last_hidden_state  # fmt: skip
        before = self.read or [Prompt(())] * len(prompts)
        self.read = [old + more for old, more in zip(before, prompts, strict=True)]
        return model.logits(states[:, -1])

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all rows but these."""
        assert self._mask is not None
        chosen = torch.tensor(list(rows), device=self._mask.device)
        self._cache.batch_select_indices(chosen)
        self._mask = self._mask[chosen]
        self.read = [self.read[row] for row in rows]

    def rest(self, prompt: Prompt) -> Prompt:
        """Return what of a prompt its one row has not read; having read anything else, it forgets that first."""
        read = _items(self.read[0]) if self.read else []
        items = _items(prompt)
        if len(read) >= len(items) or items[: len(read)] != read:
            self.forget()
            return prompt
        rest = items[len(read) :]
        return Prompt(tuple(item if isinstance(item, View) else (item,) for item in rest))


def stream(
    model: GemmaClip, prompt: Prompt, features: Tensor | None, sampling: Sampling, decoder: Decoder | None = None
) -> Iterator[Said]:
    """Answer one prompt; closing the stream stops it.

    Args:
        model: Which model.
        prompt: The whole of what stands before the answer.
        features: Of the views in it, or None.
        sampling: How to choose.
        decoder: What it has read of this already is not read again; it will have read the answer too, its end aside.

    Yields:
        What has been said, at least once; the last one is the whole.
    """
    ids: list[int] = []
    text = _Text(model.tokenizer)
    decoder = decoder or Decoder()
    rest = decoder.rest(prompt)
    for tokens in _tokens(model, [rest], [features if rest.views else None], sampling, decoder):
        if tokens[0] in model.end_tokens:
            yield Said(tuple(ids), text.end(), True)
            return
        ids.append(tokens[0])
        yield Said(tuple(ids), text.add(tokens[0]), False)
    yield Said(tuple(ids), text.end(), False)


def complete(
    model: GemmaClip, asked: Sequence[Prompt], features: Sequence[Tensor | None], sampling: Sampling
) -> list[Said]:
    """Answer a batch of prompts; rows that have ended are no longer computed."""
    ids: list[list[int]] = [[] for _ in asked]
    finished = [False] * len(asked)
    for tokens in _tokens(model, asked, features, sampling, Decoder()):
        for row, token in tokens.items():
            if token in model.end_tokens:
                finished[row] = True
            else:
                ids[row].append(token)
    texts = []
    for each in ids:
        text = _Text(model.tokenizer)
        for token in each:
            text.add(token)
        texts.append(text.end())
    return [Said(tuple(each), text, done) for each, text, done in zip(ids, texts, finished, strict=True)]


def room(model: GemmaClip, prompt: Prompt, longest: int) -> int:
    """Return how long an answer may be so that prompt and answer are no longer than the model reads.

    Raises:
        StudioError: The prompt alone leaves no room.
    """
    limit, length = context_length(model), prompt.length(model.tokens_per_view)
    if length >= limit:
        what = f"The question takes {length:,} tokens, and the model reads {limit:,}."
        raise StudioError(what, "Make the question or its context shorter.")
    return min(longest, limit - length)


def context_length(model: GemmaClip) -> int:
    """Return how many tokens the language model reads at most."""
    return int(model.language.config.max_position_embeddings)


def _tokens(
    model: GemmaClip, asked: Sequence[Prompt], features: Sequence[Tensor | None], sampling: Sampling, decoder: Decoder
) -> Iterator[dict[int, int]]:
    """Yield for each step the next token by row, ends included; a row that has ended is left out."""
    generator = torch.Generator().manual_seed(sampling.seed)
    scores = decoder.go_on(model, asked, features)
    rows = list(range(len(asked)))
    for count in range(1, sampling.longest + 1):
        chosen = choose(scores, sampling.temperature, sampling.top_p, generator)
        yield dict(zip(rows, chosen, strict=True))
        going = [at for at, token in enumerate(chosen) if token not in model.end_tokens]
        if not going or count == sampling.longest:
            return
        if len(going) < len(rows):
            decoder.keep(going)
            rows = [rows[at] for at in going]
        scores = decoder.go_on(model, [Prompt(((chosen[at],),)) for at in going], [None] * len(going))


def _items(prompt: Prompt) -> list[int | View]:
    """Return a prompt one by one: token ids and places of views."""
    return [item for piece in prompt.pieces for item in ([piece] if isinstance(piece, View) else piece)]


class _Text:
    """The text of tokens as they come: each is decoded with those before it that it may depend on, and no more."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []  # from those whose text is shown already but stands before what is not
        self._shown = 0  # of them
        self._text = ""

    def add(self, token: int) -> str:
        """Take in a token and return the text so far."""
        self._ids.append(token)
        if not self._decode(self._ids).endswith(_BROKEN):
            self.end()
            self._ids, self._shown = self._ids[self._shown :], len(self._ids) - self._shown
        return self._text

    def end(self) -> str:
        """Return the whole text; what is broken now stays so."""
        whole, shown = self._decode(self._ids), self._decode(self._ids[: self._shown])
        self._text += whole[len(shown) :]
        return self._text

    def _decode(self, ids: Sequence[int]) -> str:
        found: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return found
