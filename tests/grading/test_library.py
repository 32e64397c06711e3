"""A library goes on where it stopped, survives a look that fails, and hands over a folder that explains itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.grading import library, lutfiles
from studio.grading.config import LibraryConfig, OptimizeConfig
from studio.grading.library import entries, run

House = Callable[[str], Context]
STEPS = 3


def config_of(folder: Path, judge: Path, prompt: str, **more: object) -> LibraryConfig:
    values = {"image_folder": folder, "model_type": str(judge), "steps": STEPS, "lut_size": 9, "prompt": prompt}
    return validate(LibraryConfig, values | more)


def test_every_look_gets_a_lut_a_report_and_pictures(
    judge_folder: Path, photographs: Path, house: House, tmp_path: Path
) -> None:
    config = config_of(photographs, judge_folder, "{warm, cold} city\nWarm-City", output_path=tmp_path / "mine")
    *_, last = run(config, house("job"))
    assert (last.done, last.total) == (3 * STEPS, 3 * STEPS) and last.metrics == {"finished": 3, "failed": 0}
    looks = entries(tmp_path / "mine")
    assert [(look.name, look.prompt) for look in looks] == [
        ("warm-city", "warm city"), ("cold-city", "cold city"), ("warm-city-2", "Warm-City"),
    ]  # fmt: skip
    for look in looks:
        assert lutfiles.read(look.file("lut")).table().shape == (3, 9, 9, 9)
        assert json.loads(look.file("report").read_text())["prompt"] == look.prompt
        assert look.file("sheet").is_file()
        assert look.score is not None and 0 <= look.score <= 1 and not look.error
    assert not list((house("job").folder / "work").iterdir())


def test_a_look_that_fails_is_noted_and_the_rest_trained(judge_folder: Path, photographs: Path, house: House) -> None:
    context = house("job")
    *_, last = run(config_of(photographs, judge_folder, "warm<end_of_turn>\nnoir"), context)
    assert last.metrics == {"finished": 1, "failed": 1} and "control token" in last.note
    broken, fine = entries(context.folder / "luts")
    assert "control token" in broken.error and broken.score is None and not fine.error


def test_when_no_look_can_be_trained_the_reason_is_told(judge_folder: Path, photographs: Path, house: House) -> None:
    with pytest.raises(StudioError, match="control token"):
        list(run(config_of(photographs, judge_folder, "warm<end_of_turn>"), house("one")))
    with pytest.raises(StudioError, match="nowhere"):
        list(run(config_of(photographs / "nowhere", judge_folder, "warm\nnoir"), house("two")))


def test_a_stopped_library_ends_equal_to_an_unbroken_one(
    judge_folder: Path, photographs: Path, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(photographs, judge_folder, "warm\ncold\nnoir")
    list(run(config, house("whole")))
    stopped = house("stopped")
    events = run(config, stopped)
    for event in events:
        if event.done == STEPS + 2:  # within the second look
            break
    assert isinstance(events, Iterator)
    events.close()  # type: ignore[attr-defined]
    trained: list[str] = []
    train = library.training.run

    def noted(config: OptimizeConfig, context: Context) -> Iterator[Event]:
        trained.append(config.prompt)
        return train(config, context)

    monkeypatch.setattr(library.training, "run", noted)
    list(run(config, stopped))
    assert trained == ["cold", "noir"]
    for name in ("warm", "cold", "noir"):
        whole, resumed = (house(job).folder / "luts" / f"{name}.cube" for job in ("whole", "stopped"))
        assert whole.read_bytes() == resumed.read_bytes()


def test_looks_come_from_words_or_a_file_and_not_from_neither_or_both(photographs: Path, tmp_path: Path) -> None:
    for wrong in ({}, {"prompt": "warm", "prompts_file": tmp_path / "looks.txt"}, {"prompt": " \n "}):
        with pytest.raises(StudioError, match="one a line, or a file"):
            validate(LibraryConfig, {"image_folder": photographs, **wrong})
    named = validate(LibraryConfig, {"image_folder": photographs, "prompt": "warm\n\ncold\nnoir\n"})
    assert named.name == "warm and 2 more lines"
