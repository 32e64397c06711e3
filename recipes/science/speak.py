"""Steps two and four of the recipe: the language model learns the rules from words, then to read pictures.

    python -m recipes.science.speak WORK --what words --minutes 20
    python -m recipes.science.speak WORK --what pictures --minutes 60

``words`` has no pictures: from facts, which are given, to the rule, the conclusion and the letter. ``pictures`` comes
after `recipes.science.join`; where a value is written, attention is told where to look. All is saved every two minutes,
and goes on from there when run again.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Gemma3ForCausalLM, PreTrainedTokenizerFast

from recipes.science.asked import Asked, Row, lay_out, shuffled
from recipes.science.language import build_language, build_tokenizer
from recipes.science.muon import Muon
from recipes.science.pool import Pool
from recipes.science.see import FAMILIES
from studio.scienceqa.model.gemmaclip import text_rms
from studio.scienceqa.model.projector import Projector

RATE = 3e-3
BATCH = 8
LOOKING = {"read": ((2, 0), (2, 1), (3, 0)), "mark": ((1, 0), (2, 2)), "choose": ((4, 0), (4, 1), (5, 0))}
"""Layers and heads that are told where to look, by purpose; see `recipes.science.asked.Row`."""
_LETTER = 0.06  # share of questions answered with the letter at once
_VALUE, _PLAIN = 2.0, 1.0


@dataclass(frozen=True)
class Packed:
    """Questions side by side.

    Attributes:
        ids: Token ids, (n, length); 0 where a soft token or nothing stands.
        mask: Where something stands, (n, length).
        soft: Row and place of every soft token, (2, count).
        learnt: Row and place from which a token is foreseen, (2, count).
        targets: These tokens, (count,).
        value: Which of them are read from the picture, (count,).
        letter: Which of them are the letters of the answers, (count,).
        looks: By purpose, row and place from which attention goes, (2, looks), and for each of them the places where it
            should arrive, (looks, length).
    """

    ids: Tensor
    mask: Tensor
    soft: Tensor
    learnt: Tensor
    targets: Tensor
    value: Tensor
    letter: Tensor
    looks: dict[str, tuple[Tensor, Tensor]]


def pack(sequences: Sequence[Row], letters: Sequence[int]) -> Packed:
    """Lay sequences side by side, shorter ones filled up on the right."""
    length = max(len(s.ids) for s in sequences)
    ids, mask = torch.zeros(len(sequences), length, dtype=torch.long), torch.zeros(len(sequences), length)
    soft, learnt, targets, value, letter = [], [], [], [], []
    looks: dict[str, list[tuple[int, int, list[int]]]] = {purpose: [] for purpose in LOOKING}
    for row, s in enumerate(sequences):
        ids[row, : len(s.ids)] = torch.tensor(s.ids).clamp(min=0)
        mask[row, : len(s.ids)] = 1
        soft += [(row, place) for place in s.soft]
        read, answer = set(s.value), max(p for p in s.learnt if s.ids[p] in letters)
        for place in s.learnt:
            learnt.append((row, place - 1))
            targets.append(s.ids[place])
            value.append(place in read)
            letter.append(place == answer)
        for purpose, wanted in s.look.items():
            looks[purpose] += [(row, place, seen) for place, seen in wanted]
    pairs = [torch.tensor(each, dtype=torch.long).reshape(-1, 2).T for each in (soft, learnt)]
    told = {purpose: _told(wanted, length) for purpose, wanted in looks.items() if wanted}
    return Packed(ids, mask, pairs[0], pairs[1], torch.tensor(targets), torch.tensor(value), torch.tensor(letter), told)


def _told(wanted: Sequence[tuple[int, int, list[int]]], length: int) -> tuple[Tensor, Tensor]:
    shown = torch.zeros(len(wanted), length, dtype=torch.bool)
    for index, (_, _, seen) in enumerate(wanted):
        shown[index, seen] = True
    return torch.tensor([each[:2] for each in wanted]).T, shown


def run(language: Gemma3ForCausalLM, packed: Packed, soft: Tensor | None) -> tuple[Tensor, Sequence[Tensor]]:
    """Logits of the tokens that are learnt, (count, vocabulary), and what each layer is given, (n, length, width).

    Rows are filled up on the right, which causal attention never sees: it needs no mask.
    """
    embeds = language.get_input_embeddings()(packed.ids)
    if soft is not None:
        embeds = embeds.index_put((packed.soft[0], packed.soft[1]), soft.flatten(0, -2))
    states = language.model(inputs_embeds=embeds, use_cache=False, output_hidden_states=True)
    hidden = states.last_hidden_state[packed.learnt[0], packed.learnt[1]]
    return language.lm_head(hidden), states.hidden_states


def looking(language: Gemma3ForCausalLM, looks: Tensor, given: Tensor, layer: int, head: int) -> Tensor:
    """How a head of a layer shares its attention, from some rows and places (2, looks): (looks, length).

    Computed again from what the layer is given (n, length, width), for the few places that count.
    """
    block = language.model.layers[layer]
    attention, (rows, places) = block.self_attn, looks
    normed = block.input_layernorm(given)
    part = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
    positions = torch.arange(given.shape[1])[None]
    cosine, sine = (each[0] for each in language.model.rotary_emb(given, positions, "full_attention"))

    def turned(states: Tensor, projection: nn.Linear, norm: nn.Module, cosine: Tensor, sine: Tensor) -> Tensor:
        one = norm(functional.linear(states, projection.weight[part]))
        return one * cosine + torch.cat([-one.chunk(2, -1)[1], one.chunk(2, -1)[0]], -1) * sine

    query = turned(normed[rows, places], attention.q_proj, attention.q_norm, cosine[places], sine[places])
    key = turned(normed, attention.k_proj, attention.k_norm, cosine, sine)[rows]
    scores = torch.einsum("ld,lkd->lk", query, key) * attention.scaling
    later = torch.arange(given.shape[1])[None] > places[:, None]
    return scores.masked_fill(later, float("-inf")).softmax(-1)


def looking_loss(
    language: Gemma3ForCausalLM, packed: Packed, states: Sequence[Tensor]
) -> tuple[Tensor, dict[str, float]]:
    """How badly the told heads look where they should, and by purpose the share of attention that falls there."""
    badly, told = torch.zeros(()), {}
    for purpose, (looks, shown) in packed.looks.items():
        heads = LOOKING[purpose]
        shares = torch.stack([(looking(language, looks, states[i], i, head) * shown).sum(-1) for i, head in heads])
        badly = badly - (shares + 1e-4).log().mean()
        told[purpose] = shares.mean().item()
    return badly, told


class Speaker:
    """The tokenizer, the projector and the language model, with their optimizers."""

    def __init__(self, work: Path, width: int, seed: int) -> None:
        self.work, self.random = work, np.random.default_rng(seed)
        self.tokenizer = _tokenizer(work, Pool(work / "words", 0))
        self.language = build_language(self.tokenizer, seed)
        rms = text_rms(self.language.get_input_embeddings(), self.tokenizer)
        self.projector = Projector(width, self.language.config.hidden_size, merge=2, text_rms=rms, seed=seed)
        self.letters = [self.tokenizer.convert_tokens_to_ids(letter) for letter in "ABCDE"]
        self.steps, self.seconds = 0, 0.0
        self.parts = nn.ModuleDict({"language": self.language, "projector": self.projector})
        self.optimizers = self._optimizers()

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        names = dict(self.parts.named_parameters())
        words = ("embed_tokens", "lm_head")
        matrices = [p for name, p in names.items() if p.ndim == 2 and not any(word in name for word in words)]
        rest = [p for p in names.values() if all(p is not other for other in matrices)]
        return [
            Muon([{"params": matrices, "share": 3.0}], lr=RATE),
            torch.optim.AdamW([{"params": rest, "share": 1.0}], lr=RATE, betas=(0.9, 0.98)),
        ]

    def learn(self, questions: Sequence[Asked], features: Sequence[Tensor] | None, rate: float) -> dict[str, float]:
        """One step on some questions; its losses and shares of right tokens."""
        some = [shuffled(asked, self.random) for asked in questions]
        forms = ["letter" if self.random.random() < _LETTER else "reasoning" for _ in some]
        if features is None:
            forms = ["reasoning"] * len(some)
        sequences = [
            lay_out(self.tokenizer, asked, form, picture=features is not None)  # type: ignore[arg-type]
            for asked, form in zip(some, forms, strict=True)
        ]
        packed = pack(sequences, self.letters)
        soft = None if features is None else self.projector(torch.cat(list(features)))
        logits, states = run(self.language, packed, soft)
        losses = functional.cross_entropy(logits, packed.targets, reduction="none")
        weight = torch.where(packed.value, _VALUE if features is not None else 0.0, _PLAIN)
        weight = torch.where(packed.letter, 2.0, weight)
        loss = (losses * weight).sum() / weight.sum()
        right = logits.argmax(-1) == packed.targets
        parts = {"loss": loss.item(), "letter": _mean(right[packed.letter]), "rule": _mean(right[~packed.value])}
        if features is not None:
            parts["value"] = _mean(right[packed.value])
        aside, shares = looking_loss(self.language, packed, states)
        loss, parts = loss + 0.4 * aside, parts | shares
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parts.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            optimizer.step()
        return parts

    def save(self, name: str) -> None:
        """Write everything, whole or not at all."""
        file = self.work / f"{name}.pt"
        state = {
            "parts": self.parts.state_dict(), "optimizers": [each.state_dict() for each in self.optimizers],
            "steps": self.steps, "seconds": self.seconds, "text_rms": self.projector.text_rms,
        }  # fmt: skip
        torch.save(state, file.with_suffix(".partial"))
        file.with_suffix(".partial").replace(file)

    def load(self, name: str, *, begin: bool = False) -> bool:
        """Read what `save` wrote, if it is there; ``begin`` takes the weights alone."""
        file = self.work / f"{name}.pt"
        if not file.exists():
            return False
        state = torch.load(file, weights_only=True)
        self.parts.load_state_dict(state["parts"])
        self.projector.text_rms = state["text_rms"]
        if begin and name == "words":  # which has moved the embeddings, and has not met the projector
            self.projector.text_rms = text_rms(self.language.get_input_embeddings(), self.tokenizer)
        if not begin:
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            self.steps, self.seconds = state["steps"], state["seconds"]
        return True


def _mean(marks: Tensor) -> float:
    return marks.float().mean().item() if len(marks) else 0.0


def _tokenizer(work: Path, words: Pool) -> PreTrainedTokenizerFast:
    folder = work / "tokenizer"
    if not folder.is_dir():
        texts = [text for asked in words.questions for text in _texts(asked)]
        build_tokenizer(texts).save_pretrained(folder)
    loaded: Any = PreTrainedTokenizerFast.from_pretrained(folder)
    return loaded  # type: ignore[no-any-return]


def _texts(asked: Asked) -> list[str]:
    question = asked.question
    around = "Context: Options: Explain, then answer with the letter. Answer with the letter. Answer the question."
    return [question.question, question.hint, *question.choices, question.solution, around, "\nThe answer is (B)."]


def train(speaker: Speaker, pool: Pool, name: str, minutes: float, families: Sequence[str]) -> None:
    """Train on some families of a pool by the clock; new questions that are added to it meanwhile are taken in."""
    started, saved = time.time() - speaker.seconds, time.time()
    sums: dict[str, list[float]] = defaultdict(list)
    order: list[int] = []
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = RATE * min(1, (speaker.steps + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        if len(order) < BATCH:
            pool.refresh()
            wanted = [i for i, asked in enumerate(pool.questions) if asked.question.family in families]
            order = speaker.random.permutation(wanted).tolist()
        chosen, order = order[:BATCH], order[BATCH:]
        features = [pool.features(index) for index in chosen] if pool.width else None
        parts = speaker.learn([pool.questions[index] for index in chosen], features, rate)
        for key, value in parts.items():
            sums[key].append(value)
        speaker.steps, speaker.seconds = speaker.steps + 1, time.time() - started
        if speaker.steps % 50 == 0:
            means = {key: round(float(np.mean(values)), 3) for key, values in sums.items()}
            print(speaker.steps, f"{speaker.seconds:.0f} s", len(pool.questions), means, flush=True)
            with (speaker.work / f"{name}.jsonl").open("a") as log:
                log.write(json.dumps({"step": speaker.steps, "seconds": round(speaker.seconds), **means}) + "\n")
            sums.clear()
        if time.time() - saved > 120:
            saved = time.time()
            speaker.save(name)
    speaker.save(name)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--what", choices=["words", "pictures"], required=True)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    from recipes.science.vision import WIDTH

    speaker = Speaker(arguments.work, WIDTH, arguments.seed)
    if not speaker.load(arguments.what) and arguments.what == "pictures":
        speaker.load("projector", begin=True) or speaker.load("words", begin=True)
    pool = Pool(arguments.work / arguments.what, WIDTH if arguments.what == "pictures" else 0)
    train(speaker, pool, arguments.what, arguments.minutes, arguments.families)


if __name__ == "__main__":
    main()
