"""Step two of the recipe: the running average of the weights, without the auxiliary heads, into the Hub's layout.

python -m recipes.vqa.export WORK studio/embedded/vqa
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from recipes.vqa.model import build_tokenizer, save
from recipes.vqa.train import Learner
from recipes.vqa.words import words


def export(work: Path, folder: Path) -> None:
    """Write the checkpoint of a training to ``folder``, rounded to bfloat16."""
    tokenizer = build_tokenizer(words())
    learner = Learner(tokenizer, seed=0)
    learner.load_state_dict(torch.load(work / "vqa.pt", weights_only=True)["average"])
    save(learner.network.eval(), tokenizer, folder)


def main() -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    export(arguments.work, arguments.folder)


if __name__ == "__main__":
    main()
