"""Several questions about one picture in one forward pass.

The picture and what stands before it are computed once; the questions follow one another and see the picture and
themselves but no other question, each with positions as if it stood alone. The answers equal those of separate passes
through the standard processor (a test compares them).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import Gemma3ForConditionalGeneration, PreTrainedTokenizerFast

from recipes.judge.packing import finish, pick, run_layers
from recipes.vqa.model import IMAGE_SIDE, IMAGE_TOKENS
from studio.embeddings.scenes.questions import Question

NOTHING = -100
"""What stands in `Packed.targets` where nothing is asked."""


@dataclass(frozen=True)
class Packed:
    """Questions on B pictures, up to K on each, in rows of up to L tokens.

    Attributes:
        ids: (B, L) tokens.
        group: (B, L) 0 for what all questions share, 1 to K for a question with its answer, K + 1 for padding.
        positions: (B, L) where each token would stand if its question were the only one.
        asks: (B, K) where each question's prompt ends, at which its answer's first token is told.
        called: (B, K, 2) where the names of what it speaks of end, or 0 for no name.
        wanted: (B, n) where the tokens of the answers are told.
        targets: (B, n) those tokens, or `NOTHING`.
        weights: (B, n) 1 for an answer's first token, less for the rest, 0 for nothing.
        owner: (B, n) the question, from 0.
    """

    ids: Tensor
    group: Tensor
    positions: Tensor
    asks: Tensor
    called: Tensor
    wanted: Tensor
    targets: Tensor
    weights: Tensor
    owner: Tensor


class Packer:
    """Knows the layout of a conversation."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, later: float = 0.3) -> None:
        self.tokenizer, self.later = tokenizer, later
        self.encode = cache(self._encode)
        identify = tokenizer.convert_tokens_to_ids
        image = "<start_of_image>" + "<image_soft_token>" * IMAGE_TOKENS + "<end_of_image>"
        self.opening = self.encode(f"<bos><start_of_turn>user\n\n\n{image}\n\n")
        self.closing = self.encode("<end_of_turn>\n<start_of_turn>model\n")
        self.end, soft = identify("<end_of_turn>"), identify("<image_soft_token>")
        self.soft = torch.tensor([index for index, token in enumerate(self.opening) if token == soft])

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def ends(self, text: str, names: Sequence[str]) -> list[int]:
        """Where in the tokens of a text the first two of some names end; 0, where no name does, for a missing one."""
        found = []
        for name in (*names, "", "")[:2]:
            place = re.search(rf"\b{name}(es|s)?\b", text) if name else None
            found.append(len(self.encode(text[: place.end()])) - 1 if place else 0)
        return found

    def pack(self, asked: Sequence[Sequence[Question]]) -> Packed:
        """Lay out questions and answers, some for each picture (at least one)."""
        most, head = max(map(len, asked)), len(self.opening)
        rows = []
        for questions in asked:
            row: dict[str, list[int]] = {
                "ids": [*self.opening], "group": [0] * head, "positions": [*range(head)],
                "asks": [], "called": [], "wanted": [], "targets": [], "owner": [], "first": [],
            }  # fmt: skip
            for index, question in enumerate(questions):
                prompt, reply = [*self.encode(question.text), *self.closing], self.encode(question.answer)
                start, last = len(row["ids"]), len(row["ids"]) + len(prompt) - 1
                row["called"] += [start + end if end else 0 for end in self.ends(question.text, question.names)]
                row["ids"] += prompt + reply
                row["group"] += [index + 1] * len(prompt + reply)
                row["positions"] += range(head, head + len(prompt + reply))
                row["asks"].append(last)
                row["wanted"] += range(last, last + len(reply) + 1)
                row["targets"] += [*reply, self.end]
                row["first"] += [1] + [0] * len(reply)
                row["owner"] += [index] * (len(reply) + 1)
            rows.append(row)
        blank = {"group": most + 1, "targets": NOTHING}
        laid = {key: _pad([row[key] for row in rows], blank.get(key, 0)) for key in rows[0]}
        first = laid.pop("first").float()
        weights = torch.where(laid["targets"] == NOTHING, 0.0, first + (1 - first) * self.later)
        return Packed(**laid | {"called": laid["called"].unflatten(1, (-1, 2))}, weights=weights)

    def mask(self, packed: Packed) -> Tensor:
        """Who sees whom, (B, 1, L, L), true where seen."""
        group, positions = packed.group, packed.positions
        together = (group[:, None] == 0) | (group[:, None] == group[:, :, None])
        seen = together & (positions[:, None] <= positions[:, :, None])
        seen[:, self.soft[:, None], self.soft[None]] = True
        return seen[:, None]


