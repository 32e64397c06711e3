"""The Probe pane: a run is chosen, probed, and what was found is drawn, whatever it was."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import gradio as gr
import pytest

from studio.embeddings.probing.matching import RULES
from studio.jobs import Job
from studio.tasks import Studio
from studio.ui import probeview, uploads
from studio.ui.embed import EmbedTab, Memory
from studio.ui.probepane import FILES, PLOTS, ProbePane
from tests.embeddings.probing.samples import planted
from tests.ui.finishing import finish


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("planted") / "run")


@pytest.fixture
def pane(studio: Studio) -> ProbePane:
    async def build() -> ProbePane:
        with gr.Blocks(analytics_enabled=False):
            return EmbedTab(studio, gr.BrowserState(""), Memory()).probe

    return asyncio.run(build())


def start(pane: ProbePane, path: str, key: str = "", labels: str | None = None, **values: object) -> tuple[Any, str]:
    chosen = {name: getattr(field, "value", None) for name, field in pane.fields.items()} | values
    return pane.submit(key, path, labels, "visitor", *chosen.values())


def probed(pane: ProbePane, run: Path, **values: object) -> Job:
    job_id, message = start(pane, str(run), kinds="linear", bootstrap=100, layers="", **values)
    assert message == ""
    return finish(pane.studio, pane.studio.jobs.get(str(job_id)))


def drawn(pane: ProbePane, job: Job | None) -> dict[str, Any]:
    return dict(zip(("empty", "verdict", *FILES, "found"), pane.draw(job), strict=True))


def test_a_finished_probing_is_drawn_whole(pane: ProbePane, run: Path) -> None:
    job = probed(pane, run, leaky=True)
    now = drawn(pane, job)
    results = json.loads((job.folder / "probe.json").read_text("utf-8"))
    assert results["verdict"].split(",")[0] in now["verdict"] and "doubt" not in now["verdict"]
    assert all(now[name].visible and Path(now[name].value["path"]).is_file() for name in FILES)
    assert now["found"].count("<svg") == len(PLOTS) and not set("{}$`") & set(now["found"])
    assert now["found"].count("beats it") >= 1 and "Leaky split" in now["found"]
    for title in ("Probes", "Baselines", "worst mistakes", "How to read it"):
        assert title in now["found"]
    assert now["empty"].visible is False


def test_a_probe_that_beats_nothing_is_said_to(pane: ProbePane, run: Path) -> None:
    job = probed(pane, run)
    results = json.loads((job.folder / "probe.json").read_text("utf-8"))
    for one in results["cells"]:
        one["beats"] = False
    assert "does not beat the best baseline for sure" in probeview.verdict(results)
    assert "not for sure" in probeview.found(results, {}, {}) and "beats it" not in probeview.found(results, {}, {})


def test_nothing_is_drawn_before_the_end(pane: ProbePane) -> None:
    now = drawn(pane, None)
    assert now["empty"].visible and now["verdict"] == "" and not any(now[name].visible for name in FILES)


@pytest.mark.parametrize(
    ("path", "values", "words"),
    [("", {}, "no run yet"), ("{run}", {"layers": "x"}, "whole numbers"), ("{run}", {"bootstrap": 1}, "100")],
)
def test_what_is_wrong_is_said(pane: ProbePane, run: Path, path: str, values: dict[str, object], words: str) -> None:
    _, message = start(pane, path.format(run=run), **values)
    assert words in message and pane.studio.jobs.list() == []


def test_labels_and_a_file_are_taken_in(pane: ProbePane, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = uploads.passing_folder() / "1"
    folder.mkdir(parents=True)
    part = folder / "part.h5"
    part.write_bytes(next(run.glob("*.h5")).read_bytes())
    (folder / "labels.csv").write_text("question_id,label\nq0,1\n")
    *_, key, choice = pane.runs.take(str(part), "")
    assert choice.value == key and [one[0] for one in choice.choices] == ["part.h5"]
    monkeypatch.setenv("SPACE_ID", "me/studio")
    job_id, message = start(pane, "", key, str(folder / "labels.csv"))
    config = pane.studio.jobs.get(str(job_id)).config
    home = pane.studio.settings.home
    assert message == "" and all(Path(config[name]).is_relative_to(home) for name in ("run", "labels"))
    assert "cannot be named" in start(pane, str(run))[1]


def test_pictures_elsewhere_are_not_shown_to_a_stranger(
    pane: ProbePane, photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistakes = [{"picture": str(photographs / "coffee.jpg")}, {"picture": None}, {"picture": "/nowhere.jpg"}]
    assert [path for path, _ in pane._pictures(mistakes)] == [mistakes[0]["picture"]]
    monkeypatch.setenv("SPACE_ID", "me/studio")
    assert list(pane._pictures(mistakes)) == []


def test_every_rule_is_shown_with_its_examples() -> None:
    shown = ElementTree.fromstring(f"<div>{probeview.rules()}</div>")
    assert len(shown.findall("h3")) == len(RULES)
    assert len(shown.findall(".//li")) == sum(len(rule.examples) for rule in RULES)
