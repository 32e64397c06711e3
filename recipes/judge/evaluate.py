"""Step four of the recipe: measure a checkpoint on photographs that no training saw.

    python -m recipes.judge.evaluate WORK studio/embedded/judge --bank test --report scores.json

The bank `validation` chooses between designs; `test` is looked at once, at the end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from torch import Tensor
from transformers import Gemma3ForConditionalGeneration, PreTrainedTokenizerFast

from recipes.judge.packing import Packer, run_packed
from recipes.judge.pairs import grade_somehow, label
from recipes.judge.phrases import NONSENSE, TEST_WORDS, VALIDATION_WORDS
from recipes.judge.prompts import Prompt, Writer
from recipes.judge.train import Encoder, Reading
from studio.grading.looktable import LOOKS
from studio.grading.looktransform import apply

_BATCH, _PROMPTS = 16, 8


class Asked(Protocol):
    """A judge that can be measured."""

    @property
    def packer(self) -> Encoder:
        """What turns prompts into its tokens."""

    def margin(self, before: Tensor, after: Tensor, ids: Tensor, last: Tensor) -> Tensor:
        """logit(Yes) - logit(No): pictures (B, 3, 56, 56), ids (B, K, length), last (B, K) -> (B, K)."""

    def ask(self, before: Tensor, after: Tensor, prompts: Sequence[str]) -> Tensor:
        """P(Yes) of every pair for every prompt, (B, prompts)."""


class Shipped:
    """A checkpoint from disk, asked many prompts at a time."""

    def __init__(self, folder: Path) -> None:
        self.network = Gemma3ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.network.requires_grad_(False)
        self.packer = Packer(PreTrainedTokenizerFast.from_pretrained(folder))
        self.table = self.network.get_input_embeddings().weight

    def margin(self, before: Tensor, after: Tensor, ids: Tensor, last: Tensor) -> Tensor:
        """logit(Yes) - logit(No): pictures (B, 3, 56, 56), ids (B, K, SLOT), last (B, K) -> (B, K)."""
        where = self.packer.answers(ids, last)
        _, final = run_packed(self.network, self.packer, self.table, before, after, ids, where)
        return final @ (self.table[self.packer.yes] - self.table[self.packer.no])

    def ask(self, before: Tensor, after: Tensor, prompts: Sequence[str]) -> Tensor:
        """P(Yes) of every pair for every prompt, (B, prompts)."""
        ids, last, _ = self.packer.encode(prompts)
        chunks = []
        for start in range(0, len(prompts), _PROMPTS):
            part, end = ids[start : start + _PROMPTS], last[start : start + _PROMPTS]
            shape = (len(before), *part.shape)
            chunks.append(self.margin(before, after, part.expand(shape), end.expand(shape[:2])))
        return torch.sigmoid(torch.cat(chunks, 1))


def area_under_curve(score: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Chance that a true case scores above a false one (Mann-Whitney)."""
    ranks, positive = rankdata(score), int(truth.sum())
    negative = len(truth) - positive
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / max(positive * negative, 1))


