"""The task that describes a set."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from studio.context import Context
from studio.errors import StudioError
from studio.scienceqa.config import DataConfig
from studio.scienceqa.questions import describing, official
from tests.scienceqa.questions.samples import encoded, question

House = Callable[[str], Context]


def saved(folder: Path, count: int = 20) -> Path:
    """A set, of which every second question has a picture, that of 2 being damaged and that of 4 missing."""
    for number in range(count):
        image = encoded(size=(900, 90)) if number % 2 == 0 else None
        entry = question(str(number), split=("train", "val")[number % 2], image=image)
        list(official.write(folder / "parts" / str(number), [entry]))
    problems: dict[str, Any] = {}
    for number in range(count):
        part = folder / "parts" / str(number)
        problems |= json.loads((part / "problems.json").read_text())
        if (part / "images").exists():
            (folder / "images" / "train").mkdir(parents=True, exist_ok=True)
            (part / "images" / "train" / str(number)).rename(folder / "images" / "train" / str(number))
    (folder / "problems.json").write_text(json.dumps(problems))
    damaged = folder / "images" / "train" / "2" / "image.png"
    damaged.write_bytes(damaged.read_bytes()[:-60])
    (folder / "images" / "train" / "4" / "image.png").unlink()
    return folder


def test_a_set_is_described(house: House, tmp_path: Path) -> None:
    context = house("job")
    events = list(describing.run(DataConfig(data=str(saved(tmp_path / "set"))), context))
    assert len(events) == 1 and events[0].note == "set: 19 questions, 9 with a picture; 1 record cannot be used."
    assert events[0].metrics == {"questions": 19, "with_picture": 9, "rejected": 1, "missing_pictures": 1}
    report = json.loads((context.folder / "report.json").read_text())
    assert report["summary"] == report["lines"][0] == events[0].note
    assert "split: train 9, val 10" in report["lines"] and "with a picture: train 9" in report["lines"]
    assert report["statistics"]["counts"]["answer"] == {"B": 19}
    with open(context.folder / "rejected.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    reason = "There is no picture 'train/4/image.png' in the folder 'images'."
    assert rows == [["pid", "about", "reason"], ["4", "picture", reason]]
    assert report["rejected"] == [{"pid": "4", "reason": reason, "about": "picture"}]
    assert f"cannot be used: 4: {reason}" in report["lines"]


def test_samples_are_spread_over_the_set_with_their_pictures(house: House, tmp_path: Path) -> None:
    context = house("job")
    *_, event = describing.run(DataConfig(data=str(saved(tmp_path / "set"))), context)
    samples = json.loads((context.folder / "report.json").read_text())["samples"]
    assert [each["pid"] for each in samples] == ["0", "2", "5", "8", "10", "12", "15", "17"]
    assert samples[0]["choices"] == ["repel", "attract"] and samples[0]["letter"] == "B"
    pictures = [each["picture"] for each in samples]
    assert pictures == ["sample-1", None, None, "sample-4", "sample-5", "sample-6", None, None]
    with Image.open(context.folder / event.artifacts["sample-4"]) as picture:
        assert picture.size == (640, 64)


def test_every_picture_is_opened_where_that_is_wanted(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describing, "_EVERY", 4)
    context = house("job")
    config = DataConfig(data=str(saved(tmp_path / "set")), open_pictures=True)
    first, second, last = describing.run(config, context)
    assert (first.done, first.total, first.note) == (4, 9, "4 of 9 pictures opened.") and second.done == 8
    assert last.metrics["rejected"] == last.metrics["missing_pictures"] == 2
    told = json.loads((context.folder / "report.json").read_text())["rejected"]
    assert [each["pid"] for each in told] == ["4", "2"] and "is damaged" in told[1]["reason"]


def test_a_hostile_set_says_its_words_in_one_line_each(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,question,topic\n1\x1b[2J,Q?,a\n2,Q?,"b\n\x1b]0;x\x07\u202e"\n', "utf-8")
    context = house("job")
    list(describing.run(DataConfig(data=str(tmp_path / "a.csv")), context))
    lines = json.loads((context.folder / "report.json").read_text())["lines"]
    assert all(line.isprintable() for line in lines) and lines[0].startswith("a.csv: 1 question, 0 with")
    assert any(line.startswith("topic: b") for line in lines)


def test_many_bad_records_are_told_in_part(house: House, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,question\n" + "".join(f"{number},\n" for number in range(300)), "utf-8")
    context = house("job")
    list(describing.run(DataConfig(data=str(tmp_path / "a.csv")), context))
    report = json.loads((context.folder / "report.json").read_text())
    assert report["lines"][-1] == "cannot be used: 280 more; rejected.csv has all of them"
    assert len(report["rejected"]) == 200 and report["samples"] == []
    assert (context.folder / "rejected.csv").read_text().count("\n") == 301


def test_the_command_prints_it_and_keeps_what_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    data = str(saved(tmp_path / "set"))
    assert main(["scienceqa-data", data]) == 0
    assert "set: 19 questions, 9 with a picture" in capsys.readouterr().out
    assert main(["scienceqa-data", data, "--output-path", str(tmp_path / "out"), "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert outcome["artifacts"] == {name: str(tmp_path / "out" / f"{name}.{kind}") for name, kind in
                                    (("report", "json"), ("rejected", "csv"))}  # fmt: skip
    assert outcome["report"]["statistics"]["questions"] == 19
    assert main(["scienceqa-data", data, "--output-path", str(tmp_path / "set" / "problems.json")]) == 1
    assert "The report cannot be written" in capsys.readouterr().err
    assert main(["scienceqa-data", str(tmp_path / "gone")]) == 1
    assert "There is no file or folder" in capsys.readouterr().err


def test_the_limits_of_the_studio_count(house: House, tmp_path: Path) -> None:
    context = house("job")
    context = replace(context, settings=replace(context.settings, max_pixels=1000))
    with pytest.raises(StudioError, match="holds no questions"):
        list(describing.run(DataConfig(data=str(official_empty(tmp_path))), context))
    config = DataConfig(data=str(saved(tmp_path / "set")), open_pictures=True)
    *_, last = describing.run(config, context)
    assert last.metrics["with_picture"] == 0


def official_empty(folder: Path) -> Path:
    list(official.write(folder / "none", []))
    return folder / "none"
