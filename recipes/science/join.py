"""Step three of the recipe: the projector learns to put what four patches hold into one soft token.

    python -m recipes.science.join WORK --fonts FOLDER --minutes 6

The tower stays as it is; a head that reads the soft tokens is dropped afterwards.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPVisionModel

from recipes.science.drawings import sheets_of
from recipes.science.glyphs import Font, find_fonts
from recipes.science.muon import Muon
from recipes.science.see import FAMILIES, arrange, gather, groups
from recipes.science.sheets import CELLS, Sheet, compose
from recipes.science.speak import Speaker
from recipes.science.vision import WIDTH, Heads, look, reading_loss, tower_of
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.model.projector import Projector

RATE = 3e-3
_TOGETHER, _INNER = 32, 96


class SoftHeads(nn.Module):
    """Reads the four patches of a soft token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.unfold = nn.Linear(width, 4 * _INNER)
        self.heads = Heads(_INNER)

    def patches(self, soft: Tensor) -> Tensor:
        """Soft tokens (n, tokens, width) to what they say of each patch in order, (n * patches, inner)."""
        edge = math.isqrt(soft.shape[1])
        four = self.unfold(soft).unflatten(-1, (2, 2, _INNER)).unflatten(1, (edge, edge))
        return four.transpose(2, 3).reshape(-1, _INNER)


class Kept:
    """What the tower says of many sheets, with their labels."""

    def __init__(self) -> None:
        self.features: list[Tensor] = []
        self.labels: list[tuple[Tensor, ...]] = []
        self.heights: list[Tensor] = []

    @torch.no_grad()
    def add(self, tower: CLIPVisionModel, sheets: Sequence[Sheet]) -> None:
        """See some more sheets."""
        pictures, *labels = gather(sheets)
        found = look(tower, pictures).half()
        for index, sheet in enumerate(sheets):
            part = slice(index * CELLS**2, (index + 1) * CELLS**2)
            self.features.append(found[index])
            self.labels.append(tuple(label[part] for label in labels))
            self.heights.append(torch.from_numpy(sheet.heights).flatten(0, 1))


def collect(tower: CLIPVisionModel, fonts: Sequence[Font], count: int, seed: int, style: str = "training") -> Kept:
    """Half composed sheets, half tiles of drawn questions."""
    random, kept = np.random.default_rng([seed, 3]), Kept()
    while len(kept.features) < count:
        family = FAMILIES[random.integers(len(FAMILIES))]
        sheets = sheets_of(draw(family, random, style))  # type: ignore[arg-type]
        kept.add(tower, [*sheets, *(compose(fonts, random) for _ in sheets)])
    return kept


@torch.no_grad()
def examine(projector: Projector, heads: SoftHeads, kept: Kept) -> dict[str, str]:
    """Shares of half patches read right off soft tokens, by kind of character."""
    marks: dict[str, list[bool]] = {}
    for feature, labels in zip(kept.features, kept.labels, strict=True):
        read = heads.heads(heads.patches(projector(feature[None].float())))[0].argmax(-1)
        truth = labels[0].numpy()
        for name, members in groups(truth).items():
            marks.setdefault(name, []).extend((read.numpy() == truth)[members].tolist())
    return {name: f"{100 * np.mean(m):.1f} ({len(m)})" for name, m in marks.items() if m}


def train(projector: Projector, kept: Kept, minutes: float, seed: int) -> SoftHeads:
    """Train the projector with a head of its own."""
    torch.manual_seed(seed)
    random, heads = np.random.default_rng(seed), SoftHeads(projector.out.out_features)
    parts = nn.ModuleDict({"projector": projector, "heads": heads})
    parts.requires_grad_(True)
    matrices = [p for p in parts.parameters() if p.ndim == 2]
    rest = [p for p in parts.parameters() if p.ndim != 2]
    optimizers = [Muon(matrices, lr=RATE), torch.optim.AdamW(rest, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)]
    started, steps, rights = time.time(), 0, []
    while (done := (time.time() - started) / (60 * minutes)) < 1:
        chosen = random.integers(len(kept.features), size=_TOGETHER)
        soft = projector(torch.stack([kept.features[i] for i in chosen]).float())
        labels = [torch.cat(each) for each in zip(*(kept.labels[i] for i in chosen), strict=True)]
        loss, parts_ = reading_loss(heads.heads, heads.patches(soft), *labels)
        rate = RATE * min(1, (steps + 1) / 40) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer, share in zip(optimizers, (3.0, 1.0), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()
        steps += 1
        rights.append(parts_["right"])
        if steps % 100 == 0:
            print(steps, f"{time.time() - started:.0f} s", round(float(np.mean(rights[-100:])), 3), flush=True)
    return heads


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--fonts", type=Path, nargs="+", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheets", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training, held = find_fonts(arguments.fonts)
    tower = tower_of(arguments.work / "tower.pt")
    speaker = Speaker(arguments.work, WIDTH, arguments.seed)
    speaker.load("words", begin=True)
    kept = collect(tower, arrange(training), arguments.sheets, arguments.seed)
    heads = train(speaker.projector, kept, arguments.minutes, arguments.seed)
    speaker.save("projector")
    for style, fonts in (("training", training), ("held-out", held)):
        new = collect(tower, fonts, 300, arguments.seed + 1, style)
        print(style, examine(speaker.projector, heads, new), flush=True)


if __name__ == "__main__":
    main()
