"""Step one of the recipe: train the model that answers questions about scenes.

    python -m recipes.vqa.train WORK --seed 1 --minutes 55

First the vision tower learns to say what lies in each patch; then every step draws new scenes in the training style
and asks several questions about each. Auxiliary heads, dropped afterwards, ask the layers for what they need on the
way: what lies at each place of the picture, and which places a question speaks of. Saved every minute; running it
again goes on from there.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from recipes.judge.packing import pick
from recipes.vqa.model import HIDDEN, IMAGE_SIDE, IMAGE_TOKENS, LAYERS, PATCH, VISION, build_model, build_tokenizer
from recipes.vqa.packing import Packed, Packer, answered, looking, run_packed, to_pixels
from recipes.vqa.words import estrange, words
from studio.embeddings.scenes.questions import CATEGORIES, Question, ask_many
from studio.embeddings.scenes.scenes import COLOURS, HELD_OUT, SHAPES, TRAINING, Scene, Style, compose, draw

SCENES, QUESTIONS = 16, 8
MOST = 6
"""Things in a scene, at most."""
RATE = 3e-3
_SEEING = 0.1  # share of the time in which the vision tower learns alone
_STRANGE = 0.06
_EMA = 0.995
_DRAWN = 2 * IMAGE_SIDE  # drawing at 168 pixels takes half the time that 224 do
_SIDE = int(IMAGE_TOKENS**0.5)
_ASKED_MORE = ("count", "relation", "comparison", "position", "false premise", "false premise")


class Learner(nn.Module):
    """The network with the auxiliary heads, as trained."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
        super().__init__()
        self.network = build_model(tokenizer, seed)
        kinds = len(SHAPES) + len(COLOURS) + 2
        self.heads = nn.ModuleDict({
            "patch": nn.Linear(VISION, kinds), "place": nn.Linear(HIDDEN, kinds + 3),
            "named": nn.Linear(HIDDEN, IMAGE_TOKENS), "asked": nn.Linear(HIDDEN, 2 * IMAGE_TOKENS),
        })  # fmt: skip


def contents(scene: Scene, side: int, reach: float | None) -> Tensor:
    """What lies in each cell of a grid over a scene, (side², 5): shape and colour from 1 (0 is nothing), then numbers.

    ``reach`` is how far from its centre a thing still counts, in radii; None counts it only where its centre lies. The
    numbers are the radius and the place within the cell, all about 1 or less.
    """
    grid = torch.zeros(side, side, 5)
    middle = (torch.arange(side) + 0.5) / side
    for thing in sorted(scene.things, key=lambda thing: thing.radius):
        row, column = int(thing.y * side), int(thing.x * side)
        facts = torch.tensor([
            SHAPES.index(thing.shape) + 1, tuple(COLOURS).index(thing.colour) + 1,
            thing.radius * 8, (thing.x * side - column) - 0.5, (thing.y * side - row) - 0.5,
        ])  # fmt: skip
        if reach is None:
            grid[row, column] = facts
        else:
            far = (middle[:, None] - thing.y) ** 2 + (middle[None] - thing.x) ** 2
            grid[far < (reach * thing.radius) ** 2] = facts
    return grid.flatten(0, 1)


def told(read: Tensor, truth: Tensor) -> Tensor:
    """Loss of reading shape and colour (..., kinds) where the truth (..., 5) is; what is held counts more."""
    shape, colour = read[..., : len(SHAPES) + 1], read[..., len(SHAPES) + 1 : len(SHAPES) + len(COLOURS) + 2]
    weight = torch.where(truth[..., 0] > 0, 1.0, 0.3)
    losses = (
        functional.cross_entropy(part.flatten(0, -2), truth[..., index].long().flatten(), reduction="none")
        for index, part in enumerate((shape, colour))
    )
    total = sum(losses, torch.zeros(()))
    return (total * weight.flatten()).sum() / weight.sum()


def places(scene: Scene, questions: Sequence[Question], most: int) -> Tensor:
    """Which cells each question speaks of, (most, 2, cells)."""
    marks = torch.zeros(most, 2, IMAGE_TOKENS)
    for index, question in enumerate(questions):
        for part, things in enumerate((question.first, question.second)):
            for thing in things:
                x, y = scene.things[thing].x, scene.things[thing].y
                marks[index, part, int(y * _SIDE) * _SIDE + int(x * _SIDE)] = 1
    return marks


