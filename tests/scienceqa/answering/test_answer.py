"""An answer says where it comes from, what the model cannot read, and when writing and probabilities disagree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.scienceqa.answering import answer
from studio.scienceqa.answering.answer import Answer, Asked, foreseen, written_form
from studio.scienceqa.answering.generation import Said, Sampling
from studio.scienceqa.model import bundle, choosing, prompts
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.questions.record import Question

EMBEDDED = BundleInfo("embedded", "embedded", families={"attract": 0.97, "grid": 0.95})
MAGNETS = Question("1", "test", "Will these magnets attract or repel?", ("attract", "repel"))
FORCE = Question("2", "test", "Compare the magnetic force.", ("more in Pair 1", "more in Pair 2"))
ZEBRA = Question("3", "test", "Which has more stripes?", ("zebra", "horse"))


@pytest.mark.parametrize(
    ("info", "question", "pictured", "wanted"),
    [
        (EMBEDDED, MAGNETS, True, ["small model"]),
        (EMBEDDED, FORCE, True, ["small model", "letter-number grid; this is magnetic force of two pairs"]),
        (EMBEDDED, ZEBRA, True, ["small model", "this is none of these"]),
        (EMBEDDED, ZEBRA, False, ["small model"]),
        (replace(EMBEDDED, language="google/gemma-3-4b-it", families={}), ZEBRA, True, []),
        (BundleInfo("v", "l"), replace(ZEBRA, hint="See the diagrams."), False, ["none was given"]),
        (BundleInfo("v", "l"), replace(ZEBRA, question="What is shown?"), False, ["none was given"]),
        (BundleInfo("v", "l"), replace(ZEBRA, question="Imagine a figurehead."), False, []),
    ],
)
def test_what_is_to_be_known_beforehand(
    info: BundleInfo, question: Question, pictured: bool, wanted: list[str]
) -> None:
    found = foreseen(info, question, pictured)
    assert len(found) == len(wanted) and all(words in told for words, told in zip(wanted, found, strict=True))


def test_only_a_model_of_the_studio_s_own_is_called_small() -> None:
    assert EMBEDDED.embedded and bundle.BundleInfo("embedded", "/elsewhere").embedded is False


def whole(said: str, chances: tuple[float, ...], reasoned: int | None) -> Answer:
    chosen = chances.index(max(chances))
    return Answer(Said((1, 2), said, True), ("attract", "repel"), chances, chosen, reasoned, ())


def test_an_answer_as_plain_data_and_for_a_person() -> None:
    told = whole("Equal poles.\nThe answer is (B).", (0.25, 0.75), 1)
    assert told.agree is True and told.lines == ["Answer: (B) repel", "(A) attract: 25.0%", "(B) repel: 75.0%"]
    data = told.to_json()
    assert (data["letter"], data["choice"], data["reasoning_letter"], data["agree"]) == ("B", "repel", "B", True)
    assert whole("", (0.25, 0.75), 0).agree is False and whole("", (0.25, 0.75), None).agree is None


@pytest.mark.parametrize("answering", ["reasoning", "letter"])
def test_the_letter_is_scored_behind_the_reasoning_or_at_once_as_the_bundle_says(
    model: GemmaClip, monkeypatch: pytest.MonkeyPatch, answering: str
) -> None:
    monkeypatch.setattr(model, "info", replace(model.info, answering=answering))  # type: ignore[arg-type]
    *moments, last = answer.reply(model, Asked(MAGNETS), Sampling(longest=5))
    assert isinstance(last, Answer) and isinstance(moments[-1], Said) and last.said == moments[-1]
    prompt = prompts.ask(model.tokenizer, MAGNETS, None, answering)  # type: ignore[arg-type]
    written = [model.tokenizer.encode(last.said.text.strip(), add_special_tokens=False)]
    reasoning = written if answering == "reasoning" else None
    (wanted,) = choosing.score(model, [prompt], [None], [MAGNETS.choices], reasoning=reasoning)
    assert last.probabilities == pytest.approx(wanted, abs=1e-6)


def test_when_the_two_disagree_the_answer_says_so(model: GemmaClip, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter, other in (("A", "B"), ("B", "A")):
        script = iter([*model.tokenizer.encode(f"The answer is ({letter}).", add_special_tokens=False), 1])
        monkeypatch.setattr(answer, "stream", lambda *_, s=script: iter([said(model, list(s))]))
        chances = {"A": (0.1, 0.9), "B": (0.8, 0.2)}[letter]
        monkeypatch.setattr(choosing, "score", lambda *_, c=chances, **__: [c])
        *_, last = answer.reply(model, Asked(MAGNETS), Sampling())
        assert isinstance(last, Answer) and last.agree is False
        assert f"ends on ({letter})" in last.warnings[-1] and f"say ({other})" in last.warnings[-1]


def said(model: GemmaClip, ids: list[int]) -> Said:
    return Said(tuple(ids), model.tokenizer.decode(ids, skip_special_tokens=True), True)


def test_a_model_that_was_taught_letters_alone_is_asked_for_no_reasoning() -> None:
    assert written_form(BundleInfo("v", "l")) == "reasoning"
    assert written_form(BundleInfo("v", "l", training={"answer_form": "letter"})) == "letter"
    assert written_form(BundleInfo("v", "l", training={"answer_form": "both"})) == "reasoning"
