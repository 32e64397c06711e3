"""Train the embedded CLIP judge.

    python -m recipes.clip.train WORK --minutes 55

Text first, as in the judge's recipe; then every step shows 32 pairs with 8 prompts each. The directional cosine,
through an affine map, answers as the teacher does; so does, as far as it can, the cosine of the graded picture alone.
Two auxiliary heads, dropped afterwards, ask the towers for what they need: the colours of a picture, and the grade of a
text. From a quarter on, a quarter of the pairs and more come from LUTs in training against the judge. Saved every
minute; running it again goes on from there.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from transformers import CLIPTokenizer

from recipes.clip.model import EMBEDDING, MEAN, STD, TEXT, Encoder, build_model, build_tokenizer, unit
from recipes.clip.words import WordTable
from recipes.judge.attack import AttackPool
from recipes.judge.pairs import grade_somehow, label
from recipes.judge.prompts import Writer
from recipes.judge.train import Reading, save_state, word_loss
from studio.grading.clipjudge import NEUTRAL, directional, single
from studio.grading.looktransform import PARAMETER_COUNT, to_oklab

PAIRS, PROMPTS = 32, 8
RATE = 3e-3
POOL = 14000
_NEAR = 150
_EMA = 0.995
_HIDE = 0.08


class Judge(nn.Module):
    """The two towers with the words' table, the affine maps and the auxiliary heads, as trained."""

    def __init__(self, work: Path, tokens: Tensor, encoder: Encoder, seed: int) -> None:
        super().__init__()
        said, mixtures = json.loads((work / "words.json").read_text()), dict(np.load(work / "mixtures.npz"))
        known = encoder.tokenizer.get_vocab()
        words = torch.tensor([known.get(word + "</w>", -1) for word in said["trained"] + said["others"]])
        choice, share = torch.from_numpy(mixtures["choice"]), torch.from_numpy(mixtures["share"])
        self.table = WordTable(tokens, words, choice, share, len(known), TEXT)
        bos, eos = (int(self.table.rows[t]) for t in (encoder.tokenizer.bos_token_id, encoder.tokenizer.eos_token_id))
        self.network = build_model(len(tokens) + 1, bos, eos, seed)
        self.network.text_model.embeddings.token_embedding.weight.requires_grad_(False)
        self.network.logit_scale.requires_grad_(False)
        self.neutral = self.table.rows[encoder.texts([NEUTRAL])[0]]
        # directional and single, each slope and offset, in tens; the floor of a change's length, as a logarithm
        self.affine = nn.Parameter(torch.tensor([[1.0, -0.4], [0.8, -0.2]]))
        self.floor = nn.Parameter(torch.tensor(math.log(0.3)))
        self.heads = nn.ModuleDict(
            {"colours": nn.Linear(EMBEDDING, 11), "words": nn.Linear(EMBEDDING, PARAMETER_COUNT + 1)}
        )

    def weights(self) -> list[nn.Parameter]:
        """Every parameter that is trained."""
        return [p for p in self.parameters() if p.requires_grad]

    def pictures(self, pictures: Tensor) -> Tensor:
        """Embeddings (B, EMBEDDING) of pictures (B, 3, side, side) in [0, 1], of any length."""
        return self.network.get_image_features(pixel_values=(pictures - MEAN) / STD).pooler_output

    def texts(self, rows: Tensor, hide: float = 0.0) -> Tensor:
        """Embeddings of texts given as rows of the table (texts, length), of any length."""
        rows = rows[:, : int((rows == self.neutral[0, 3]).int().argmax(1).max()) + 1]
        weight = {"embeddings.token_embedding.weight": self.table(hide)}
        pooled = functional_call(self.network.text_model, weight, (rows,)).pooler_output
        return self.network.text_projection(pooled)

    def margins(self, before: Tensor, after: Tensor, neutral: Tensor, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Margins (B, P) of the directional and of the single form, from embeddings of length one."""
        (slope, offset), (other_slope, other_offset) = self.affine * 10
        turned = directional(before, after, neutral, prompts, self.floor.exp())
        return slope * turned + offset, other_slope * single(after, neutral, prompts) + other_offset


def colours(pictures: Tensor) -> Tensor:
    """What a picture looks like over all (B, 11): mean OKLab, of its darker and lighter half, spread and chroma."""
    lab = to_oklab(pictures.flatten(2))
    dark = (lab[:, :1] < lab[:, :1].median(2, keepdim=True).values).float()
    parts = [(lab * m).sum(2) / (m.sum(2) + 1e-3) for m in (torch.ones_like(dark), dark, 1 - dark)]
    chroma = lab[:, 1:].norm(dim=1).mean(1)
    return torch.cat([*parts, lab[:, 0].std(1)[:, None], chroma[:, None]], 1) * 5


class Trainer:
    """Everything one training needs."""

    def __init__(self, work: Path, seed: int, pool: int = POOL) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        said = json.loads((work / "words.json").read_text())
        if not (work / "clip-tokenizer").exists():
            build_tokenizer(said["trained"] + said["others"]).save_pretrained(work / "clip-tokenizer")
        self.encoder = Encoder(CLIPTokenizer.from_pretrained(work / "clip-tokenizer"))
        writer = Writer(seed, said["plain"])
        self.reading = Reading.of([writer.write() for _ in range(pool)], self.encoder, seed)
        self.more = Reading.of([writer.write() for _ in range(4 * pool)], self.encoder, seed)
        taught = self.encoder.texts([*said["trained"], NEUTRAL])[0]
        tokens = torch.cat([taught.flatten(), self.reading.ids.flatten(), self.more.ids.flatten()]).unique()
        self.judge = Judge(work, tokens, self.encoder, seed)
        self.average = copy.deepcopy(self.judge).requires_grad_(False)
        for each in (self.reading, self.more):
            each.ids = self.judge.table.rows[each.ids]
        self.near = self.reading.neighbours(_NEAR)
        self.senseless = (~self.reading.known).nonzero().flatten()
        self.bank = torch.from_numpy(np.load(work / "training.npy")).permute(0, 3, 1, 2)
        self.attack = AttackPool(
            self.bank, torch.cat([torch.arange(len(self.near)), self.senseless]), size=24, memory=2400
        )
        matrices, rest = [], []
        for name, parameter in self.judge.named_parameters():
            if parameter.requires_grad:
                flat = parameter.ndim == 2 and name.startswith("network.") and "position" not in name
                (matrices if flat else rest).append(parameter)
        self.optimizers = [
            torch.optim.Muon(matrices, lr=RATE, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=RATE, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def batch(self, attacked: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Any]:
        """Before, after, prompts that are read, which of them each pair is asked (PAIRS, PROMPTS), and the answers.

        Each pair is asked its own prompt, two like it, four of other pairs, and one that is often senseless.
        """
        before = self.bank[torch.randint(len(self.bank), (PAIRS,))].float() / 255
        wanted = torch.randint(len(self.near), (PAIRS,))
        after = grade_somehow(before, self.reading.grades[wanted], self.reading.grades)
        self.attack.mix_in(before, after, wanted, attacked)
        alike = [self.near[wanted, torch.randint(min(n, self.near.shape[1]), (PAIRS,))] for n in (8, 60)]
        senseless = self.senseless[torch.randint(len(self.senseless), (PAIRS // 4,))]
        read = torch.cat([wanted, *alike, senseless])
        asked = torch.randint(3 * PAIRS, (PAIRS, PROMPTS))
        for column in range(3):
            asked[:, column] = torch.arange(PAIRS) + column * PAIRS
        chosen = torch.randint(3 * PAIRS, len(read), (PAIRS,))
        asked[:, -1] = torch.where(torch.rand(PAIRS) < 0.4, chosen, asked[:, -1])
        with torch.no_grad():
            taught = label(before, after, self.reading.grades[read[asked]], self.reading.known[read[asked]])
        return before, after, read, asked, taught

    def loss(self, attacked: int, auxiliary: float) -> tuple[Tensor, dict[str, float]]:
        """The loss of one fresh batch, and its parts."""
        judge = self.judge
        before, after, read, asked, taught = self.batch(attacked)
        seen = judge.pictures(torch.cat([before, after]))
        said = judge.texts(torch.cat([judge.neutral, self.reading.ids[read]]), _HIDE)
        (one, two), (neutral, *_), prompts = unit(seen).chunk(2), unit(said), unit(said[1:])
        change, look = (m.gather(1, asked) for m in judge.margins(one, two, neutral, prompts))
        target = torch.sigmoid(taught.logit)
        shown = colours(torch.cat([before, after]))
        found = judge.heads["colours"](seen)
        parts = {
            "change": functional.binary_cross_entropy_with_logits(change, target),
            "margin": functional.smooth_l1_loss(change, taught.logit),
            "look": functional.binary_cross_entropy_with_logits(look, target),
            "colours": functional.mse_loss(found, shown),
            "shift": functional.mse_loss(found[PAIRS:] - found[:PAIRS], shown[PAIRS:] - shown[:PAIRS]),
            "words": word_loss(judge.heads["words"](said[1:]), self.reading.grades[read], self.reading.known[read]),
        }
        total = parts["change"] + 0.2 * parts["margin"] + 0.25 * parts["look"]
        total = total + auxiliary * (parts["colours"] + 10 * parts["shift"] + parts["words"])
        return total, {name: float(value.detach()) for name, value in parts.items()}

    def read(self, count: int = 256) -> Tensor:
        """Loss of a batch of prompts read alone."""
        more = self.more
        chosen = torch.randint(len(more.ids), (count,))
        read = self.judge.heads["words"](self.judge.texts(more.ids[chosen], _HIDE))
        return word_loss(read, more.grades[chosen], more.known[chosen])

    def update(self, loss: Tensor, rate: float) -> None:
        """One step of both optimizers at the given rate, and of the running average of the weights."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.judge.weights(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def smooth(self, keep: float = _EMA**10) -> None:
        """Draw the running average towards the weights; called every ten steps."""
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.judge.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def attack_with(self, opponent: Judge, steps: int = 3) -> None:
        """Train the pool of LUTs against the directional form of ``opponent``."""
        with torch.no_grad():
            neutral = unit(opponent.texts(opponent.neutral))[0]

        def score(before: Tensor, after: Tensor, wanted: Tensor) -> Tensor:
            with torch.no_grad():
                one, prompts = unit(opponent.pictures(before)), unit(opponent.texts(self.reading.ids[wanted]))
            return opponent.margins(one, unit(opponent.pictures(after)), neutral, prompts)[0].diagonal()

        self.attack.step(score, steps)


def train(work: Path, seed: int, minutes: float) -> None:
    """Train by the clock, so that the end of the schedule comes when it was promised."""
    trainer, state_file = Trainer(work, seed), work / "clip.pt"
    elapsed, steps, log = 0.0, 0, []
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        trainer.judge.load_state_dict(state["judge"])
        trainer.average.load_state_dict(state["average"])
        for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        elapsed, steps = state["elapsed"], state["steps"]
        torch.manual_seed(seed + steps)
        random.seed(seed + steps)
    opponent = copy.deepcopy(trainer.average).requires_grad_(False)
    started, saved_at, warm = time.time() - elapsed, time.time(), 400 if steps == 0 else 0
    for index in range(warm):
        loss = trainer.read(384)
        trainer.update(loss, RATE * min(1, (index + 1) / 40))
        if index % 100 == 99:
            print(f"words {index + 1} loss {loss.item():.3f} {time.time() - started:.0f} s", flush=True)
    sums: dict[str, float] = {}
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = RATE * min(1, (steps + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        if done > 0.25 and steps % 12 == 0:
            opponent.load_state_dict(trainer.average.state_dict())
            trainer.attack_with(opponent)
        loss, parts = trainer.loss(attacked=8 if done < 0.6 else 10, auxiliary=0.5 if done < 0.5 else 0.15)
        if steps % 12 == 0:
            loss = loss + 0.5 * trainer.read()
        trainer.update(loss, rate)
        steps += 1
        if steps % 10 == 0:
            trainer.smooth(keep=min(_EMA**10, steps / (steps + 100)))
        for key, value in parts.items():
            sums[key] = sums.get(key, 0.0) + value / 50
        if steps % 50 == 0:
            log.append({"step": steps, "seconds": round(time.time() - started), **sums})
            print(f"{steps} {log[-1]['seconds']} s", {k: round(v, 3) for k, v in sums.items()}, flush=True)
            sums = {}
        if time.time() - saved_at > 60 or steps % 1000 == 0:
            saved_at = time.time()
            save_state(trainer, state_file, saved_at - started, steps)
    save_state(trainer, state_file, time.time() - started, steps)
    (work / "clip.log.json").write_text(json.dumps({"seed": seed, "steps": steps, "minutes": minutes, "log": log}))


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=55)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train(arguments.work, arguments.seed, arguments.minutes)


if __name__ == "__main__":
    main()
