"""From Start to a held-out score, against the recipe the studio grew from, in the same run.

    python -m benchmarks.lut_training [--prompt WORDS] [--target 0.9] [--photographs FOLDER] [--model-type embedded]

The seed's recipe: a free table of 16 points, Adam at .005 for 500 steps of one photograph, decoded anew each time, a
random crop of it flipped and blurred, both pictures encoded and the whole conversation prefilled in every step, logits
of all positions, loss log p(No) - log p(Yes) plus its four other terms at weight one, parameters clamped. Ours is
`gemma-studio optimize` as it stands. Both have the same judge and learn on the same photographs, and both LUTs are
measured as their files would grade, on the same held-out photographs, every ten steps; the seed's measurements are not
counted in its time, ours are. The judge counts a call for every pair of pictures a training step asks about. Prints one
line of JSON. Seconds are those the process computed for; a way that never reaches the target is charged all its steps,
so that the ratio is then a lower bound.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor, nn
from torch.nn import functional as F

from studio.cache import Cache
from studio.context import Context
from studio.gemma.loading import Gemma3
from studio.gemma.prompts import IMAGE, lay_out, single_token
from studio.grading import goal, training
from studio.grading.config import OptimizeConfig
from studio.grading.display import Display
from studio.grading.measuring import Measure
from studio.grading.photographs import Photographs
from studio.grading.questions import QUESTIONS
from studio.models import ModelManager
from studio.settings import Settings
from studio.tasks import LOADERS, load_model

EXAMPLES = Path(__file__).parents[1] / "studio/ui/assets/examples"
EVERY = 10  # steps between two measurements
CROP = 448  # pixels; the seed's, of the photograph as it is
SEED_STEPS, SEED_SIZE, SEED_RATE = 500, 16, 0.005


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", default="cinematic teal and orange")
    parser.add_argument("--target", type=float, default=0.9, help="held-out score to reach, 0 to 1")
    parser.add_argument("--photographs", type=Path, default=EXAMPLES)
    parser.add_argument("--model-type", default="embedded")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        config = OptimizeConfig(prompt=options.prompt, image_folder=options.photographs, model_type=options.model_type)
        print(json.dumps(compare(config, Path(home), options.target)))


def compare(config: OptimizeConfig, home: Path, target: float, seed_steps: int = SEED_STEPS) -> dict[str, Any]:
    """Let both ways train, and return what each took until its held-out score reached the target."""
    settings = Settings(home=home, device="cpu", threads=1)
    models = ModelManager(dict.fromkeys(LOADERS, load_model), device="cpu")
    cache = Cache(settings.folder("cache"))
    try:
        context = Context(settings.folder("run"), models, cache, settings)
        with goal.opened(config, context) as aim:  # loaded before either clock runs
            assert aim.judge is not None
            photographs = Photographs.open(config.image_folder, config.seed, cache, settings)
            seed = until(target, seed_way(config, context, aim, photographs, seed_steps))
        ours = until(target, our_way(config, context))
    finally:
        models.close()
        cache.close()
    return {
        "prompt": config.prompt, "target": target, "seed": seed, "ours": ours,
        "ratio_seconds": round(seed["seconds"] / ours["seconds"], 2),
        "ratio_calls": round(seed["calls"] / ours["calls"], 2),
    }  # fmt: skip


def until(target: float, way: Iterator[tuple[float, int, float]]) -> dict[str, Any]:
    """Follow a way, which yields (seconds, judge calls, held-out score), until its score is reached or it ends."""
    seconds, calls, best = 0.0, 0, 0.0
    for seconds, calls, score in way:  # noqa: B007 - the last ones count
        best = max(best, score)
        if best >= target:
            break
    return {"seconds": round(seconds, 2), "calls": calls, "best": round(best, 4), "reached": best >= target}


def our_way(config: OptimizeConfig, context: Context) -> Iterator[tuple[float, int, float]]:
    begun, calls = time.process_time(), 0
    count = len(Photographs.open(config.image_folder, config.seed, context.cache, context.settings).train)
    views = min(config.batch_size, count * config.views)
    beside = (config.batch_size + 1) // 2 if count < training.FEW else 0
    run = training.run(config, replace(context, folder=context.folder))
    try:
        for event in run:
            calls = event.done * (views + beside)
            score = event.metrics.get("held_out", event.metrics.get("measured"))
            if score is not None and event.done:
                yield time.process_time() - begun, calls, score
    finally:
        run.close()  # type: ignore[attr-defined]


def seed_way(
    config: OptimizeConfig, context: Context, aim: goal.Goal, photographs: Photographs, steps: int
) -> Iterator[tuple[float, int, float]]:
    assert aim.judge is not None
    random = np.random.default_rng(config.seed)
    paths = [photographs.paths[index] for index in photographs.train]
    table = nn.Parameter(_table(SEED_SIZE))
    optimizer = torch.optim.Adam([table], lr=SEED_RATE)
    ask, taken = _plain_judge(aim.judge.bundle, config.prompt), 0.0
    with Measure(config, context, aim, Display(config), photographs) as measure:
        for step in range(1, steps + 1):
            begun = time.process_time()
            before = _crop(paths[random.integers(len(paths))], random)
            after = _trilinear(table, before)
            loss = -ask(before, after) + _seed_terms(table, before, after)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([table], 1.0)
            optimizer.step()
            with torch.no_grad():
                table.clamp_(0, 1)
            taken += time.process_time() - begun
            if step % EVERY == 0 or step == steps:
                scores = measure(_exported(table.detach()))
                yield taken, step, scores.get("held_out", scores.get("measured", 0.0))


def _plain_judge(bundle: Gemma3, prompt: str) -> Any:
    layout = lay_out(bundle.processor, (IMAGE, IMAGE, QUESTIONS[0].format(prompt=prompt)))
    yes, no = (single_token(bundle.processor, word) for word in ("Yes", "No"))
    size = bundle.image_size

    def ask(before: Tensor, after: Tensor) -> Tensor:
        pair = F.interpolate(torch.cat((before, after)), (size, size), mode="bilinear", align_corners=False)
        output = bundle.model(
            input_ids=layout.ids[None], token_type_ids=layout.types[None], pixel_values=(pair - 0.5) / 0.5
        )
        chances = output.logits.float().log_softmax(-1)[0, -1]
        return chances[yes] - chances[no]

    return ask


def _crop(path: Path, random: np.random.Generator) -> Tensor:
    """Decode a photograph, and return a crop of it, perhaps flipped, blurred a little, [1, 3, H, W] in 0..1."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    width, height = (min(CROP, edge) for edge in picture.size)  # a smaller one is taken whole; the seed gave up
    left, top = random.integers(0, picture.width - width + 1), random.integers(0, picture.height - height + 1)
    picture = picture.crop((left, top, left + width, top + height))
    for flip in (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM):
        picture = picture.transpose(flip) if random.random() < 0.5 else picture
    picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.05, 1)))
    return torch.from_numpy(np.asarray(picture) / np.float32(255)).permute(2, 0, 1)[None]


