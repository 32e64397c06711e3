"""The tokenizer and the network: real CLIP classes, very small."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, CLIPProcessor, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from studio.grading.clipjudge import FRAME

IMAGE_SIDE = 56
LENGTH = 24
"""Tokens of a text at most; the longest prompts of the training have fewer."""
EMBEDDING = 128
MEAN, STD = 0.45, 0.27
"""Taken from every channel, and divided by; about what CLIP's processor uses."""
TEXT, VISION = 64, 96
_BOS, _EOS = "<|startoftext|>", "<|endoftext|>"
_MOST = 60_000


def build_tokenizer(words: Sequence[str]) -> CLIPTokenizer:
    """Byte pairs merged until every word of letters is one token; what is no such word stays in pieces."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    trained.pre_tokenizer = pre_tokenizers.Whitespace()
    octets = sorted(pre_tokenizers.ByteLevel.alphabet())
    ends = [octet + "</w>" for octet in octets]  # named beforehand, or their order, and so all ties, would be by chance
    trainer = trainers.BpeTrainer(
        vocab_size=_MOST, min_frequency=1, show_progress=False, end_of_word_suffix="</w>", special_tokens=ends
    )
    trained.train_from_iterator([word for word in words if word.isalpha()], trainer)
    learnt = json.loads(trained.to_str())["model"]
    found = sorted(learnt["vocab"], key=learnt["vocab"].get)
    pieces = dict.fromkeys([*octets, *ends, *found, _BOS, _EOS])
    return CLIPTokenizer(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[tuple(pair) for pair in learnt["merges"]],
        model_max_length=LENGTH,
    )


def build_processor(tokenizer: CLIPTokenizer) -> CLIPProcessor:
    """The standard processor; pictures are squeezed to a square, so that the whole frame is seen."""
    square = {"height": IMAGE_SIDE, "width": IMAGE_SIDE}
    pictures = CLIPImageProcessorPil(size=square, do_center_crop=False, image_mean=[MEAN] * 3, image_std=[STD] * 3)
    return CLIPProcessor(pictures, tokenizer)


def build_model(rows: int, bos: int, eos: int, seed: int) -> CLIPModel:
    """A fresh network: 64 patches of 7 × 7 pixels and three layers; texts have three as well."""
    torch.manual_seed(seed)
    text = CLIPTextConfig(
        vocab_size=rows, hidden_size=TEXT, intermediate_size=4 * TEXT, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=LENGTH, bos_token_id=bos, eos_token_id=eos, pad_token_id=eos,
        projection_dim=EMBEDDING,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=VISION, intermediate_size=4 * VISION, num_hidden_layers=3, num_attention_heads=4,
        image_size=IMAGE_SIDE, patch_size=7, projection_dim=EMBEDDING,
    )  # fmt: skip
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=EMBEDDING)
    model = CLIPModel(config)
    nn.init.zeros_(model.text_model.embeddings.position_embedding.weight)  # a place no prompt reached says nothing
    return model


def unit(features: Tensor) -> Tensor:
    """Embeddings of length one."""
    return nn.functional.normalize(features, dim=-1)


class Encoder:
    """Turns prompts into tokens, as the judge does."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        self.tokenizer = tokenizer

    def texts(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Tokens of whole texts (texts, LENGTH), and where each ends."""
        end = self.tokenizer.eos_token_id  # cut and padded here: a tokenizer asked to would do so wherever it ships
        rows = [[*ids[:-1][: LENGTH - 1], end] for ids in self.tokenizer(list(texts))["input_ids"]]
        ids = torch.tensor([row + [end] * (LENGTH - len(row)) for row in rows])
        return ids, torch.tensor([len(row) - 1 for row in rows])

    def encode(self, prompts: Sequence[str], seed: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens of prompts in their frame (prompts, LENGTH), where each ends, and which fit; `seed` is not needed."""
        ids, last = self.texts([FRAME.format(prompt=prompt) for prompt in prompts])
        return ids, last, last < LENGTH - 1


def save(model: CLIPModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write the Hub's layout, weights in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
