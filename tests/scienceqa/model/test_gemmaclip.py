from __future__ import annotations

import pytest
import torch
from PIL import Image

from studio.scienceqa.model import choosing, prompts
from studio.scienceqa.model.gemmaclip import IGNORED, GemmaClip
from studio.scienceqa.questions.record import Question


def test_padding_changes_nothing_on_either_side(model: GemmaClip, question: Question, picture: Image.Image) -> None:
    cut = model.cut(picture)
    features = model.features(cut.tiles)
    long = prompts.ask(model.tokenizer, question, cut.grid)
    short = prompts.ask(model.tokenizer, question, None)
    with torch.no_grad():
        alone = model.logits(model.hidden(model.batch([short], [None])))[0, -1]
        for left in (False, True):
            batch = model.batch([long, short], [features, None], left=left)
            last = -1 if left else int(batch.mask[1].sum()) - 1
            together = model.logits(model.hidden(batch))[1, last]
            assert torch.allclose(together, alone, atol=2e-5)


def test_soft_tokens_have_the_size_of_words(model: GemmaClip, picture: Image.Image) -> None:
    soft = model.soft(model.features(model.cut(picture).tiles))
    assert soft.shape == (2, model.tokens_per_view, 64)
    sizes = soft.square().mean(-1).sqrt()
    assert torch.allclose(sizes, torch.full_like(sizes, model.info.text_rms or 0), rtol=1e-3)


def test_labels_are_the_answer_and_nothing_else(model: GemmaClip, question: Question, picture: Image.Image) -> None:
    cut = model.cut(picture)
    said = prompts.answer(model.tokenizer, question, "reasoning")
    asked = prompts.ask(model.tokenizer, question, cut.grid)
    batch = model.batch([asked], [model.features(cut.tiles)], answers=[said])
    assert batch.labels is not None
    assert batch.labels[0, -len(said) :].tolist() == list(said)
    assert said[-1] == model.end_tokens[0]
    assert (batch.labels[0, : -len(said)] == IGNORED).all()
    assert batch.embeds.shape[1] == asked.length(model.tokens_per_view) + len(said)


def test_probabilities_are_those_of_single_questions(
    model: GemmaClip, question: Question, picture: Image.Image
) -> None:
    cut = model.cut(picture)
    features = model.features(cut.tiles)
    asked = [prompts.ask(model.tokenizer, question, cut.grid), prompts.ask(model.tokenizer, question, None)]
    together = choosing.score(model, asked, [features, None], [question.choices] * 2)
    single = [
        choosing.score(model, [prompt], [seen], [question.choices])[0]
        for prompt, seen in zip(asked, [features, None], strict=True)
    ]
    for one, other in zip(together, single, strict=True):
        assert sum(one) == pytest.approx(1, abs=1e-6)
        assert one == pytest.approx(other, abs=1e-5)
    assert together[0] != pytest.approx(together[1], abs=1e-3)
