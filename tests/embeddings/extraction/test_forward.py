"""Every vector and every answer equals that of one plain forward per sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.embeddings import representations as names
from studio.embeddings.extraction.forward import Reader
from studio.embeddings.extraction.prompts import lay_out_question
from studio.gemma.loading import Gemma3, load_gemma3
from studio.models import ModelSpec
from tests import checkpoints
from tests.embeddings.conftest import QUESTIONS

LAYERS = (0, 3, 5)


def inputs_of(bundle: Gemma3, picture: Image.Image, question: str) -> Any:
    content = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
    inputs = bundle.processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=True, return_dict=True, return_tensors="pt",
        add_generation_prompt=True,
    )  # fmt: skip
    inputs["pixel_values"] = inputs["pixel_values"].to(bundle.dtype)
    return inputs


@torch.no_grad()
def plainly(bundle: Gemma3, picture: Image.Image, question: str, layers: Sequence[int] = LAYERS) -> dict[str, Tensor]:
    """The definitions, word for word, on one sample's whole forward."""
    inputs, model, outputs = inputs_of(bundle, picture, question), bundle.model, {}
    handles = [
        model.model.language_model.layers[layer].register_forward_hook(
            lambda _, __, output, layer=layer: outputs.__setitem__(layer, output[0].float())
        )
        for layer in layers
    ]
    features = model.model.get_image_features(inputs["pixel_values"], return_dict=True)
    model(**inputs)
    for handle in handles:
        handle.remove()
    ids = inputs["input_ids"][0].tolist()
    soft = [index for index, token in enumerate(ids) if token == model.config.image_token_id]
    tokenizer = bundle.processor.tokenizer
    asked = range(soft[-1] + 3, ids.index(tokenizer.convert_tokens_to_ids("<end_of_turn>")))
    assert tokenizer.decode([ids[index] for index in asked]).strip() == question
    found = {names.VISION: features.last_hidden_state[0].float().mean(0)}
    for layer, hidden in outputs.items():
        found[names.key(names.VISION_TOKEN, layer)] = hidden[soft[-1]]
        found[names.key(names.QUERY_TOKEN, layer)] = hidden[-1]
        found[names.key(names.MULTIMODAL, layer)] = hidden[[*soft, *asked]].mean(0)
    return found


def read(bundle: Gemma3, pictures: list[Image.Image], limit: int = 0) -> tuple[Any, list[tuple[int, str]]]:
    """All questions about the first picture, two about the second, in one batch."""
    asked = [(0, question) for question in QUESTIONS] + [(1, question) for question in QUESTIONS[1:3]]
    pixels = bundle.processor.image_processor(images=pictures, return_tensors="pt")["pixel_values"]
    prompts = [lay_out_question(bundle.processor, question) for _, question in asked]
    return Reader(bundle, LAYERS, limit).read(pixels, prompts, [image for image, _ in asked]), asked


def vectors(reading: Any, row: int, image: int) -> dict[str, Tensor]:
    images = {name: values[image] for name, values in reading.images.items()}
    return images | {name: values[row] for name, values in reading.questions.items()}


@pytest.fixture(scope="module", params=[24, 512], ids=["window shorter", "window longer"])
def any_bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Gemma3:
    folder = checkpoints.save_gemma3(tmp_path_factory.mktemp("any"), window=request.param, seed=request.param)
    return load_gemma3(ModelSpec("gemma3", str(folder)), torch.device("cpu"))


def test_every_vector_equals_one_plain_forward_per_sample(any_bundle: Gemma3, pictures: list[Image.Image]) -> None:
    reading, asked = read(any_bundle, pictures)
    for row, (image, question) in enumerate(asked):
        truth, ours = plainly(any_bundle, pictures[image], question), vectors(reading, row, image)
        assert set(ours) == set(truth) == set(names.keys(LAYERS))
        for name, vector in truth.items():
            assert (ours[name] - vector).norm() <= 1e-5 * vector.norm(), f"{name} of '{question}'"


