"""Step three of the recipe: measure a checkpoint by category: the training's style, the held-out one, and the demo's.

    python -m recipes.vqa.evaluate studio/embedded/vqa --report scores.json --sheet contact-sheet.jpg

Beside each figure stands what always giving the category's commonest answer would reach, and the answers without the
picture: with one that is plain grey.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from transformers import Gemma3ForConditionalGeneration, PreTrainedTokenizerFast

from recipes.vqa.packing import Packer, answered, run_packed, to_pixels
from recipes.vqa.train import MOST
from studio.embeddings.scenes import demo
from studio.embeddings.scenes.questions import CATEGORIES, Question, ask_many
from studio.embeddings.scenes.scenes import HELD_OUT, SIDE, TRAINING, Scene, Style, compose, draw

_BATCH, _QUESTIONS = 16, 6
_GREY = Image.new("RGB", (SIDE, SIDE), (150, 150, 150))


@dataclass(frozen=True)
class Score:
    """Right answers as shares of the questions of one category."""

    questions: int
    right: float
    blind: float
    commonest: float


class Shipped:
    """A checkpoint from disk, asked several questions about a picture at a time."""

    def __init__(self, folder: Path) -> None:
        self.network = Gemma3ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
        self.network.requires_grad_(False)
        self.packer = Packer(PreTrainedTokenizerFast.from_pretrained(folder))

    def right(self, pictures: Sequence[Image.Image], asked: Sequence[Sequence[Question]]) -> list[list[bool]]:
        """Whether greedy decoding writes exactly the right answer, for every question on every picture."""
        packed = self.packer.pack(asked)
        good = answered(run_packed(self.network, self.packer, to_pixels(pictures), packed)[2], packed)
        return [row[: len(questions)] for row, questions in zip(good.tolist(), asked, strict=True)]

    def answer(self, picture: Image.Image, question: str, longest: int = 12) -> str:
        """What greedy decoding writes."""
        said = ""
        for _ in range(longest):
            packed = self.packer.pack([[Question(question, said, "", "", ())]])
            logits = run_packed(self.network, self.packer, to_pixels([picture]), packed)[2]
            token = int(logits[0, -1].argmax())
            if token == self.packer.end:
                break
            said = self.packer.tokenizer.decode([*self.packer.encode(said), token])
        return said


def score(judged: Shipped, style: Style, things: tuple[int, int], scenes: int, seed: int) -> dict[str, Score]:
    """Scores by category and over all, on new scenes of a style with so many things, the fewest and the most."""
    random = np.random.default_rng([seed, len(style.name)])
    asked: list[Question] = []
    right: list[bool] = []
    blind: list[bool] = []
    for _ in range(0, scenes, _BATCH):
        batch = [compose(random, style, *things) for _ in range(_BATCH)]
        questions = [ask_many(scene, _QUESTIONS, random) for scene in batch]
        right += chain(*judged.right([draw(scene) for scene in batch], questions))
        blind += chain(*judged.right([_GREY] * _BATCH, questions))
        asked += chain(*questions)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, question in enumerate(asked):
        groups[question.category].append(index)
        groups["all"].append(index)
    commonest = {
        name: Counter(asked[i].answer for i in groups[name]).most_common(1)[0][1] for name in CATEGORIES if groups[name]
    }
    commonest["all"] = sum(commonest.values())
    return {
        name: Score(len(rows), *(float(np.mean([marks[i] for i in rows])) for marks in (right, blind)),
                    commonest[name] / len(rows))
        for name, rows in groups.items()
    }  # fmt: skip


def by_things(judged: Shipped, style: Style, scenes: int, seed: int) -> dict[int, float]:
    """Share of right answers by how many things a scene holds."""
    random = np.random.default_rng([seed, 3])
    marks: dict[int, list[bool]] = defaultdict(list)
    for _ in range(0, scenes, _BATCH):
        batch = [compose(random, style, 1, demo.MOST) for _ in range(_BATCH)]
        questions = [ask_many(scene, _QUESTIONS, random) for scene in batch]
        for scene, row in zip(batch, judged.right([draw(s) for s in batch], questions), strict=True):
            marks[len(scene.things)] += row
    return {things: float(np.mean(marks[things])) for things in sorted(marks)}


def contact_sheet(judged: Shipped, seed: int, columns: int = 6, lines: int = 4) -> Image.Image:
    """Scenes of both styles, the held-out one below, with questions, answers and, where wrong, the right ones."""
    random, width, height = np.random.default_rng(seed), SIDE + 16, SIDE + 124
    sheet = Image.new("RGB", (columns * width, 2 * (lines // 2) * height), (250, 250, 248))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index in range(columns * lines):
        style = (TRAINING, HELD_OUT)[index >= columns * lines // 2]
        scene: Scene = compose(random, style, 2, MOST)
        picture, left, top = draw(scene), index % columns * width + 8, index // columns * height + 8
        sheet.paste(picture, (left, top))
        for row, question in enumerate(ask_many(scene, 2, random)):
            said = judged.answer(picture, question.text)
            good = said.lower() == question.answer.lower()
            line = top + SIDE + 4 + row * 56
            asked = textwrap.wrap(question.text, 36)
            pen.text((left, line), "\n".join(asked), (40, 40, 40), font)
            shown = said if good else f"{said}  (right: {question.answer})"
            place = (left + 6, line + 15 * len(asked) + 1)
            pen.text(place, shown, (20, 120, 60) if good else (190, 40, 30), font)
    return sheet


def main() -> None:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=640)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    judged = Shipped(arguments.folder)
    kinds = {
        "training style": (TRAINING, (1, MOST)),
        "held-out style": (HELD_OUT, (1, MOST)),
        "demo": (HELD_OUT, (demo.FEWEST, demo.MOST)),
    }
    report: dict[str, object] = {}
    for kind, (style, things) in kinds.items():
        scores = score(judged, style, things, arguments.scenes, arguments.seed)
        report[kind] = {name: asdict(each) for name, each in scores.items()}
    report["held-out style by things"] = by_things(judged, HELD_OUT, arguments.scenes, arguments.seed)
    text = json.dumps(report, indent=1)
    print(text)
    if arguments.report:
        arguments.report.write_text(text + "\n")
    if arguments.sheet:
        contact_sheet(judged, arguments.seed).save(arguments.sheet, quality=85)


if __name__ == "__main__":
    main()
