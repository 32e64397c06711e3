"""Asking, on the command line and in a job: it streams, answers with probabilities, and says what is wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.scienceqa.answering import ask
from studio.scienceqa.config import AskConfig
from studio.scienceqa.model import choosing, prompts
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.questions.record import Question

House = Callable[[str], Context]
ASKED = {"question": "Which of these pairs attract?", "choices": "A) Pair 1; B) Pair 2", "max_new_tokens": 8}


@pytest.fixture
def picture_file(tmp_path: Path, picture: Image.Image) -> Path:
    path = tmp_path / "magnets.png"
    picture.save(path)
    return path


def events_of(context: Context, **values: Any) -> list[Event]:
    return list(ask.run(validate(AskConfig, {**ASKED, **values}), context))


def answer_of(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((context.folder / "answer.json").read_text("utf-8"))
    return found


def test_the_text_grows_and_the_answer_is_the_likeliest_choice(
    house: House, tiny_folder: Path, model: GemmaClip, picture: Image.Image, picture_file: Path
) -> None:
    context = house("job")
    events = events_of(context, bundle=str(tiny_folder), image_path=picture_file, temperature=0)
    notes = [event.note for event in events]
    assert len(events) == 8 + 2 and all(later.startswith(note) for note, later in itertools.pairwise(notes))
    assert [event.done for event in events[:-1]] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert [event.done == event.total for event in events] == [False] * 9 + [True]
    told = answer_of(context)
    question = Question("1", "test", ASKED["question"], ("Pair 1", "Pair 2"))  # type: ignore[arg-type]
    cut = model.cut(picture)
    prompt = prompts.ask(model.tokenizer, question, cut.grid, "reasoning")
    written = model.tokenizer.encode(told["text"], add_special_tokens=False)
    (wanted,) = choosing.score(model, [prompt], [model.features(cut.tiles)], [question.choices], reasoning=[written])
    assert told["probabilities"] == pytest.approx(wanted, abs=1e-5) and sum(wanted) == pytest.approx(1)
    best = max(range(2), key=wanted.__getitem__)
    assert told["letter"] == "AB"[best] and told["choice"] == question.choices[best]
    assert events[-1].metrics == pytest.approx(dict(zip("AB", wanted, strict=True)), abs=1e-5)
    assert not told["finished"] and "cut off after 8 tokens" in told["warning"] and told["model"] == "tiny"
    assert told["lines"][-3:-1] == [f"Answer: ({told['letter']}) {told['choice']}", f"(A) Pair 1: {wanted[0]:.1%}"]


def test_a_question_without_choices_is_answered_in_words(house: House, tiny_folder: Path) -> None:
    context = house("job")
    events = events_of(context, bundle=str(tiny_folder), choices="", question="Why?")
    told = answer_of(context)
    assert told["letter"] is told["choice"] is told["agree"] is None and told["probabilities"] == []
    assert told["lines"][-1] == told["text"] == events[-1].note.strip() and not events[-1].metrics


def test_a_question_about_a_picture_without_one_is_answered_with_a_warning(
    house: House, tiny_folder: Path, picture_file: Path
) -> None:
    given: dict[str, Any] = {"bundle": str(tiny_folder), "question": "Will the magnets shown attract?"}
    events_of(house("job"), **given)
    assert "speaks of a picture, and none was given" in answer_of(house("job"))["warning"]
    events_of(house("job"), **given, image_path=picture_file)
    assert "none was given" not in answer_of(house("job"))["warning"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"question": "  "}, "There is no question."),
        ({"choices": "only one"}, "There is 1 choice"),
        ({"choices": "a;a"}, "'a' is there twice"),
        ({"image_path": "none.png"}, "There is no picture file at none.png"),
        ({"bundle": "nowhere"}, "There is no bundle in"),
        ({"question": "<end_of_turn>"}, "control token"),
    ],
)
def test_what_is_wrong_is_one_sentence(house: House, tiny_folder: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(StudioError) as caught:
        events_of(house("job"), **{"bundle": str(tiny_folder), **values})
    assert words in caught.value.what and "\n" not in str(caught.value)
    assert not (house("job").folder / "answer.json").exists()


def test_a_picture_too_large_is_one_sentence(house: House, tiny_folder: Path, tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "huge.png")
    with pytest.raises(StudioError, match="is too large: "):
        events_of(house("job"), bundle=str(tiny_folder), image_path=tmp_path / "huge.png")


def test_stopped_it_lets_go_of_the_model_and_can_be_asked_again(house: House, tiny_folder: Path) -> None:
    context = house("job")
    config = validate(AskConfig, {**ASKED, "bundle": str(tiny_folder), "seed": 3, "temperature": 1.0})
    stopped = ask.run(config, context)
    first = next(stopped)
    assert [resident.holders for resident in context.models.loaded()] == [1]
    stopped.close()  # type: ignore[attr-defined]
    assert [resident.holders for resident in context.models.loaded()] == [0] and not any(context.folder.iterdir())
    assert next(ask.run(config, context)) == first


def test_on_the_command_line_it_streams_and_ends_with_the_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_folder: Path,
    picture_file: Path,
) -> None:  # fmt: skip
    for name, value in (("HOME", tmp_path / "home"), ("DEVICE", "cpu"), ("THREADS", "1")):
        monkeypatch.setenv(f"STUDIO_{name}", str(value))
    given = ["ask", f"--bundle={tiny_folder}", f"--image_path={picture_file}", "--question", "Which of these pairs?"]
    assert main([*given, "--choices", "Pair 1;Pair 2", "--max_new_tokens=6", "--temperature=0"]) == 0
    out, err = capsys.readouterr()
    assert "Answer: (" in out and out.count("%") == 2 and "Pair 1" in out
    assert main([*given, "--choices", "Pair 1;Pair 2", "--max_new_tokens=6", "--temperature=0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["report"]
    assert err.strip() == report["text"] and err.count(report["text"]) == 1, "said once, as it was written"
    assert main([*given, "--choices", "Pair 1;;Pair 2"]) == 1
    assert "Choice 2 of 3 is empty." in capsys.readouterr().err


def test_a_job_is_called_by_its_question() -> None:
    assert validate(AskConfig, ASKED).name == ASKED["question"]
    assert validate(AskConfig, {"question": "word " * 30}).name == "word " * 11 + "word…"