def examine(
    learner: Learner, packer: Packer, style: Style, scenes: int, seed: int, fewest: int = 1
) -> dict[str, tuple[int, int]]:
    """Right answers and questions by category, on new scenes of a style."""
    random = np.random.default_rng([seed, 9])
    marks: dict[str, list[bool]] = defaultdict(list)
    for start in range(0, scenes, SCENES):
        batch = [compose(random, style, fewest, MOST) for _ in range(min(SCENES, scenes - start))]
        asked = [ask_many(scene, QUESTIONS, random) for scene in batch]
        packed = packer.pack(asked)
        with torch.no_grad():
            right = answered(
                run_packed(learner.network, packer, to_pixels([draw(s) for s in batch]), packed)[2], packed
            )
        for row, questions in zip(right.tolist(), asked, strict=True):
            for question, good in zip(questions, row, strict=False):
                marks[question.category].append(good)
    return {category: (sum(marks[category]), len(marks[category])) for category in CATEGORIES}


class Trainer:
    """Everything one training needs."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        self.packer = Packer(build_tokenizer(words()))
        self.learner = Learner(self.packer.tokenizer, seed)
        self.average = copy.deepcopy(self.learner).requires_grad_(False)
        matrices, rest = [], []
        for name, parameter in self.learner.named_parameters():
            flat = parameter.ndim == 2 and name.startswith("network.") and "position" not in name
            (matrices if flat and "embed_tokens" not in name else rest).append(parameter)
        self.optimizers = [
            torch.optim.Muon(
                matrices, lr=RATE, weight_decay=0.02, momentum=0.95, ns_steps=3, adjust_lr_fn="match_rms_adamw"
            ),
            torch.optim.AdamW(rest, lr=RATE, betas=(0.9, 0.98), weight_decay=0.01),
        ]

    def scenes(self, count: int, most: int = MOST) -> tuple[list[Scene], Tensor]:
        """New scenes and their pictures, (count, 3, 84, 84)."""
        scenes = [compose(self.random, TRAINING, 1, most) for _ in range(count)]
        return scenes, to_pixels([draw(scene, _DRAWN) for scene in scenes])

    def see(self) -> tuple[Tensor, dict[str, float]]:
        """Loss of the vision tower alone."""
        scenes, pixels = self.scenes(2 * SCENES)
        patches = self.learner.network.model.get_image_features(pixels).last_hidden_state
        truth = torch.stack([contents(scene, IMAGE_SIDE // PATCH, 0.8) for scene in scenes])
        loss = told(self.learner.heads["patch"](patches), truth)
        return loss, {"patch": loss.item()}

    def loss(self, auxiliary: float, most: int = MOST) -> tuple[Tensor, dict[str, float]]:
        """Loss of one step, on scenes of up to ``most`` things, with all its parts."""
        scenes, pixels = self.scenes(SCENES, most)
        asked = [self._ask(scene) for scene in scenes]
        packed = self.packer.pack(asked)
        patches, states, logits = run_packed(self.learner.network, self.packer, pixels, packed)
        losses = functional.cross_entropy(logits.transpose(1, 2), packed.targets, reduction="none")
        answer = (losses * packed.weights).sum() / packed.weights.sum()
        heads, most = self.learner.heads, packed.asks.shape[1]
        truth = torch.stack([contents(scene, IMAGE_SIDE // PATCH, 0.8) for scene in scenes])
        cells = torch.stack([contents(scene, _SIDE, None) for scene in scenes])
        marks = torch.stack([places(scene, qs, most) for scene, qs in zip(scenes, asked, strict=True)])
        named = (packed.called > 0).flatten(1)
        place = heads["place"](states[2][:, self.packer.soft])
        held = (cells[..., :1] > 0).float()
        parts = {
            "patch": told(heads["patch"](patches), truth),
            "place": told(place, cells),
            "size": ((place[..., -3:] - cells[..., 2:]).square() * held).sum() / held.sum(),
            "look": self._looked(packed, states, marks.flatten(1, 2)),
            "named": _marked(
                heads["named"](pick(states[3], packed.called.flatten(1)))[named], marks.flatten(1, 2)[named]
            ),
            "asked": _marked(heads["asked"](pick(states[LAYERS - 1], packed.asks)), marks.flatten(2)),
        }
        right = answered(logits.detach(), packed).float().mean().item()
        total = answer + auxiliary * torch.stack(list(parts.values())).sum()
        return total, {"answer": answer.item(), "right": right, **{name: part.item() for name, part in parts.items()}}

    def _looked(self, packed: Packed, states: list[Tensor], marks: Tensor) -> Tensor:
        """How badly half the heads of the third layer look, where a name ends, at its things: marks (B, 2 K, cells)."""
        heads = looking(self.learner.network, self.packer, packed, states[2], 2)[:, :2]
        share = (marks / marks.sum(-1, keepdim=True).clamp(min=1))[:, None]
        missed = -(heads.log_softmax(-1) * share).sum(-1)
        return missed.sum() / (2 * (marks.sum(-1) > 0).sum()).clamp(min=1) / 3

    def _ask(self, scene: Scene) -> list[Question]:
        questions = ask_many(scene, QUESTIONS, self.random, (*CATEGORIES, *_ASKED_MORE))
        return [estrange(q, self.random) if self.random.random() < _STRANGE else q for q in questions]

    def update(self, loss: Tensor, rate: float) -> None:
        """One step of both optimizers at the given rate."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def smooth(self, keep: float) -> None:
        """Draw the running average towards the weights; called every ten steps."""
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.learner.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)