@torch.no_grad()
def interrogate(
    judge: Asked, bank: Tensor, prompts: list[Prompt], pairs: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits of the teacher and of the judge: each pair asked its own prompt and seven others, near and far."""
    torch.manual_seed(seed)
    reading = Reading.of(prompts, judge.packer, seed)
    near, size = reading.neighbours(30), len(reading.ids)
    taught, given = [], []
    for _ in range(pairs // _BATCH):
        before = bank[torch.randint(len(bank), (_BATCH,))].float() / 255
        wanted = torch.randint(size, (_BATCH,))
        after = grade_somehow(before, reading.grades[wanted], reading.grades)
        asked = torch.randint(size, (_BATCH, _PROMPTS))
        asked[:, 0] = wanted
        for column in (1, 2, 3):
            asked[:, column] = near[wanted, torch.randint(near.shape[1], (_BATCH,))]
        truth = label(before, after, reading.grades[asked], reading.known[asked]).logit
        taught.append(truth.flatten())
        given.append(judge.margin(before, after, reading.ids[asked], reading.last[asked]).flatten())
    return torch.cat(taught).numpy(), torch.cat(given).numpy()


def discrimination(judge: Asked, bank: Tensor, prompts: list[Prompt], pairs: int, seed: int) -> dict[str, float]:
    """AUC, correlation and error against the teacher, as `interrogate` asks."""
    truth, score = interrogate(judge, bank, prompts, pairs, seed)
    return {
        "auc": area_under_curve(score, truth > 0),
        "correlation": float(np.corrcoef(truth, score)[0, 1]),
        "error": float(np.abs(truth - score).mean()),
        "yes": float((truth > 0).mean()),
        "pairs": len(truth) / _PROMPTS,
    }


def synonyms(words: dict[str, str], frame: bool) -> list[Prompt]:
    """Prompts of held-out words, bare or in the training's frames."""
    named = {look.name: (index, look) for index, look in enumerate(LOOKS)}
    writer = Writer(5, ["tax"])
    prompts = []
    for name, line in words.items():
        index, look = named[name]
        for word in (word.strip() for word in line.split(",")):
            texts = [word, *(writer.frame(word) for _ in range(4))] if frame else [word]
            prompts += [Prompt(text, look.parameters, True, index) for text in texts]
    return prompts


@torch.no_grad()
def strength(judge: Asked, photographs: Tensor) -> dict[str, object]:
    """How P follows the strength of each look, 0 to 1, photograph by photograph (Spearman)."""
    blends = torch.linspace(0, 1, 9)
    per_look: dict[str, float] = {}
    ends = {"identity": [], "half": [], "full": [], "opposite": [], "swapped": []}  # type: ignore[var-annotated]
    for look in LOOKS:
        graded = apply(look.parameters, photographs)
        steps = [judge.ask(photographs, photographs + (graded - photographs) * x, [look.name])[:, 0] for x in blends]
        table = torch.stack(steps)
        each = [float(spearmanr(blends.numpy(), table[:, i].numpy()).statistic) for i in range(table.shape[1])]
        per_look[look.name] = float(np.mean(each))
        for name, row in (("identity", 0), ("half", 4), ("full", 8)):
            ends[name].append(float(table[row].mean()))
        opposite = apply(-look.parameters, photographs)
        ends["opposite"].append(float(judge.ask(photographs, opposite, [look.name]).mean()))
        ends["swapped"].append(float(judge.ask(graded, photographs, [look.name]).mean()))
    full = dict(zip((look.name for look in LOOKS), ends["full"], strict=True))
    return {
        "spearman": float(np.mean(list(per_look.values()))),
        "lowest": sorted(per_look.items(), key=lambda item: item[1])[:8],
        **{name: float(np.mean(values)) for name, values in ends.items()},
        "identity highest": max(ends["identity"]),
        "weakest at full strength": sorted(full.items(), key=lambda item: item[1])[:8],
    }


@torch.no_grad()
def nonsense(judge: Asked, photographs: Tensor) -> dict[str, float]:
    """P for prompts that ask for nothing, over pictures graded in every way."""
    torch.manual_seed(4)
    seen = []
    for _ in range(8):
        chosen = torch.stack([LOOKS[i].parameters for i in torch.randint(len(LOOKS), (len(photographs),))])
        seen.append(judge.ask(photographs, grade_somehow(photographs, chosen, chosen), list(NONSENSE)))
    table = torch.cat(seen)
    return {"mean": float(table.mean()), "highest prompt": float(table.mean(0).max())}


def evaluate(judge: Asked, work: Path, bank_name: str, pairs: int) -> dict[str, object]:
    """All measurements of one judge on one bank."""
    bank = torch.from_numpy(np.load(work / f"{bank_name}.npy")).permute(0, 3, 1, 2)
    words = TEST_WORDS if bank_name == "test" else VALIDATION_WORDS
    writer = Writer(11, ["tax"])
    known = [writer.write(0.0) for _ in range(3000)]
    writer = Writer(12, ["tax"], held=True)
    phrased = [writer.write(0.0) for _ in range(3000)]
    photographs = bank[:16].float() / 255
    return {
        "bank": bank_name,
        "known prompts": discrimination(judge, bank, known, pairs, 1),
        "new phrasings": discrimination(judge, bank, phrased, pairs, 2),
        "unknown synonyms": discrimination(judge, bank, synonyms(words, frame=True), pairs, 3),
        "unknown synonyms, bare": discrimination(judge, bank, synonyms(words, frame=False), pairs, 4),
        "strength": strength(judge, photographs),
        "nonsense": nonsense(judge, photographs),
    }


def main() -> None:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bank", choices=("validation", "test"), default="validation")
    parser.add_argument("--pairs", type=int, default=1600)
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    report = evaluate(Shipped(arguments.folder), arguments.work, arguments.bank, arguments.pairs)
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.report:
        arguments.report.write_text(text + "\n")


if __name__ == "__main__":
    main()
