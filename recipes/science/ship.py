"""Step six of the recipe: a trained bundle with its towers into one folder, and which families it is said to read.

    python -m recipes.science.ship TRAINED SCORES FOLDER

``SCORES`` is the report of `recipes.science.evaluate` in the held-out style. The card's table is printed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipes.science.evaluate import load
from studio.scienceqa.model import bundle
from studio.scienceqa.model.bundle import BundleInfo

_PLACES = ("data", "output_dir", "bundle")
"""Of a training's configuration: what lies elsewhere on every other computer."""


def ship(trained: Path, scores: Mapping[str, Any], folder: Path) -> BundleInfo:
    """Write a bundle that holds its towers; families that did not pass the gate are not said to be readable."""
    told = bundle.describe(trained)
    for which, place in bundle.TOWERS.items():
        shutil.copytree(told.tower(which), folder / place, dirs_exist_ok=True)
    readable = {family: round(each["right"]["value"], 3) for family, each in scores.items() if each["readable"]}
    towers = {which: str(place) for which, place in bundle.TOWERS.items()}
    here = {name: Path(str(told.training[name])).name for name in _PLACES if name in told.training}
    facts = {"families": readable, "training": {**told.training, **here}, "answering": "reasoning", "name": "embedded"}
    bundle.write(load(trained), folder, **facts, **towers)
    return bundle.describe(folder)


def table(scores: Mapping[str, Any]) -> str:
    """The card's table of scores, in percent with their intervals."""
    rows = ["| family | right | all read | blank picture | lead | guessing | ships |", "|---|---|---|---|---|---|---|"]
    for family, each in scores.items():
        shares = [f"{100 * each[name]['value']:.0f} ({_interval(each[name])})" for name in ("right", "read", "blank")]
        lead = f"{100 * each['lead']['value']:+.0f} ({_interval(each['lead'])})"
        ships = "yes" if each["readable"] else "no"
        rows.append(f"| {family} | {' | '.join(shares)} | {lead} | {100 * each['chance']:.0f} | {ships} |")
    return "\n".join(rows)


def _interval(share: Mapping[str, Any]) -> str:
    return f"{100 * share['low']:.0f} to {100 * share['high']:.0f}"


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    scores = json.loads(arguments.scores.read_text("utf-8"))
    print(ship(arguments.trained, scores, arguments.folder))
    print(table(scores))


if __name__ == "__main__":
    main()
