"""The page: it builds without a warning, comes back after a reload, and does what its buttons say."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from studio import ui
from studio.jobs import State
from studio.tasks import TASKS, Studio
from studio.ui import uploads
from studio.ui.grade import EXAMPLE_WORDS, GradeTab
from studio.ui.graderesult import GradeResult


@pytest.fixture
def app(studio: Studio) -> ui.App:
    async def build() -> ui.App:
        with gr.Blocks(analytics_enabled=False) as blocks:
            return ui.App(studio, blocks)

    return asyncio.run(build())  # outside a loop gradio would open loops of its own and never close them


@pytest.fixture
def grade(app: ui.App) -> GradeTab:
    return app.grade


def submit(grade: GradeTab, folder: str | Path, **values: object) -> tuple[object, str]:
    chosen = {name: field.value for name, field in grade.fields.items()} | {"prompt": "warm", **values}
    return grade.submit("", str(folder), "visitor", *chosen.values())


def test_every_task_is_an_endpoint_and_no_handler_of_the_page_is(studio: Studio) -> None:
    async def named() -> set[str]:
        return set(ui.build(studio).get_api_info()["named_endpoints"])

    expected = {f"/{name.replace('-', '_')}" for name in TASKS}
    assert asyncio.run(named()) == expected | {"/watch", "/cancel", "/resume", "/jobs", "/presets", "/artifact"}


def test_no_event_of_the_page_marks_components_as_waiting(studio: Studio) -> None:
    """Gradio draws what waits anew sixty times a second, and goes on for ever for what is hidden meanwhile."""

    async def built() -> dict[str, Any]:
        return ui.build(studio).get_config_file()  # type: ignore[return-value]

    events = [one for one in asyncio.run(built())["dependencies"] if one["targets"] and one["backend_fn"]]
    assert len(events) > 50 and all(one["show_progress_on"] == [] for one in events)


def test_start_queues_a_job_with_the_form_as_it_stands(grade: GradeTab, studio: Studio) -> None:
    job_id, message = submit(grade, uploads.EXAMPLES, steps=7, seed=3)
    job = studio.jobs.get(str(job_id))
    assert message == "" and job.state is State.QUEUED
    assert (job.config["steps"], job.config["seed"], job.title) == (7, 3, "warm")


@pytest.mark.parametrize(
    ("folder", "values", "words"),
    [
        ("", {}, "no photographs yet"),
        (uploads.EXAMPLES, {"prompt": "  "}, "Say a look in words"),
        (uploads.EXAMPLES, {"steps": 0}, "greater than or equal to 1"),
        (uploads.EXAMPLES, {"prompt": "<b>" * 200}, "300 characters"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_queued(
    grade: GradeTab, studio: Studio, folder: str, values: dict[str, object], words: str
) -> None:
    _, message = submit(grade, folder, **values)
    assert words in message and "<b><b>" not in message
    assert studio.jobs.list() == []


def test_the_example_brings_pictures_and_words(grade: GradeTab) -> None:
    folder, gallery, counted, _, typed, words = grade.take_example("")
    assert Path(folder) == uploads.EXAMPLES and "4 photographs" in counted and words == EXAMPLE_WORDS and typed == ""
    assert len(gallery.value) == 4
    assert grade.take_example("noir")[-1] == "noir"


def test_a_folder_without_pictures_is_answered_in_a_sentence(grade: GradeTab, tmp_path: Path) -> None:
    folder, _, message, _ = grade.take_path(str(tmp_path / "nowhere"))
    assert "nowhere" in message and folder == ""


def test_a_typed_folder_counts_before_one_taken_in(grade: GradeTab, studio: Studio) -> None:
    values = [field.value for field in grade.fields.values()]
    values[list(grade.fields).index("prompt")] = "warm"
    job_id, _ = grade.submit(f" {uploads.EXAMPLES} ", "/somewhere/else", "visitor", *values)
    assert Path(studio.jobs.get(str(job_id)).config["image_folder"]) == uploads.EXAMPLES
    assert grade.take_path("  ") == [gr.skip()] * 4


def test_a_reload_fills_the_form_from_the_job(grade: GradeTab) -> None:
    job_id, _ = submit(grade, uploads.EXAMPLES, prompt="film noir", steps=9)
    restored = dict(zip(grade.restored, grade.restore(str(job_id), ""), strict=True))
    assert restored[grade.fields["prompt"]] == "film noir" and restored[grade.fields["steps"]] == 9
    assert Path(restored[grade.folder]) == uploads.EXAMPLES
    assert restored[grade.stop].visible is True
    assert "state-queued" in restored[grade.result.status]


def test_a_job_that_is_gone_leaves_an_empty_stage(grade: GradeTab) -> None:
    shown = dict(zip(grade.shown, grade.show("20200101-000000-000000-0000000000000000"), strict=True))
    assert shown[grade.result.empty].visible is True and shown[grade.result.slider].visible is False


def test_only_what_changed_is_sent_again(grade: GradeTab) -> None:
    job_id, _ = submit(grade, uploads.EXAMPLES)
    seen, *_ = grade.poll(str(job_id), {})
    assert all(update == gr.skip() for update in grade.poll(str(job_id), seen)[1:])
    grade.cancel(str(job_id))
    assert any(update != gr.skip() for update in grade.poll(str(job_id), seen)[1:])


def test_stop_and_resume(grade: GradeTab, studio: Studio) -> None:
    job_id = str(submit(grade, uploads.EXAMPLES)[0])
    assert grade.cancel(job_id)[1] == "" and studio.jobs.get(job_id).state is State.CANCELLED
    assert grade.go_on(job_id) == "" and studio.jobs.get(job_id).state is State.QUEUED
    assert "class=" in grade.go_on(job_id)


def test_the_drawers_buttons(app: ui.App, studio: Studio) -> None:
    job_id = str(submit(app.grade, uploads.EXAMPLES)[0])

    others = [""] * (len(app.places) - 1)

    def press(action: str) -> list[object]:
        pressed = SimpleNamespace(job=job_id, action=action)
        return app.act(pressed, "visitor", job_id, *others)  # type: ignore[arg-type]

    watched = dict(zip(app.shown, press("watch"), strict=False))
    assert watched[app.grade.job] == job_id and watched[app.tabs].selected == "grade"
    assert watched[app.panes].selected == "train" and watched[app.embed.extract.job] == gr.skip()
    press("stop")
    assert studio.jobs.get(job_id).state is State.CANCELLED
    assert press("remove")[0] == "" and studio.jobs.list() == []


def test_on_a_space_a_visitor_sees_and_touches_only_their_own_jobs(
    app: ui.App, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "me/studio")
    job_id = str(submit(app.grade, uploads.EXAMPLES)[0])
    assert "warm" in app.draw_drawer("visitor") and "warm" not in app.draw_drawer("stranger")
    for name in ("stranger", ""):
        with pytest.warns(UserWarning, match="There is no job"):
            app.act(SimpleNamespace(job=job_id, action="remove"), name, job_id)  # type: ignore[arg-type]
    assert studio.jobs.get(job_id).state is State.QUEUED


def test_a_button_of_a_job_that_is_gone_says_so(app: ui.App) -> None:
    gone = SimpleNamespace(job="20200101-000000-000000-0000000000000000", action="watch")
    with pytest.warns(UserWarning, match="There is no job"):
        assert app.act(gone, "visitor", "")[:2] == [gr.skip(), gr.skip()]  # type: ignore[arg-type]


def test_the_address_names_tab_and_job(app: ui.App) -> None:
    visitor, *shown = app.open("", "?tab=models&job=gone")
    now = dict(zip(app.shown, shown, strict=True))
    assert visitor and now[app.tabs].selected == "models" and now[app.grade.job] == gr.skip()
    assert app.open("me", "?__theme=dark&tab=nonsense") == ["me", *[gr.skip()] * len(app.shown)]
    job_id = str(submit(app.grade, uploads.EXAMPLES)[0])
    now = dict(zip(app.shown, app.open("me", f"?job={job_id}")[1:], strict=True))
    assert now[app.grade.job] == job_id and now[app.tabs].selected == "grade"


def test_presets_fill_the_form(grade: GradeTab) -> None:
    for name, values in grade.presets.items():
        filled = dict(zip(grade.fields, grade.fill(name), strict=True))
        assert filled["prompt"] == values["prompt"]


def test_the_header_draws_device_memory_and_jobs(app: ui.App) -> None:
    submit(app.grade, uploads.EXAMPLES)
    facts = app.draw_facts("visitor")
    assert "CPU" in facts and "0 B of 2.0 GiB" in facts and "no job running, 1 waiting" in facts
    assert "warm" in app.draw_drawer("visitor")


def test_the_models_tab(app: ui.App) -> None:
    assert "No model is loaded" in app.models.draw()
    assert "0 B given back" in app.models.unload()[0]


def test_a_result_is_a_fixed_row_of_components(grade: GradeTab) -> None:
    assert len(grade.result.components) == len(grade.result.show(None, {}))
    assert isinstance(grade.result, GradeResult)


def test_downloads_appear_when_a_run_ends_though_its_files_lay_there_before(grade: GradeTab, studio: Studio) -> None:
    job = studio.jobs.get(str(submit(grade, uploads.EXAMPLES)[0]))
    (job.folder / "warm.cube").write_text("LUT_3D_SIZE 2\n")
    job = dataclasses.replace(job, state=State.RUNNING, artifacts={"lut": "warm.cube"})
    seen: dict[str, str] = {}
    place = grade.result.components.index(grade.result.cube)
    assert grade.result.show(job, seen)[place].visible is False
    done = grade.result.show(dataclasses.replace(job, state=State.DONE), seen)[place]
    assert isinstance(done, gr.DownloadButton) and done.visible
