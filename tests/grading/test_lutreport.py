"""A report is whole: figures, lines, plots and a page, finite and readable, with photographs and without."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.context import Context
from studio.errors import StudioError
from studio.grading import lutexport
from studio.grading.config import LutReportConfig
from studio.grading.encodings import conversion_table
from studio.grading.lutreport import run
from studio.grading.sidecar import base_of, held_out
from tests.grading.faults import luts

House = Callable[[str], Context]


@pytest.fixture
def look(tmp_path: Path) -> Path:
    lutexport.write(tmp_path / "lifted.cube", luts()["lifted"], "lifted")
    return tmp_path / "lifted.cube"


def finite(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_report_with_photographs(look: Path, photographs: Path, house: House) -> None:
    context = house("job")
    events = list(run(LutReportConfig(lut=look, image_folder=photographs), context))
    assert [event.done for event in events] == [1, 2, 3, 4, 5, 6, 7] and {event.total for event in events} == {7}
    last = events[-1]
    assert last.artifacts.keys() == {"report", "page", "channels", "tint", "lattice", "sheet"}
    assert all((context.folder / name).stat().st_size for name in last.artifacts.values())
    report = finite((context.folder / "report.json").read_text("utf-8"))
    assert report["lut"] == "lifted" and report["size"] == 33 and len(report["photographs"]["read"]) == 6
    assert [one["measure"] for one in report["verdicts"] if one["level"] != "good"] == ["points"]
    assert last.note == report["summary"] == "Sound, if meant: black and white points."
    assert len(report["lines"]) == len(report["verdicts"]) == 9
    assert last.metrics["black"] == report["measures"]["points"]["black"]["lightness"] == pytest.approx(9, abs=0.5)
    assert last.metrics["coverage"] == report["measures"]["coverage"]["nodes"] > 0
    assert all(isinstance(value, float) for value in last.metrics.values())


def test_the_page_needs_nothing_beside_it(look: Path, photographs: Path, house: House) -> None:
    context = house("job")
    list(run(LutReportConfig(lut=look, image_folder=photographs), context))
    text = (context.folder / "report.html").read_text("utf-8")
    assert text.count("<svg") == 3 and text.count("<li>") == 9 and "data:image/jpeg;base64," in text
    links = re.findall(r'(?:src|href)="(?!data:)([^"]*)"', text)
    assert not links and "Black is lifted to L* 9" in text


def test_a_report_without_photographs(look: Path, house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (event,) = run(LutReportConfig(lut=look, output_path=out), house("job"))
    assert "coverage" not in event.metrics and "sheet" not in event.artifacts
    report = finite((out / "report.json").read_text("utf-8"))
    assert report["measures"]["coverage"] is None and report["measures"]["shift"]["photographs"] is None
    assert {Path(path).parent for path in event.artifacts.values()} == {out}
    assert "measured on no photographs" in (out / "report.html").read_text("utf-8")


def test_a_name_is_no_markup(look: Path, house: House, tmp_path: Path) -> None:
    odd = look.rename(tmp_path / "<b>{warm}&.cube")
    list(run(LutReportConfig(lut=odd, output_path=tmp_path / "out"), house("job")))
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "&lt;b&gt;{warm}&amp;" in text and "<b>{warm}" not in text


def test_what_training_left_beside_a_lut_is_told(look: Path, house: House, tmp_path: Path) -> None:
    scores = {"untouched": {"held_out": 0.03}, "final": {"held_out": 0.9, "measured_loss": 0.4}, "training": 0.8}
    look.with_suffix(".json").write_text(json.dumps({"prompt": "noir", "scores": scores}))
    (event,) = run(LutReportConfig(lut=look, output_path=tmp_path / "out"), house("job"))
    report = finite((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert event.metrics["score"] == 0.9 and report["verdicts"][0]["measure"] == "score"
    assert report["measures"]["score"] == {"prompt": "noir", "score": 0.9, "untouched": 0.03, "held_out": True}
    del scores["untouched"]["held_out"], scores["final"]["held_out"]
    scores["untouched"]["measured"] = scores["final"]["measured"] = 0.5
    look.with_suffix(".json").write_text(json.dumps({"prompt": "noir", "scores": scores}))
    found = held_out(look)
    assert found and found["held_out"] is False and found["score"] == 0.5


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"scores": 3}', '{"prompt": "a", "scores": {"final": {"held_out": NaN}}}', "\udcff",
             '{"prompt": "a", "scores": {"final": {"held_out": NaN}, "untouched": {"held_out": 0.1}}}']
)  # fmt: skip
def test_another_program_s_json_is_no_score(text: str, look: Path) -> None:
    look.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert held_out(look) is None


def test_a_log_lut_is_measured_against_its_conversion(house: House, tmp_path: Path) -> None:
    """The bare conversion of S-Log3 is no grade, in the report as in its plots."""
    path = tmp_path / "slog3.cube"
    lutexport.write(path, torch.from_numpy(conversion_table("slog3", "srgb", 65)), "S-Log3 to sRGB")
    (event,) = run(LutReportConfig(lut=path), house("plain"))
    assert event.metrics["shift_mean"] > 10
    path.with_suffix(".json").write_text(json.dumps({"encoding": {"input": "slog3", "output": "srgb"}}))
    (event,) = run(LutReportConfig(lut=path), house("told"))
    assert event.metrics["shift_max"] == pytest.approx(0, abs=0.01) and event.metrics["tint"] < 0.01
    assert event.metrics["dark_skin_turn"] == pytest.approx(0, abs=0.01)
    path.with_suffix(".json").write_text(json.dumps({"encoding": {"input": "film", "output": "srgb"}}))
    assert base_of(path).shape == (3, 2, 2, 2)


def test_a_broken_lut_is_one_sentence(house: House, tmp_path: Path) -> None:
    (tmp_path / "broken.cube").write_text("LUT_3D_SIZE 2\n0 0 zero\n")
    with pytest.raises(StudioError, match=r"'broken\.cube' .* line 2"):
        list(run(LutReportConfig(lut=tmp_path / "broken.cube"), house("job")))
    with pytest.raises(StudioError, match=r"There is no LUT at .*none\.cube"):
        list(run(LutReportConfig(lut=tmp_path / "none.cube"), house("job")))


def test_a_folder_without_pictures_is_one_sentence(look: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudioError, match="empty holds no pictures"):
        list(run(LutReportConfig(lut=look, image_folder=tmp_path / "empty"), house("job")))
    (tmp_path / "empty" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(StudioError, match=r"No photograph could be read: broken\.jpg"):
        list(run(LutReportConfig(lut=look, image_folder=tmp_path / "empty"), house("job")))


def test_results_that_cannot_be_written_are_one_sentence(look: Path, house: House) -> None:
    with pytest.raises(StudioError, match="cannot be put"):
        list(run(LutReportConfig(lut=look, output_path=look), house("job")))
