"""Step two of the recipe: train one judge.

    python -m recipes.judge.train WORK --name first --seed 1 --minutes 75 [--sibling second]

A text-only start teaches the first layers to read a prompt as a grade; then every step shows 16 pairs with 8 prompts
each, and asks for the teacher's answer, with four auxiliary heads (dropped afterwards) that ask the layers for what
they need on the way: the change at each place, the grade the words ask for, the change over all, and progress and
residual. Saved every minute; running it again goes on from there.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from recipes.judge.attack import AttackPool
from recipes.judge.model import FIRST_WORD, HIDDEN, build_model
from recipes.judge.packing import Packer, WordTable, pick, run_layers, run_packed
from recipes.judge.pairs import grade_somehow, label
from recipes.judge.prompts import SCALE, Prompt, Writer
from studio.grading.looktransform import PARAMETER_COUNT, to_oklab

PAIRS, PROMPTS = 16, 8
RATE = 3e-3
_NEAR = 150
_BRIEF, _BRIEF_SHARE = 9, 0.75
_EMA = 0.995
_HIDE = 0.08


class Encoder(Protocol):
    """A tokenizer with a layout."""

    def encode(self, prompts: Sequence[str], seed: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Turn prompts into tokens (prompts, length), the position of each one's last, and which of them fit."""


@dataclass
class Reading:
    """A pool of prompts, shortest first: ids (n, SLOT), position of the answer (n,), grades (n, P), known (n,)."""

    ids: Tensor
    last: Tensor
    grades: Tensor
    known: Tensor
    texts: list[str]

    @classmethod
    def of(cls, prompts: list[Prompt], packer: Encoder, seed: int | None) -> Reading:
        """Encode prompts, leaving out the few that do not fit a slot."""
        ids, last, fits = packer.encode([p.text for p in prompts], seed)
        grades, known = torch.stack([p.grade for p in prompts]), torch.tensor([p.known for p in prompts])
        order = torch.argsort(last, stable=True)
        order = order[fits[order]]
        return cls(ids[order], last[order], grades[order], known[order], [prompts[i].text for i in order.tolist()])

    @property
    def brief(self) -> int:
        """How many of the prompts are short; most batches hold only those, since a pass costs what its longest does."""
        return int((self.last <= _BRIEF).sum())

    def neighbours(self, count: int, among: int | None = None) -> Tensor:
        """For each of the first ``among`` prompts the ``count`` with the most similar grades, nearest first."""
        unit = functional.normalize(self.grades[:among] / SCALE, dim=1)
        count = min(count, len(unit))
        return torch.cat([(rows @ unit.T).topk(count, dim=1).indices for rows in unit.split(500)])