def _marked(read: Tensor, marks: Tensor) -> Tensor:
    weight = torch.where(marks > 0, 8.0, 1.0)
    return functional.binary_cross_entropy_with_logits(read, marks, weight) * 2


def train(work: Path, seed: int, minutes: float) -> None:
    """Train by the clock, so that the end of the schedule comes when it was promised."""
    work.mkdir(parents=True, exist_ok=True)
    trainer, state_file, log_file = Trainer(seed), work / "vqa.pt", work / "log.jsonl"
    elapsed, steps = 0.0, 0
    if state_file.exists():
        elapsed, steps = load_state(trainer, state_file)
        torch.manual_seed(seed + steps)
        trainer.random = np.random.default_rng([seed, steps])
    started, saved, examined = time.time() - elapsed, time.time(), time.time()
    sums: dict[str, list[float]] = defaultdict(list)
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = RATE * min(1, (steps + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        if done < _SEEING:
            loss, parts = trainer.see()
        else:
            loss, parts = trainer.loss(auxiliary=0.5 if done < 0.6 else 0.25, most=min(MOST, 3 + int(10 * done)))
        trainer.update(loss, rate)
        steps += 1
        if steps % 10 == 0:
            trainer.smooth(min(_EMA**10, steps / (steps + 100)))
        for name, value in parts.items():
            sums[name].append(value)
        now = time.time()
        if steps % 50 == 0:
            means = {name: round(float(np.mean(values)), 3) for name, values in sums.items()}
            print(steps, f"{now - started:.0f} s", means, flush=True)
            with log_file.open("a") as log:
                log.write(json.dumps({"step": steps, "seconds": round(now - started), **means}) + "\n")
            sums.clear()
        if done > _SEEING and now - examined > 240:
            examined = now
            for style in (TRAINING, HELD_OUT):
                marks = examine(trainer.average, trainer.packer, style, 64, steps)
                print(style.name, {name: f"{good}/{all_}" for name, (good, all_) in marks.items()}, flush=True)
        if now - saved > 60:
            saved = now
            save_state(trainer, state_file, now - started, steps)
    save_state(trainer, state_file, time.time() - started, steps)


def save_state(trainer: Trainer, file: Path, elapsed: float, steps: int) -> None:
    """Write everything a resumed training needs, whole or not at all."""
    partial = file.with_suffix(".partial")
    torch.save({"learner": trainer.learner.state_dict(), "average": trainer.average.state_dict(),
                "optimizers": [o.state_dict() for o in trainer.optimizers], "elapsed": elapsed, "steps": steps},
               partial)  # fmt: skip
    partial.replace(file)


def load_state(trainer: Trainer, file: Path) -> tuple[float, int]:
    """Read what `save_state` wrote; returns the seconds and steps so far."""
    state = torch.load(file, weights_only=True)
    trainer.learner.load_state_dict(state["learner"])
    trainer.average.load_state_dict(state["average"])
    for optimizer, saved in zip(trainer.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return state["elapsed"], state["steps"]


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
