"""Tiny random checkpoints of the real classes, in the Hub's layout: they prove shapes, equality and speed only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    GemmaTokenizer,
    SiglipVisionConfig,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

from recipes.clip.model import build_tokenizer
from studio.grading.questions import QUESTIONS

# Gemma 3's own: <bos>, the system text folded into the first user turn, every text trimmed.
CHAT_TEMPLATE = r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- else -%}
        {%- for item in message['content'] -%}
            {{ '<start_of_image>' if item['type'] == 'image' else item['text'] | trim }}
        {%- endfor -%}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\n'}}
{%- endif -%}
"""
_WORDS = "Yes No user model warm cold moody cinematic teal and orange is this picture vivid answer with one word"


def save_gemma3(folder: Path, *, hub_layout: bool = False, seed: int = 0, **geometry: Any) -> Path:
    """Save a `Gemma3ForConditionalGeneration` of some `gemma3_config` with its processor; by default under 2 MB."""
    tokenizer = make_tokenizer()
    config: Any = gemma3_config(tokenizer, **geometry)
    randomise(Gemma3ForConditionalGeneration(config), seed).save_pretrained(folder)
    gemma3_processor(tokenizer, config).save_pretrained(folder)
    if hub_layout:
        _rewrite_as_on_the_hub(folder, config.vision_config.image_size, config.mm_tokens_per_image)
    return folder


def gemma3_config(
    tokenizer: GemmaTokenizer,
    *,
    image_size: int = 56,
    tokens_per_image: int = 16,
    window: int = 24,
    text: Mapping[str, Any] | None = None,
    vision: Mapping[str, Any] | None = None,
) -> Gemma3Config:
    """Configure a Gemma 3 with vision; `text` and `vision` replace single values of the tiny geometry."""
    tower = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
    config: Any = Gemma3Config(
        text_config=text_config(tokenizer, sliding_window=window, **(text or {})),
        vision_config=SiglipVisionConfig(
            **{**tower, "patch_size": 14, "vision_use_head": False, "image_size": image_size, **(vision or {})}
        ),
        mm_tokens_per_image=tokens_per_image,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
    )
    config.eos_token_id = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<end_of_turn>")]
    return config  # type: ignore[no-any-return]


def gemma3_processor(tokenizer: GemmaTokenizer, config: Any) -> Gemma3Processor:
    """Return the processor that belongs to a configuration."""
    size = config.vision_config.image_size
    return Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(size={"height": size, "width": size}),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE,
        image_seq_length=config.mm_tokens_per_image,
    )


def save_gemma3_text(folder: Path, *, seed: int = 0) -> Path:
    """Save a `Gemma3ForCausalLM` with its tokenizer."""
    tokenizer = make_tokenizer()
    randomise(Gemma3ForCausalLM(text_config(tokenizer, sliding_window=24)), seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_clip(folder: Path, *, image_size: int = 56, text_length: int = 77, seed: int = 0, **extra: Any) -> Path:
    """Save a `CLIPModel` with its processor; `extra` stands in its config.json."""
    tokenizer = build_tokenizer(_WORDS.split())
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    vision = {"hidden_size": 48, "intermediate_size": 96, "image_size": image_size, "patch_size": 14}
    text = {"hidden_size": 32, "intermediate_size": 64, "vocab_size": len(tokenizer), "bos_token_id": bos,
            "eos_token_id": eos, "pad_token_id": eos, "max_position_embeddings": text_length}  # fmt: skip
    shared = {"num_hidden_layers": 3, "num_attention_heads": 4, "projection_dim": 32}
    torch.manual_seed(seed)
    model: Any = CLIPModel(
        CLIPConfig(text_config={**text, **shared}, vision_config={**vision, **shared}, projection_dim=32, **extra)
    )
    for part in (model.text_model, model.vision_model):
        randomise(part, seed)
    model.eval().save_pretrained(folder)
    crop = {"height": image_size, "width": image_size}
    pictures = CLIPImageProcessorPil(size={"shortest_edge": image_size}, crop_size=crop)
    CLIPProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder


def make_tokenizer(texts: Sequence[str] = (*QUESTIONS, _WORDS)) -> GemmaTokenizer:
    """Train a tokenizer of Gemma's kind: byte fallback, runs of newlines and both spellings of words single tokens."""
    control = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    turns = ["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"]
    octets = [f"<0x{octet:02X}>" for octet in range(256)]
    model = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    model.normalizer = normalizers.Replace(" ", "▁")
    model.pre_tokenizer = pre_tokenizers.Split(pattern=" ", behavior="merged_with_previous", invert=False)
    words = [form for text in texts for word in text.split() for form in (word, "▁" + word)] * 20
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=control + turns + octets, show_progress=False)
    model.train_from_iterator(words, trainer)
    learnt = json.loads(model.to_str())["model"]
    merges: Any = [tuple(pair) for pair in learnt["merges"]]
    tokenizer = GemmaTokenizer(
        vocab=learnt["vocab"],
        merges=merges,
        boi_token="<start_of_image>",
        eoi_token="<end_of_image>",
        image_token="<image_soft_token>",
        sot_token="<start_of_turn>",
        eot_token="<end_of_turn>",
        padding_side="left",
        add_bos_token=True,
        add_eos_token=False,
        model_max_length=8192,
    )
    tokenizer.add_tokens(["\n" * count for count in range(1, 7)])
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def randomise(model: Any, seed: int) -> Any:
    """Give every weight a random value of sensible size, in place; the library leaves the projector at zero."""
    layer_norms = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)}
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.normal_(0, 0.1, generator=generator).add_(float(name in layer_norms))
            elif "embed" in name and "patch" not in name:
                weight.normal_(0, weight.shape[-1] ** -0.5, generator=generator)
            else:
                fan_in = weight.shape[0] if "mm_input_projection" in name else weight[0].numel()
                weight.normal_(0, fan_in**-0.5, generator=generator)
    model.tie_weights()
    return model.eval()


def text_config(tokenizer: GemmaTokenizer, **values: Any) -> Gemma3TextConfig:
    """Configure a tiny Gemma 3 of text; `values` replace single ones of its geometry."""
    tiny = {
        "vocab_size": (len(tokenizer) + 15) // 16 * 16,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "max_position_embeddings": 8192,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
    }
    return Gemma3TextConfig(**{**tiny, **values})


def _rewrite_as_on_the_hub(folder: Path, image_size: int, tokens_per_image: int) -> None:
    """Describe the processor with the three files of google/gemma-3-*-it."""
    for stale in ("processor_config.json", "chat_template.jinja"):
        (folder / stale).unlink(missing_ok=True)
    files: dict[str, dict[str, Any]] = {
        "preprocessor_config.json": {
            "do_convert_rgb": None,
            "do_normalize": True,
            "do_pan_and_scan": None,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": [0.5] * 3,
            "image_processor_type": "Gemma3ImageProcessor",
            "image_seq_length": tokens_per_image,
            "image_std": [0.5] * 3,
            "processor_class": "Gemma3Processor",
            "resample": 2,
            "rescale_factor": 1 / 255,
            "size": {"height": image_size, "width": image_size},
        },
        "processor_config.json": {"image_seq_length": tokens_per_image, "processor_class": "Gemma3Processor"},
        "chat_template.json": {"chat_template": CHAT_TEMPLATE},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1))
