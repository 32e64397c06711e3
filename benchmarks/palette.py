"""Palettes from words against the script the studio grew from, in the same run, as a ratio.

    python -m benchmarks.palette [--model FOLDER] [--script-dtype bfloat16] [--count 5] [--rounds 2] [--threads 1]

The alternative makes a palette as that script does: one prompt at a time, the whole prompt read anew, 64 tokens drawn
freely at temperature 0.2 and top-p 0.9 from scores of the whole vocabulary, and a regular expression that looks for a
list. It was trained without an end token, so it writes all 64, and loads its model in float32. Ours is what the task
`palette` does: a batch of rows of which `--count` palettes are chosen, the template's signs and all scores but those of
digits left out. Each way has a process of its own, which loads the model itself and tells what stays resident.

Without `--model` both get a checkpoint of random weights in bfloat16 with the 270M model's geometry and vocabulary.
Random weights never write a list, so that the script's share of valid palettes says nothing then; with `--model` both
ways get that model and it does. Prints one line of JSON: palettes a second, their ratio, the share of valid palettes,
and megabytes resident once loaded and at most. Seconds are those the process computed for, which other programs' load
disturbs least.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3ForCausalLM

from studio.palette.colours import near_pairs, to_lab
from studio.palette.decoding import Drawing
from studio.palette.generation import make
from studio.palette.loading import load, spec_of
from studio.palette.locks import Locks
from studio.palette.prompt import prompt
from tests import checkpoints

GEOMETRY = {  # of google/gemma-3-270m
    "vocab_size": 262_144, "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18,
    "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "query_pre_attn_scalar": 256,
    "sliding_window": 512, "max_position_embeddings": 32_768,
}  # fmt: skip
TOKENS = 64
DESCRIPTIONS = (
    "fresh greens with a vibrant twist", "ocean at night", "warm autumn market", "pastel candy", "desert dusk",
    "cyberpunk alley", "old library", "spring meadow",
)  # fmt: skip
_LIST = re.compile(r"\[.*?\]", re.DOTALL)
_HEX = re.compile(r"#[0-9a-f]{6}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--script-dtype", default="float32")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="more wait for one another on a busy machine")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(WAYS[arguments.way](arguments)))
        return
    with tempfile.TemporaryDirectory(prefix="palette-") as name:
        folder = arguments.model or save_random(Path(name), GEOMETRY)
        print(json.dumps({"benchmark": "palette", "model": str(arguments.model or "random 270M"),
                          "threads": arguments.threads, **compare(folder, arguments)}))  # fmt: skip


def save_random(folder: Path, geometry: dict[str, Any]) -> Path:
    """Save a model of random weights in bfloat16."""
    tokenizer = checkpoints.make_tokenizer([prompt(" ".join(DESCRIPTIONS))])
    config = checkpoints.text_config(tokenizer, **geometry)
    kind: Any = Gemma3ForCausalLM
    model = kind._from_config(config, dtype=torch.bfloat16)
    with torch.no_grad():
        for weight in model.parameters():
            nn.init.normal_(weight, 0, 0.02 if weight.ndim > 1 else 0.1)
    model.tie_weights()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def compare(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run both ways, each in a process of its own."""
    found = {way: _alone(way, folder, arguments) for way in WAYS}
    rates = {way: one["palettes_per_second"] for way, one in found.items()}
    return {**found, "ratio": round(rates["ours"] / rates["script"], 2)}


def _alone(way: str, folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    flags = {"way": way, "model": folder, "script-dtype": arguments.script_dtype, "count": arguments.count,
             "rounds": arguments.rounds, "threads": arguments.threads}  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.palette", *(f"--{name}={value}" for name, value in flags.items())]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def ours(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make palettes as the task does."""
    torch.set_num_threads(arguments.threads)
    model = load(spec_of(str(arguments.model)), torch.device("cpu"))

    def work(number: int) -> list[bool]:
        how = Drawing(1.0, 0.95)
        description = DESCRIPTIONS[number % len(DESCRIPTIONS)]
        generator = make(model, description, Locks(), arguments.count, how, number)
        while True:
            try:
                next(generator)
            except StopIteration as end:
                palettes = end.value.colours
                return [len(one) == 4 and not near_pairs(to_lab(one)) for one in palettes]

    return _measured(work, arguments.rounds)


def script(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make palettes as the script does, one at a time."""
    torch.set_num_threads(arguments.threads)
    models: Any = AutoModelForCausalLM
    model = models.from_pretrained(arguments.model, dtype=getattr(torch, arguments.script_dtype)).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(arguments.model)

    def work(number: int) -> list[bool]:
        inputs = tokenizer(prompt(DESCRIPTIONS[number % len(DESCRIPTIONS)]), return_tensors="pt")
        with torch.no_grad():
            ids = model.generate(
                inputs.input_ids, attention_mask=inputs.attention_mask, do_sample=True, temperature=0.2, top_p=0.9,
                max_new_tokens=TOKENS, min_new_tokens=TOKENS if arguments.model.name.startswith("palette-") else None,
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        return [is_valid(tokenizer.decode(ids[0, inputs.input_ids.shape[1] :], skip_special_tokens=True))]

    return _measured(work, arguments.rounds * arguments.count)


def is_valid(text: str) -> bool:
    """Whether the first list in a text is one of exactly four colours."""
    found = _LIST.search(text)
    try:
        colours = json.loads(found[0]) if found else []
    except ValueError:
        return False
    return len(colours) == 4 and all(isinstance(one, str) and _HEX.fullmatch(one) for one in colours)


def _measured(work: Callable[[int], list[bool]], rounds: int) -> dict[str, Any]:
    loaded = _memory("VmRSS")
    work(0)  # warms up
    begun = time.process_time()
    valid = [each for number in range(rounds) for each in work(number)]
    seconds = time.process_time() - begun
    return {
        "palettes_per_second": round(len(valid) / seconds, 3),
        "seconds_per_batch": round(seconds / rounds, 3),
        "valid": round(sum(valid) / len(valid), 3),
        "megabytes": {"loaded": loaded, "working": _memory("VmRSS"), "peak": _memory("VmHWM")},
    }


def _memory(name: str) -> int:
    """Return megabytes (10⁶ bytes) of this process that Linux tells under a name."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found is not None, "measured on Linux alone"
    return round(int(found[1]) * 1024 / 1e6)


WAYS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {"ours": ours, "script": script}

if __name__ == "__main__":
    main()
