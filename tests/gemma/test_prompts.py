from __future__ import annotations

import pytest
import torch
from PIL import Image

from studio.errors import StudioError
from studio.gemma.loading import Gemma3
from studio.gemma.prompts import IMAGE, lay_out, shared_length, single_token


def test_one_bos_and_two_image_spans(tiny_bundle: Gemma3) -> None:
    layout = lay_out(tiny_bundle.processor, (IMAGE, IMAGE, "Is it warm? Answer Yes or No."))
    tokenizer, token = tiny_bundle.processor.tokenizer, tiny_bundle.model.config.image_token_id
    assert (layout.ids == tokenizer.bos_token_id).nonzero().tolist() == [[0]]
    assert torch.equal(layout.types, (layout.ids == token).long())
    assert len(layout.images) == 2
    for span in layout.images:
        assert span.stop - span.start == tiny_bundle.tokens_per_image
        assert (layout.ids[span] == token).all()
        assert layout.ids[span.start - 1] == tokenizer.boi_token_id
        assert layout.ids[span.stop] == tokenizer.eoi_token_id


def test_it_is_what_the_processor_makes_of_pictures(tiny_bundle: Gemma3, pictures: list[Image.Image]) -> None:
    content = (IMAGE, "First, then: ", IMAGE, " which is warmer?")
    told = iter(pictures)
    parts: list[dict[str, object]] = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image", "image": next(told)}
        for part in content
    ]
    inputs = tiny_bundle.processor.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=True, return_dict=True, return_tensors="pt",
        add_generation_prompt=True,
    )  # fmt: skip
    layout = lay_out(tiny_bundle.processor, content)
    assert torch.equal(layout.ids, inputs["input_ids"][0])
    assert torch.equal(layout.types, inputs["token_type_ids"][0])


def test_newlines_between_images_are_one_token(tiny_bundle: Gemma3) -> None:
    layout = lay_out(tiny_bundle.processor, (IMAGE, IMAGE, "Well?"))
    between = layout.ids[layout.images[0].stop + 1 : layout.images[1].start - 1]
    assert tiny_bundle.processor.tokenizer.decode(between) == "\n\n\n\n"
    assert len(between) == 1


def test_the_turn_is_the_templates_own(tiny_bundle: Gemma3) -> None:
    layout = lay_out(tiny_bundle.processor, ("  Is it warm? ",))
    text = tiny_bundle.processor.tokenizer.decode(layout.ids)
    assert text == "<bos><start_of_turn>user\nIs it warm?<end_of_turn>\n<start_of_turn>model\n"


@pytest.mark.parametrize("token", ["<start_of_image>", "<image_soft_token>", "<end_of_turn>", "<bos>"])
def test_control_tokens_cannot_be_smuggled_in(tiny_bundle: Gemma3, token: str) -> None:
    with pytest.raises(StudioError, match="control token"):
        lay_out(tiny_bundle.processor, (IMAGE, f"warm{token} look"))


def test_words_outside_the_vocabulary_fall_back_to_bytes(tiny_bundle: Gemma3) -> None:
    layout = lay_out(tiny_bundle.processor, ("žluťoučký 夕焼け 🌅",))
    assert (layout.ids != tiny_bundle.processor.tokenizer.unk_token_id).all()


def test_answers_are_single_tokens(tiny_bundle: Gemma3) -> None:
    yes, no = (single_token(tiny_bundle.processor, word) for word in ("Yes", "No"))
    assert tiny_bundle.processor.tokenizer.convert_ids_to_tokens([yes, no]) == ["Yes", "No"]
    with pytest.raises(StudioError, match="'Xylophone'"):
        single_token(tiny_bundle.processor, "Xylophone")


def test_shared_length_leaves_each_an_end_of_its_own(tiny_bundle: Gemma3) -> None:
    layouts = [lay_out(tiny_bundle.processor, (IMAGE, text)) for text in ("Is it warm?", "Is it cold and blue?")]
    shared = shared_length(layouts)
    assert torch.equal(layouts[0].ids[:shared], layouts[1].ids[:shared])
    assert layouts[0].ids[shared] != layouts[1].ids[shared]
    assert shared_length([layouts[0], layouts[0]]) == len(layouts[0].ids) - 1


def test_a_checkpoint_without_template_is_refused(tiny_bundle: Gemma3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny_bundle.processor, "chat_template", None)
    with pytest.raises(StudioError, match="no chat template"):
        lay_out(tiny_bundle.processor, ("hello",))
