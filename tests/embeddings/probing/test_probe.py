"""Probing finds what is planted and nothing else, says so, goes on where it stopped, and leaves files that explain."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from studio.config import validate
from studio.context import Context
from studio.embeddings.config import ProbeConfig
from studio.embeddings.probing import probe as probing
from studio.embeddings.probing.cells import Place
from studio.embeddings.probing.probes import Probe
from studio.embeddings.probing.results import pictures_of
from studio.embeddings.store.runs import open_run
from studio.errors import StudioError
from tests.embeddings.probing.samples import planted

House = Callable[[str], Context]
FEW = {"bootstrap": 200, "kinds": "linear"}


def probe(folder: Path, context: Context, **more: Any) -> dict[str, Any]:
    for event in probing.run(validate(ProbeConfig, {"run": folder, **FEW, **more}), context):
        last = event
    assert last.done == last.total
    found: dict[str, Any] = json.loads((context.folder / "probe.json").read_text("utf-8"))
    return found


def cell(results: dict[str, Any], key: str, kind: str = "linear") -> dict[str, Any]:
    return next(each for each in results["cells"] if each["key"] == key and each["kind"] == kind)


def bar(results: dict[str, Any], name: str) -> float:
    found = next(each for each in results["baselines"] if each["name"] == name)
    return float(found["metrics"]["auroc"]["value"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("planted") / "run")


def test_the_signal_is_found_where_it_is_and_nowhere_else(folder: Path, house: House) -> None:
    results = probe(folder, house("job"), kinds="both")
    assert results["best"]["key"] == "query_token_representation/layer_4"
    assert results["verdict"].startswith("The best probe, query token at layer 4 (")
    assert "it beats it by 0." in results["verdict"]
    assert len(results["cells"]) == 2 * 5
    for one in results["cells"]:
        holds = one["key"] == "query_token_representation/layer_4"
        assert one["beats"] == holds, one["key"]
        auroc = one["metrics"]["auroc"]
        assert auroc["low"] < auroc["value"] < auroc["high"]
        assert auroc["value"] > 0.8 if holds else 0.35 < auroc["value"] < 0.65
    assert all(0.3 < each["metrics"]["auroc"]["value"] < 0.7 for each in results["baselines"])
    assert {each["name"] for each in results["baselines"]} == {
        "category", "question_text", "question_length", "first_token",
    }  # fmt: skip
    assert any("No answer-type baseline" in note for note in results["notes"])
    assert set(results["by_type"]) == {"answer_type", "category"} and results["model"]["revision"] == "r1"
    assert results["split"]["test"]["questions"] == sum(row["questions"] for row in results["by_type"]["category"])


def test_a_confound_is_not_taken_for_knowledge(tmp_path: Path, house: House) -> None:
    run = planted(tmp_path / "run", signal=0, confound=1, images=200)
    results = probe(run, house("job"), representations="query_token", layers="4")
    one = cell(results, "query_token_representation/layer_4")
    assert one["metrics"]["auroc"]["value"] > 0.8  # which would be shown as a success
    assert results["best_baseline"] in ("category", "question_text") and bar(results, "category") > 0.8
    assert not one["beats"] and re.search("does not beat it for sure|is behind it", results["verdict"])
    leads = results["best"]["leads"]
    assert leads["category"]["low"] < 0 < leads["question_length"]["low"], "each baseline is met on its own"
    svg = (house("job").folder / "heatmap.svg").read_text("utf-8")
    assert svg.count('fill="url(#hatch)"') == 2  # the cell and the key


def test_images_on_both_sides_flatter_and_the_honest_split_shows_it(tmp_path: Path, house: House) -> None:
    run = planted(tmp_path / "run", signal=0, leak=3, images=100, each=10)
    results = probe(run, house("job"), representations="vision", kinds="mlp", leaky=True)
    one = cell(results, "vision_representation", "mlp")
    honest, flattered = one["metrics"]["auroc"]["value"], one["leaky"]["value"]
    assert honest < 0.65 and flattered > honest + 0.15
    assert any("would claim" in line for line in results["lines"])


@pytest.mark.parametrize("stop", [1, 4, 6, 9])
def test_a_stopped_probing_ends_equal_to_an_unbroken_one(
    folder: Path, house: House, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = validate(ProbeConfig, {"run": folder, **FEW, "kinds": "both", "representations": "query_token, vision"})
    whole, stopped = house("whole"), house("stopped")
    list(probing.run(config, whole))
    events = probing.run(config, stopped)
    for event in events:
        if event.done == stop and "epoch" not in event.note:
            break
    events.close()  # type: ignore[attr-defined]
    done = {path.stem for path in (stopped.folder / "cells").glob("*.json")} - {"plan"}
    fitted: list[str] = []
    fit, baseline = probing.cells.fit, probing.baselines.fit

    def noted(place: Place, kind: Any, *rest: Any) -> Any:
        fitted.append(f"{place.key.replace('/', '-')}-{kind}")
        return fit(place, kind, *rest)

    def noted_baseline(one: Any, *rest: Any) -> Any:
        fitted.append(f"baseline-{one.name}")
        return baseline(one, *rest)

    monkeypatch.setattr(probing.cells, "fit", noted)
    monkeypatch.setattr(probing.baselines, "fit", noted_baseline)
    list(probing.run(config, stopped))
    assert len(done) == stop and not done & set(fitted) and len(fitted) == 4 + 6 - stop
    files = sorted(path.relative_to(whole.folder) for path in whole.folder.rglob("*") if path.is_file())
    assert len(files) > 20
    for name in files:
        assert (whole.folder / name).read_bytes() == (stopped.folder / name).read_bytes(), name


def test_other_labels_or_settings_do_not_go_on_in_the_same_folder(folder: Path, house: House) -> None:
    probe(folder, house("job"), representations="vision")
    with pytest.raises(StudioError, match="changed since this began"):
        probe(folder, house("job"), representations="vision", seed=1)


def test_a_saved_probe_scores_exactly_as_it_was_reported(folder: Path, house: House) -> None:
    results = probe(folder, house("job"), kinds="both", representations="query_token")
    rows = list(csv.DictReader((house("job").folder / "scores.csv").read_text("utf-8").splitlines()))
    kept = Probe.load(house("job").folder / results["best"]["probe"])
    assert kept.card["representation"] == "query_token_representation" and kept.card["layer"] == 4
    assert kept.card["metrics"] == cell(results, results["best"]["key"], results["best"]["kind"])["metrics"]
    assert kept.card["model"]["revision"] == "r1" and kept.card["labels"] == "the run's column 'is_hallucinating'"
    with open_run(folder) as run:
        scores = dict(
            zip(run.questions["question_id"], kept.scores(run.matrix(kept.card["representation"], 4)), strict=True)
        )
        for row in rows:
            assert float(row["best_probe"]) == round(scores[row["question_id"]], 6)
            assert row["label"] == run[row["question_id"]]["is_hallucinating"]
        truths = {row["image_id"] for row in rows}
        others = set(run.questions["image_id"]) - truths
        assert len(kept.tensors["seen_images"]) == len(others)
    reported = json.loads((house("job").folder / "cells" / f"{Path(results['best']['probe']).stem}.json").read_text())
    assert [scores[row["question_id"]] for row in rows] == reported["scores"]


def test_results_are_copied_and_the_page_holds_everything(tmp_path: Path, house: House) -> None:
    run = planted(tmp_path / "run", labelled=False)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(120):
        Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(pictures / f"r1-0-{number}.png")
    (run / "run.json").write_text(
        json.dumps(json.loads((run / "run.json").read_text()) | {"images_dir": str(pictures)})
    )
    context, target = house("job"), tmp_path / "mine"
    config = validate(ProbeConfig, {"run": run, **FEW, "representations": "query_token", "output_path": target})
    *_, last = probing.run(config, context)
    results = json.loads((target / "probe.json").read_text("utf-8"))
    assert results["labels"]["by_rule"]["yes or no"]["hallucination"] > 100
    assert {"report", "page", "scores", "best", "heatmap", "roc", "calibration", "coverage"} == last.artifacts.keys()
    assert all(Path(path).is_file() and target in Path(path).parents for path in last.artifacts.values())
    assert len(list((target / "probes").iterdir())) == 2
    page = (target / "report.html").read_text("utf-8")
    assert results["verdict"] in page and page.count("<svg") == 4 and "http://" not in page.replace("http://www.w3", "")
    assert page.count("data:image/jpeg") == len(results["mistakes"]) > 3
    worst = results["mistakes"]
    assert all(Path(one["picture"]).is_file() for one in worst)
    gaps = [abs(one["label"] - one["score"]) for one in worst]
    assert gaps == sorted(gaps, reverse=True)
    for name in ("heatmap", "roc", "calibration", "coverage"):
        svg = (target / f"{name}.svg").read_text("utf-8")
        ElementTree.fromstring(svg)
        assert not re.search(r"\bnan\b|\binf\b", svg)
    curves = results["curves"]["risk_coverage"]["probe"]
    assert curves["coverage"][-1] == 1 and curves["risk"][0] < curves["risk"][-1]


def test_a_table_of_labels_with_ids_as_numbers(folder: Path, house: House, tmp_path: Path) -> None:
    with open_run(folder) as run:
        rows = run.questions[["question_id", "is_hallucinating"]].astype(int)
    rows.to_csv(tmp_path / "mine.csv", index=False)
    results = probe(folder, house("job"), representations="vision", labels=tmp_path / "mine.csv")
    assert results["labels"]["source"] == "the column 'is_hallucinating' of mine.csv"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"representations": "multimodal"}, "holds no multimodal representation"),
        ({"layers": "2"}, "does not hold layer 2"),
        ({"layers": "9"}, "no layer 9"),
        ({"representations": "vision tower"}, "'vision tower' is not one of"),
        ({"labels": "nowhere.csv"}, "cannot be read"),
        ({"run": "nowhere"}, "missing"),
    ],
)
def test_what_cannot_be_probed_is_told(folder: Path, house: House, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(StudioError, match=reason):
        probe(more.pop("run", folder), house("job"), **more)


def test_too_few_questions_and_targets_that_cannot_be_written(folder: Path, house: House, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="hallucinations and"):
        probe(planted(tmp_path / "run", images=15, each=2), house("one"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written into"):
        probe(folder, house("two"), representations="vision", output_path=tmp_path / "file")
    assert (house("two").folder / "report.html").is_file()


def test_negative_layers_count_from_the_last(folder: Path, house: House) -> None:
    results = probe(folder, house("job"), representations="query_token", layers="-1")
    assert [one["layer"] for one in results["cells"]] == [4]


def test_an_uploaded_run_shows_no_picture_of_the_server(tmp_path: Path, house: House) -> None:
    context = house("job")
    uploads = context.settings.folder("uploads")
    secret, own = tmp_path / "secret", uploads / "pictures"
    run = planted(uploads / "run", signal=0, images=60)
    with open_run(run) as opened:
        for folder, shown in ((secret, None), (uploads / "../../secret", None), (own, own.resolve())):
            opened.metadata = {**opened.metadata, "images_dir": str(folder)}
            assert pictures_of(opened, run, context.settings) == shown
        opened.metadata = {**opened.metadata, "images_dir": str(secret)}
        assert pictures_of(opened, tmp_path / "mine", context.settings) == secret.resolve(), "made on this machine"
