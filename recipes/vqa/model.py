"""The tokenizer and the network: real Gemma 3 classes, very small."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from recipes.judge.chat import CHAT_TEMPLATE
from recipes.judge.model import SPECIAL

IMAGE_SIDE, PATCH = 84, 7
PATCHES = (IMAGE_SIDE // PATCH) ** 2
IMAGE_TOKENS = 36
VISION, HIDDEN, LAYERS = 128, 96, 5

_TURNS = ("user\n", "model\n", "\n", "\n\n", "\n\n\n\n")
_PUNCTUATION = tuple(".,;:!?'\"()/+-")


def build_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """Whole words; what is no word is spelt, in letters or, as Gemma's own tokenizer does, in bytes: all text fits."""
    letters = [*string.ascii_lowercase, *string.digits, "▁"]
    pieces: dict[str, float] = dict.fromkeys(SPECIAL, 0.0)
    pieces |= {f"<0x{byte:02X}>": -20.0 for byte in range(256)}
    pieces |= dict.fromkeys([*letters, *_PUNCTUATION], -12.0) | {f"▁{word}": -5.0 for word in words}
    tokenizer = Tokenizer(models.Unigram(list(pieces.items()), unk_id=SPECIAL.index("<unk>"), byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always"), decoders.Fuse()]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in _TURNS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>",
        padding_side="left", model_max_length=2048, chat_template=CHAT_TEMPLATE,
        extra_special_tokens={"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
                              "image_token": "<image_soft_token>", "sot_token": "<start_of_turn>",
                              "eot_token": "<end_of_turn>"},
    )  # fmt: skip


def build_processor(tokenizer: PreTrainedTokenizerFast) -> Gemma3Processor:
    """The standard Gemma 3 processor for pictures of 84 × 84 and 36 tokens; needs no torchvision."""
    pictures = Gemma3ImageProcessorPil(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE})
    return Gemma3Processor(
        image_processor=pictures, tokenizer=tokenizer, chat_template=CHAT_TEMPLATE, image_seq_length=IMAGE_TOKENS
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Gemma3ForConditionalGeneration:
    """A fresh network: 144 patches of 7 × 7, pooled to 36 tokens."""
    torch.manual_seed(seed)
    vision = SiglipVisionConfig(
        hidden_size=VISION, intermediate_size=3 * VISION, num_hidden_layers=4, num_attention_heads=4,
        image_size=IMAGE_SIDE, patch_size=PATCH, vision_use_head=False,
    )  # fmt: skip
    text = Gemma3TextConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=3 * HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=4, head_dim=HIDDEN // 4, query_pre_attn_scalar=HIDDEN // 4,
        sliding_window=512, max_position_embeddings=2048,
        layer_types=["sliding_attention"] * (LAYERS - 1) + ["full_attention"],
        pad_token_id=0, eos_token_id=1, bos_token_id=2,
    )  # fmt: skip
    identify = tokenizer.convert_tokens_to_ids
    config = Gemma3Config(
        vision_config=vision, text_config=text, mm_tokens_per_image=IMAGE_TOKENS,
        boi_token_index=identify("<start_of_image>"), eoi_token_index=identify("<end_of_image>"),
        image_token_index=identify("<image_soft_token>"), eos_token_id=[1, identify("<end_of_turn>")],
    )  # fmt: skip
    model = Gemma3ForConditionalGeneration(config)
    # The library leaves the projector at zero, which would hide every picture for ever.
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=VISION**-0.5)
    return model


def save(model: Gemma3ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the Hub's layout, weights in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    model.tie_weights()
    model.to(torch.bfloat16).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
