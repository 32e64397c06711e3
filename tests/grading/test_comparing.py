"""LUTs side by side: each in its column, each pair's difference, and one judge for all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from studio.config import validate
from studio.context import Context
from studio.errors import StudioError
from studio.gemma import catalog
from studio.gemma.loading import load_gemma3
from studio.grading import comparing, health, lutexport
from studio.grading.config import CompareConfig
from studio.grading.contactsheet import GAP, LABEL, WIDTH, contact_sheet, thumbnail
from studio.grading.judges import Gemma3Judge
from studio.grading.lut import apply, identity
from tests.grading.faults import luts

House = Callable[[str], Context]


@pytest.fixture
def looks(tmp_path: Path) -> tuple[Path, ...]:
    paths = []
    for name in ("lifted", "black and white", "identity"):
        paths.append(tmp_path / f"{name}.cube")
        lutexport.write(paths[-1], luts()[name], name)
    return tuple(paths)


def test_every_pair_is_measured_and_every_lut_shown(
    looks: tuple[Path, ...], photographs: Path, house: House, tmp_path: Path
) -> None:
    config = CompareConfig(luts=looks, images=(photographs,), output_path=tmp_path / "out")
    events = list(comparing.run(config, house("job")))
    last = events[-1]
    assert [event.done for event in events] == list(range(1, 8)) and last.total == 7
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [(pair["one"], pair["other"]) for pair in report["pairs"]] == [
        ("lifted", "black and white"), ("lifted", "identity"), ("black and white", "identity")
    ]  # fmt: skip
    pixels = np.concatenate([np.asarray(Image.open(path)).reshape(-1, 3) for path in photographs.glob("*.jpg")]) / 255
    wanted = health.difference(luts()["lifted"], identity(2), pixels)
    assert report["pairs"][1]["cube"] == pytest.approx(wanted["cube"], rel=1e-4)
    assert report["pairs"][1]["photographs"]["mean"] == pytest.approx(wanted["photographs"]["mean"], rel=0.02)  # type: ignore[index]
    assert last.metrics["lifted and identity"] == report["pairs"][1]["photographs"]["mean"]
    assert len(report["lines"]) == 3 and report["scores"] == {} and report["model_type"] is None
    with Image.open(last.artifacts["sheet"]) as sheet:
        assert sheet.width == GAP + 4 * (WIDTH + GAP)
        assert np.ptp(np.asarray(sheet)[LABEL : LABEL + 100, GAP + 2 * (WIDTH + GAP) :][:, :WIDTH], axis=2).mean() < 4


def test_one_judge_scores_every_lut(
    looks: tuple[Path, ...], photographs: Path, judge_folder: Path, house: House, tmp_path: Path
) -> None:
    context = house("job")
    one = photographs / "coffee.jpg"
    config = CompareConfig(
        luts=looks, images=(one,), prompt="warm", model_type=str(judge_folder), output_path=tmp_path / "out"
    )
    *_, last = comparing.run(config, context)
    judge = Gemma3Judge(load_gemma3(catalog.spec(str(judge_folder)), torch.device("cpu")))
    before = torch.from_numpy(np.array(Image.open(one))).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        session = judge.open(before, ["warm"])
        wanted = session.margin(apply(luts()["black and white"], before), [0], exact=True).sigmoid().item()
    assert last.metrics["black and white"] == pytest.approx(wanted, abs=1e-5)
    assert last.metrics["ungraded"] == last.metrics["identity"] != last.metrics["lifted"]
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert "The judge believes “warm” of lifted at" in "".join(report["lines"])
    assert not any(resident.holders for resident in context.models.loaded())


def test_luts_of_one_name_are_numbered(looks: tuple[Path, ...], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name in ("lifted", "ungraded"):
        lutexport.write(tmp_path / "other" / f"{name}.cube", luts()["clipped"], "x")
    paths = (looks[0], tmp_path / "other" / "lifted.cube", tmp_path / "other" / "ungraded.cube")
    assert list(comparing.named(paths)) == ["lifted", "lifted 2", "ungraded 2"]


def test_one_lut_is_not_compared(looks: tuple[Path, ...], photographs: Path) -> None:
    with pytest.raises(StudioError, match=r"'luts' cannot be .*: two or more LUTs are compared"):
        validate(CompareConfig, {"luts": looks[:1], "images": [photographs]})


def test_what_cannot_be_read_is_one_sentence(
    looks: tuple[Path, ...], photographs: Path, house: House, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    broken = tmp_path / "broken.cube"
    broken.write_text("LUT_3D_SIZE 2\n")
    with pytest.raises(StudioError, match=r"'broken\.cube' is incomplete"):
        list(
            comparing.run(CompareConfig(luts=(looks[0], broken), images=(photographs,), output_path=out), house("job"))
        )
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudioError, match="empty holds no pictures"):
        list(comparing.run(CompareConfig(luts=looks, images=(tmp_path / "empty",), output_path=out), house("job")))
    assert not out.exists()


def test_a_sheet_has_a_row_each_and_long_names_are_cut() -> None:
    tall, wide = np.full((300, 100, 3), 200, np.uint8), np.full((100, 300, 3), 50, np.uint8)
    assert thumbnail(tall).shape == (WIDTH, WIDTH // 3, 3) and thumbnail(wide).shape == (WIDTH // 3, WIDTH, 3)
    data = contact_sheet([thumbnail(tall), thumbnail(wide)], {"a long name " * 30: identity(2), "b": 1 - identity(2)})
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    assert sheet.shape == (LABEL + WIDTH + WIDTH // 3 + 2 * GAP, GAP + 2 * (WIDTH + GAP), 3)
    assert sheet[LABEL + 100, GAP + WIDTH // 2].tolist() == pytest.approx([200] * 3, abs=2)
    assert sheet[LABEL + 100, 2 * GAP + WIDTH + WIDTH // 2].tolist() == pytest.approx([55] * 3, abs=2)
    assert (sheet[:LABEL, GAP + WIDTH + 1 : 2 * GAP + WIDTH - 1] < 40).all()  # no name runs into the next column
