"""Pictures graded are pictures one would keep: right to the level, named as they were, never written over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from studio.context import Context
from studio.errors import StudioError
from studio.grading import lut, lutexport
from studio.grading.apply import run
from studio.grading.config import ApplyConfig
from studio.grading.lutfiles import LUT

House = Callable[[str], Context]


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """A LUT that takes red to half."""
    table = lut.identity(9).clone()
    table[0] *= 0.5
    lutexport.write(tmp_path / "half-red.cube", table, "half red")
    return tmp_path / "half-red.cube"


def test_files_and_folders_keep_their_names(look: Path, photographs: Path, house: House, tmp_path: Path) -> None:
    one = photographs / "coffee.jpg"
    out = tmp_path / "out"
    events = list(run(ApplyConfig(lut=look, images=(one, photographs), output_path=out), house("job")))
    assert events[-1].done == events[-1].total == 6
    assert {path.name for path in out.iterdir()} == {path.name for path in photographs.iterdir()}
    before, after = (np.asarray(Image.open(folder / "coffee.jpg")).mean((0, 1)) for folder in (photographs, out))
    assert after[0] == pytest.approx(before[0] / 2, abs=2) and after[2] == pytest.approx(before[2], abs=2)


def test_a_source_is_never_written_over(look: Path, house: House, tmp_path: Path) -> None:
    source = tmp_path / "mine.png"
    Image.new("RGB", (8, 8), (200, 100, 50)).save(source)
    list(run(ApplyConfig(lut=look, images=(source,), output_path=tmp_path), house("job")))
    assert np.asarray(Image.open(source))[0, 0].tolist() == [200, 100, 50]
    assert np.asarray(Image.open(tmp_path / "mine-2.png"))[0, 0].tolist() == [100, 100, 50]


def paint(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path)


def test_results_beside_their_sources_spare_every_source(look: Path, house: House, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    colours = {"x.png": (200, 0, 0), "x-2.png": (0, 200, 0), "y.bmp": (0, 0, 200), "y.png": (90, 90, 90)}
    for name, colour in colours.items():
        paint(folder / name, colour)
    events = list(run(ApplyConfig(lut=look, images=(folder,), output_path=folder), house("job")))
    for name, colour in colours.items():
        assert np.asarray(Image.open(folder / name))[0, 0].tolist() == list(colour), name
    results = events[-1].artifacts.values()
    assert len(results) == 4
    found = sorted(np.asarray(Image.open(path))[0, 0].tolist() for path in results)
    assert found == [[0, 0, 200], [0, 200, 0], [45, 90, 90], [100, 0, 0]]


def test_pictures_of_one_name_in_several_folders_all_come_out(look: Path, house: House, tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        paint(tmp_path / f"card-{name}" / "x.png", (0, 0, 50 * number))
    folders = tuple(tmp_path / f"card-{name}" for name in "abc")
    last = list(run(ApplyConfig(lut=look, images=folders, output_path=tmp_path / "out"), house("job")))[-1]
    blues = sorted(int(np.asarray(Image.open(path))[0, 0, 2]) for path in last.artifacts.values())
    assert blues == [0, 50, 100] and last.metrics == {"graded": 3, "skipped": 0}


def test_a_file_in_the_way_of_the_folder_is_a_sentence(look: Path, house: House, tmp_path: Path) -> None:
    paint(tmp_path / "x.png", (9, 9, 9))
    config = ApplyConfig(lut=look, images=(tmp_path / "x.png",), output_path=look)
    with pytest.raises(StudioError, match="cannot be put"):
        list(run(config, house("job")))


def test_a_broken_picture_is_named_and_the_rest_graded(look: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "fine.png")
    config = ApplyConfig(
        lut=look, images=(tmp_path / "broken.jpg", tmp_path / "fine.png"), output_path=tmp_path / "out"
    )
    notes = [event.note for event in run(config, house("job"))]
    assert "broken.jpg" in notes[0] and notes[0].startswith("Skipped")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fine.png"]
    only_broken = ApplyConfig(lut=look, images=(tmp_path / "broken.jpg",), output_path=tmp_path / "out")
    with pytest.raises(StudioError, match="No picture"):
        list(run(only_broken, house("job")))


def test_an_empty_folder_among_others_is_a_skip(look: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    paint(tmp_path / "fine.png", (9, 9, 9))
    images = (tmp_path / "nothing", tmp_path / "fine.png")
    events = list(run(ApplyConfig(lut=look, images=images, output_path=tmp_path / "out"), house("job")))
    assert events[0].note.startswith("Skipped: ") and "nothing holds no pictures" in events[0].note
    assert events[-1].metrics == {"graded": 1, "skipped": 1} and events[-1].artifacts.keys() == {"fine.png"}


def test_an_empty_folder_alone_ends_the_run(look: Path, house: House, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    config = ApplyConfig(lut=look, images=(tmp_path / "nothing",), output_path=tmp_path / "out")
    with pytest.raises(StudioError, match=r"No picture could be graded: .*nothing holds no pictures"):
        list(run(config, house("job")))
    assert not (tmp_path / "out").exists()


def test_an_error_holds_the_reasons(look: Path, house: House, tmp_path: Path) -> None:
    images = tuple(tmp_path / f"broken-{number}.jpg" for number in range(7))
    for path in images:
        path.write_bytes(b"not a picture")
    config = ApplyConfig(lut=look, images=images, output_path=tmp_path / "out")
    with pytest.raises(StudioError, match=r"No picture .*broken-0\.jpg is not a picture.*broken-4.* 2 more") as caught:
        list(run(config, house("job")))
    assert caught.value.todo.count("Give a JPEG") == 1


def test_a_picture_that_cannot_be_saved_is_skipped(look: Path, house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "one.png").mkdir(parents=True)
    for name in ("one.png", "two.png"):
        paint(tmp_path / name, (9, 9, 9))
    config = ApplyConfig(lut=look, images=(tmp_path / "one.png", tmp_path / "two.png"), output_path=out)
    events = list(run(config, house("job")))
    assert events[0].note.startswith("Skipped: one.png cannot be saved") and not events[0].artifacts
    assert events[-1].metrics == {"graded": 1, "skipped": 1} and events[-1].artifacts.keys() == {"two.png"}
    assert sorted(path.name for path in out.iterdir()) == ["one.png", "two.png"]


def test_a_second_run_replaces_the_first_one_s_results(look: Path, house: House, tmp_path: Path) -> None:
    paint(tmp_path / "x.png", (9, 9, 9))
    config = ApplyConfig(lut=look, images=(tmp_path / "x.png",), output_path=tmp_path / "out")
    for _ in range(2):
        assert list(run(config, house("job")))[-1].artifacts.keys() == {"x.png"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["x.png"]


def test_jpegs_keep_their_colour_resolution(look: Path, photographs: Path, house: House, tmp_path: Path) -> None:
    list(run(ApplyConfig(lut=look, images=(photographs / "coffee.jpg",), output_path=tmp_path / "out"), house("job")))
    with Image.open(tmp_path / "out" / "coffee.jpg") as picture:
        assert isinstance(picture, JpegImageFile) and get_sampling(picture) == 0


def tree(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_folders_keep_their_shape_and_what_others_read_is_named(look: Path, house: House, tmp_path: Path) -> None:
    for name in ("a.png", "day/a.png", "day/late/a.png"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        paint(tmp_path / "in" / name, (len(name), 0, 0))
    (tmp_path / "in" / "phone.HEIC").touch()
    events = list(run(ApplyConfig(lut=look, images=(tmp_path / "in",), output_path=tmp_path / "out"), house("job")))
    assert tree(tmp_path / "out").keys() == {"a.png", "day/a.png", "day/late/a.png"} == events[-1].artifacts.keys()
    assert events[0].note.startswith("Skipped: phone.HEIC is in a format") and events[-1].metrics["skipped"] == 1


def test_results_below_their_sources_are_no_sources(look: Path, house: House, tmp_path: Path) -> None:
    paint(tmp_path / "in" / "a.png", (200, 0, 0))
    config = ApplyConfig(lut=look, images=(tmp_path / "in",), output_path=tmp_path / "in" / "graded")
    for name in ("job", "another"):
        assert list(run(config, house(name)))[-1].artifacts.keys() == {"a.png"}


def test_a_stopped_job_goes_on_and_does_nothing_twice(look: Path, house: House, tmp_path: Path) -> None:
    for number in range(4):
        paint(tmp_path / "in" / f"{number}.png", (50 * number, 0, 0))
    config = ApplyConfig(lut=look, images=(tmp_path / "in",), output_path=tmp_path / "out")
    whole = ApplyConfig(lut=look, images=(tmp_path / "in",), output_path=tmp_path / "whole")
    list(run(whole, house("whole job")))
    stream = run(config, house("job"))
    assert [next(stream).done, next(stream).done] == [1, 2]
    stream.close()  # type: ignore[attr-defined]
    assert tree(tmp_path / "out").keys() == {"0.png", "1.png"}
    before = {each: each.stat().st_mtime_ns for each in (tmp_path / "out").iterdir()}
    paint(tmp_path / "in" / "1.png", (90, 90, 90))  # changed meanwhile, so not done
    notes = [event.note for event in run(config, house("job"))]
    assert ["was done before" in note for note in notes] == [True, False, False, False]
    assert (tmp_path / "out" / "0.png").stat().st_mtime_ns == before[tmp_path / "out" / "0.png"]
    list(run(whole, house("whole job")))
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_another_lut_under_the_old_name_starts_anew(look: Path, house: House, tmp_path: Path) -> None:
    paint(tmp_path / "in" / "a.png", (200, 0, 0))
    config = ApplyConfig(lut=look, images=(tmp_path / "in",), output_path=tmp_path / "out")
    list(run(config, house("job")))
    lutexport.write(look, lut.identity(2), "nothing")
    list(run(config, house("job")))
    assert np.asarray(Image.open(tmp_path / "out" / "a.png"))[0, 0].tolist() == [200, 0, 0]


def test_what_is_long_is_a_job(tmp_path: Path) -> None:
    def is_long(*names: str) -> bool:
        return ApplyConfig(lut=tmp_path / "x.cube", images=tuple(tmp_path / name for name in names)).is_long()

    assert not is_long("a.jpg") and not is_long("a.jpg", "b.jpg", "c.jpg")
    assert is_long("a.jpg", "b.jpg", "c.jpg", "d.jpg") and is_long("clip.MOV") and is_long(".")


def test_a_table_opencolorio_refuses_gets_a_sentence() -> None:
    with pytest.raises(StudioError, match="OpenColorIO refuses"):
        LUT.of(torch.zeros(3, 130, 130, 130))
