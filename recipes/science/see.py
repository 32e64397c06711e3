"""Step one of the recipe: the vision tower learns to read letters, digits and things of all sizes.

    python -m recipes.science.see WORK --what teacher --fonts FOLDER --minutes 20
    python -m recipes.science.see WORK --what tower --fonts FOLDER --minutes 70

First a small convolutional network, then the tower, which besides the labels is told what the other sees.

Saved every two minutes; running it again goes on from there.
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

from recipes.science.drawings import sheets_of
from recipes.science.glyphs import CLASSES, Font, find_fonts
from recipes.science.muon import Muon
from recipes.science.sheets import PATCH, Sheet, compose
from recipes.science.teacher import STAGES, Lessons, Teacher
from recipes.science.vision import WIDTH, Heads, build_tower, localise, look, normalise, protect, reading_loss
from studio.scienceqa.diagrams.drawing import draw

FAMILIES = ("attract", "membrane", "layers", "grid", "punnett", "force", "concentration", "temperature")
_RATES = {"teacher": 3e-3, "tower": 2e-3}
BATCH = 8
DRAWN = 2
"""Sheets of a step, and how many of them, at most, are tiles of a drawn question."""
_AVERAGE = 0.995
_ENOUGH, _HARDER = {"teacher": 0.75, "tower": 0.55}, 0.002
"""Sheets become harder by the latter with every step while so much is read right; the running average reads more."""
_WRITING = ("self_attn.out_proj.weight", "mlp.fc2.weight")
"""Matrices by which layers write; they grow slowly, so that a patch's place is still heard beside what is written."""
_PLAIN = ("Arimo-", "DejaVuSans-", "DejaVuSans.", "Roboto-", "Inter-", "FreeSans", "LiberationSans-")
_SLANTED = ("Italic", "Oblique", "Ita", "_RI", "_RBI", "_RZI", "Light", "Narrow", "Condensed")


def gather(sheets: Sequence[Sheet]) -> tuple[Tensor, ...]:
    """Pictures (n, side, side, 3), then characters and weights (patches, 2), things and counts (patches,)."""
    pictures = torch.from_numpy(np.stack([sheet.picture for sheet in sheets]))
    labels = [np.stack([getattr(s, name) for s in sheets]) for name in ("characters", "weights", "things", "counts")]
    tensors = [torch.from_numpy(label).flatten(0, 2) for label in labels]
    return pictures, *tensors


def groups(characters: np.ndarray) -> dict[str, np.ndarray]:
    """Which labels are digits, poles and letters."""
    digits = [CLASSES[c] for c in "0123456789"]
    letters = [number for character, number in CLASSES.items() if character.isalpha()]
    return {
        "digits": np.isin(characters, digits),
        "poles": np.isin(characters, [CLASSES["N"], CLASSES["S"]]),
        "letters": np.isin(characters, letters),
    }


@torch.no_grad()
def examine(learner: nn.ModuleDict, fonts: Sequence[Font], count: int, seed: int) -> dict[str, str]:
    """Shares of half patches read right on new sheets, by kind of character and height; running words left out."""
    random, marks = np.random.default_rng([seed, 77]), defaultdict(list)
    for _ in range(0, count, BATCH):
        sheets = [compose(fonts, random) for _ in range(BATCH)]
        pictures, characters, _, _, counts = gather(sheets)
        tower = learner["tower"]
        states = tower(normalise(pictures))[-1] if isinstance(tower, Teacher) else look(tower, pictures)
        states = states.flatten(0, 1)
        read, _, balls = learner["heads"](states)
        truth, guess = characters.numpy(), read.argmax(-1).numpy()
        heights = np.stack([sheet.heights for sheet in sheets]).reshape(-1, 2)
        right = guess == truth
        for name, members in groups(truth).items():
            for low, high in ((5, 7), (7, 10), (10, 20), (20, 90)):
                chosen = members & (heights >= low) & (heights < high)
                marks[f"{name} {low}-{high}"] += right[chosen].tolist()
        marks["blank"] += right[truth == 0].tolist()
        full = counts.numpy() > 0
        marks["balls"] += (balls.argmax(-1).numpy() == counts.numpy())[full].tolist()
        marks["no balls"] += (balls.argmax(-1).numpy() == counts.numpy())[~full].tolist()
    return {name: f"{100 * np.mean(m):.1f} ({len(m)})" for name, m in sorted(marks.items()) if m}


