"""A tiny random Gemma-CLIP of the real classes, on disk as a bundle: it proves shapes, equality and speed only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, Gemma3ForCausalLM

from studio.gemma import adapters, languages
from studio.scienceqa.model import bundle
from studio.scienceqa.model.gemmaclip import GemmaClip, text_rms
from studio.scienceqa.model.projector import Projector
from studio.scienceqa.model.source import Source
from studio.scienceqa.model.views import Views
from tests.checkpoints import make_tokenizer, randomise, text_config

WORDS = (
    "Which of these pairs attract repel magnet Pair 1 2 3 4 Explain , then answer with the letter . Answer Context : "
    "Options ( ) [ ] A B C D E F G H I J The answer is because north south pole see picture question user model"
)
TILES = Views("tiles", 32, ((1, 2), (2, 1)))
PAD = Views("pad", 32)


def save_vision(folder: Path, *, size: int = 32, seed: int = 0) -> Path:
    """Save a bare `CLIPVisionModel` of 16 patches, without a processor; under 0.3 MB."""
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, image_size=size,
        patch_size=size // 4, projection_dim=32,
    )  # fmt: skip
    randomise(CLIPVisionModel(config), seed).save_pretrained(folder)
    return folder


def save_language(folder: Path, *, window: int = 512, seed: int = 0) -> Path:
    """Save a `Gemma3ForCausalLM` whose tokenizer knows the letters as single tokens; about 1 MB."""
    tokenizer = make_tokenizer([WORDS])
    randomise(Gemma3ForCausalLM(text_config(tokenizer, sliding_window=window)), seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_bundle(folder: Path, *, views: Views = TILES, merge: int = 1, rank: int = 4, seed: int = 0) -> Path:
    """Save a bundle with its own towers in ``base/``; with `rank` 0 without an adapter.

    Its projector and adapters are random and not at their beginning, so that each of them matters.
    """
    vision = CLIPVisionModel.from_pretrained(save_vision(folder / "base" / "vision", seed=seed))
    language: Any = Gemma3ForCausalLM.from_pretrained(save_language(folder / "base" / "language", seed=seed))
    tokenizer = make_tokenizer([WORDS])
    rms = text_rms(language.get_input_embeddings(), tokenizer)
    torch.manual_seed(seed)
    language = adapters.attach(language, rank, 8, 0.0)
    for name, weight in language.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, 0, 0.1)
    prints = {which: languages.fingerprint(str(folder / place)) for which, place in bundle.TOWERS.items()}
    info = bundle.BundleInfo(
        "base/vision", "base/language", views, merge=merge, text_rms=rms, fingerprints=prints, folder=folder
    )
    projector = Projector(32, 64, merge=merge, text_rms=rms, seed=seed)
    written = folder.with_name(folder.name + "-written")
    bundle.save(GemmaClip(vision, projector, language, tokenizer, info), written, name="tiny", **TOWERS)
    for path in written.iterdir():
        path.rename(folder / path.name)
    written.rmdir()
    return folder


TOWERS = {which: place.as_posix() for which, place in bundle.TOWERS.items()}


def new_source(folder: Path, **values: Any) -> Source:
    """Return the source of a new model made of two tiny towers saved in a folder."""
    vision, language = save_vision(folder / "vision"), save_language(folder / "language")
    return Source(vision=str(vision), language=str(language), **values)
