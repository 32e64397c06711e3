"""An evaluation asks in batches what it would ask one by one, goes on to the byte, and reports what it counted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.scienceqa.answering.answer import Asked, probabilities
from studio.scienceqa.answering.reasoning import take_apart
from studio.scienceqa.config import EvaluateScienceqaConfig
from studio.scienceqa.model import choosing
from studio.scienceqa.model.gemmaclip import GemmaClip
from studio.scienceqa.questions import reading
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.record import Question
from studio.scienceqa.scoring import ablations, evaluate
from tests.scienceqa.answering.test_generation import transformers_generate
from tests.scienceqa.scoring import samples

House = Callable[[str], Context]
FILES = ("report.json", "report.html", "results.json", "answers.jsonl")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.save(tmp_path_factory.mktemp("questions"))


@pytest.fixture
def settings_of(data: Path, tiny_folder: Path) -> Callable[..., EvaluateScienceqaConfig]:
    given = {"data": str(data), "bundle": str(tiny_folder), "answering": "letter", "batch_size": 4}
    return lambda **values: validate(EvaluateScienceqaConfig, {**given, **values})


def finish(config: EvaluateScienceqaConfig, context: Context) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Run to the end; return the report and the rows by id."""
    *_, last = evaluate.run(config, context)
    assert last.done == last.total and last.artifacts.keys() == {"report", "page", "results", "answers"}
    lines = (context.folder / "answers.jsonl").read_text("utf-8").splitlines()
    rows = {row["pid"]: row for row in map(json.loads, lines)}
    return json.loads((context.folder / "report.json").read_text("utf-8")), rows


def questions_of(data: Path) -> dict[str, Question]:
    return {one.pid: one for one in reading.read(str(data), splits=("test",)).questions}


def put(model: GemmaClip, question: Question, pictured: Question | None = None) -> Asked:
    """Put a question to the model by itself, with its own or another's picture; without any for None."""
    picture = None if pictured is None else open_picture(pictured)
    if picture is None:
        return Asked(question)
    cut = model.cut(picture)
    return Asked(question, cut.grid, model.features(cut.tiles))


def test_every_way_of_asking_in_batches_is_that_of_asking_alone(
    settings_of: Any, house: House, model: GemmaClip, data: Path
) -> None:
    report, rows = finish(settings_of(another_picture=True, permutations=2), house("job"))
    questions = questions_of(data)
    others = ablations.other_pictures(list(questions.values()))
    assert list(rows) != list(questions) and rows.keys() == questions.keys() and len(rows) == 14
    for pid, row in rows.items():
        one = questions[pid]
        (alone,) = probabilities(model, [put(model, one, one)], None)
        assert row["probabilities"] == pytest.approx(alone, abs=1e-5)
        assert row["chosen"] == row["probabilities"].index(max(row["probabilities"]))
        assert row["right"] == (row["chosen"] == one.answer) and row["family"] == ("attract" if one.family else "other")
        assert row["topic"] == one.topic
        assert ("without_picture" in row) == ("another_picture" in row) == (one.image is not None)
        if one.image is not None:
            (blind,) = probabilities(model, [put(model, one)], None)
            assert row["without_picture"]["probabilities"] == pytest.approx(blind, abs=1e-5)
            (other,) = probabilities(model, [put(model, one, others[pid])], None)
            assert row["another_picture"]["probabilities"] == pytest.approx(other, abs=1e-5)
        assert [tuple(each["order"]) for each in row["orders"]] == ablations.orders(one, 2)
        for each in row["orders"]:
            shown = replace(one, choices=tuple(one.choices[index] for index in each["order"]))
            (there,) = probabilities(model, [put(model, shown, one)], None)
            back = [there[each["order"].index(index)] for index in range(len(there))]
            assert each["probabilities"] == pytest.approx(back, abs=1e-5)
            assert each["right"] == (each["chosen"] == back.index(max(back)) == one.answer)
    assert report["pictures"].keys() == {"without_picture", "another_picture"}