class Judge(nn.Module):
    """The network with its embedding table and the auxiliary heads, as trained."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, mixtures: dict[str, Any], seed: int) -> None:
        super().__init__()
        self.packer = Packer(tokenizer)
        self.network = build_model(tokenizer, seed)
        choice, share = torch.from_numpy(mixtures["choice"]), torch.from_numpy(mixtures["share"])
        self.table = WordTable(choice, share, int(mixtures["trained"]), FIRST_WORD, len(tokenizer), HIDDEN)
        self.network.lm_head.weight.requires_grad_(False)
        self.heads = nn.ModuleDict({
            "place": nn.Linear(HIDDEN, 6), "words": nn.Linear(HIDDEN, PARAMETER_COUNT + 1),
            "whole": nn.Linear(HIDDEN, 11), "answer": nn.Linear(HIDDEN, 2),
        })  # fmt: skip

    def weights(self) -> list[nn.Parameter]:
        """Every parameter that is trained."""
        return [p for p in self.parameters() if p.requires_grad]

    def margin(self, before: Tensor, after: Tensor, ids: Tensor, last: Tensor) -> Tensor:
        """logit(Yes) - logit(No) for (B, K) prompts, with the bare table of the training."""
        table = self.table()
        where = self.packer.answers(ids, last)
        _, final = run_packed(self.network, self.packer, table, before, after, ids, where)
        return final @ (table[self.packer.yes] - table[self.packer.no])


def read_words(judge: Judge, ids: Tensor, last: Tensor, grades: Tensor, known: Tensor) -> Tensor:
    """Loss of reading prompts alone, without pictures, with the first two layers."""
    table = judge.table(hide=_HIDE)
    embedded = functional.embedding(ids, table) * HIDDEN**0.5
    length = ids.shape[1]
    positions = (len(judge.packer.opening) + torch.arange(length))[None]
    mask = torch.ones(length, length).tril().bool()[None, None]
    state = run_layers(judge.network, embedded, mask, positions, depth=2)[-1]
    read = judge.heads["words"](state[torch.arange(len(ids)), last])
    return word_loss(read, grades, known)


def word_loss(read: Tensor, grades: Tensor, known: Tensor) -> Tensor:
    """How far a grade read from words (..., PARAMETER_COUNT) is from the one meant, and a last logit from `known`."""
    miss = (read[..., :-1] - grades / SCALE).square().mean(-1)
    doubt = functional.binary_cross_entropy_with_logits(read[..., -1], known.float())
    return (miss * known).mean() * 4 + 0.3 * doubt


def _changes(before: Tensor, after: Tensor, side: int = 14) -> tuple[Tensor, Tensor]:
    """Targets of two auxiliary heads: the change at each of 16 places (B, 16, 6), and over all (B, 11)."""
    first = to_oklab(before.flatten(2)).view_as(before)
    second = to_oklab(after.flatten(2)).view_as(after)
    place_a, place_b = functional.avg_pool2d(first, side), functional.avg_pool2d(second, side)
    place = torch.cat([(place_b - place_a) * 8, place_b * 3], 1).flatten(2).transpose(1, 2)
    one, two = first.flatten(2), second.flatten(2)
    change, dark = two - one, (one[:, :1] < one[:, :1].median(2, keepdim=True).values).float()
    parts = [(change * m).sum(2) / (m.sum(2) + 1e-3) for m in (torch.ones_like(dark), dark, 1 - dark)]
    spread = two[:, 0].std(1) - one[:, 0].std(1)
    chroma = (two[:, 1:].norm(dim=1) - one[:, 1:].norm(dim=1)).mean(1)
    return place, torch.cat([*parts, spread[:, None], chroma[:, None]], 1) * 8


class Trainer:
    """Everything one training needs; :meth:`step` is one step."""

    def __init__(self, work: Path, seed: int, pool: int = 14000) -> None:
        torch.manual_seed(seed)
        random.seed(seed)
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "tokenizer")
        self.judge = Judge(self.tokenizer, dict(np.load(work / "mixtures.npz")), seed)
        self.average = copy.deepcopy(self.judge).requires_grad_(False)
        nonsense = json.loads((work / "words.json").read_text())["plain"]
        writer = Writer(seed, nonsense)
        packer = self.judge.packer
        self.reading = Reading.of([writer.write() for _ in range(pool)], packer, seed)
        self.more = Reading.of([writer.write() for _ in range(4 * pool)], packer, seed + 1)
        brief = self.reading.brief
        self.near = {n: self.reading.neighbours(_NEAR, n) for n in (brief, len(self.reading.ids))}
        self.senseless = (~self.reading.known[:brief]).nonzero().flatten()
        self.bank = torch.from_numpy(np.load(work / "training.npy")).permute(0, 3, 1, 2)
        self.attack = AttackPool(self.bank, torch.cat([torch.arange(brief), self.senseless]))
        matrices, rest = [], []
        for name, parameter in self.judge.named_parameters():
            if parameter.requires_grad:
                flat = parameter.ndim == 2 and name.startswith("network.") and "position" not in name
                (matrices if flat and "embed_tokens" not in name else rest).append(parameter)
        self.optimizers = [
            torch.optim.Muon(matrices, lr=RATE, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=RATE, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def batch(self, attacked: int) -> tuple[Tensor, Tensor, Tensor, Any]:
        """Before, after, indices of prompts (PAIRS, PROMPTS) and the teacher's answers."""
        before = self.bank[torch.randint(len(self.bank), (PAIRS,))].float() / 255
        size = self.reading.brief if random.random() < _BRIEF_SHARE else len(self.reading.ids)
        near, wanted = self.near[size], torch.randint(size, (PAIRS,))
        after = grade_somehow(before, self.reading.grades[wanted], self.reading.grades)
        self.attack.mix_in(before, after, wanted, attacked)
        asked = torch.randint(size, (PAIRS, PROMPTS))
        for column, reach in ((1, 6), (2, 20), (3, 20), (4, near.shape[1])):
            asked[:, column] = near[wanted, torch.randint(min(reach, near.shape[1]), (PAIRS,))]
        asked[:, 0] = wanted
        senseless = self.senseless[torch.randint(len(self.senseless), (PAIRS,))]
        asked[:, 7] = torch.where(torch.rand(PAIRS) < 0.4, senseless, asked[:, 7])
        with torch.no_grad():
            taught = label(before, after, self.reading.grades[asked], self.reading.known[asked])
        return before, after, asked, taught

    def loss(self, attacked: int, auxiliary: float) -> tuple[Tensor, dict[str, float]]:
        """The loss of one fresh batch, and its parts."""
        judge, packer = self.judge, self.judge.packer
        before, after, asked, taught = self.batch(attacked)
        last = self.reading.last[asked]
        ids = self.reading.ids[asked][:, :, : int(last.max()) + 2].clone()
        said = torch.rand(asked.shape) < torch.sigmoid(taught.logit)
        spoken = torch.where(said, packer.yes, packer.no)
        ids.scatter_(2, (last + 1)[..., None], spoken[..., None])
        table = judge.table(hide=_HIDE)
        asks, ends = packer.answers(ids, last), packer.answers(ids, last, shift=1)[:, :2]
        states, final = run_packed(judge.network, packer, table, before, after, ids, torch.cat([asks, ends], 1))
        table, final, after_answer = judge.table.output(table), final[:, :PROMPTS], final[:, PROMPTS:]
        chance = functional.log_softmax(final @ table.T, -1)
        target = torch.sigmoid(taught.logit)
        yes, no, end = (judge.table.output_row(token) for token in (packer.yes, packer.no, packer.end))
        answer = -(target * chance[..., yes] + (1 - target) * chance[..., no]).mean()
        margin = functional.smooth_l1_loss(chance[..., yes] - chance[..., no], taught.logit)
        stop = -functional.log_softmax(after_answer @ table.T, -1)[..., end].mean()
        place, whole = _changes(before, after)
        heads = judge.heads
        parts = {
            "place": functional.mse_loss(heads["place"](states[2][:, packer.second]), place),
            "words": word_loss(
                heads["words"](pick(states[2], asks)), self.reading.grades[asked], self.reading.known[asked]
            ),
            "whole": functional.mse_loss(heads["whole"](pick(states[3], asks)),
                                         whole[:, None].expand(-1, PROMPTS, -1)),
            "answer": functional.smooth_l1_loss(
                heads["answer"](final),
                torch.stack([taught.progress.clamp(-1.5, 2.5), taught.residual.clamp(0, 3)], -1),
            ),
        }  # fmt: skip
        total = answer + 0.25 * margin + 0.1 * stop + auxiliary * torch.stack(list(parts.values())).sum()
        report = {"answer": answer, "margin": margin, "stop": stop, **parts}
        return total, {name: float(value.detach()) for name, value in report.items()}

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

    def read(self, count: int = 256) -> Tensor:
        """Loss of a batch of prompts read alone."""
        more = self.more
        chosen = torch.randint(more.brief if random.random() < _BRIEF_SHARE else len(more.ids), (count,))
        length = int(more.last[chosen].max()) + 1
        return read_words(
            self.judge, more.ids[chosen, :length], more.last[chosen], more.grades[chosen], more.known[chosen]
        )

    def attack_with(self, opponent: Judge, steps: int = 5) -> None:
        """Train the pool of LUTs against ``opponent``."""

        def score(before: Tensor, after: Tensor, wanted: Tensor) -> Tensor:
            last = self.reading.last[wanted][:, None]
            ids = self.reading.ids[wanted][:, None, : int(last.max()) + 1]
            return opponent.margin(before, after, ids, last)[:, 0]

        self.attack.step(score, steps)


