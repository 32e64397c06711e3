"""Step five of the recipe, the true test: train a LUT for every look on photographs the judge never saw.

    python -m recipes.judge.luts WORK --backgrounds FOLDER --report luts.json --sheet contact-sheet.jpg

Uses the studio's own training. Each LUT is measured in CIELAB against what the words say (`measures.py`) and shown on
a contact sheet, which a person should look at. For looks that lift blacks by their nature the weight that keeps
blacks is off; everything else is the studio's default.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recipes.judge import pictures
from recipes.judge.measures import MEASURES, measure
from recipes.judge.phrases import NONSENSE
from studio.cache import Cache
from studio.context import Context
from studio.grading import lutfiles
from studio.grading.apply import grade
from studio.grading.config import OptimizeConfig
from studio.grading.looks import LOOKS, PARAMETERS, match
from studio.grading.training import run
from studio.models import ModelManager
from studio.settings import Settings
from studio.tasks import LOADERS, load_model

_SIDE = 160
_CELL = 84
_SHOWN = range(6)  # of the test photographs, on the sheet: those that may be shown without the GPL


Trained = tuple[str, NDArray[np.float32], NDArray[np.float32], dict[str, float], float]
"""A prompt, the photographs before and after its LUT, the final scores, and seconds."""


class Bench:
    """The studio around the photographs: trains one LUT at a time."""

    def __init__(self, work: Path, names: tuple[str, ...], backgrounds: Path, judge: str, steps: int) -> None:
        self.work, self.judge, self.steps = work, judge, steps
        self.folder = work / "photographs"
        self.folder.mkdir(parents=True, exist_ok=True)
        squares = []
        for index, name in enumerate(names):
            picture = pictures.load(name, backgrounds)
            picture.save(self.folder / f"{index:02d}.jpg", quality=95)
            squares.append(pictures.square(picture, _SIDE))
        self.before = np.stack(squares)
        settings = dataclasses.replace(Settings(), home=work / "home")
        models = ModelManager(dict.fromkeys(LOADERS, load_model), device="cpu", budget=2**31)
        self._surroundings = (models, Cache(settings.folder("cache")), settings)

    def train(self, prompt: str, seed: int = 0) -> tuple[NDArray[np.float32], dict[str, float], float]:
        """Train a LUT: the graded squares, the final scores, and the seconds it took."""
        job = self.work / "jobs" / prompt.replace(" ", "-")
        job.mkdir(parents=True, exist_ok=True)
        for old in job.iterdir():
            old.unlink()
        known = match(prompt)
        lifts = known is not None and float(known.parameters[PARAMETERS.index("black")]) > 0
        config = OptimizeConfig(
            prompt=prompt, image_folder=self.folder, model_type=self.judge, steps=self.steps, seed=seed, lut_size=17,
            black_preservation=0.0 if lifts else 1.0,
        )  # fmt: skip
        started, last = time.time(), None
        for event in run(config, Context(job, *self._surroundings)):
            last = event
        assert last is not None
        table = lutfiles.read(job / last.artifacts["lut"]).table()
        graded = [grade((picture * 255 + 0.5).astype(np.uint8), table) for picture in self.before]
        return np.stack(graded).astype(np.float32) / 255, dict(last.metrics), time.time() - started


def sheet(rows: list[tuple[str, NDArray[np.float32]]], path: Path) -> None:
    """Two columns of rows of photographs with the words and scores beside them, on neutral grey."""
    label, shown = 108, [i for i in _SHOWN if i < len(rows[0][1])]
    half = (len(rows) + 1) // 2
    width = label + len(shown) * _CELL
    image = Image.new("RGB", (2 * width + 8, half * _CELL), (110, 110, 110))
    draw = ImageDraw.Draw(image)
    for index, (text, graded) in enumerate(rows):
        left, top = (index // half) * (width + 8), (index % half) * _CELL
        draw.multiline_text((left + 4, top + 8), text, fill=(255, 255, 255))
        for column, number in enumerate(shown):
            cell = Image.fromarray((graded[number] * 255 + 0.5).astype(np.uint8)).resize((_CELL - 2, _CELL - 2))
            image.paste(cell, (left + label + column * _CELL, top + 1))
    image.save(path, quality=85)


_bench: Bench | None = None


def _start(*arguments: Any) -> None:
    global _bench  # one studio in each process
    torch.set_num_threads(1)
    work, *rest = arguments
    _bench = Bench(work / f"process-{os.getpid()}", *rest)


def _train(prompt: str) -> Trained:
    assert _bench is not None
    return prompt, _bench.before, *_bench.train(prompt)


def _entry(trained: Trained) -> dict[str, object]:
    """The report on one LUT."""
    prompt, before, graded, scores, seconds = trained
    change = measure(before, graded)
    kept = {name: round(scores[name], 3) for name in ("held_out", "second_opinion", "analytic") if name in scores}
    numbers = {name: round(value, 2) for name, value in dataclasses.asdict(change).items()}
    passed = MEASURES[prompt](change) if prompt in MEASURES else None
    return {"passed": passed, **kept, "seconds": round(seconds, 1), **numbers}


def _label(prompt: str, entry: dict[str, object]) -> str:
    words = prompt.replace(" ", "\n", 1) if len(prompt) > 14 else prompt
    second = f" B {entry['second_opinion']:.2f}" if "second_opinion" in entry else ""
    return f"{words}\nA {entry.get('held_out', 0.0):.2f}{second}"


def main() -> None:
    """Command line of the LUT test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--judge", default="embedded")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--photographs", choices=("validation", "test"), default="test")
    parser.add_argument("--looks", help="only these, separated by commas")
    parser.add_argument("--nonsense", type=int, default=6, help="how many prompts of no meaning")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    names = pictures.TEST if arguments.photographs == "test" else pictures.VALIDATION
    wanted = arguments.looks.split(",") if arguments.looks else [look.name for look in LOOKS]
    start = (arguments.work, names, arguments.backgrounds, arguments.judge, arguments.steps)
    rows: list[tuple[str, NDArray[np.float32]]] = []
    report: dict[str, dict[str, object]] = {}
    with get_context("spawn").Pool(arguments.processes, _start, start) as pool:
        for trained in pool.imap(_train, [*wanted, *NONSENSE[: arguments.nonsense]]):
            prompt, before, graded, *_ = trained
            report[prompt] = _entry(trained)
            rows = rows or [("before", before)]
            rows.append((_label(prompt, report[prompt]), graded))
            print(prompt, json.dumps(report[prompt]), flush=True)
            if arguments.sheet:
                sheet(rows, arguments.sheet)
            if arguments.report:
                arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    judged = [bool(entry["passed"]) for entry in report.values() if entry["passed"] is not None]
    print(f"{sum(judged)} of {len(judged)} looks move colour as the words say")


if __name__ == "__main__":
    main()