def test_the_report_says_what_the_rows_say(settings_of: Any, house: House, data: Path) -> None:
    context = house("job")
    report, rows = finish(settings_of(permutations=3), context)
    questions = questions_of(data)
    columns = {one["name"]: one for one in report["columns"]}
    right = {pid: row["right"] for pid, row in rows.items()}
    assert columns["Avg"]["total"] == 14 and columns["Avg"]["right"] == sum(right.values())
    pictured = [pid for pid, one in questions.items() if one.image is not None]
    assert columns["IMG"]["total"] == len(pictured) == 9
    assert columns["IMG"]["right"] == sum(right[pid] for pid in pictured)
    assert columns["Avg"]["baselines"]["random"] == pytest.approx((7 / 2 + 7 / 4) / 14, abs=1e-6)
    blind = report["pictures"]["without_picture"]
    assert blind["other"]["right"] == sum(rows[pid]["without_picture"]["right"] for pid in pictured)
    assert blind["lead"]["value"] == pytest.approx(blind["with"]["value"] - blind["other"]["value"], abs=2e-6)
    assert report["orders"]["asked"] == 7 * 1 + 7 * 3
    assert sum(each["chosen"] for each in report["orders"]["letters"].values()) == 28
    assert {one["family"]: one["total"] for one in report["families"]} == {"attract": 7, "other": 7}
    assert {one["topic"]: one["total"] for one in report["topics"]} == {"magnets": 7, "maps": 7}
    assert sorted(report["mistakes"]) == sorted(pid for pid, good in right.items() if not good)
    sure = [max(rows[pid]["probabilities"]) for pid in report["mistakes"]]
    assert sure == sorted(sure, reverse=True)
    assert sum(each["count"] for each in report["calibration"]["bins"]) == 14
    assert not report["set"]["official_test"] and report["answered"] == "tiny"
    official = json.loads((context.folder / "results.json").read_text("utf-8"))
    assert official == {"results": {pid: row["chosen"] for pid, row in rows.items()}}


