"""One step of the judge against the plain way, in the same run, as a ratio.

    python -m benchmarks.judge_step [--geometry laptop|4b|12b] [--device cpu|cuda] [--batch 1] [--threads 1]

Plain is what a first version does: every step encodes both pictures, prefills the whole conversation and computes
logits of the whole vocabulary at every position. Ours prefills what stands before the graded picture once, and reads
two rows of the head at the last position. Weights are random; rounds alternate, so that other load hits both. Prints
one line of JSON: median seconds of each, their ratio, and how far margins and pixel gradients are apart. On the CPU
seconds are those the process computed for, which other programs' load disturbs least.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import Gemma3ForConditionalGeneration

from studio.gemma.loading import Gemma3
from studio.gemma.prompts import IMAGE, lay_out, single_token
from studio.grading.judges import Gemma3Judge
from studio.grading.questions import QUESTIONS
from tests import checkpoints

PROMPT = "cinematic teal and orange"
TIME_LIMIT = 150.0  # seconds, after which no further round begins

_REAL: dict[str, Any] = {  # of google/gemma-3-*-it
    "image_size": 896, "tokens_per_image": 256, "window": 1024,
    "vision": {
        "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
    },
}  # fmt: skip
_REAL_TEXT = {"vocab_size": 262_208, "head_dim": 256, "query_pre_attn_scalar": 256}
GEOMETRIES: dict[str, dict[str, Any]] = {
    # The vocabulary is the tiny tokenizer's, so the ratio owes nothing to the logits left out.
    "laptop": {
        "image_size": 448, "tokens_per_image": 256, "window": 1024,
        "vision": {
            "hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 12, "num_attention_heads": 6,
        },
        "text": {
            "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12,
            "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 64, "query_pre_attn_scalar": 64,
        },
    },
    "4b": {
        **_REAL,
        "text": {
            **_REAL_TEXT, "hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 34,
            "num_attention_heads": 8, "num_key_value_heads": 4,
        },
    },
    "12b": {
        **_REAL,
        "text": {
            **_REAL_TEXT, "hidden_size": 3840, "intermediate_size": 15_360, "num_hidden_layers": 48,
            "num_attention_heads": 16, "num_key_value_heads": 8,
        },
    },
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", choices=GEOMETRIES, default="laptop")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="more wait for one another on a busy machine")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    bundle = random_bundle(GEOMETRIES[arguments.geometry], device)
    shape = (2, arguments.batch, 3, bundle.image_size, bundle.image_size)
    before, after = torch.randint(256, shape, device=device) / 255
    steps = {"plain": plain_step(bundle, before), "ours": our_step(bundle, before)}
    agreement = compare(steps["plain"](after), steps["ours"](after))  # also warms both up
    times = measure(steps, after, arguments.rounds)
    seconds = {name: statistics.median(taken) for name, taken in times.items()}
    report = {
        "benchmark": "judge_step", **vars(arguments), "rounds": len(times["ours"]),
        "dtype": str(bundle.dtype).removeprefix("torch."),
        **{f"{name}_seconds": round(value, 4) for name, value in seconds.items()},
        "ratio": round(seconds["plain"] / seconds["ours"], 2), **agreement,
    }  # fmt: skip
    print(json.dumps(report))


def random_bundle(geometry: dict[str, Any], device: torch.device) -> Gemma3:
    """Make a model of some geometry with random weights, on the device from the start."""
    tokenizer = checkpoints.make_tokenizer()
    config: Any = checkpoints.gemma3_config(tokenizer, **geometry)
    models: Any = Gemma3ForConditionalGeneration
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with device:
        model = checkpoints.randomise(models._from_config(config, dtype=dtype), seed=0)
    model.requires_grad_(False)
    processor = checkpoints.gemma3_processor(tokenizer, config)
    size, tokens = config.vision_config.image_size, config.mm_tokens_per_image
    return Gemma3(model, processor, device, dtype, size, tokens, sum(weight.nbytes for weight in model.parameters()))


def our_step(bundle: Gemma3, before: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    session = Gemma3Judge(bundle).open(before, [PROMPT])

    def step(after: Tensor) -> tuple[Tensor, Tensor]:
        leaf = after.clone().requires_grad_()
        margin = session.margin(leaf, range(len(leaf)))[:, 0]
        return margin, torch.autograd.grad(margin.sum(), leaf)[0]

    return step


def plain_step(bundle: Gemma3, before: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    layout = lay_out(bundle.processor, (IMAGE, IMAGE, QUESTIONS[0].format(prompt=PROMPT)))
    ids, types = (each.expand(len(before), -1).to(bundle.device) for each in (layout.ids, layout.types))
    yes, no = (single_token(bundle.processor, word) for word in ("Yes", "No"))

    def step(after: Tensor) -> tuple[Tensor, Tensor]:
        leaf = after.clone().requires_grad_()
        pixels = (torch.stack((before, leaf), 1).flatten(0, 1) - 0.5) / 0.5
        output = bundle.model(input_ids=ids, token_type_ids=types, pixel_values=pixels.to(bundle.dtype))
        chances = output.logits.float().log_softmax(-1)[:, -1]
        margin = chances[:, yes] - chances[:, no]
        return margin, torch.autograd.grad(margin.sum(), leaf)[0]

    return step


def measure(steps: dict[str, Callable[[Tensor], Any]], after: Tensor, rounds: int) -> dict[str, list[float]]:
    """Time the steps in turn, until the rounds or the time are used up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    begun = time.perf_counter()
    for _ in range(rounds):
        for name, step in steps.items():
            times[name].append(timed(step, after))
        if time.perf_counter() - begun > TIME_LIMIT:
            break
    return times


def timed(step: Callable[[Tensor], Any], after: Tensor) -> float:
    synchronise(after.device)
    begun = clock(after.device)
    step(after)
    synchronise(after.device)
    return clock(after.device) - begun


def clock(device: torch.device) -> float:
    """Return seconds; on the CPU those this process computed for."""
    return time.process_time() if device.type == "cpu" else time.perf_counter()


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def compare(plain: tuple[Tensor, Tensor], ours: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Return relative differences of margins and of pixel gradients."""
    apart = [((one - other).norm() / one.norm()).item() for one, other in zip(plain, ours, strict=True)]
    return {"margin_apart": apart[0], "gradient_apart": apart[1]}


if __name__ == "__main__":
    main()