def train(work: Path, name: str, seed: int, minutes: float, sibling: str | None) -> None:
    """Train by the clock, so that the end of the schedule comes when it was promised."""
    trainer, state_file = Trainer(work, seed), work / f"{name}.pt"
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
    started, saved_at, warm = time.time() - elapsed, time.time(), 500 if steps == 0 else 0
    for index in range(warm):
        loss = trainer.read(384)
        trainer.update(loss, RATE * min(1, (index + 1) / 40))
        if index % 100 == 99:
            print(f"words {index + 1} loss {loss.item():.3f} {time.time() - started:.0f} s", flush=True)
    sums: dict[str, float] = {}
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = RATE * min(1, (steps + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        if done > 0.25 and steps % 24 == 0:
            rival = steps % 48 == 0 and sibling is not None and (work / f"{sibling}.pt").exists()
            opponent.load_state_dict(trainer.average.state_dict())
            if rival:
                opponent.load_state_dict(torch.load(work / f"{sibling}.pt", weights_only=True)["average"])
            trainer.attack_with(opponent)
        loss, parts = trainer.loss(attacked=4 if done < 0.6 else 5, auxiliary=0.5 if done < 0.5 else 0.15)
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
    (work / f"{name}.log.json").write_text(json.dumps({"seed": seed, "steps": steps, "minutes": minutes, "log": log}))


def save_state(trainer: Trainer, file: Path, elapsed: float, steps: int) -> None:
    """Write everything a resumed training needs, whole or not at all."""
    partial = file.with_suffix(".partial")
    torch.save({"judge": trainer.judge.state_dict(), "average": trainer.average.state_dict(),
                "optimizers": [o.state_dict() for o in trainer.optimizers], "elapsed": elapsed, "steps": steps},
               partial)  # fmt: skip
    partial.replace(file)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--name", default="first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--sibling")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.work, arguments.name, arguments.seed, arguments.minutes, arguments.sibling)


if __name__ == "__main__":
    main()
