"""Answering science questions against the script the studio grew from, in the same run, as ratios.

    python -m benchmarks.scienceqa [--geometry small|laptop|4b] [--device cpu|cuda] [--questions 16] [--batch 16]

The alternative answers as that script does: one question at a time, the picture prepared and encoded anew, and
`generate` draws up to 256 tokens of free text, of which somebody has to make out a choice. It does write all, since
it does not stop at the token it was trained to end on. Ours is the task `evaluate-scienceqa` itself, files and page
included: once with the letter scored at once, once with reasoning written first. Both get the same model with random
weights and the same drawn questions. Random weights end no answer, so that ours writes as many tokens as the script
(`reasoning`), and as many as a reasoning of ScienceQA's usual length has (`reasoning, usual length`). Rounds alternate.
Prints one line of JSON: questions a second, their ratios, and by how much a probability of a choice in a batch differs
from that of the question alone. On the CPU seconds are those the process computed for, which other programs' load
disturbs least.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, Gemma3ForCausalLM
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from benchmarks.judge_step import GEOMETRIES as GEMMAS
from benchmarks.judge_step import clock, synchronise
from studio.cache import Cache
from studio.config import validate
from studio.context import Context
from studio.models import ModelManager
from studio.scienceqa.answering.answer import Asked, probabilities
from studio.scienceqa.config import FAMILIES, EvaluateScienceqaConfig
from studio.scienceqa.diagrams.drawing import draw
from studio.scienceqa.diagrams.series import encode
from studio.scienceqa.model import bundle, prompts
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.projector import Projector
from studio.scienceqa.model.views import usual
from studio.scienceqa.questions import official
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import evaluate
from studio.settings import Settings
from tests import checkpoints
from tests.scienceqa import tiny

LONGEST = 256  # tokens of the script's answers
USUAL = 64  # tokens of a reasoning of 46 words, the mean of ScienceQA's solutions
_CLIP = {"image_size": 336, "patch_size": 14, "num_attention_heads": 6, "projection_dim": 32}
GEOMETRIES: dict[str, dict[str, Any]] = {
    "small": {  # about as the embedded model is
        "vision": {
            **_CLIP, "image_size": 160, "patch_size": 10, "hidden_size": 160, "intermediate_size": 640,
            "num_hidden_layers": 6, "num_attention_heads": 5,
        },
        "text": {
            "hidden_size": 160, "intermediate_size": 480, "num_hidden_layers": 6, "num_attention_heads": 5,
            "num_key_value_heads": 5, "head_dim": 32, "query_pre_attn_scalar": 32,
        },
    },
    "laptop": {
        "vision": {**_CLIP, "hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 12},
        "text": GEMMAS["laptop"]["text"],
    },
    "4b": {  # openai/clip-vit-large-patch14-336 and google/gemma-3-4b-it
        "vision": {
            **_CLIP, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
            "num_attention_heads": 16,
        },
        "text": GEMMAS["4b"]["text"],
    },
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="laptop")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--questions", type=int, default=16)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="more wait for one another on a busy machine")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = random_model(GEOMETRIES[arguments.geometry], torch.device(arguments.device))
    found = compare(model, arguments.questions, arguments.batch, arguments.rounds)
    print(json.dumps({"benchmark": "scienceqa", **vars(arguments), **found}))


def random_model(geometry: dict[str, Any], device: torch.device) -> GemmaClip:
    """Make a model of some geometry with random weights that never ends an answer, on the device from the start."""
    tokenizer = checkpoints.make_tokenizer([tiny.WORDS])
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    config = checkpoints.text_config(tokenizer, sliding_window=1024, **geometry["text"])
    models: Any = (CLIPVisionModel, CLIPVisionConfig(**geometry["vision"])), (Gemma3ForCausalLM, config)
    with device:
        vision, language = (checkpoints.randomise(kind._from_config(each, dtype=dtype), 0) for kind, each in models)
        projector = Projector(vision.config.hidden_size, language.config.hidden_size, text_rms=1.0)
    for part in (vision, language, projector):
        part.eval().requires_grad_(False)
    views = usual("pad", geometry["vision"]["image_size"])
    prints = {"vision": "random", "language": "random"}
    info = BundleInfo("vision", "language", views=views, text_rms=1.0, fingerprints=prints)
    model = GemmaClip(vision, projector, language, tokenizer, info)
    model.end_tokens = (-1, -1)
    return model


def compare(
    model: GemmaClip, count: int, batch: int, rounds: int = 1, longest: int = LONGEST, usual: int = USUAL
) -> dict[str, Any]:
    """Run all ways on the same questions."""
    with tempfile.TemporaryDirectory(prefix="scienceqa-") as name:
        folder = Path(name)
        questions = write_questions(folder / "set", count)
        save(model, folder / "bundle")
        ours = {
            "letter": {"answering": "letter"},
            "reasoning": {"answering": "reasoning", "max_new_tokens": longest},
            "reasoning, usual length": {"answering": "reasoning", "max_new_tokens": usual},
        }
        ways: dict[str, Callable[[], Any]] = {"script": lambda: as_the_script(model, questions, longest)}
        for way, values in ours.items():
            ways[way] = lambda values=values: as_the_task(model, folder, {"batch_size": batch, **values})  # type: ignore[misc]
        ways["letter"]()  # warms up
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _, (way, work) in itertools.product(range(rounds), ways.items()):
            synchronise(model.device)
            begun = clock(model.device)
            work()
            synchronise(model.device)
            seconds[way].append(clock(model.device) - begun)
        apart = differences(model, questions, as_the_task(model, folder, {"batch_size": batch, **ours["letter"]}))
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    return {
        "questions_per_second": {way: round(count / taken, 3) for way, taken in medians.items()},
        "ratios": {way: round(medians["script"] / medians[way], 2) for way in ours},
        "apart": apart,
    }


def write_questions(folder: Path, count: int) -> list[Question]:
    """Draw questions with pictures, and write them in the official layout."""
    rng = np.random.default_rng(0)
    drawn = (draw(FAMILIES[number % len(FAMILIES)], rng, "training") for number in range(count))
    made = [replace(one.question, pid=str(number), split="test", image=encode(one)) for number, one in enumerate(drawn)]
    collections.deque(official.write(folder, made), maxlen=0)
    return made


def save(model: GemmaClip, folder: Path) -> None:
    """Write what the task asks of a bundle before it leases the model."""
    model.language.config.save_pretrained(folder.parent / "language")
    model.info = replace(model.info, language=str(folder.parent / "language"))
    bundle.save(model, folder)


def as_the_task(model: GemmaClip, folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Run the task itself, with the model at hand; return its rows by id."""
    given = {"data": str(folder / "set"), "bundle": str(folder / "bundle"), "without_picture": False, **values}
    models = ModelManager({"science": lambda *_: model}, device=str(model.device))
    with tempfile.TemporaryDirectory(dir=folder) as name, closing(Cache(Path(name) / "cache")) as cache:
        place = Path(name)
        context = Context(place, models, cache, Settings(home=place / "home"))
        *_, last = evaluate.run(validate(EvaluateScienceqaConfig, given), context)
        assert last.done == last.total
        return {row["pid"]: row for row in map(json.loads, (place / "answers.jsonl").read_text().splitlines())}


