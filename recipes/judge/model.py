"""The judge's tokenizer and network: real Gemma 3 classes, very small."""

from __future__ import annotations

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
from studio.grading.questions import QUESTIONS

IMAGE_TOKENS = 16
IMAGE_SIDE = 56
HIDDEN = 96
LAYERS = 5

SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<start_of_image>",
           "<end_of_image>", "<image_soft_token>")  # fmt: skip
_ENDINGS = "s es d ed ing r er st est y ish like ness ly less esque tone tones toned tinted"
SUFFIXES = tuple("##" + piece for piece in _ENDINGS.split())
PUNCTUATION = tuple(".,;:!?'\"()/+")
FIRST_WORD = len(SPECIAL) + len(PUNCTUATION) + len(SUFFIXES)
"""Where the words begin in the vocabulary; the fixed texts and the answers come after them."""


def fixed_texts() -> list[str]:
    """What stands around the words of a prompt, a single token each: the halves of the questions and the turns."""
    halves = [half for question in QUESTIONS for half in question.split("{prompt}")]
    return [*halves, "user\n", "model\n", "\n", "\n\n", "\n\n\n\n"]


def build_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """Whole words, a few endings, and <unk> for what is neither: the judge knows what it does not know."""
    pieces = list(dict.fromkeys([*SPECIAL, *PUNCTUATION, *SUFFIXES, *words]))
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>", continuing_subword_prefix="##"))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace("-", " "),
            normalizers.Replace("_", " "),
            normalizers.Replace("&", " and "),
            normalizers.Lowercase(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in fixed_texts()])
    tokenizer.add_tokens([AddedToken(answer, normalized=False, single_word=True) for answer in ("Yes", "No")])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>",
        padding_side="left", model_max_length=2048, chat_template=CHAT_TEMPLATE,
        extra_special_tokens={"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
                              "image_token": "<image_soft_token>", "sot_token": "<start_of_turn>",
                              "eot_token": "<end_of_turn>"},
    )  # fmt: skip


def build_processor(tokenizer: PreTrainedTokenizerFast) -> Gemma3Processor:
    """The standard Gemma 3 processor for 56 × 56 pictures of 16 tokens; needs no torchvision."""
    pictures = Gemma3ImageProcessorPil(size={"height": IMAGE_SIDE, "width": IMAGE_SIDE})
    return Gemma3Processor(
        image_processor=pictures, tokenizer=tokenizer, chat_template=CHAT_TEMPLATE, image_seq_length=IMAGE_TOKENS
    )


def build_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> Gemma3ForConditionalGeneration:
    """A fresh network: 64 patches of 7 × 7, pooled to 16 tokens; five layers of width 96."""
    torch.manual_seed(seed)
    vision = SiglipVisionConfig(
        hidden_size=64, intermediate_size=192, num_hidden_layers=2, num_attention_heads=4,
        image_size=IMAGE_SIDE, patch_size=7, vision_use_head=False,
    )  # fmt: skip
    text = Gemma3TextConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=4 * HIDDEN, num_hidden_layers=LAYERS,
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
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=64**-0.5)
    return model


def save(model: Gemma3ForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write the Hub's layout, weights in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    model.tie_weights()
    model.to(torch.bfloat16).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
