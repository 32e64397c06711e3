"""Generation is transformers' own to the token, alone and in a batch, and its stream is whole at every moment."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from studio.errors import StudioError
from studio.scienceqa.answering import generation
from studio.scienceqa.answering.generation import Decoder, Said, Sampling
from studio.scienceqa.model import loading, prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.prompts import Prompt
from studio.scienceqa.model.source import Source
from studio.scienceqa.questions.record import Question
from tests.scienceqa import tiny

Pair = tuple[Prompt, torch.Tensor | None]
ASKED = [
    Question("1", "test", "Which of these pairs attract?", ("Pair 1", "Pair 2")),
    Question("2", "test", "Which magnet?", ("north", "south", "see picture"), hint="The answer is because " * 4),
    Question("3", "test", "See?", ("1", "2")),
]


def laid_out(model: GemmaClip, picture: Image.Image | None, question: Question) -> Pair:
    if picture is None:
        return prompts.ask(model.tokenizer, question, None), None
    cut = model.cut(picture)
    return prompts.ask(model.tokenizer, question, cut.grid), model.features(cut.tiles)


def together(model: GemmaClip, pairs: Sequence[Pair], longest: int) -> list[Said]:
    return generation.complete(model, [prompt for prompt, _ in pairs], [seen for _, seen in pairs], Sampling(longest))


def transformers_generate(model: GemmaClip, prompt: Prompt, features: Any, longest: int) -> list[int]:
    batch = model.batch([prompt], [features])
    settings = {"max_new_tokens": longest, "do_sample": False, "eos_token_id": list(model.end_tokens)}
    ids = model.language.generate(inputs_embeds=batch.embeds, attention_mask=batch.mask, pad_token_id=0, **settings)
    return [token for token in ids[0].tolist() if token not in model.end_tokens]


@pytest.fixture(scope="module")
def short_sighted(tmp_path_factory: pytest.TempPathFactory) -> GemmaClip:
    """A model whose windows are shorter than its prompts."""
    folder = tmp_path_factory.mktemp("window")
    vision, language = tiny.save_vision(folder / "vision"), tiny.save_language(folder / "language", window=12)
    return loading.load(Source(vision=str(vision), language=str(language)).spec(), torch.device("cpu"))


@pytest.mark.parametrize("sighted", ["model", "short_sighted"])
def test_greedy_tokens_are_those_of_generate_alone_and_in_a_batch(
    request: pytest.FixtureRequest, picture: Image.Image, sighted: str
) -> None:
    model: GemmaClip = request.getfixturevalue(sighted)
    tall = picture.rotate(90, expand=True)
    pairs = [laid_out(model, each, one) for each, one in zip((picture, None, tall), ASKED, strict=True)]
    for (prompt, features), said in zip(pairs, together(model, pairs, 12), strict=True):
        wanted = transformers_generate(model, prompt, features, 12)
        alone = list(generation.stream(model, prompt, features, Sampling(longest=12)))
        assert list(alone[-1].ids) == list(said.ids) == wanted and len(wanted) > 3
        assert alone[-1] == said
    if sighted == "short_sighted":
        assert model.language.config.sliding_window == 12 < pairs[0][0].length(model.tokens_per_view)


def test_rows_that_end_leave_the_others_alone(model: GemmaClip, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [laid_out(model, None, one) for one in ASKED]
    free = together(model, pairs, 12)
    monkeypatch.setattr(model, "end_tokens", (free[1].ids[3], free[2].ids[6]))
    ended = together(model, pairs, 12)
    for (prompt, _), before, after in zip(pairs, free, ended, strict=True):
        stops = [at for at, token in enumerate(before.ids) if token in model.end_tokens]
        assert after.ids == before.ids[: stops[0] if stops else 12] and after.finished == bool(stops)
        assert list(generation.stream(model, prompt, None, Sampling(longest=12)))[-1] == after
    assert ended[1].finished and len(ended[1].ids) <= 3


def test_a_stream_grows_and_its_end_is_the_whole_text(model: GemmaClip, picture: Image.Image) -> None:
    prompt, features = laid_out(model, picture, ASKED[0])
    moments = list(generation.stream(model, prompt, features, Sampling(longest=40, temperature=2.0, top_p=1.0)))
    assert all(after.text.startswith(before.text) for before, after in itertools.pairwise(moments))
    assert [len(moment.ids) for moment in moments[:5]] == [1, 2, 3, 4, 5] and len(moments[-1].ids) == 40
    assert moments[-1].text and not moments[-1].finished


def test_characters_of_several_bytes_come_whole(model: GemmaClip, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "é 日本 🧲 see the picture 🧪!"
    ids = model.tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) > 20, "the tiny tokenizer falls back to bytes here"
    script = iter([*ids, model.end_tokens[0]])
    monkeypatch.setattr(generation, "choose", lambda *_: [next(script)])
    moments = list(generation.stream(model, Prompt(((2, 5),)), None, Sampling(longest=99)))
    assert moments[-1].text == text == model.tokenizer.decode(ids) and moments[-1].finished
    assert not any("\ufffd" in moment.text for moment in moments)
    assert {moment.text for moment in moments} >= {"é", "é 日", "é 日本", "é 日本 🧲"}


def test_a_broken_character_at_the_end_is_shown_as_broken(model: GemmaClip, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = model.tokenizer.encode("a 🧲", add_special_tokens=False)[:-1]
    script = iter(ids)
    monkeypatch.setattr(generation, "choose", lambda *_: [next(script)])
    moments = list(generation.stream(model, Prompt(((2, 5),)), None, Sampling(longest=len(ids))))
    assert moments[-1].text == model.tokenizer.decode(ids) and moments[-1].text.startswith("a \ufffd")


def test_drawing_is_by_its_own_seed_and_only_among_the_likely(model: GemmaClip) -> None:
    prompt, _ = laid_out(model, None, ASKED[0])

    def drawn(**values: Any) -> tuple[int, ...]:
        torch.rand(7)  # what others draw does not matter
        return list(generation.stream(model, prompt, None, Sampling(longest=12, **values)))[-1].ids

    greedy = drawn()
    assert drawn(temperature=1.5, seed=1) == drawn(temperature=1.5, seed=1) != drawn(temperature=1.5, seed=2)
    assert drawn(temperature=1.5, top_p=0.01, seed=3) == greedy == drawn(temperature=1e-4, seed=4)


def test_reading_in_pieces_is_reading_at_once(model: GemmaClip, picture: Image.Image) -> None:
    prompt, features = laid_out(model, picture, ASKED[1])
    whole = Decoder().go_on(model, [prompt], [features])
    decoder = Decoder()
    decoder.go_on(model, [Prompt(prompt.pieces[:-1])], [features])
    rest = decoder.rest(prompt)
    assert rest.views == 0 and rest.length(0) == len(prompt.pieces[-1])  # type: ignore[arg-type]
    assert torch.allclose(whole, decoder.go_on(model, [rest], [None]), atol=1e-5) and decoder.nbytes > 0


def test_what_was_read_and_said_is_not_read_again(model: GemmaClip, picture: Image.Image) -> None:
    first, features = laid_out(model, picture, ASKED[0])
    decoder = Decoder()
    said = list(generation.stream(model, first, features, Sampling(longest=7), decoder))[-1]
    more = prompts.follow_up(model.tokenizer, ASKED[1])
    whole = first.then((*said.ids, model.end_tokens[0])) + more
    assert decoder.rest(whole).length(0) == 1 + 1 + len(more.pieces[0])  # type: ignore[arg-type]  # its last token too
    kept = list(generation.stream(model, whole, features, Sampling(longest=16), decoder))
    assert kept == list(generation.stream(model, whole, features, Sampling(longest=16)))
    assert decoder.rest(first) == first and decoder.read == [], "another prompt is read anew"


def test_a_stopped_stream_leaves_nothing_behind(model: GemmaClip, picture: Image.Image) -> None:
    prompt, features = laid_out(model, picture, ASKED[0])
    before = list(generation.stream(model, prompt, features, Sampling(longest=8)))
    decoder = Decoder()
    kept = weakref.ref(decoder)
    stopped = generation.stream(model, prompt, features, Sampling(longest=8), decoder)
    assert [next(stopped), next(stopped)] == before[:2]
    del decoder
    stopped.close()  # type: ignore[attr-defined]
    gc.collect()
    assert kept() is None, "the cache goes with it"
    assert not any(module._forward_hooks for module in model.language.modules())
    assert list(generation.stream(model, prompt, features, Sampling(longest=8))) == before


def test_an_answer_ends_where_the_model_s_reading_ends(model: GemmaClip, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt, _ = laid_out(model, None, ASKED[0])
    length = prompt.length(model.tokens_per_view)
    monkeypatch.setattr(model.language.config, "max_position_embeddings", length + 3)
    assert generation.room(model, prompt, 256) == 3 and generation.room(model, prompt, 2) == 2
    monkeypatch.setattr(model.language.config, "max_position_embeddings", length)
    with pytest.raises(StudioError, match=f"takes {length} tokens, and the model reads {length}"):
        generation.room(model, prompt, 256)


def test_a_bundle_reads_the_same_whoever_loads_it(model: GemmaClip, tiny_folder: Path) -> None:
    again = loading.load(Source(bundle=str(tiny_folder)).spec(), torch.device("cpu"))
    prompt, _ = laid_out(model, None, ASKED[0])
    said = [list(generation.stream(each, prompt, None, Sampling(longest=6)))[-1] for each in (model, again)]
    assert said[0] == said[1]
