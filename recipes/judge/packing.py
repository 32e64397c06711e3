"""Many prompts about one pair of pictures in one forward pass.

The two pictures and everything before the question are computed once; the questions stand behind them as slots
that see the pictures and themselves but not one another, each with positions as if it stood alone. The answers
equal those of separate passes through the standard processor (a test compares them).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Gemma3ForConditionalGeneration, PreTrainedTokenizerFast

from recipes.judge.model import IMAGE_TOKENS
from studio.grading.questions import QUESTIONS

_UNKNOWN = 3  # the row of <unk>
SLOT = 17
"""Tokens of a slot: half a question, up to nine of a prompt, the other half, the turn of the model, its answer."""

_IMAGE = "\n\n<start_of_image>" + "<image_soft_token>" * IMAGE_TOKENS + "<end_of_image>\n\n"
_OPENING = "<bos><start_of_turn>user\n" + _IMAGE + _IMAGE
_CLOSING = "<end_of_turn>\n<start_of_turn>model\n"


class Packer:
    """Knows the layout: encodes questions and runs the network on packed ones."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        identify = tokenizer.convert_tokens_to_ids
        self.yes, self.no, self.end = (identify(token) for token in ("Yes", "No", "<end_of_turn>"))
        self.opening = torch.tensor(tokenizer.encode(_OPENING, add_special_tokens=False))
        self.soft = self.opening == identify("<image_soft_token>")
        where = self.soft.nonzero().flatten()
        self.first, self.second = where[:IMAGE_TOKENS], where[IMAGE_TOKENS:]

    def encode(self, prompts: Sequence[str], seed: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Slots for prompts: ids (prompts, SLOT), the position of the model's turn, and which prompts fit.

        Each is asked in the first phrasing, or, with a seed, in a random one, mostly the first.
        """
        draw = random.Random(seed)
        weights = [0.6, *[0.4 / (len(QUESTIONS) - 1)] * (len(QUESTIONS) - 1)]
        texts = [
            (QUESTIONS[0] if seed is None else draw.choices(QUESTIONS, weights)[0]).format(prompt=p) + _CLOSING
            for p in prompts
        ]
        ids = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        slots, last = torch.zeros(len(ids), SLOT, dtype=torch.long), torch.zeros(len(ids), dtype=torch.long)
        fits = torch.tensor([len(row) < SLOT for row in ids])
        for index, row in enumerate(ids):
            slots[index, : min(len(row), SLOT)] = torch.tensor(row[:SLOT])
            last[index] = min(len(row), SLOT) - 1
        return slots, last, fits

    def mask(self, slots: int, length: int) -> tuple[Tensor, Tensor]:
        """Who sees whom (1, 1, all, all), true where seen, and the positions (1, all), for slots of a length."""
        head, total = len(self.opening), len(self.opening) + slots * length
        seen = torch.zeros(total, total, dtype=torch.bool)
        seen[:head, :head] = torch.ones(head, head).tril().bool()
        for picture in (self.first, self.second):
            seen[picture[:, None], picture[None]] = True
        for start in range(head, total, length):
            seen[start : start + length, :head] = True
            seen[start : start + length, start : start + length] = torch.ones(length, length).tril().bool()
        positions = torch.cat([torch.arange(head)] + [torch.arange(head, head + length)] * slots)
        return seen[None, None], positions[None]

    def answers(self, slots: Tensor, last: Tensor, shift: int = 0) -> Tensor:
        """Where the model's turns end, as positions in the packed row: slots (B, K, length), last (B, K) -> (B, K)."""
        return len(self.opening) + torch.arange(slots.shape[1]) * slots.shape[2] + last + shift


def pick(state: Tensor, index: Tensor) -> Tensor:
    """States at some positions: state (B, all, H), index (B, n) -> (B, n, H)."""
    return state.gather(1, index[..., None].expand(-1, -1, state.shape[-1]))


def run_layers(
    model: Gemma3ForConditionalGeneration, embedded: Tensor, mask: Tensor, positions: Tensor, depth: int
) -> list[Tensor]:
    """The first layers of the text model on embedded tokens: the states before and after each, depth + 1 of them."""
    text = model.model.language_model
    kinds = text.config.layer_types
    rotary = {kind: text.rotary_emb(embedded, positions, kind) for kind in set(kinds)}
    states = [embedded]
    for layer, kind in zip(text.layers[:depth], kinds, strict=False):
        out = layer(states[-1], attention_mask=mask, position_embeddings=rotary[kind], position_ids=positions)
        states.append(out[0] if isinstance(out, tuple) else out)
    return states


def finish(
    model: Gemma3ForConditionalGeneration, state: Tensor, mask: Tensor, positions: Tensor, wanted: Tensor
) -> Tensor:
    """The last layer and the norm, finished only at the ``wanted`` positions: state (B, all, H) -> (B, n, H)."""
    text = model.model.language_model
    layer, kind = text.layers[-1], text.config.layer_types[-1]
    rotary = text.rotary_emb(state, positions, kind)
    attended, _ = layer.self_attn(
        layer.input_layernorm(state), position_embeddings=rotary, attention_mask=mask, position_ids=positions
    )
    final = pick(state, wanted) + layer.post_attention_layernorm(pick(attended, wanted))
    final = final + layer.post_feedforward_layernorm(layer.mlp(layer.pre_feedforward_layernorm(final)))
    return text.norm(final)


def run_packed(
    model: Gemma3ForConditionalGeneration, packer: Packer, table: Tensor, before: Tensor, after: Tensor,
    slots: Tensor, wanted: Tensor,
) -> tuple[list[Tensor], Tensor]:  # fmt: skip
    """Run the network on packed prompts.

    Args:
        table: (tokens, H), the embedding table.
        before, after: (B, 3, side, side) in [0, 1].
        slots: (B, K, length).
        wanted: (B, n) positions at which the last layer is finished; its other positions would go unused.

    Returns:
        The states before the last layer, one a layer, each (B, all, H), and the final, normed states (B, n, H).
    """
    count, prompts, length = slots.shape
    width, text = table.shape[1], model.model.language_model
    ids = torch.cat([packer.opening.expand(count, -1), slots.flatten(1)], 1)
    embedded = functional.embedding(ids, table) * width**0.5
    pixels = (torch.stack([before, after], 1).flatten(0, 1) - 0.5) / 0.5
    seen = model.model.get_image_features(pixels).pooler_output.view(count, -1, width)
    where = torch.cat([packer.first, packer.second]).view(1, -1, 1).expand(count, -1, width)
    mask, positions = packer.mask(prompts, length)
    states = run_layers(model, embedded.scatter(1, where, seen), mask, positions, len(text.layers) - 1)
    return states, finish(model, states[-1], mask, positions, wanted)


class WordTable(nn.Module):
    """The embedding table while it is learned.

    Words of the training have rows of their own, as have the turns, questions and answers. All other words are
    mixtures of trained words that WordNet holds for their kin, with a share of <unk> where it knows no near kin.
    So that such mixtures are understood, a few trained words are replaced by theirs at each step.

    Args:
        choice: (words, parts) positions among the words, of which each word is mixed.
        share: (words, parts) how much of each; what is left of 1 is <unk>.
        trained: How many of the words, the first ones, training uses.
        first: Where the words begin in the vocabulary.
        total: Tokens in the vocabulary.
    """

    def __init__(self, choice: Tensor, share: Tensor, trained: int, first: int, total: int, width: int) -> None:
        super().__init__()
        self.choice, self.share = choice, share
        self.first, self.trained, self.last = first, first + trained, first + len(choice)
        self.own = nn.Parameter(torch.randn(trained, width) * 0.1)
        self.free = nn.Parameter(torch.randn(total - len(choice), width) * 0.1)

    def _mixed(self, rows: Tensor) -> Tensor:
        share = self.share[rows]
        unknown = self.free[_UNKNOWN] * (1 - share.sum(1, keepdim=True))
        return (self.own[self.choice[rows]] * share[..., None]).sum(1) + unknown

    def forward(self, hide: float = 0.0, whole: bool = False) -> Tensor:
        """The table (tokens, width).

        ``hide`` is the share of trained words read as mixtures; unless ``whole``, the rows of all others are zero.
        """
        words = self.own
        if hide:
            rows = (torch.rand(len(words)) < hide).nonzero().flatten()
            words = words.index_put((rows,), self._mixed(rows))
        rest = self.last - self.trained
        others = self._mixed(torch.arange(len(words), len(words) + rest)) if whole else words.new_zeros(rest, 1)
        others = others.expand(rest, words.shape[1])
        return torch.cat([self.free[: self.first], words, others, self.free[self.first :]])

    def output(self, table: Tensor) -> Tensor:
        """The table as output head: the words' rows held fixed, so that only being read changes a word."""
        return torch.cat([table[: self.first], table[self.first : self.trained].detach(), table[self.last :]])

    def output_row(self, token: int) -> int:
        """Where a token, no untrained word, stands in :meth:`output`."""
        return token if token < self.trained else token - (self.last - self.trained)
