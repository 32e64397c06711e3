from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from studio.errors import StudioError
from studio.scienceqa.model import prompts
from studio.scienceqa.model.prompts import Prompt, View
from studio.scienceqa.questions.record import LETTERS, Question
from tests.checkpoints import make_tokenizer
from tests.scienceqa import tiny

WORDS_ALONE = Tokenizer(WordLevel({"<unk>": 0, "magnet": 1}, unk_token="<unk>"))


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer([tiny.WORDS])


def shown(tokenizer: Any, prompt: Prompt) -> str:
    return "".join(
        f"<{piece.index}>" if isinstance(piece, View) else tokenizer.decode(piece) for piece in prompt.pieces
    )


def test_a_question_about_tiles(tokenizer: Any, question: Question) -> None:
    prompt = prompts.ask(tokenizer, question, (1, 2))
    assert shown(tokenizer, prompt) == (
        "<bos><start_of_turn>user\n[1,1]<0>[1,2]<1>\nWhich of these pairs attract?\nContext: See the picture.\n"
        "Options:\n(A) Pair 1\n(B) Pair 2\n(C) neither\nExplain, then answer with the letter.<end_of_turn>\n"
        "<start_of_turn>model\n"
    )
    assert prompt.views == 2
    assert prompt.length(16) == 32 + sum(len(piece) for piece in prompt.pieces if not isinstance(piece, View))


def test_one_view_has_no_place_and_a_text_question_has_no_view(tokenizer: Any, question: Question) -> None:
    one = shown(tokenizer, prompts.ask(tokenizer, question, (1, 1), "letter"))
    assert one.startswith("<bos><start_of_turn>user\n<0>\nWhich") and "Answer with the letter.<end_of_turn>" in one
    none = prompts.ask(tokenizer, replace(question, hint=""), None)
    assert len(none.pieces) == 1
    assert shown(tokenizer, none).startswith("<bos><start_of_turn>user\nWhich of these pairs attract?\nOptions:")


def test_a_free_question_has_no_options(tokenizer: Any) -> None:
    free = Question("2", "test", "Why?", solution="Because.")
    assert shown(tokenizer, prompts.ask(tokenizer, free, None)).endswith(
        "user\nWhy?\nAnswer the question.<end_of_turn>\n<start_of_turn>model\n"
    )
    assert tokenizer.decode(prompts.answer(tokenizer, free, "letter")) == "Because.<end_of_turn>"


def test_a_prompt_begins_once_and_its_first_part_is_what_the_tokenizer_makes_of_it(
    tokenizer: Any, question: Question
) -> None:
    prompt = prompts.ask(tokenizer, question, (2, 2))
    ids = [token for piece in prompt.pieces if not isinstance(piece, View) for token in piece]
    assert ids.count(tokenizer.bos_token_id) == 1 and ids[0] == tokenizer.bos_token_id
    assert tokenizer.unk_token_id not in ids


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("letter", "(B)<end_of_turn>"),
        ("reasoning", "The poles north and south face each other.\nThe answer is (B).<end_of_turn>"),
    ],
)
def test_an_answer_ends_its_turn_and_its_letter_is_a_token_of_its_own(
    tokenizer: Any, question: Question, form: prompts.Form, text: str
) -> None:
    said = prompts.answer(tokenizer, question, form)
    assert tokenizer.decode(said) == text
    assert said[-1] == prompts.end_tokens(tokenizer)[0]
    place = said.index(prompts.letters(tokenizer, 3)[1])
    before = prompts.opening(tokenizer) if form == "letter" else prompts.conclusion(tokenizer)
    assert said[place - len(before) : place] == before


def test_reasoning_that_is_empty_leaves_no_empty_line(tokenizer: Any, question: Question) -> None:
    said = prompts.answer(tokenizer, replace(question, solution=" "), "reasoning")
    assert tokenizer.decode(said) == "The answer is (B).<end_of_turn>"


def test_the_seeds_words_are_its_scripts(tokenizer: Any, question: Question) -> None:
    asked = shown(tokenizer, prompts.ask(tokenizer, question, (1, 1), template="seed"))
    assert asked == (
        "<bos><start_of_turn>user\n<0>\nWhich of these pairs attract?\nContext: See the picture.\n"
        "Options: - Pair 1\n- Pair 2\n- neither<end_of_turn><start_of_turn>model\n"
    )
    assert tokenizer.decode(prompts.answer(tokenizer, question, "reasoning", "seed")) == (
        "**Step-by-step reasoning:**\nThe poles north and south face each other.\n\n**Final Answer:**\nPair 2"
        "<end_of_turn>"
    )
    bare = shown(tokenizer, prompts.ask(tokenizer, Question("3", "test", "Why?"), (1, 1), template="seed"))
    assert bare.endswith("\nWhy?\nContext: \nOptions: (no options)<end_of_turn><start_of_turn>model\n")


def test_the_end_tokens_are_the_end_of_turn_and_of_text(tokenizer: Any) -> None:
    assert prompts.end_tokens(tokenizer) == (
        tokenizer.convert_tokens_to_ids("<end_of_turn>"), tokenizer.convert_tokens_to_ids("<eos>"),
    )  # fmt: skip


def test_letters_are_single_tokens_or_refused(tokenizer: Any) -> None:
    assert tokenizer.convert_ids_to_tokens(prompts.letters(tokenizer, 10)) == list(LETTERS)
    with pytest.raises(StudioError, match="11 letters"):
        prompts.letters(tokenizer, 11)
    with pytest.raises(StudioError, match="no single tokens"):
        prompts.letters(PreTrainedTokenizerFast(tokenizer_object=WORDS_ALONE, unk_token="<unk>"), 2)


@pytest.mark.parametrize("field", ["question", "hint", "choices", "solution"])
def test_control_tokens_are_refused(tokenizer: Any, question: Question, field: str) -> None:
    bad = "x<end_of_turn>"
    spoilt = replace(question, **{field: (bad, "y") if field == "choices" else bad})  # type: ignore[arg-type]
    with pytest.raises(StudioError, match="control token"):
        prompts.ask(tokenizer, spoilt, None)
        prompts.answer(tokenizer, spoilt, "reasoning")


def test_what_cannot_be_asked_or_learnt_is_refused(tokenizer: Any, question: Question) -> None:
    with pytest.raises(StudioError, match="11 choices"):
        prompts.ask(tokenizer, replace(question, choices=tuple("abcdefghijk")), None)
    with pytest.raises(StudioError, match="not known"):
        prompts.answer(tokenizer, replace(question, answer=None), "letter")
    with pytest.raises(StudioError, match="not known"):
        prompts.answer(tokenizer, Question("4", "test", "Why?"), "reasoning")


def test_prompts_join() -> None:
    one = Prompt(((1, 2), View(0)))
    assert (one.then([3]) + Prompt(((4,),))).pieces == ((1, 2), View(0), (3,), (4,))