def arrange(fonts: Sequence[Font]) -> list[Font]:
    """The plainest fonts first, upright ones three times, then slanted, light and narrow ones."""
    upright = [font for font in fonts if not any(word in font.name for word in _SLANTED)]
    plain = [f for f in upright if f"{f.name}.".startswith(_PLAIN) and f.name.endswith(("Regular", "Bold", "Sans"))]
    return [*plain, *upright * 3, *(font for font in fonts if font not in upright)]


def _told(sheet: Sheet) -> bool:
    return bool((sheet.characters > 0).any() or (sheet.counts > 0).any())


class Trainer:
    """Everything the training of the teacher or of the tower needs.

    Args:
        fonts: To compose sheets in.
        seed: Of the weights and the sheets.
        teacher: For the tower: who teaches it; None trains a teacher.
    """

    def __init__(self, fonts: Sequence[Font], seed: int, teacher: nn.ModuleDict | None = None) -> None:
        self.fonts, self.random, self.level, self.right = arrange(fonts), np.random.default_rng(seed), 0.0, 0.0
        self.teacher, self.what = teacher, "tower" if teacher else "teacher"
        rate = _RATES[self.what]
        torch.manual_seed(seed)
        if teacher is None:
            self.learner = nn.ModuleDict({"tower": Teacher(), "heads": Heads(STAGES[-1])})
        else:
            teacher.eval().requires_grad_(False)
            tower = build_tower(seed)
            pictures = gather([compose(self.fonts, self.random) for _ in range(60)])[0]
            pixels = nn.functional.unfold(normalise(pictures), PATCH, stride=PATCH).transpose(1, 2).flatten(0, 1)
            localise(tower, pixels[pixels.std(1) > 0.1])
            protect(tower)
            self.learner = nn.ModuleDict({"tower": tower, "heads": Heads(), "lessons": Lessons(WIDTH)})
        self.average = copy.deepcopy(self.learner).requires_grad_(False)
        names = dict(self.learner.named_parameters())
        first = [p for name, p in names.items() if "embedding" in name]
        writing = [p for name, p in names.items() if name.endswith(_WRITING)]
        matrices = [p for name, p in names.items() if p.ndim == 4 or (p.ndim == 2 and "encoder" in name)]
        matrices = [p for p in matrices if all(p is not other for other in (*first, *writing))]
        rest = [p for p in names.values() if all(p is not other for other in (*matrices, *writing, *first))]
        decay = 0.2 if teacher else 0.02
        groups = [{"params": matrices, "share": 2.0, "weight_decay": decay}]
        if writing:
            groups.append({"params": writing, "share": 0.7, "weight_decay": 5 * decay})
        self.optimizers = [
            Muon(groups, lr=rate),
            torch.optim.AdamW(
                [{"params": first, "share": 0.2}, {"params": rest, "share": 1.0}], lr=rate, betas=(0.9, 0.98)
            ),
        ]

    def sheets(self) -> list[Sheet]:
        """New sheets for a step: most are composed, some are tiles of drawn questions that hold something."""
        family = FAMILIES[self.random.integers(len(FAMILIES))]
        tiles = [tile for tile in sheets_of(draw(family, self.random, "training")) if _told(tile)]
        some = [tiles[i] for i in self.random.permutation(len(tiles))[:DRAWN]]
        return some + [compose(self.fonts, self.random, self.level) for _ in range(BATCH - len(some))]

    def step(self, rate: float, taught: float = 1.0) -> dict[str, float]:
        """One step at a learning rate, ``taught`` times the teacher's lessons; its losses."""
        pictures, *labels = gather(self.sheets())
        pixels = normalise(pictures)
        if self.teacher is None:
            states, told = self.learner["tower"](pixels)[-1], None
        else:
            layers = self.learner["tower"](pixels, output_hidden_states=True).hidden_states
            states = layers[-1][:, 1:]
            stages = self.teacher["tower"](pixels)
            told = self.learner["lessons"](layers, stages)
        loss, parts = reading_loss(self.learner["heads"], states.flatten(0, 1), *labels)
        if told is not None:
            loss, parts = loss + taught * told, {**parts, "lesson": told.item()}
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            optimizer.step()
        self.right += 0.05 * (parts["right"] - self.right)
        if self.right > _ENOUGH[self.what]:
            self.level = min(1.0, self.level + _HARDER)
        return {**parts, "level": self.level}

    def smooth(self, keep: float) -> None:
        """Draw the running average towards the weights."""
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.learner.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
            for mean, now in zip(self.average.buffers(), self.learner.buffers(), strict=True):
                mean.copy_(now)

    def save(self, file: Path, seconds: float, steps: int) -> None:
        """Write everything a resumed training needs, whole or not at all."""
        partial = file.with_suffix(".partial")
        torch.save({"learner": self.learner.state_dict(), "average": self.average.state_dict(),
                    "optimizers": [o.state_dict() for o in self.optimizers], "seconds": seconds, "steps": steps,
                    "level": self.level},
                   partial)  # fmt: skip
        partial.replace(file)

    def load(self, file: Path) -> tuple[float, int]:
        """Read what `save` wrote; the seconds and steps so far."""
        state = torch.load(file, weights_only=True)
        self.learner.load_state_dict(state["learner"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.level, self.random = state["level"], np.random.default_rng([int(state["steps"]), 5])
        return state["seconds"], state["steps"]


def load_learner(file: Path, trainer: Trainer) -> nn.ModuleDict:
    """The running average of a finished training."""
    trainer.load(file)
    return trainer.average.eval()


def train(trainer: Trainer, held: Sequence[Font], file: Path, minutes: float) -> None:
    """Train by the clock, so that the rate has fallen when the time is over."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before, steps = 0.0, 0
    if file.exists():
        before, steps = trainer.load(file)
    started, saved, examined = time.time() - before, time.time(), time.time()
    sums: dict[str, list[float]] = defaultdict(list)
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        rate = _RATES[trainer.what] * min(1, (steps + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for name, value in trainer.step(rate, 1.0 if done < 0.7 else 0.3).items():
            sums[name].append(value)
        steps += 1
        if steps % 10 == 0:
            trainer.smooth(min(_AVERAGE**10, steps / (steps + 100)))
        now = time.time()
        if steps % 50 == 0:
            means = {name: round(float(np.mean(values)), 3) for name, values in sums.items()}
            print(steps, f"{now - started:.0f} s", means, flush=True)
            with file.with_suffix(".jsonl").open("a") as log:
                log.write(json.dumps({"step": steps, "seconds": round(now - started), **means}) + "\n")
            sums.clear()
        if now - examined > 300:
            examined = now
            trainer.average.eval()
            print("held-out fonts", examine(trainer.average, held, 96, steps), flush=True)
        if now - saved > 120:
            saved = now
            trainer.save(file, now - started, steps)
    trainer.save(file, time.time() - started, steps)
    print("held-out fonts", examine(trainer.average.eval(), held, 400, 0), flush=True)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--what", choices=["teacher", "tower"], required=True)
    parser.add_argument("--fonts", type=Path, nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=90)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training, held = find_fonts(arguments.fonts)
    taught_by = None
    if arguments.what == "tower":
        taught_by = load_learner(arguments.work / "teacher.pt", Trainer(training, arguments.seed))
    trainer = Trainer(training, arguments.seed, taught_by)
    train(trainer, held, arguments.work / f"{arguments.what}.pt", arguments.minutes)


if __name__ == "__main__":
    main()
