"""Extraction against the script the studio grew from, in the same run, as ratios.

    python -m benchmarks.extraction [--geometry laptop|4b|12b] [--device cpu|cuda] [--questions 8] [--tokens 16]

The alternative does for every question what that script does: it lets `generate` answer (a vision run and a prefill of
its own), runs the vision tower again on the picture processed anew, runs the whole model a third time with hooks for
the vectors (all logits, a cache nobody uses), one question at a time, and at the end writes a group a question with
float32 under gzip. Without answers it is spared the first of the three. Ours is the task itself, parts on the disk
included. Both get the same model with random weights, the same pictures and questions; `--tokens` are generated in
both, since random weights never end an answer. Rounds alternate. Prints one line of JSON for each number of questions
an image, with and without answers: questions a second of both, their ratio, and the least cosine between both ways'
vectors (the query token's; the script's image token is another by mistake). On the CPU seconds are those the process
computed for, which other programs' load disturbs least.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from PIL import Image
from skimage import data

from benchmarks.judge_step import GEOMETRIES, clock, random_bundle, synchronise
from studio.cache import Cache
from studio.context import Context
from studio.embeddings.config import ExtractConfig
from studio.embeddings.extraction import extract as extraction
from studio.embeddings.representations import QUERY_TOKEN, usual_layers
from studio.embeddings.store.runs import open_run
from studio.gemma.loading import Gemma3
from studio.models import ModelManager
from studio.settings import Settings

PER_IMAGE = (1, 4, 8)
WORDS = ("is", "this", "picture", "warm", "cold", "moody", "cinematic", "teal", "and", "orange", "vivid", "answer")
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="laptop")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=16, help="of an answer")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="more wait for one another on a busy machine")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    bundle = random_bundle(GEOMETRIES[arguments.geometry], torch.device(arguments.device))
    for per_image, tokens in itertools.product(PER_IMAGE, (arguments.tokens, 0)):
        found = compare(bundle, arguments.questions, per_image, tokens, arguments.rounds)
        print(json.dumps({"benchmark": "extraction", **vars(arguments), **found}), flush=True)


def compare(bundle: Gemma3, questions: int, per_image: int, tokens: int, rounds: int = 1) -> dict[str, Any]:
    """Run both ways on fresh folders; ``tokens`` 0 is without answers."""
    seconds: dict[str, list[float]] = {"script": [], "ours": []}
    with tempfile.TemporaryDirectory(prefix="extraction-") as name, _without_end(bundle):
        folder = Path(name)
        rows = write_questions(folder, questions, per_image)
        for number in range(rounds):
            for way, work in (("script", as_the_script), ("ours", as_the_task)):
                place = folder / f"{way}-{number}"
                place.mkdir()
                synchronise(bundle.device)
                begun = clock(bundle.device)
                work(bundle, rows, folder, place, tokens)
                synchronise(bundle.device)
                seconds[way].append(clock(bundle.device) - begun)
        apart = cosine(folder / "script-0", folder / "ours-0", rows, bundle)
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    return {
        "per_image": per_image, "answers": bool(tokens),
        "questions_per_second": {way: round(questions / taken, 3) for way, taken in medians.items()},
        "ratio": round(medians["script"] / medians["ours"], 2), "least_cosine": round(apart, 6),
    }  # fmt: skip


def write_questions(folder: Path, count: int, per_image: int) -> list[Row]:
    """Write pictures and a table of questions about them."""
    source = Image.fromarray(data.astronaut())
    words = random.Random(0)
    (folder / "images").mkdir()
    rows = []
    for number in range(count):
        name = f"{number // per_image}.jpg"
        if number % per_image == 0:
            source.rotate(7 * number).resize((640, 480)).save(folder / "images" / name, quality=90)
        asked = " ".join(words.choices(WORDS, k=words.randint(6, 14)))
        rows.append({"question_id": str(number), "image_id": name, "question": asked, "answer": "yes"})
    with open(folder / "questions.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    return rows


def as_the_task(bundle: Gemma3, rows: list[Row], folder: Path, place: Path, tokens: int) -> None:
    """Run the task itself, with the model at hand."""
    bundle.model.config.save_pretrained(place / "model")
    config = ExtractConfig(
        vqa_dataset=folder / "questions.csv", images_dir=folder / "images", output_dir=place / "run",
        model=str(place / "model"), max_new_tokens=tokens,
    )  # fmt: skip
    models = ModelManager({"gemma3": lambda *_: bundle}, device=str(bundle.device))
    with closing(Cache(place / "cache")) as cache:
        for event in extraction.run(config, Context(place, models, cache, Settings(home=place / "home"))):
            last = event
    assert last.metrics["kept"] == len(rows)


@torch.no_grad()
def as_the_script(bundle: Gemma3, rows: list[Row], folder: Path, place: Path, tokens: int) -> None:
    """Do what the script does."""
    model, processor = bundle.model, bundle.processor
    layers = usual_layers(model.config.get_text_config().num_hidden_layers)
    samples = {}
    for row in rows:
        picture = Image.open(folder / "images" / row["image_id"]).convert("RGB")
        inputs = _inputs(bundle, picture, row["question"])
        answer = ""
        if tokens:
            said = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
            answer = processor.decode(said[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
        pixels = _inputs(bundle, picture, "Describe the image.")["pixel_values"]
        seen = model.model.vision_tower(pixel_values=pixels).last_hidden_state.mean(1)[0]
        outputs: dict[int, Any] = {}
        handles = [
            model.model.language_model.layers[layer].register_forward_hook(
                lambda _, __, output, layer=layer, outputs=outputs: outputs.__setitem__(layer, output)
            )
            for layer in layers
        ]
        model(**inputs)
        for handle in handles:
            handle.remove()
        middle = min(255, inputs["input_ids"].shape[1] // 2)
        samples[row["question_id"]] = {
            **row, "model_answer": answer, "vision_only_representation": _array(seen),
            "vision_token_representation": {layer: _array(outputs[layer][0, middle]) for layer in layers},
            "query_token_representation": {layer: _array(outputs[layer][0, -1]) for layer in layers},
        }  # fmt: skip
        if bundle.device.type == "cuda":
            torch.cuda.empty_cache()
    _write(samples, place / "part_001.h5")


def _inputs(bundle: Gemma3, picture: Image.Image, question: str) -> Any:
    content = [{"type": "image"}, {"type": "text", "text": question}]
    text = bundle.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    return bundle.processor(text=text, images=[picture], return_tensors="pt", add_special_tokens=False).to(
        bundle.device, dtype=bundle.dtype
    )


def _array(vector: torch.Tensor) -> Any:
    return vector.float().cpu().numpy()


def _write(samples: dict[str, Any], path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, sample in samples.items():
            group = file.create_group(name)
            for field in ("image_id", "question", "answer", "model_answer"):
                group.create_dataset(field, data=sample[field], dtype=h5py.string_dtype())
            group.create_dataset("vision_only_representation", data=sample["vision_only_representation"],
                                 compression="gzip")  # fmt: skip
            for kind in ("vision_token_representation", "query_token_representation"):
                for layer, vector in sample[kind].items():
                    group.create_dataset(f"{kind}/layer_{layer}", data=vector, compression="gzip")


def cosine(script: Path, ours: Path, rows: list[Row], bundle: Gemma3) -> float:
    """Return the least cosine between both ways' query-token vectors, over all questions and layers."""
    layers = usual_layers(bundle.model.config.get_text_config().num_hidden_layers)
    least = 1.0
    with h5py.File(script / "part_001.h5") as file, open_run(ours / "run") as run:
        for row in rows:
            for layer in layers:
                name = f"{QUERY_TOKEN}/layer_{layer}"
                one, other = file[row["question_id"]][name][()], np.asarray(run[row["question_id"]][name])
                least = min(least, float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    return least


@contextmanager
def _without_end(bundle: Gemma3) -> Iterator[None]:
    """Let no answer end by itself, so that both ways generate alike."""
    settings = bundle.model.generation_config
    before, settings.eos_token_id = settings.eos_token_id, None
    try:
        yield
    finally:
        settings.eos_token_id = before


if __name__ == "__main__":
    main()
