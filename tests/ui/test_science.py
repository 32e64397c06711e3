"""The Science tab's panes, each on a tiny bundle and a few drawn questions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from studio.jobs import Job
from studio.scienceqa.config import DrawConfig
from studio.scienceqa.model import bundle, views
from studio.tasks import Studio
from studio.ui import evaluationbrowser, scienceshelf, scienceview, uploads
from studio.ui.science import Memory, ScienceTab
from studio.ui.sciencedata import read_report
from tests.scienceqa import tiny
from tests.ui.finishing import finish


@pytest.fixture(scope="module")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_bundle(tmp_path_factory.mktemp("science") / "bundle", rank=0)


@pytest.fixture
def tab(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScienceTab]:
    few = DrawConfig(train=4, val=2, test=4, families="attract,grid", style="held-out")
    monkeypatch.setattr(scienceshelf, "EXAMPLE", few)

    async def build() -> ScienceTab:
        with gr.Blocks(analytics_enabled=False):
            return ScienceTab(studio, gr.BrowserState(""), Memory())

    yield asyncio.run(build())


def values(fields: dict[str, Any], **chosen: Any) -> list[Any]:
    return list(({name: field.value for name, field in fields.items()} | chosen).values())


def picture(tmp_path: Path) -> str:
    Image.new("RGB", (90, 30), "white").save(tmp_path / "diagram.png")
    return str(tmp_path / "diagram.png")


def ask(tab: ScienceTab, model: Path, talk: Any, *asked: Any, known: Any = None) -> list[dict[Any, Any]]:
    chat = tab.chat
    settings = values(chat.fields, max_new_tokens=3, temperature=0.0)
    given = (talk, known or {}, *asked, "", str(model), "visitor", *settings)
    return [dict(zip(chat.said, shown, strict=True)) for shown in chat.ask(*given)]


def test_a_drawn_question_fills_the_form_and_its_right_answer_is_known(tab: ScienceTab) -> None:
    pixels, question, _, choices, known = tab.chat.draw("grid")
    assert pixels.dtype == np.uint8 and pixels.ndim == 3
    assert known["question"] == question and choices.split("\n") == known["choices"]
    assert 0 <= known["answer"] < len(known["choices"])


def test_the_chat_shows_what_the_encoder_sees(tab: ScienceTab, tiny_bundle: Path, tmp_path: Path) -> None:
    path = picture(tmp_path)
    shown = dict(zip(tab.chat.looked, tab.chat.look(path, "", str(tiny_bundle), ""), strict=True))
    wanted = views.preview(views.cut(Image.open(path).convert("RGB"), tiny.TILES))
    assert np.array_equal(np.asarray(Image.open(shown[tab.chat.seen].value["path"])), np.asarray(wanted))
    assert "1 × 2 views of 32 × 32 pixels" in shown[tab.chat.told] and shown[tab.chat.empty].visible is False


def test_answers_stream_and_say_whether_they_are_right(tab: ScienceTab, tiny_bundle: Path, tmp_path: Path) -> None:
    known = {"question": "Which?", "choices": ["Pair 1", "Pair 2"], "answer": 1, "solution": "Look."}
    path, chat = picture(tmp_path), tab.chat
    first, *_, last = ask(tab, tiny_bundle, None, path, "Which?", "", "Pair 1\nPair 2", known=known)
    assert "Waiting for the model" in first[chat.live] and first[chat.stop].visible
    assert 'class="right' in last[chat.log] and "(B) Pair 2" in last[chat.log] and "verdict" in last[chat.log]
    assert last[chat.live] == "" and not last[chat.stop].visible and last[chat.question] == ""
    *_, again = ask(tab, tiny_bundle, last[chat.talk], path, "And why?", "", "")
    assert again[chat.log].startswith(last[chat.log]) and "And why?" in again[chat.log]
    assert len(again[chat.talk].conversation.turns) == 2
    *_, other = ask(tab, tiny_bundle, again[chat.talk], None, "Which?", "", "north\nsouth")
    assert "And why?" not in other[chat.log] and "verdict" not in other[chat.log]
    assert dict(zip(chat.said, chat.forget(), strict=True))[chat.log] == ""
    assert [one.holders for one in tab.chat.studio.models.loaded()] == [0]


def test_a_stopped_answer_is_kept_and_the_model_let_go(tab: ScienceTab, tiny_bundle: Path) -> None:
    chat = tab.chat
    settings = values(chat.fields, max_new_tokens=200)
    stream = chat.ask(None, {}, None, "<b>Which?", "", "", "", str(tiny_bundle), "visitor", *settings)
    talk = next(stream)[0]
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    shown = dict(zip(chat.said, chat.stopped(talk), strict=True))
    assert "Stopped." in shown[chat.log] and "&lt;b&gt;Which?" in shown[chat.log]
    assert shown[chat.start].interactive and not shown[chat.stop].visible
    assert [one.holders for one in chat.studio.models.loaded()] == [0]


@pytest.mark.parametrize(
    ("question", "choices", "words"),
    [("  ", "", "no question yet"), ("Which?", "a; a", "there twice"), ("Which?", "[1", "not a JSON list")],
)
def test_what_is_wrong_is_said(tab: ScienceTab, tiny_bundle: Path, question: str, choices: str, words: str) -> None:
    (shown,) = ask(tab, tiny_bundle, None, None, question, "", choices)
    assert words in shown[tab.chat.message]


def test_without_a_model_the_chat_says_so(tab: ScienceTab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle, "EMBEDDED", tmp_path / "nowhere")
    assert "No science model ships" in tab.chat.look(None, "", "", "")[-1]


def test_the_data_pane_counts_and_shows_samples(tab: ScienceTab, studio: Studio) -> None:
    pane = tab.data
    job_id, message = pane.submit(scienceshelf.DRAWN, "", "visitor", False)
    assert message == ""
    shown = dict(zip(pane.follower.results, pane.draw(finish(studio, studio.jobs.get(job_id))), strict=True))
    assert "10 questions, 10 with a picture" in shown[pane.told] and not shown[pane.rejected].visible
    assert "Kinds of picture" in shown[pane.found] and shown[pane.found].count("<img") == 8


def test_drawn_sets_stand_among_those_at_hand(tab: ScienceTab, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = values(tab.data.fields, train=2, val=0, test=1)
    job_id, message = tab.data.submit_drawing(["grid"], "visitor", *sizes)
    assert message == ""
    finish(studio, studio.jobs.get(job_id))
    key, dropdown = tab.data.set.offer(f"job/{job_id}", "visitor")
    assert key == f"job/{job_id}" and ("Drawn: 3 questions, grid", key) in dropdown.choices
    assert Path(tab.data.set.find(key, "", "visitor")).is_dir()
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert "no job" in tab.data.submit(key, "", "stranger", False)[1]


def test_a_table_is_taken_in_with_its_pictures(tab: ScienceTab, studio: Studio) -> None:
    folder = uploads.passing_folder() / "one"
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    (folder / "mine.csv").write_text("question,choices,answer,image\nWhich?,a;b,A,a.png\n")
    files = [str(folder / "mine.csv"), str(folder / "a.png")]
    *_, key, dropdown = tab.data.set.take(files, "visitor")
    assert dropdown.value == key and ("mine.csv", key) in dropdown.choices
    job_id, _ = tab.data.submit(key, "", "visitor", True)
    told = tab.data.draw(finish(studio, studio.jobs.get(job_id)))[2]
    assert "1 question, 1 with a picture; 0 records" in told
    assert "One table is wanted" in tab.data.set.take(files[1:], "visitor")[2]


def test_from_another_machine_only_names_on_the_hub_may_be_typed(
    tab: ScienceTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert tab.data.set.find("", "someone/questions", "visitor") == "someone/questions"
    for path in ("/etc", "tests/ui", "../elsewhere"):
        assert "cannot be named" in tab.data.submit("", path, "visitor", False)[1]


def trained(tab: ScienceTab, studio: Studio, model: Path) -> Job:
    chosen = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "eval_steps": 1, "lora_r": 2}
    given = values(tab.train.fields, num_train_epochs=1.0, **chosen)
    job_id, message = tab.train.submit(scienceshelf.DRAWN, "", "", str(model), "visitor", *given)
    assert message == ""
    return finish(studio, studio.jobs.get(job_id))


def test_a_training_leaves_a_bundle_to_chat_with_and_to_evaluate(
    tab: ScienceTab, studio: Studio, tiny_bundle: Path
) -> None:
    job = trained(tab, studio, tiny_bundle)
    pane = tab.train
    shown = dict(zip(pane.follower.results, pane.draw(job), strict=True))
    assert shown[pane.chat].visible and shown[pane.pack].visible and not shown[pane.empty].visible
    assert pane.zip(job.id).value["path"].endswith(".zip")
    panes, key, dropdown = tab.lead_on("evaluate", tab.evaluate)(job.id, "visitor")
    assert panes.selected == "evaluate" and dropdown.value == key == f"job/{job.id}"
    settings = values(tab.evaluate.fields)
    evaluated, message = tab.evaluate.submit(scienceshelf.DRAWN, "", key, "", "visitor", *settings)
    assert message == ""
    done = finish(studio, studio.jobs.get(evaluated))
    found = dict(zip(tab.evaluate.follower.results, tab.evaluate.draw(done), strict=True))
    assert "right in" in found[tab.evaluate.verdict] and "LLaVA-13B" in found[tab.evaluate.found]
    assert all(found[one].visible for one in tab.evaluate.files)
    assert "Does it matter where" not in found[tab.evaluate.found], "what was not asked is not shown"
    every = tab.evaluate.browse("", "", "", done.id)
    assert every.count('class="choices"') == 4 and every.count("<img") == 4
    assert tab.evaluate.browse("", "grid", "", done.id).count("<img") == 2
    assert tab.evaluate.browse("wrong", "", "", "gone") == ""


def test_an_evaluation_shows_what_the_answers_hang_on(tab: ScienceTab, studio: Studio, tiny_bundle: Path) -> None:
    pane = tab.evaluate
    given = values(pane.fields, another_picture=True, permutations=2, agreement=3, max_new_tokens=4)
    job_id, message = pane.submit(scienceshelf.DRAWN, "", "", str(tiny_bundle), "visitor", *given)
    assert message == ""
    done = finish(studio, studio.jobs.get(job_id))
    report = read_report(done)
    assert report is not None
    found = dict(zip(pane.follower.results, pane.draw(done), strict=True))
    drawn, orders, agreement = found[pane.found], report["orders"], report["agreement"]
    for words in ("with another picture", "right in other orders", "same choice in every order", "ends on a choice"):
        assert words in drawn
    shares = [orders["right"], orders["same_choice_in_all"], report["pictures"]["another_picture"]["same_choice"]]
    assert all(scienceview.figure(one) in drawn for one in shares)
    assert f"<td>{agreement['named']['right']} of 3</td>" in drawn
    chosen = [f"<td>{one['chosen']}</td>" for one in orders["letters"].values()]
    assert f"<td>chosen in other orders</td>{''.join(chosen)}" in drawn


def test_questions_are_browsed_by_kind_of_picture_and_by_topic() -> None:
    def row(pid: str, family: str, topic: str, right: bool, sure: float, **more: Any) -> dict[str, Any]:
        return {"pid": pid, "family": family, "topic": topic, "right": right, "probabilities": [sure], **more}

    rows = [
        row("a", "grid", "maps", True, 0.9), row("b", "grid", "tables", False, 0.6, at_once=0, reasoned=1),
        row("c", "heat", "tables", False, 0.8, at_once=0, reasoned=None), row("d", "heat", "", False, 0.7),
    ]  # fmt: skip

    def chosen(*filters: str) -> str:
        return "".join(one["pid"] for one in evaluationbrowser.select(rows, *filters))

    assert chosen("") == "cdba" and chosen("wrong") == "cdb" and chosen("disagree") == "b"
    assert chosen("", "grid") == "ba" and chosen("", "", "tables") == "cb" and chosen("wrong", "grid", "maps") == ""
    assert evaluationbrowser.kinds(rows) == [
        ("Mistakes 3", "wrong"), ("All 4", ""), ("Reasoning says otherwise 1", "disagree")
    ]  # fmt: skip
    assert evaluationbrowser.named(rows, "topic") == [
        ("Tables: 2 wrong of 2", "tables"), ("Maps: 0 wrong of 1", "maps")
    ]  # fmt: skip


def test_a_new_model_names_its_towers(tab: ScienceTab, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    given = values(tab.train.fields, llm_name="/some/folder")
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert "folder of the server" in tab.train.submit("drawn", "", scienceshelf.NEW, "", "me", *given)[1]
    monkeypatch.delenv("SPACE_ID")
    job_id, _ = tab.train.submit("drawn", "", scienceshelf.NEW, "", "me", *given)
    job = studio.jobs.get(str(job_id))
    assert job.config["bundle"] == "" and job.config["llm_name"] == "/some/folder"