@pytest.mark.parametrize("stop", [1, 3, 8])
@pytest.mark.parametrize("torn", [False, True])
def test_a_killed_evaluation_ends_with_the_same_bytes(settings_of: Any, house: House, stop: int, torn: bool) -> None:
    config = settings_of(permutations=1, agreement=5, max_new_tokens=4)
    whole, stopped = house("whole"), house("stopped")
    finish(config, whole)
    events = evaluate.run(config, stopped)
    for _ in range(stop):
        event = next(events)
    events.close()  # type: ignore[attr-defined]
    assert event.done < 14 and not (stopped.folder / "report.json").exists()
    assert [resident.holders for resident in stopped.models.loaded()] == [0]
    kept = stopped.folder / "answers.jsonl"
    if torn and kept.exists():
        kept.write_bytes(kept.read_bytes()[:-30])
    again: list[Event] = list(evaluate.run(config, stopped))
    assert again[1].done == (0 if torn or stop < 6 else 4), "what is on the disk is not asked again"
    for name in FILES:
        assert (stopped.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name


def test_another_evaluation_in_the_same_folder_is_refused(settings_of: Any, house: House) -> None:
    finish(settings_of(max_samples=3), house("job"))
    with pytest.raises(StudioError, match="changed since this evaluation began"):
        finish(settings_of(max_samples=4), house("job"))


def test_where_memory_runs_out_batches_are_halved_and_answers_stay(
    settings_of: Any, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, wanted = finish(settings_of(batch_size=8), house("wide"))
    score, sizes = choosing.score, []

    def narrow(model: Any, asked: Any, *given: Any, **named: Any) -> Any:
        sizes.append(len(asked))
        if len(asked) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return score(model, asked, *given, **named)

    monkeypatch.setattr(choosing, "score", narrow)
    _, rows = finish(settings_of(batch_size=8), house("narrow"))
    assert sizes[:3] == [8, 4, 2] and max(sizes[2:]) == 2, "what did not fit is not tried again"
    assert list(rows) == list(wanted)
    for pid, row in rows.items():
        assert row["probabilities"] == pytest.approx(wanted[pid]["probabilities"], abs=1e-5)

    def none(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(choosing, "score", none)
    with pytest.raises(StudioError, match="ran out of memory"):
        finish(settings_of(), house("none"))


@pytest.mark.parametrize("answering", ["reasoning", "letter"])
def test_reasoning_is_what_generate_writes_and_is_compared_with_the_letter(
    settings_of: Any, house: House, model: GemmaClip, data: Path, answering: str
) -> None:
    config = settings_of(answering=answering, agreement=6, max_new_tokens=5, without_picture=False)
    report, rows = finish(config, house("job"))
    questions = questions_of(data)
    compared = [pid for pid, row in rows.items() if "at_once" in row]
    written = [pid for pid, row in rows.items() if "reasoning" in row]
    assert len(compared) == 6 and len(written) == (14 if answering == "reasoning" else 6)
    for pid in written[:3]:
        asked = put(model, questions[pid], questions[pid])
        ids = transformers_generate(model, asked.prompt(model, "reasoning"), asked.features, 5)
        text = model.tokenizer.decode(ids, skip_special_tokens=True)
        assert rows[pid]["reasoning"] == text.strip() and not rows[pid]["finished"]
        assert rows[pid]["reasoned"] == take_apart(text, questions[pid].choices).choice
    for pid in compared[:3]:
        (at_once,) = probabilities(model, [put(model, questions[pid], questions[pid])], None)
        assert rows[pid]["at_once"] == at_once.index(max(at_once))
    assert report["agreement"]["named"]["total"] == 6 and report["model"]["answering"] == answering
    named = [pid for pid in compared if rows[pid]["reasoned"] is not None]
    assert report["agreement"]["agree"]["total"] == len(named)


def test_auto_answers_as_the_bundle_says(settings_of: Any, house: House, model: GemmaClip) -> None:
    report, _ = finish(settings_of(answering="auto", max_samples=2, max_new_tokens=2), house("job"))
    assert report["model"]["answering"] == model.info.answering == "reasoning"


def test_a_question_that_cannot_be_asked_is_listed_and_left_out(settings_of: Any, house: House, tmp_path: Path) -> None:
    data = samples.save(tmp_path / "broken", 5)
    (data / "images" / "test" / "q1" / "image.png").write_bytes(b"\x89PNG\r\n\x1a\nbut not really")
    problems = json.loads((data / "problems.json").read_text())
    problems["q2"]["question"] = "What of <end_of_turn>?"
    problems["q3"]["answer"] = 9
    (data / "problems.json").write_text(json.dumps(problems))
    report, rows = finish(settings_of(data=str(data)), house("job"))
    assert {one["pid"] for one in report["failed"]} == {"q1", "q2"} and set(rows) == {"q0", "q1", "q2", "q4"}
    assert [one["pid"] for one in report["rejected"]] == ["q3"] and all(one["reason"] for one in report["failed"])
    assert report["set"]["questions"] == 2 and "2 questions could not be asked" in " ".join(report["lines"])
    assert json.loads((house("job").folder / "results.json").read_text())["results"].keys() == {"q0", "q4"}


def test_a_file_of_results_is_scored_without_a_model(
    settings_of: Any, house: House, data: Path, tmp_path: Path
) -> None:
    questions = questions_of(data)
    path = tmp_path / "results.json"
    chosen = {pid: one.answer for pid, one in questions.items()} | {"q1": 0, "q2": -1}
    del chosen["q4"]
    path.write_text(json.dumps({"results": chosen}))
    context = house("job")
    report, rows = finish(settings_of(results=path, bundle="no such bundle"), context)
    assert context.models.loaded() == []
    average = next(one for one in report["columns"] if one["name"] == "Avg")
    assert (average["right"], average["total"]) == (14 - 3, 14)
    assert sorted(report["mistakes"]) == ["q1", "q2", "q4"] and report["calibration"] is None
    assert [note.split()[0] for note in report["notes"]] == ["1", "In"] and rows["q4"]["chosen"] is None
    assert report["answered"] == "The file results.json" and "q1" in (context.folder / "report.html").read_text()


def test_samples_are_drawn_evenly_and_results_copied_where_asked(
    settings_of: Any, house: House, tmp_path: Path
) -> None:
    report, rows = finish(settings_of(max_samples=4, output_path=tmp_path / "out"), house("job"))
    assert set(rows) == {"q0", "q3", "q7", "q10"} and report["set"]["questions"] == 4
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (house("job").folder / name).read_bytes()


def test_a_split_without_questions_is_refused(settings_of: Any, house: House) -> None:
    with pytest.raises(StudioError, match="The split val of set holds no question"):
        finish(settings_of(split="val"), house("job"))


def test_the_page_shows_mistakes_first_and_needs_nothing_beside_it(settings_of: Any, house: House, data: Path) -> None:
    context = house("job")
    report, rows = finish(settings_of(permutations=1, agreement=3, max_new_tokens=3), context)
    page = (context.folder / "report.html").read_text("utf-8")
    assert re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', page) == []
    pictured = sum(one.image is not None for one in questions_of(data).values())
    assert page.count("data:image/jpeg") == pictured and page.count('<ul class="choices">') == 14
    shown = re.findall(r"Question (q\d+)", page)
    for family in ("attract", "other"):
        own = [pid for pid in shown if rows[pid]["family"] == family]
        assert [rows[pid]["right"] for pid in own] == sorted(rows[pid]["right"] for pid in own)
        wrong = [pid for pid in own if not rows[pid]["right"]]
        assert wrong == [pid for pid in report["mistakes"] if pid in wrong]
    for heading in ("ScienceQA&#x27;s columns", "By family", "Does it look at the picture?", "By topic",
                    "Does it matter where a choice stands?", "Does the reasoning carry the answer?"):  # fmt: skip
        assert f"<h2>{heading}</h2>" in page
    assert "LLaVA-13B" in page and "90.92%" in page and "for orientation alone" in page
    assert "Calibration" in page and report["verdict"].split(";")[0] in page