@torch.no_grad()
def as_the_script(model: GemmaClip, questions: Sequence[Question], longest: int) -> list[str]:
    """Answer one question after another, as the script does."""
    size = model.views.size
    crop = {"height": size, "width": size}
    processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size=crop)
    texts = []
    for one in questions:
        pixels = processor(images=open_picture(one), return_tensors="pt")["pixel_values"]
        seen = model.vision(pixel_values=pixels.to(model.device, model.vision.dtype)).last_hidden_state
        embeds = model.embed(prompts.ask(model.tokenizer, one, (1, 1), template="seed"), seen)[None]
        ids = model.language.generate(
            inputs_embeds=embeds, attention_mask=torch.ones(embeds.shape[:2], device=model.device, dtype=torch.long),
            max_new_tokens=longest, min_new_tokens=longest, do_sample=True, temperature=0.2, top_p=0.9,
            pad_token_id=0,
        )  # fmt: skip
        assert ids.shape[1] == longest
        texts.append(model.tokenizer.decode(ids[0], skip_special_tokens=True))
    return texts


def differences(model: GemmaClip, questions: Sequence[Question], rows: dict[str, Any]) -> float:
    """Return by how much a probability in a batch differs from that of the question alone, at most."""
    most = 0.0
    for one in questions:
        cut = model.cut(open_picture(one))
        (alone,) = probabilities(model, [Asked(one, cut.grid, model.features(cut.tiles))], None)
        pairs = zip(alone, rows[one.pid]["probabilities"], strict=True)
        most = max(most, *(abs(first - second) for first, second in pairs))
    return round(most, 6)


if __name__ == "__main__":
    main()
