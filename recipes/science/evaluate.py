"""Step seven of the recipe: how often a bundle is right on drawn questions, family by family, with and without picture.

python -m recipes.science.evaluate BUNDLE --style held-out --count 200 --report scores.json
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from recipes.science.see import FAMILIES
from studio.scienceqa.answering.generation import Sampling, complete
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.record import Drawn, Style
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip

_CONCLUDES = re.compile(r"The answer is \(([A-J])\)")
_TOGETHER, _LONGEST = 16, 120


@dataclass(frozen=True)
class Score:
    """Counts of one family: questions, those answered rightly, those whose values are all read rightly, and those
    answered rightly about a white picture."""

    asked: int
    right: int
    read: int
    blank: int
    chance: float


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
    right = sum(choice == each.question.answer for (choice, _), each in zip(seen, drawn, strict=True))
    blank = sum(choice == each.question.answer for (choice, _), each in zip(unseen, drawn, strict=True))
    read = sum(_facts(text, each) for (_, text), each in zip(seen, drawn, strict=True))
    return Score(count, right, read, blank, float(np.mean([1 / len(each.question.choices) for each in drawn])))


def _facts(text: str, drawn: Drawn) -> bool:
    start = 0
    for fact in drawn.facts:
        at = drawn.question.solution.lower().find(fact.value.lower(), start)
        start = at + len(fact.value) if at >= 0 else start
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
        scores[family] = asdict(score(model, family, arguments.style, arguments.count, arguments.seed))
        print(family, scores[family], flush=True)
    if arguments.report:
        arguments.report.write_text(json.dumps(scores, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