def test_in_bfloat16_the_directions_agree(folder: Path, pictures: list[Image.Image]) -> None:
    bundle = load_gemma3(ModelSpec("gemma3", str(folder), dtype="bfloat16"), torch.device("cpu"))
    reading, asked = read(bundle, pictures)
    for row, (image, question) in enumerate(asked):
        truth = plainly(bundle, pictures[image], question)
        for name, vector in vectors(reading, row, image).items():
            assert torch.cosine_similarity(vector, truth[name], dim=0) >= 0.999, f"{name} of '{question}'"


def test_answers_are_generate_s_own(any_bundle: Gemma3, pictures: list[Image.Image]) -> None:
    reading, asked = read(any_bundle, pictures, limit=12)
    for answer, (image, question) in zip(reading.answers, asked, strict=True):
        inputs = inputs_of(any_bundle, pictures[image], question)
        told = any_bundle.model.generate(**inputs, max_new_tokens=12, do_sample=False)
        new = told[0, inputs["input_ids"].shape[1] :]
        assert answer.text == any_bundle.processor.tokenizer.decode(new, skip_special_tokens=True).strip()
        chances = any_bundle.model(**inputs).logits[0, -1].softmax(-1)
        assert answer.first_probability == pytest.approx(chances.max().item(), rel=1e-4)


def test_an_answer_that_ends_leaves_the_others_as_they_are(bundle: Gemma3, pictures: list[Image.Image]) -> None:
    """With tokens that end an answer taken from the answers themselves, rows stop at different times."""
    longest, _ = read(bundle, pictures, limit=12)
    tokenizer = bundle.processor.tokenizer
    ends = [tokenizer(answer.text, add_special_tokens=False)["input_ids"] for answer in longest.answers]
    chosen = sorted({ids[min(3, len(ids) - 1)] for ids in ends[:3] if ids})
    before = bundle.model.generation_config.eos_token_id
    bundle.model.generation_config.eos_token_id = chosen
    try:
        reading, asked = read(bundle, pictures, limit=12)
        assert {answer.finished for answer in reading.answers} >= {True}
        for answer, (image, question) in zip(reading.answers, asked, strict=True):
            inputs = inputs_of(bundle, pictures[image], question)
            told = bundle.model.generate(**inputs, max_new_tokens=12, do_sample=False, pad_token_id=chosen[0])
            new = told[0, inputs["input_ids"].shape[1] :].tolist()
            ended = next((index for index, token in enumerate(new) if token in chosen), None)
            said = new if ended is None else new[:ended]
            assert (answer.tokens, answer.finished) == (len(said), ended is not None)
            assert answer.text == tokenizer.decode(said, skip_special_tokens=True).strip()
    finally:
        bundle.model.generation_config.eos_token_id = before


def test_one_vision_run_per_image_and_two_short_prefills_for_all(bundle: Gemma3, pictures: list[Image.Image]) -> None:
    """Counted by the tokens that pass through the decoder and the images that pass through the tower."""
    images, tokens, logits = [], [], []
    hooks = [
        bundle.model.model.vision_tower.register_forward_hook(lambda _, __, out: images.append(len(out[0]))),
        bundle.model.model.language_model.layers[0].register_forward_hook(lambda _, __, out: tokens.append(out.shape)),
        bundle.model.lm_head.register_forward_hook(lambda _, __, out: logits.append(out.shape)),
    ]
    try:
        _, asked = read(bundle, pictures)
    finally:
        for hook in hooks:
            hook.remove()
    longest = max(len(lay_out_question(bundle.processor, question).ids) for question in QUESTIONS)
    head = lay_out_question(bundle.processor, QUESTIONS[0]).head
    assert images == [2]
    assert [tuple(shape[:2]) for shape in tokens] == [(2, head), (len(asked), longest - head)]
    assert logits == []


def test_the_last_layer_is_read_before_the_final_norm(bundle: Gemma3, pictures: list[Image.Image]) -> None:
    reading, _ = read(bundle, pictures)
    last = names.key(names.QUERY_TOKEN, 5)
    inputs = inputs_of(bundle, pictures[0], QUESTIONS[0])
    normed = bundle.model(**inputs, output_hidden_states=True).hidden_states[-1][0, -1]
    assert not torch.allclose(reading.questions[last][0], normed, rtol=1e-2)
    assert torch.allclose(bundle.model.model.language_model.norm(reading.questions[last][0]), normed, rtol=1e-4)
