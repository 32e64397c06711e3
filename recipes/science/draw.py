"""Draws the questions that the language model learns from, and lets the finished tower see their pictures.

    python -m recipes.science.draw WORK --what pictures --count 6000

It adds to what is there already; a training that is running takes the new ones in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from recipes.science.pool import Pool
from recipes.science.see import FAMILIES
from recipes.science.vision import WIDTH, tower_of

_SEEDS = {"words": 11, "pictures": 12}


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--what", choices=list(_SEEDS), required=True)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--count", type=int, default=6000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pictures = arguments.what == "pictures"
    tower = tower_of(arguments.work / "tower.pt") if pictures else None
    pool = Pool(arguments.work / arguments.what, WIDTH if pictures else 0)
    for there in pool.grow(tower, arguments.families, arguments.count, _SEEDS[arguments.what], "training"):
        if there % 200 == 0:
            print(there, flush=True)


if __name__ == "__main__":
    main()