def _table(size: int) -> Tensor:
    """Return the identity as the seed holds it, [3, N, N, N]: channel, then blue, green, red."""
    axis = torch.linspace(0, 1, size)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack((red, green, blue))


def _trilinear(table: Tensor, rgb: Tensor) -> Tensor:
    places = (2 * rgb - 1).permute(0, 2, 3, 1)[:, None]
    return F.grid_sample(table[None], places, padding_mode="border", align_corners=False)[:, :, 0]


def _exported(table: Tensor) -> Tensor:
    """Return the table as the seed writes it: halved in size and brought back."""
    half = F.interpolate(table[None], scale_factor=0.5, mode="trilinear", align_corners=False)
    return F.interpolate(half, table.shape[1:], mode="trilinear", align_corners=False)[0]


def _seed_terms(table: Tensor, before: Tensor, after: Tensor) -> Tensor:
    def rough(value: Tensor, mode: str) -> Tensor:
        half = F.interpolate(value, scale_factor=0.5, mode=mode, align_corners=False)
        return (value - F.interpolate(half, value.shape[2:], mode=mode, align_corners=False)).square().mean()

    luma = torch.tensor((0.2126, 0.7152, 0.0722))[:, None, None]
    first, second = ((one * luma).sum(1) for one in (before, after))
    dark = first < 0.01
    black = (F.relu(second - first) * dark).sum() / (dark.sum() + 1e-6)
    return rough(after, "bilinear") + (after - before).square().mean() + black + rough(table[None], "trilinear")


if __name__ == "__main__":
    main()