def _pad(rows: Sequence[Sequence[int]], blank: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[blank] * (longest - len(row))] for row in rows])


def to_pixels(pictures: Sequence[Image.Image]) -> Tensor:
    """Pictures as the processor hands them to the network: (B, 3, 84, 84) in [-1, 1]."""
    small = [np.asarray(picture.resize((IMAGE_SIDE,) * 2, Image.Resampling.BILINEAR)) for picture in pictures]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 127.5 - 1


def run_packed(
    model: Gemma3ForConditionalGeneration, packer: Packer, pixels: Tensor, packed: Packed
) -> tuple[Tensor, list[Tensor], Tensor]:
    """Run the network on packed questions.

    Returns:
        The patches as the vision tower leaves them (B, patches, V), the states before the last layer, one a layer,
        each (B, L, H), and the logits where answers are told (B, n, tokens).
    """
    text = model.model.language_model
    embedded = text.embed_tokens(packed.ids)
    seen = model.model.get_image_features(pixels)
    where = packer.soft.view(1, -1, 1).expand(len(pixels), -1, embedded.shape[-1])
    mask = packer.mask(packed)
    embedded = embedded.scatter(1, where, seen.pooler_output.view(len(pixels), len(packer.soft), -1))
    states = run_layers(model, embedded, mask, packed.positions, len(text.layers) - 1)
    final = finish(model, states[-1], mask, packed.positions, packed.wanted)
    return seen.last_hidden_state, states, model.lm_head(final)


def looking(model: Gemma3ForConditionalGeneration, packer: Packer, packed: Packed, state: Tensor, layer: int) -> Tensor:
    """How strongly the ends of names look at the places of the picture: state (B, L, H) -> (B, heads, 2 K, cells).

    The logits of the layer's attention, before it sees the rest of the row.
    """
    text = model.model.language_model
    attention = text.layers[layer].self_attn
    normed = text.layers[layer].input_layernorm(state)
    cosine, sine = text.rotary_emb(state, packed.positions, text.config.layer_types[layer])
    called = packed.called.flatten(1)

    def turned(part: Tensor, projection: nn.Module, norm: nn.Module, where: Tensor) -> Tensor:
        heads = norm(projection(part).unflatten(-1, (-1, attention.head_dim)))
        one, other = heads.chunk(2, -1)
        turn = pick(cosine, where)[:, :, None], pick(sine, where)[:, :, None]
        return heads * turn[0] + torch.cat([-other, one], -1) * turn[1]

    soft = packer.soft.expand(len(called), -1)
    query = turned(pick(normed, called), attention.q_proj, attention.q_norm, called)
    key = turned(pick(normed, soft), attention.k_proj, attention.k_norm, soft)
    return torch.einsum("bqhd,bkhd->bhqk", query, key) * attention.scaling


def answered(logits: Tensor, packed: Packed) -> Tensor:
    """Which questions get exactly the right answer from greedy decoding, (B, K) bool; absent ones count as right.

    An answer that is right token by token, each after the right ones, is what greedy decoding writes.
    """
    wrong = (logits.argmax(-1) != packed.targets) & (packed.targets != NOTHING)
    return torch.zeros(packed.asks.shape).scatter_add(1, packed.owner, wrong.float()) == 0
