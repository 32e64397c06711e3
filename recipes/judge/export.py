"""Step three of the recipe: bake a trained judge into the Hub's layout.

    python -m recipes.judge.export WORK first studio/embedded/judge

The running average of the weights is taken, the words that are mixtures become plain rows of the table, the
auxiliary heads are left behind, and the rest is rounded to bfloat16.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from recipes.judge.model import save
from recipes.judge.train import Judge

_UNTRAINED = ("network.model.language_model.embed_tokens.weight", "network.lm_head.weight")


def export(work: Path, name: str, folder: Path) -> None:
    """Write the checkpoint of training ``name`` to ``folder``."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(work / "tokenizer")
    judge = Judge(tokenizer, dict(np.load(work / "mixtures.npz")), seed=0)
    weights = torch.load(work / f"{name}.pt", weights_only=True)["average"]
    # The network's own table is not trained, only the words' (so a wider vocabulary can be exported later).
    judge.load_state_dict({key: value for key, value in weights.items() if key not in _UNTRAINED}, strict=False)
    with torch.no_grad():
        judge.network.get_input_embeddings().weight.copy_(judge.table(whole=True))
    save(judge.network.eval(), tokenizer, folder)


def main() -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    export(arguments.work, arguments.name, arguments.folder)


if __name__ == "__main__":
    main()
