"""Tables as people make them: what is read, what is a bad row, and what stops at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio.embeddings.extraction.table import by_picture, read
from studio.errors import StudioError

HEADER = "question_id,image_id,question,answer"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jpg", "7.png", "B.JPEG", "deep/c.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    (folder / "d.gif").write_bytes(b"GIF89a")
    return folder


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "questions.csv"
    path.write_bytes(text.encode(encoding))
    return path


def reasons(tmp_path: Path, images: Path, *rows: str) -> list[tuple[int, str]]:
    return [(bad.row, bad.reason) for bad in read(table(tmp_path, "\n".join((HEADER, *rows))), images)[1]]


def test_every_value_is_text(tmp_path: Path, images: Path) -> None:
    rows = ["1,a.jpg,Q?,3", "01,a,Q?,True", "1.0,7,Q?,NA", "x/y.z,B,Q?,None", ".,deep/c,Q?,", "nan,deep/c.png,Q?,0"]
    good, bad = read(table(tmp_path, "\n".join((HEADER, *rows))), images)
    assert not bad
    assert [one.question_id for one in good] == ["1", "01", "1.0", "x/y.z", ".", "nan"]
    assert [one.answer for one in good] == ["3", "True", "NA", "None", "", "0"]
    names = ["a.jpg", "a.jpg", "7.png", "B.JPEG", "deep/c.png", "deep/c.png"]
    assert [one.picture.relative_to(images).as_posix() for one in good] == names
    assert [one.row for one in good] == [2, 3, 4, 5, 6, 7]


def test_the_other_names_and_columns(tmp_path: Path, images: Path) -> None:
    header = "category,Question_ID,image_name,question,answer,gt_answer"
    text = f"{header}\ncolour,1,a.jpg, Is it? ,,yes\n,2,a,Is it?,no,yes\n"
    good, _ = read(table(tmp_path, text), images)
    assert [one.answer for one in good] == ["yes", "no"]
    assert good[0].question == "Is it?"
    assert [one.extra for one in good] == [{"category": "colour"}, {"category": ""}]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_spreadsheets_part_fields_as_they_like(mark: str, tmp_path: Path, images: Path) -> None:
    row = ("1", "a.jpg", '"Red, or ""blue""?\nSay."', "red")
    text = mark.join(HEADER.split(",")) + "\r\n" + mark.join(row) + "\r\n"
    good, _ = read(table(tmp_path, text, "utf-8-sig"), images)
    assert good[0].question == 'Red, or "blue"?\nSay.'


def test_bad_rows_are_told_and_passed_over(tmp_path: Path, images: Path) -> None:
    rows = ["1,a.jpg,Q?,y", "1,a.jpg,Q?,y", "2,gone.jpg,Q?,y", "3,a.jpg,  ,y", ",a.jpg,Q?,y", "4,,Q?,y",
            "5,../secret.png,Q?,y", "6,/etc/x.png,Q?,y", "7,d.gif,Q?,y", "8,a.jpg,Yes, or no?,y", "9,a.jpg", "",
            "10,gone,Q?,y"]  # fmt: skip
    told = dict(reasons(tmp_path, images, *rows))
    assert told[3] == "The id '1' is that of row 2 already."
    assert told[4] == "There is no picture 'gone.jpg' in the folder."
    assert told[5] == "The column 'question' is empty."
    assert told[6] == "The column 'question_id' is empty."
    assert told[7] == "The column 'image_id' is empty."
    assert "leads out of the folder" in told[8] and "leads out of the folder" in told[9]
    assert told[10] == "'d.gif' is no JPG, JPEG, PNG file."
    assert told[11] == "The row has 5 fields and the header 4; quote texts with commas."
    assert told[12] == "The column 'question' is empty."
    assert set(told) == {*range(3, 13), 14}, "the empty line counts, as in a spreadsheet, and is no failure"


def test_a_failed_row_does_not_take_the_id_of_a_good_one(tmp_path: Path, images: Path) -> None:
    assert [row for row, _ in reasons(tmp_path, images, "1,gone.jpg,Q?,y", "1,a.jpg,Q?,y")] == [2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (HEADER + "\n", "has no rows"),
        ("question_id,image_id,answer\n1,a,b\n", "no column 'question'"),
        ("question_id,picture,question,answer\n1,a,b,c\n", "no column 'image_id or image_name'"),
    ],
)
def test_what_stops_at_once(text: str, words: str, tmp_path: Path, images: Path) -> None:
    with pytest.raises(StudioError, match=words):
        read(table(tmp_path, text), images)


def test_missing_places_and_foreign_encodings(tmp_path: Path, images: Path) -> None:
    with pytest.raises(StudioError, match="cannot be read: no such file"):
        read(tmp_path / "gone.csv", images)
    with pytest.raises(StudioError, match="does not exist"):
        read(table(tmp_path, HEADER), tmp_path / "gone")
    with pytest.raises(StudioError, match="not written in UTF-8"):
        read(table(tmp_path, HEADER + "\n1,a.jpg,Größe?,y\n", "latin-1"), images)


def test_questions_about_one_picture_stand_together(tmp_path: Path, images: Path) -> None:
    good, _ = read(table(tmp_path, "\n".join((HEADER, "1,a,Q?,", "2,7,Q?,", "3,a,Q?,", "4,B,Q?,", "5,7,Q?,"))), images)
    assert [one.question_id for one in by_picture(good)] == ["1", "3", "2", "5", "4"]
