"""A saved probe scores another run of its model, is measured only on images it never saw, and refuses other models."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.config import validate
from studio.context import Context
from studio.embeddings.config import ProbeConfig, ScoreProbeConfig
from studio.embeddings.probing import probe as probing
from studio.embeddings.probing import scoring
from studio.embeddings.probing.metrics import auroc
from studio.embeddings.probing.probes import Probe
from studio.embeddings.store.runs import open_run
from studio.errors import StudioError
from studio.events import Event
from tests.embeddings.probing.samples import planted

House = Callable[[str], Context]


@pytest.fixture
def probe(tmp_path: Path, house: House) -> Path:
    run = planted(tmp_path / "first")
    values = {"run": run, "kinds": "linear", "representations": "query_token", "bootstrap": 200}
    *_, last = probing.run(validate(ProbeConfig, values), house("probing"))
    return house("probing").folder / last.artifacts["best"]


def score(probe: Path, run: Path, context: Context, **more: Any) -> tuple[Event, dict[str, Any]]:
    values = {"probe": probe, "run": run, "bootstrap": 200, "output_path": context.folder / "out", **more}
    (last,) = scoring.run(validate(ScoreProbeConfig, values), context)
    return last, json.loads((context.folder / "report.json").read_text("utf-8"))


def test_a_new_run_of_the_model_is_scored_and_measured(probe: Path, tmp_path: Path, house: House) -> None:
    run = planted(tmp_path / "second", seed=1, images=60)
    last, report = score(probe, run, house("job"))
    rows = list(csv.DictReader(Path(last.artifacts["scores"]).read_text("utf-8").splitlines()))
    assert Path(last.artifacts["scores"]) == house("job").folder / "out" / "scores.csv" and len(rows) == 300
    with open_run(run) as opened:
        kept = Probe.load(probe)
        wanted = kept.scores(opened.matrix("query_token_representation", 4))
        truths = opened.questions["is_hallucinating"].astype(int).to_numpy()
    assert [float(row["score"]) for row in rows] == wanted.round(6).tolist()
    assert [row["hallucination"] == "1" for row in rows] == (wanted >= kept.card["threshold"]).tolist()
    assert [row["label"] for row in rows] == list(map(str, truths))
    assert last.metrics["auroc"] == pytest.approx(auroc(truths, wanted), abs=1e-6) and last.metrics["auroc"] > 0.8
    assert report["auroc"]["low"] < report["auroc"]["value"] < report["auroc"]["high"]
    assert "300 questions scored" in report["lines"][0] and "on 300 labelled questions" in report["lines"][1]


def test_images_the_probe_was_fitted_on_do_not_count(probe: Path, tmp_path: Path, house: House) -> None:
    last, report = score(probe, tmp_path / "first", house("job"), output_path=tmp_path / "mine.csv")
    with open_run(tmp_path / "first") as opened:
        wanted = auroc_on_test(house("probing").folder)
        assert len(opened.questions) == 600
    assert Path(last.artifacts["scores"]) == tmp_path / "mine.csv"
    assert last.metrics["auroc"] == pytest.approx(wanted, abs=1e-6)
    assert "are about images that the probe was fitted on" in report["lines"][1]


def auroc_on_test(folder: Path) -> float:
    results = json.loads((folder / "probe.json").read_text("utf-8"))
    best = next(one for one in results["cells"] if one["probe"] == results["best"]["probe"])
    return float(best["metrics"]["auroc"]["value"])


def test_without_labels_it_scores_and_says_why_it_does_not_measure(probe: Path, tmp_path: Path, house: House) -> None:
    run = planted(tmp_path / "second", seed=1, images=3, labelled=False)
    last, report = score(probe, run, house("job"))
    assert "auroc" not in last.metrics and report["auroc"] is None
    assert "too few" in report["lines"][1]
    table = tmp_path / "labels.csv"
    table.write_text("question_id,label\nx,1\n")
    with pytest.raises(StudioError, match="knows none"):
        score(probe, run, house("job"), labels=table)


def test_another_model_or_another_length_is_refused(probe: Path, tmp_path: Path, house: House) -> None:
    other = planted(tmp_path / "other", revision="r2", images=3)
    with pytest.raises(StudioError, match="for the revision 'r1', and the run is of 'r2'"):
        score(probe, other, house("job"))
    wide = planted(tmp_path / "wide", width=13, images=3)
    with pytest.raises(StudioError, match="takes 12 numbers a vector, and the run's have 13"):
        score(probe, wide, house("job"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be written"):
        score(probe, tmp_path / "first", house("job"), output_path=tmp_path / "file")


def test_a_probe_whose_layer_the_run_lacks_is_refused(probe: Path, tmp_path: Path, house: House) -> None:
    kept = Probe.load(probe)
    for name, value, reason in (
        ("layer", 3, "holds no query_token_representation/layer_3"),
        ("representation", "multimodal_representation", "which the probe reads"),
    ):
        Probe(kept.kind, kept.tensors, {**kept.card, name: value}).save(tmp_path / "odd.safetensors")
        with pytest.raises(StudioError, match=reason):
            score(tmp_path / "odd.safetensors", tmp_path / "first", house("job"))
    assert np.all(kept.scores(np.zeros((2, 12), np.float32)) <= 1)
