from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from studio.errors import StudioError
from studio.palette.prompt import prompt, target
from studio.palette.spelling import ask, learn
from tests.palette import tiny

PALETTES = [
    ["#c5d70f", "#4dd70f", "#0fd749", "#0fd7c1"],
    ["#facade", "#dead00", "#beef12", "#000000"],
    ["#ffffff", "#80be80", "#adadad", "#123456"],
]


@pytest.mark.parametrize(("name", "width"), [("single", 1), ("pairs", 2)])
def test_an_answer_is_spelt_with_one_token_for_each_unit_of_digits(name: str, width: int) -> None:
    tokenizer = tiny.TOKENIZERS[name]()
    spelling = learn(tokenizer)
    assert spelling.width == width and len(set(spelling.digits)) == 16**width
    literals = len(spelling.opening) + 3 * len(spelling.between) + len(spelling.closing)
    for colours in PALETTES:
        answer = spelling.answer(colours)
        assert len(answer) == literals + 4 * 6 // width
        assert answer[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(answer[:-1]) == target(colours)
        assert [spelling.colour(spelling.values(colour)) for colour in colours] == colours


def test_pairs_are_spelt_as_the_tokenizer_itself_does() -> None:
    tokenizer = tiny.pairs()
    for colours in PALETTES:
        whole = tokenizer(prompt("fresh greens") + target(colours))["input_ids"]
        assert (*ask(tokenizer, "fresh greens"), *learn(tokenizer).answer(colours)[:-1]) == tuple(whole)


def test_pieces_of_words_among_the_digits_are_never_taken() -> None:
    tokenizer = tiny.single()
    merged = tokenizer.tokenize(target(["#facade", "#dead00", "#beef12", "#deaf00"]))
    assert any(len(piece) > 2 for piece in merged if set(piece) <= set("abcdef")), "or this would prove nothing"
    spelling = learn(tokenizer)
    assert [tokenizer.decode([token]) for token in spelling.digits] == list("0123456789abcdef")


def test_the_prompt_ends_where_the_answer_begins() -> None:
    for tokenizer in (tiny.single(), tiny.pairs()):
        for words in ("fresh greens", "red #facade", 'ocean ["#aabbcc"]'):
            asked = ask(tokenizer, words)
            assert tokenizer.decode(asked, skip_special_tokens=True).endswith("Colors:")
            whole = tokenizer(prompt(words) + target(PALETTES[0]))["input_ids"]
            assert tuple(whole[: len(asked)]) == asked


def _word_level(vocabulary: dict[str, int], pattern: str, **tokens: str) -> Any:
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split(pattern, "isolated")
    return PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", **tokens)


def test_a_tokenizer_that_cannot_spell_colours_is_refused() -> None:
    with pytest.raises(StudioError, match="no token for every hexadecimal digit"):
        learn(_word_level({"<unk>": 0, "<eos>": 1}, " ", eos_token="<eos>"))
    with pytest.raises(StudioError, match="no end token"):
        learn(_word_level({"<unk>": 0}, " "))
    with pytest.raises(StudioError, match="does not part the prompt from the answer"):
        ask(_word_level({"<unk>": 0, "<eos>": 1}, "never", eos_token="<eos>"), "red")
