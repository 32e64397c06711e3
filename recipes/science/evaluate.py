"""Step seven of the recipe: how often a bundle is right on drawn questions, family by family, with and without picture.

python -m recipes.science.evaluate BUNDLE --style held-out --count 200 --report scores.json
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from recipes.science.asked import place_of
from recipes.science.see import FAMILIES
from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.record import Drawn, Style
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.scoring.intervals import Difference, Share

_CONCLUDES = re.compile(r"The answer is \(([A-J])\)")
_TOGETHER, _LONGEST = 16, 120
_ENOUGH = 0.8


@dataclass(frozen=True)
class Score:
    """What was measured of one family.

    Attributes:
        right: Questions answered rightly.
        read: Questions of which everything was read rightly.
        blank: Questions answered rightly about a white picture.
        lead: Of the true picture over the white one.
        chance: Share that guessing gets.
    """

    right: Share
    read: Share
    blank: Share
    lead: Difference
    chance: float

    @property
    def readable(self) -> bool:
        """Whether the family may be called one that the model can read."""
        return self.right.value >= _ENOUGH and self.lead.interval[0] > 0

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        shares = {name: getattr(self, name).to_json() for name in ("right", "read", "blank", "lead")}
        return {**shares, "chance": self.chance, "readable": self.readable}


def answers(model: GemmaClip, drawn: Sequence[Drawn], *, blank: bool = False) -> list[tuple[int, str]]:
    """What a model answers, reasoning first: the choice, and what it wrote; -1 where no choice was named."""
    found = []
    for start in range(0, len(drawn), _TOGETHER):
        some = drawn[start : start + _TOGETHER]
        cuts = [model.cut(Image.new("RGB", each.picture.size, "white") if blank else each.picture) for each in some]
        features = [model.features(cut.tiles) for cut in cuts]
        asked = [prompts.ask(model.tokenizer, d.question, c.grid) for d, c in zip(some, cuts, strict=True)]
        for said in complete(model, asked, features, Sampling(longest=_LONGEST)):
            letters = _CONCLUDES.findall(said.text)
            found.append(("ABCDEFGHIJ".index(letters[-1]) if letters else -1, said.text))
    return found


def score(model: GemmaClip, family: str, style: Style, count: int, seed: int) -> Score:
    """Measure one family."""
    drawn = [draw(family, np.random.default_rng([seed, index]), style) for index in range(count)]
    seen, unseen = answers(model, drawn), answers(model, drawn, blank=True)
    truth = [each.question.answer for each in drawn]
    right = [choice == wanted for (choice, _), wanted in zip(seen, truth, strict=True)]
    blank = [choice == wanted for (choice, _), wanted in zip(unseen, truth, strict=True)]
    read = [_facts(text, each) for (_, text), each in zip(seen, drawn, strict=True)]
    chance = float(np.mean([1 / len(each.question.choices) for each in drawn]))
    return Score(
        Share.of(right), Share.of(read), Share.of(blank), Difference.of(zip(right, blank, strict=True)), chance
    )


def _facts(text: str, drawn: Drawn) -> bool:
    start = 0
    for fact in drawn.facts:
        found = place_of(fact.value, drawn.question.solution, start)
        start = found[1] if found else start
    return text[:start] == drawn.question.solution[:start]


def load(bundle: Path) -> GemmaClip:
    """Load a bundle as the studio does."""
    from studio.scienceqa.model.loading import load as load_model
    from studio.scienceqa.model.source import Source

    return load_model(Source(bundle=str(bundle)).spec(dtype="float32"), torch.device("cpu"))


def main() -> None:
    """Command line of the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--style", choices=["training", "held-out"], default="held-out")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--report", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, scores = load(arguments.bundle), {}
    for family in arguments.families:
        scores[family] = score(model, family, arguments.style, arguments.count, arguments.seed).to_json()
        print(family, scores[family], flush=True)
    if arguments.report:
        arguments.report.write_text(json.dumps(scores, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
