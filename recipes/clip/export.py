"""Bake the trained judge into the Hub's layout, and calibrate it.

    python -m recipes.clip.export WORK studio/embedded/clip

The running average of the weights is taken, words that are mixtures become plain rows of the table, the auxiliary heads
are left behind, and the rest is rounded to bfloat16. Then the slope and offset of each form are fitted to the teacher's
answers on the validation photographs; they stand in config.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from recipes.clip.evaluate import Shipped
from recipes.clip.model import build_model, save
from recipes.clip.train import POOL, Trainer
from recipes.judge.evaluate import interrogate
from recipes.judge.prompts import Writer
from studio.grading.config import ClipForm

_TABLE = "text_model.embeddings.token_embedding.weight"


def export(work: Path, folder: Path, seed: int, pool: int = POOL) -> None:
    """Write the checkpoint of the training in ``work`` to ``folder``, with the affine maps of the training.

    Which tokens were taught follows from the seed and the pool, which must be those of the training.
    """
    trainer = Trainer(work, seed, pool)
    trainer.judge.load_state_dict(torch.load(work / "clip.pt", weights_only=True)["average"])
    judge, tokenizer = trainer.judge, trainer.encoder.tokenizer
    model = build_model(len(tokenizer), tokenizer.bos_token_id, tokenizer.eos_token_id, seed)
    weights = judge.network.state_dict() | {_TABLE: judge.table.whole()}
    model.load_state_dict(weights)
    slopes = (judge.affine * 10).tolist()
    model.config.judge_calibration = dict(zip(get_args(ClipForm), slopes, strict=True), floor=judge.floor.exp().item())
    with torch.no_grad():
        model.logit_scale.copy_(judge.affine[1, 0].mul(10).log())
    save(model.eval(), tokenizer, folder)


def fit(given: NDArray[np.float32], taught: NDArray[np.float32]) -> tuple[float, float]:
    """The slope and offset that turn margins into the likeliest ones, answers being drawn from the taught logits."""
    margins, target = torch.from_numpy(given), torch.from_numpy(taught).sigmoid()
    affine = torch.tensor([1.0, 0.0], requires_grad=True)
    optimizer = torch.optim.LBFGS([affine], max_iter=100)

    def loss() -> Any:
        optimizer.zero_grad()
        value = functional.binary_cross_entropy_with_logits(affine[0] * margins + affine[1], target)
        value.backward()
        return value

    optimizer.step(loss)
    slope, offset = affine.tolist()
    return slope, offset


def calibrate(work: Path, folder: Path, pairs: int) -> None:
    """Fit both forms on the validation photographs and write what was found into config.json."""
    bank = torch.from_numpy(np.load(work / "validation.npy")).permute(0, 3, 1, 2)
    writer = Writer(21, ["tax"])
    prompts = [writer.write(0.0) for _ in range(3000)]
    config = json.loads((folder / "config.json").read_text())
    found = config["judge_calibration"]
    for form in get_args(ClipForm):
        taught, given = interrogate(Shipped(folder, form), bank, prompts, pairs, seed=21)
        slope, offset = fit(given, taught)
        found[form] = [round(slope * found[form][0], 4), round(slope * found[form][1] + offset, 4)]
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=800)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    export(arguments.work, arguments.folder, arguments.seed)
    calibrate(arguments.work, arguments.folder, arguments.pairs)


if __name__ == "__main__":
    main()
