"""Measure the embedded CLIP judge as the embedded judge is measured, both forms of it.

    python -m recipes.clip.evaluate WORK studio/embedded/clip --bank test --report scores.json

The bank `validation` chooses between designs; `test` is looked at once, at the end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor

from recipes.clip.model import Encoder, unit
from recipes.judge.evaluate import evaluate
from studio.gemma.clip import load_clip
from studio.grading.clipjudge import NEUTRAL, ClipJudge
from studio.grading.config import ClipForm
from studio.models import ModelSpec


class Shipped:
    """A checkpoint from disk in one form, asked as `recipes.judge.evaluate` asks."""

    def __init__(self, folder: Path, form: ClipForm) -> None:
        bundle = load_clip(ModelSpec("clip", str(folder.resolve())), torch.device("cpu"))
        self.judge = ClipJudge(bundle, form)
        self.packer = Encoder(bundle.processor.tokenizer)
        self._neutral = self.judge.read([NEUTRAL])[0]

    def margin(self, before: Tensor, after: Tensor, ids: Tensor, last: Tensor) -> Tensor:
        """Margins (B, K): pictures (B, 3, side, side), each asked its own row of ids (B, K, LENGTH)."""
        prompts = unit(self.judge.bundle.model.get_text_features(input_ids=ids.flatten(0, 1)).pooler_output)
        one, two = self.judge.look(before, exact=False), self.judge.look(after, exact=False)
        every = self.judge.margins(one, two, self._neutral, prompts).view(len(one), *ids.shape[:2])
        return every.diagonal().T

    def ask(self, before: Tensor, after: Tensor, prompts: Sequence[str]) -> Tensor:
        """P(Yes) of every pair for every prompt, (B, prompts)."""
        return self.judge.open(before, prompts).margin(after, range(len(after))).sigmoid()


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
    forms = get_args(ClipForm)
    report = {
        form: evaluate(Shipped(arguments.folder, form), arguments.work, arguments.bank, arguments.pairs)
        for form in forms
    }
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.report:
        arguments.report.write_text(text + "\n")


if __name__ == "__main__":
    main()
