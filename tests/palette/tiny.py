"""Tiny random palette models of the real class: they prove shapes, equality and speed only."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import Gemma3ForCausalLM, PreTrainedTokenizerFast

from studio.palette.prompt import prompt
from tests.checkpoints import make_tokenizer, randomise, text_config

_PAIR = r"(?<=#)[0-9a-f]{2}|(?<=#[0-9a-f]{2})[0-9a-f]{2}|(?<=#[0-9a-f]{4})[0-9a-f]{2}"
WORDS = "fresh greens with a vibrant twist ocean at night warm red navy market autumn"


def single() -> Any:
    """A tokenizer of Gemma's kind, which spells most digits singly and merges ``fac`` and ``dead``."""
    return make_tokenizer([prompt(WORDS), "facade dead deaf beef decade"])


def pairs() -> Any:
    """A tokenizer with a token for every two digits of a colour."""
    names = ["".join(pair) for pair in itertools.product("0123456789abcdef", repeat=2)]
    split = pre_tokenizers.Split(Regex(_PAIR + r"|\w+|\s+|."), "isolated")
    words = [piece for piece, _ in split.pre_tokenize_str(prompt(WORDS))]
    signs = ["<pad>", "<eos>", "<bos>", "<unk>", *'[]"#,', " "]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys([*signs, *names, *words]))}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer, raw.decoder = split, decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>"
    )


TOKENIZERS = {"single": single, "pairs": pairs}


def save(folder: Path, tokenizer: Any, *, seed: int = 0, **geometry: Any) -> Path:
    """Save a model with a window shorter than its prompt; under 1 MB."""
    config = text_config(tokenizer, **{"sliding_window": 24, "num_hidden_layers": 3, **geometry})
    randomise(Gemma3ForCausalLM(config), seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
