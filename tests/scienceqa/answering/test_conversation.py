"""A chat remembers: its answers are those of the whole conversation read at once, whatever was kept of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from studio.context import Context
from studio.errors import StudioError
from studio.scienceqa.answering import conversation
from studio.scienceqa.answering.answer import Answer
from studio.scienceqa.answering.conversation import Conversation
from studio.scienceqa.answering.generation import Said, Sampling
from studio.scienceqa.model import prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.model.source import Source
from studio.scienceqa.questions.record import Question
from tests.scienceqa.answering.test_generation import transformers_generate

House = Callable[[str], Context]
SHORT = Sampling(longest=9)
FIRST = Question("1", "test", "Which of these pairs attract?", ("Pair 1", "Pair 2"))
SECOND = Question("2", "test", "Is the north pole of it red?", ("red", "see", "pair"), hint="See picture.")
THIRD = Question("3", "test", "Explain the answer.")


@pytest.fixture
def chat(tiny_folder: Path, picture: Image.Image) -> Conversation:
    return Conversation(Source(bundle=str(tiny_folder)).spec(), picture)


def said(chat: Conversation, context: Context, question: Question) -> Answer:
    *_, last = chat.reply(context.models, question, SHORT)
    assert isinstance(last, Answer)
    return last


@pytest.mark.parametrize("kept", ["all", "nothing", "another model"])
def test_each_answer_is_that_of_the_whole_conversation(
    chat: Conversation, house: House, model: GemmaClip, picture: Image.Image, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    if kept == "nothing":
        monkeypatch.setattr(conversation, "KEPT", 0)
    context, cut = house("job"), model.cut(picture)
    whole = prompts.ask(model.tokenizer, FIRST, cut.grid)
    for question in (FIRST, SECOND, THIRD):
        if kept == "another model":
            context.models.unload_all()
        if question is not FIRST:
            whole = whole + prompts.follow_up(model.tokenizer, question)
        found = said(chat, context, question)
        wanted = transformers_generate(model, whole, model.features(cut.tiles), SHORT.longest)
        assert list(found.said.ids) == wanted and len(found.probabilities) == len(question.choices)
        whole = whole.then((*wanted, model.end_tokens[0]))
        assert (chat._decoder.nbytes > 0) == (kept != "nothing")
    assert [turn.question for turn in chat.turns] == [FIRST, SECOND, THIRD]


def test_what_a_model_has_read_is_read_once_and_the_model_is_not_kept(
    chat: Conversation, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = house("job")
    with context.models.lease(chat._spec):
        pass  # a model is tried on a blank picture when it is loaded
    seen: list[int] = []
    features, read = GemmaClip.features, conversation.Decoder.go_on
    monkeypatch.setattr(GemmaClip, "features", lambda self, tiles: (seen.append(len(tiles)), features(self, tiles))[1])
    lengths: list[int] = []

    def go_on(self, model, asked, given):  # type: ignore[no-untyped-def]
        lengths.append(asked[0].length(model.tokens_per_view))
        return read(self, model, asked, given)

    monkeypatch.setattr(conversation.Decoder, "go_on", go_on)
    for question in (FIRST, SECOND):
        said(chat, context, question)
    assert seen == [2] and len(lengths) == 18
    assert 0 < lengths[9] < lengths[0], "of the second question only what is new"
    assert chat._model is not None and chat._model() is not None
    context.models.unload_all()
    assert chat._model() is None, "the manager can drop it between two questions"


def test_a_stopped_answer_is_remembered_as_far_as_it_came(
    chat: Conversation, house: House, model: GemmaClip, picture: Image.Image
) -> None:
    context, cut = house("job"), model.cut(picture)
    stopped = chat.reply(context.models, FIRST, SHORT)
    moments = [next(stopped), next(stopped), next(stopped)]
    stopped.close()
    assert isinstance(moments[-1], Said) and chat.turns[0].said == moments[-1] and len(moments[-1].ids) == 3
    assert [resident.holders for resident in context.models.loaded()] == [0]
    whole = prompts.ask(model.tokenizer, FIRST, cut.grid).then((*moments[-1].ids, model.end_tokens[0]))
    wanted = transformers_generate(
        model, whole + prompts.follow_up(model.tokenizer, SECOND), model.features(cut.tiles), SHORT.longest
    )
    assert list(said(chat, context, SECOND).said.ids) == wanted


def test_what_goes_wrong_is_not_remembered(chat: Conversation, house: House) -> None:
    context = house("job")
    with pytest.raises(StudioError, match="control token"):
        said(chat, context, Question("1", "test", "<start_of_turn>"))
    assert chat.turns == [] and [resident.holders for resident in context.models.loaded()] == [0]
    assert said(chat, context, FIRST).said.ids


def test_a_conversation_too_long_forgets_its_second_question_and_says_so(
    chat: Conversation, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = house("job")
    for question in (FIRST, SECOND, THIRD):
        assert not any("left out" in told for told in said(chat, context, question).warnings)
    longest = sum(turn.prompt.length(16) + len(turn.said.ids) + 1 for turn in chat.turns)
    monkeypatch.setattr(conversation, "context_length", lambda _: longest + SHORT.longest)
    found = said(chat, context, THIRD)
    assert "The second question was left out" in found.warnings[-1] and len(chat.turns) == 4
    monkeypatch.setattr(conversation, "context_length", lambda _: 100)
    assert "The questions 2 to 4 were left out" in said(chat, context, THIRD).warnings[-1]


def test_without_a_picture_it_talks_too(house: House, tiny_folder: Path, model: GemmaClip) -> None:
    chat = Conversation(Source(bundle=str(tiny_folder)).spec())
    found = said(chat, house("job"), THIRD)
    wanted = transformers_generate(model, prompts.ask(model.tokenizer, THIRD, None), None, SHORT.longest)
    assert list(found.said.ids) == wanted and found.probabilities == ()
