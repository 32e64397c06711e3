"""The language model and its tokenizer: real Gemma 3 classes, very small."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, PreTrainedTokenizerFast

from recipes.judge.chat import CHAT_TEMPLATE

WIDTH, LAYERS, HEADS = 160, 6, 5
LONGEST = 2048
"""Tokens: longest sequence, and as far as every layer sees."""
_VOCABULARY = 1500
_SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
_TURNS = ("user\n", "model\n")
_PAIR = "(?:" + "|".join(f"{letter}{letter}" for letter in "abcdefghijklmnopqrstuvwxyz") + ")"
_ALONE = r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])"


def build_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a tokenizer on texts: pieces of words, and single tokens for digits, single letters and pairs of alleles.

    A number or a genotype is written as it is read from a picture, one character after another. What the vocabulary
    lacks is spelt in bytes, as by Gemma's own.
    """
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    alone = rf"\d|(?<![A-Za-z])(?i:{_PAIR})(?![A-Za-z])|{_ALONE}|\n"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(alone), "isolated"),
        pre_tokenizers.Split(Regex(r"^[A-Za-z](?=[A-Za-z]$)"), "isolated"),
        pre_tokenizers.Split(Regex("▁?[A-Za-z]+|▁|[^A-Za-z▁]"), "isolated"),
    ])  # fmt: skip
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = [chr(code) for code in range(33, 127)] + ["▁", "\n", "°"]
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
            special_tokens=[*_SPECIAL, *bytes_],
            initial_alphabet=letters,
            show_progress=False,
            min_frequency=3,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in _SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in _TURNS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>",
        padding_side="left", model_max_length=LONGEST, chat_template=CHAT_TEMPLATE,
        extra_special_tokens={"sot_token": "<start_of_turn>", "eot_token": "<end_of_turn>"},
    )  # fmt: skip


def build_language(tokenizer: PreTrainedTokenizerFast, seed: int) -> Gemma3ForCausalLM:
    """A new language model whose layers all see the whole text."""
    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=3 * WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS, head_dim=WIDTH // HEADS,
        query_pre_attn_scalar=WIDTH // HEADS, sliding_window=LONGEST, max_position_embeddings=LONGEST,
        layer_types=["full_attention"] * LAYERS, pad_token_id=0, bos_token_id=2,
        eos_token_id=[1, tokenizer.convert_tokens_to_ids("<end_of_turn>")],
    )  # fmt: skip
    return Gemma3ForCausalLM(config)
