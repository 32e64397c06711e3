"""Read questions about images with Gemma 3: one vision run and one prefill a question at most, answers from the same.

The head of the prompt, which ends with the image, is prefilled once per image; its keys and values are then shared by
all questions about that image, whose tails follow in one batch, padded on the right. Only the wanted positions of the
wanted layers leave the device, and logits are made only where a token is chosen.

Attention masks are made here from true positions: padding in the middle of a row (between a short tail and its answer)
takes no place, and a sliding window counts tokens, not cells of the cache. The cache therefore keeps all tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from studio.embeddings import representations as names
from studio.embeddings.extraction.prompts import Prompt
from studio.gemma.loading import Gemma3

Capture = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class Answer:
    """What the model says.

    Attributes:
        text: Its words, without special tokens and white space around them.
        first: The first token, as text.
        first_probability: The first token's probability, in [0, 1].
        tokens: How many tokens were generated, the closing one aside.
        finished: Whether it ended by itself within the limit.
    """

    text: str
    first: str
    first_probability: float
    tokens: int
    finished: bool


@dataclass(frozen=True)
class Reading:
    """What one batch gave; float32 on the CPU.

    Attributes:
        images: Vectors by key for each image, ``[I, D]``.
        questions: Vectors by key for each question, ``[Q, D]``.
        answers: An answer for each question; None where none was asked for.
    """

    images: Mapping[str, Tensor]
    questions: Mapping[str, Tensor]
    answers: Sequence[Answer | None]


class Reader:
    """Reads batches of questions.

    Args:
        bundle: A loaded Gemma 3 with vision.
        layers: The decoder layers to read, from 0.
        max_new_tokens: Longest answer in tokens; 0 for none, and then no logits are made.
    """

    def __init__(self, bundle: Gemma3, layers: Sequence[int], max_new_tokens: int = 0) -> None:
        self._model = bundle.model
        self._tokenizer = bundle.processor.tokenizer
        self._device = bundle.device
        self._layers = tuple(layers)
        self._longest = max_new_tokens
        text = bundle.model.config.get_text_config()
        self._window = int(text.sliding_window)
        ends = bundle.model.generation_config.eos_token_id
        self._ends = torch.tensor([ends] if isinstance(ends, int) else list(ends or ()), device=bundle.device)

    @torch.no_grad()
    def read(self, pixels: Tensor, prompts: Sequence[Prompt], image_of: Sequence[int]) -> Reading:
        """Read one batch.

        Args:
            pixels: ``[I, 3, S, S]`` preprocessed images.
            prompts: Q questions, with one head in common.
            image_of: For each question, the index of its image.
        """
        pixels = pixels.to(self._device, self._model.dtype)
        images, sums, cache = self._read_head(pixels, prompts[0])
        rows = torch.tensor(list(image_of), device=self._device)
        cache.batch_select_indices(rows)
        tails = _Tails.of(prompts, self._device)
        questions, final = self._read_tails(tails, sums, rows, cache)
        answers = self._answer(final, tails, cache) if self._longest else [None] * len(prompts)
        return Reading(_on_cpu(images), _on_cpu(questions), answers)

    def _read_head(self, pixels: Tensor, prompt: Prompt) -> tuple[dict[str, Tensor], dict[int, Tensor], DynamicCache]:
        """Prefill the head for every image; also return the sums over the soft tokens, which the mean needs."""
        found: dict[str, Tensor] = {}
        sums: dict[int, Tensor] = {}

        def capture(layer: int, hidden: Tensor) -> None:
            found[names.key(names.VISION_TOKEN, layer)] = hidden[:, prompt.image.stop - 1]
            sums[layer] = hidden[:, prompt.image].float().sum(1)

        def see(_: Any, __: Any, output: Any) -> None:
            found[names.VISION] = output.last_hidden_state.float().mean(1)

        cache = DynamicCache()  # without the configuration: nothing falls out of it that a padded row still needs
        tower = self._model.model.vision_tower.register_forward_hook(see)
        try:
            with self._watching(capture):
                self._model.model(
                    input_ids=prompt.ids[: prompt.head].to(self._device).expand(len(pixels), -1),
                    token_type_ids=prompt.types[: prompt.head].to(self._device).expand(len(pixels), -1),
                    pixel_values=pixels,
                    past_key_values=cache,
                    use_cache=True,
                )
        finally:
            tower.remove()
        return found, sums, cache

    def _read_tails(
        self, tails: _Tails, sums: Mapping[int, Tensor], rows: Tensor, cache: DynamicCache
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Prefill the tails; also return the decoder's final output at each one's last token, ``[Q, D]``."""
        found: dict[str, Tensor] = {}
        row = torch.arange(len(tails.ids), device=self._device)

        def capture(layer: int, hidden: Tensor) -> None:
            found[names.key(names.QUERY_TOKEN, layer)] = hidden[row, tails.last]
            asked = (hidden.float() * tails.question[..., None]).sum(1)
            found[names.key(names.MULTIMODAL, layer)] = (sums[layer][rows] + asked) / tails.pooled[:, None]

        with self._watching(capture):
            output = self._decode(tails.ids, tails.positions, tails.cells, cache)
        return found, output[row, tails.last]

    def _answer(self, final: Tensor, tails: _Tails, cache: DynamicCache) -> list[Answer | None]:
        """Generate greedily from the prefill, dropping finished rows as soon as they are most of the batch."""
        logits = self._model.lm_head(final).float()
        tokens = logits.argmax(-1)
        firsts = logits.softmax(-1).gather(1, tokens[:, None])[:, 0].tolist()
        said: list[list[int]] = [[] for _ in range(len(final))]
        finished = [False] * len(final)
        rows, cells, positions = list(range(len(final))), tails.cells, tails.ends
        for count in range(self._longest):
            ended = torch.isin(tokens, self._ends).tolist()
            for row, token, end in zip(rows, tokens.tolist(), ended, strict=True):
                if end:
                    finished[row] = True
                elif not finished[row]:
                    said[row].append(token)
            going = [index for index, row in enumerate(rows) if not finished[row]]
            if not going or count == self._longest - 1:
                break
            if 2 * len(going) <= len(rows):
                kept = torch.tensor(going, device=self._device)
                cache.batch_select_indices(kept)
                rows = [rows[index] for index in going]
                tokens, cells, positions = tokens[kept], cells[kept], positions[kept]
            cells = torch.cat([cells, positions[:, None]], 1)
            output = self._decode(tokens[:, None], positions[:, None], cells, cache)
            tokens = self._model.lm_head(output[:, -1]).argmax(-1)
            positions = positions + 1
        first_words = self._tokenizer.batch_decode([[token] for token in logits.argmax(-1).tolist()])
        return [
            Answer(self._tokenizer.decode(ids, skip_special_tokens=True).strip(), first.strip(), chance, len(ids), done)
            for ids, first, chance, done in zip(said, first_words, firsts, finished, strict=True)
        ]

    def _decode(self, ids: Tensor, positions: Tensor, cells: Tensor, cache: DynamicCache) -> Tensor:
        """Run the decoder on what follows the cache and return its normed output, ``[B, L, D]``.

        Args:
            ids: ``[B, L]`` tokens.
            positions: ``[B, L]`` their positions.
            cells: ``[B, K]`` position of the token in each cell of the cache, these included; -1 for padding.
            cache: Grows by L cells.
        """
        distance = positions[:, None, :, None] - cells[:, None, None, :]
        seen = (distance >= 0) & (cells >= 0)[:, None, None, :]
        masks = {"full_attention": seen, "sliding_attention": seen & (distance < self._window)}
        output: Tensor = self._model.model.language_model(
            input_ids=ids, attention_mask=masks, position_ids=positions, past_key_values=cache, use_cache=True
        ).last_hidden_state
        return output

    @contextmanager
    def _watching(self, capture: Capture) -> Iterator[None]:
        """Hand the wanted layers' outputs to `capture` while the model runs."""
        layers = self._model.model.language_model.layers
        handles = [
            layers[layer].register_forward_hook(lambda _, __, output, layer=layer: capture(layer, _hidden(output)))
            for layer in self._layers
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


@dataclass(frozen=True)
class _Tails:
    """What follows the head, padded on the right.

    Attributes:
        ids: ``[Q, S]`` tokens.
        positions: ``[Q, S]`` their positions.
        cells: ``[Q, K]`` positions of the head's and the tail's tokens, -1 for padding.
        last: ``[Q]`` index of the last token in the tail.
        ends: ``[Q]`` position after it.
        question: ``[Q, S]`` 1 at the question's own tokens.
        pooled: ``[Q]`` how many tokens the multimodal mean is over.
    """

    ids: Tensor
    positions: Tensor
    cells: Tensor
    last: Tensor
    ends: Tensor
    question: Tensor
    pooled: Tensor

    @classmethod
    def of(cls, prompts: Sequence[Prompt], device: torch.device) -> _Tails:
        head = prompts[0].head
        longest = max(len(prompt.ids) for prompt in prompts) - head
        ids = torch.zeros(len(prompts), longest, dtype=torch.long)
        question = torch.zeros(len(prompts), longest)
        ends = torch.tensor([len(prompt.ids) for prompt in prompts])
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt.ids) - head] = prompt.ids[head:]
            question[row, prompt.question.start - head : prompt.question.stop - head] = 1
        positions = torch.arange(head, head + longest).expand(len(prompts), -1)
        cells = torch.cat([torch.arange(head).expand(len(prompts), -1), positions], 1)
        cells = torch.where(cells < ends[:, None], cells, -1)
        soft = prompts[0].image.stop - prompts[0].image.start
        values = (ids, positions, cells, ends - 1 - head, ends, question, soft + question.sum(1))
        return cls(*(value.to(device) for value in values))


def _hidden(output: Any) -> Tensor:
    """Return a decoder layer's output; older releases of transformers wrap it in a tuple."""
    hidden: Tensor = output[0] if isinstance(output, tuple) else output
    return hidden


def _on_cpu(vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: vector.float().cpu() for name, vector in vectors.items()}
