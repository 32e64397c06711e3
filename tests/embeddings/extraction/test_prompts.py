"""Where in a prompt the tokens stand that are read."""

from __future__ import annotations

import pytest
import torch

from studio.embeddings.extraction.prompts import lay_out_question
from studio.errors import StudioError
from studio.gemma.loading import Gemma3
from tests.embeddings.conftest import QUESTIONS


@pytest.mark.parametrize("question", [*QUESTIONS, "  \n warm? \n\n", "žluťoučký 夕焼け", "1", "\n2"])
def test_positions_come_from_the_ids(bundle: Gemma3, question: str) -> None:
    prompt, tokenizer = lay_out_question(bundle.processor, question), bundle.processor.tokenizer
    soft = (prompt.ids == tokenizer.image_token_id).nonzero()[:, 0].tolist()
    assert soft == list(range(prompt.image.start, prompt.image.stop))
    assert prompt.ids[prompt.head - 1] == tokenizer.eoi_token_id
    assert tokenizer.decode(prompt.ids[prompt.question]).strip() == question.strip()
    assert tokenizer.decode(prompt.ids[prompt.question.stop :]) == "<end_of_turn>\n<start_of_turn>model\n"
    assert prompt.last == len(prompt.ids) - 1


def test_the_head_is_the_same_for_every_question(bundle: Gemma3) -> None:
    prompts = [lay_out_question(bundle.processor, question) for question in QUESTIONS]
    heads = {tuple(prompt.ids[: prompt.head].tolist()) for prompt in prompts}
    assert len(heads) == 1 and len({prompt.head for prompt in prompts}) == 1
    assert all(torch.equal(prompt.types[: prompt.head], prompts[0].types[: prompt.head]) for prompt in prompts)


def test_what_cannot_be_asked(bundle: Gemma3, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudioError, match="control token"):
        lay_out_question(bundle.processor, "What is <image_soft_token>?")
    with pytest.raises(StudioError, match="no words"):
        lay_out_question(bundle.processor, " \n ")
    monkeypatch.setattr(bundle.processor, "chat_template", "{{ bos_token }}<start_of_image>x")
    with pytest.raises(StudioError, match=r"not Gemma 3's"):
        lay_out_question(bundle.processor, "Well?")
