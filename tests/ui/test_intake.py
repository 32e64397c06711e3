"""A browser's upload keeps no folders; the names of a table must work all the same, or it is said why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio.embeddings.extraction import table
from studio.errors import StudioError
from studio.settings import Settings
from studio.ui import intake, uploads


@pytest.fixture
def upload(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = settings.folder("passing")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def picture(upload: Path, place: str, grey: int = 0) -> Path:
    path = upload / place
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), grey).save(path)
    return path


def questions(tmp_path: Path, *names: str) -> Path:
    path = tmp_path / "table.csv"
    rows = "".join(f"q{number},{name},What?,That\n" for number, name in enumerate(names))
    path.write_text(f"question_id,image_id,question,answer\n{rows}")
    return path


def read(settings: Settings, path: Path, files: list[Path]) -> tuple[list[int], list[str]]:
    """Names of the pictures of the usable rows by what they show, and the other rows' reasons."""
    folder = intake.arrange(path, intake.take_pictures(files, settings), settings)
    good, bad = table.read(path, folder)
    greys = []
    for one in good:
        with Image.open(one.picture) as found:
            greys.append(int(found.getextrema()[0]))  # type: ignore[arg-type]
    return greys, [one.reason for one in bad]


def test_plain_names_stay_in_the_folder_they_came_to(settings: Settings, upload: Path, tmp_path: Path) -> None:
    files = [picture(upload, "1/a.png", 10), picture(upload, "2/b.png", 20)]
    taken = intake.take_pictures(files, settings)
    assert intake.arrange(questions(tmp_path, "a.png", "b"), taken, settings) == taken
    assert read(settings, questions(tmp_path, "b", "a.png"), files) == ([20, 10], [])


def test_names_with_folders_find_the_uploaded_files(settings: Settings, upload: Path, tmp_path: Path) -> None:
    files = [picture(upload, "1/a.png", 10), picture(upload, "2/b.png", 20)]
    path = questions(tmp_path, "images/a.png", "images/deep/b", "images/c.png", "../a.png")
    greys, reasons = read(settings, path, files)
    assert greys == [10, 20]
    assert "images/c.png" in reasons[0] and "leads out" in reasons[1]
    assert read(settings, path, files)[0] == [10, 20]  # again, in the same place


def test_two_of_one_name_are_not_guessed_between(settings: Settings, upload: Path, tmp_path: Path) -> None:
    one = picture(upload, "1/a.png", 10)
    with pytest.raises(StudioError, match=r"Two of the pictures are called 'a\.png'"):
        intake.take_pictures([one, picture(upload, "2/a.png", 20)], settings)
    twice = intake.take_pictures([one, picture(upload, "3/a.png", 10)], settings)
    assert [path.name for path in twice.iterdir()] == ["a.png"]
    with pytest.raises(StudioError, match=r"both 'left/a\.png' and 'right/a\.png'"):
        intake.arrange(questions(tmp_path, "left/a.png", "right/a.png"), twice, settings)


def test_nothing_but_uploads_is_taken(settings: Settings, upload: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="not an uploaded file"):
        intake.take_pictures([picture(tmp_path / "elsewhere", "a.png")], settings)
    assert uploads.name_of(Path("/x/y/z.h5")) == "y/z.h5"
