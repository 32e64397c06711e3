"""Parquet files as Hugging Face datasets writes them, and as nobody should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from studio.errors import StudioError
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.reading import read
from studio.scienceqa.questions.record import Question
from studio.settings import Settings
from tests.scienceqa.questions.samples import encoded, reasons, save

TEXTS = ("hint", "task", "grade", "subject", "topic", "category", "skill", "lecture", "solution")
SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("question", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("answer", pa.int8()),
        *((name, pa.string()) for name in TEXTS),
    ]
)
"""That of derek-thomas/ScienceQA."""


def row(question: str = "Which?", **changes: Any) -> dict[str, Any]:
    values = {"image": None, "question": question, "choices": ["a", "b"], "answer": 1}
    return values | {name: name for name in TEXTS} | changes


def save_set(path: Path, *rows: dict[str, Any], schema: pa.Schema | None = SCHEMA, **keywords: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, **keywords)
    return path


def test_a_set_of_the_hub_is_read(tmp_path: Path, settings: Settings) -> None:
    picture = encoded("green")
    save_set(tmp_path / "data" / "train-00000-of-00002-1028f23e.parquet", row("a"), row("b"), row_group_size=1)
    save_set(tmp_path / "data" / "train-00001-of-00002-99f23e35.parquet", row("c"))
    save_set(tmp_path / "data" / "validation-00000-of-00001.parquet", row("d", hint=None, answer=None, choices=[]))
    save_set(tmp_path / "data" / "test-00000-of-00001.parquet", row("e", image={"bytes": picture, "path": "image.png"}))
    found = read(str(tmp_path))
    assert (found.name, found.layout, found.rejected, found.skipped_splits) == (tmp_path.name, "parquet", (), {})
    assert [(each.pid, each.split, each.question) for each in found.questions] == [
        ("train-0", "train", "a"), ("train-1", "train", "b"), ("train-2", "train", "c"),
        ("val-0", "val", "d"), ("test-0", "test", "e"),
    ]  # fmt: skip
    texts = {name: name for name in TEXTS}
    assert found.questions[4] == Question("test-0", "test", "e", ("a", "b"), 1, image=picture, **texts)
    assert (found.questions[3].choices, found.questions[3].answer, found.questions[3].hint) == ((), None, "")
    opened = open_picture(found.questions[4], settings)
    assert opened is not None and opened.getpixel((3, 3)) == (0, 128, 0)


def test_splits_that_are_not_wanted_are_counted_and_not_read(tmp_path: Path) -> None:
    save_set(tmp_path / "default" / "train" / "0000.parquet", row(), row())
    save_set(tmp_path / "default" / "test" / "0000.parquet", row("e"))
    found = read(str(tmp_path), splits=("test",))
    assert [each.question for each in found.questions] == ["e"] and found.skipped_splits == {"train": 2}
    assert len(read(str(tmp_path), limit=1).questions) == 1


def test_one_file_of_no_split_is_of_the_wanted_one(tmp_path: Path) -> None:
    path = save_set(tmp_path / "train" / "mine.parquet", row())
    found = read(str(path), splits=("test", "val"))
    assert [(each.pid, each.split) for each in found.questions] == [("row-0", "test")]


def test_ids_splits_and_pictures_may_be_columns(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    rows = [
        {"id": 7, "question": "Q?", "split": "validation", "image": "a.png", "choices": ["a", "b"], "answer": 0},
        {"id": 8, "question": "Q?", "split": "train", "image": "../a.png", "choices": ["a", "b"], "answer": 0},
        {"id": 8, "question": "Q?", "split": "train", "image": "", "choices": ["a", "b"], "answer": 0},
    ]
    found = read(str(save_set(tmp_path / "mine.parquet", *rows, schema=None)))
    assert [(each.pid, each.split, each.image) for each in found.questions] == [
        ("7", "val", path),
        ("8", "train", None),
    ]
    assert reasons(found) == {"8": "The picture's name '../a.png' leads out of the folder of pictures."}


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_pictures_may_be_plain_bytes_or_only_named(kind: pa.DataType, tmp_path: Path) -> None:
    schema = SCHEMA.set(0, pa.field("image", kind))
    found = read(str(save_set(tmp_path / "a.parquet", row(image=encoded()), row(), schema=schema)))
    assert [each.image for each in found.questions] == [encoded(), None]
    path = save(tmp_path / "named.png")
    rows = [row(image={"bytes": None, "path": "named.png"}), row(image={"bytes": None, "path": None})]
    assert [each.image for each in read(str(save_set(tmp_path / "b.parquet", *rows))).questions] == [path, None]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_come_in_every_type_of_arrow(kind: pa.DataType, tmp_path: Path) -> None:
    schema = pa.schema([("question", kind), ("choices", pa.large_list(pa.large_string())), ("answer", pa.uint64())])
    rows = [{"question": text, "choices": ["a", "b"], "answer": 1} for text in ("Größe?", "Größe?", None)]
    found = read(str(save_set(tmp_path / "a.parquet", *rows, schema=schema)))
    assert [(each.question, each.choices, each.answer) for each in found.questions] == [("Größe?", ("a", "b"), 1)] * 2
    assert reasons(found) == {"row-2": "It has no question."}


def test_bad_rows_are_told_and_passed_over(tmp_path: Path, settings: Settings) -> None:
    rows = [
        row(),
        row(""),
        row("x" * 80_001),
        row(choices=["a"]),
        row(choices=["a"] * 150),
        row(choices=["a", "x" * 80_001]),
        row(answer=2),
        row(image={"bytes": b"no picture", "path": "a.png"}),
        row(image={"bytes": b"", "path": "a.png"}),
        row(image={"bytes": None, "path": "gone.png"}),
        row(image={"bytes": encoded() + bytes(5000), "path": None}),
    ]
    limits = Settings(home=settings.home, max_file_bytes=5000)
    found = read(str(save_set(tmp_path / "test.parquet", *rows)), settings=limits)
    assert [each.pid for each in found.questions] == ["test-0"]
    assert reasons(found) == {
        "test-1": "It has no question.",
        "test-2": "Its question has over 20,000 characters.",
        "test-3": "It has 1 choice; there must be 2 to 10.",
        "test-4": "It has 150 choices.",
        "test-5": "Its choice has over 20,000 characters.",
        "test-6": "Its answer is choice 2, counted from 0, and it has 2 choices.",
        "test-7": "Its picture is not a picture that can be read.",
        "test-8": "Its picture is empty.",
        "test-9": f"There is no picture 'gone.png' in the folder '{tmp_path.name}'.",
        "test-10": "Its picture has 0 MiB, and 0 MiB are allowed.",
    }
    assert [each.pid for each in found.rejected if each.about == "picture"] == [f"test-{n}" for n in (7, 8, 9, 10)]


def test_wrong_types_are_told(tmp_path: Path) -> None:
    rows = [{"question": {"deep": {"er": 1}}, "choices": [["a"], ["b"]], "answer": 1.5, "image": [1, 2]}]
    assert reasons(read(str(save_set(tmp_path / "a.parquet", *rows, schema=None)))) == {
        "row-0": "Its question is of the type struct<deep: struct<er: int64>>."
    }
    rows = [{"question": "Q?", "choices": [["a"], ["b"]], "answer": 1, "image": [1, 2]}]
    assert reasons(read(str(save_set(tmp_path / "b.parquet", *rows, schema=None)))) == {
        "row-0": "Its choice A is not text."
    }
    schema = pa.schema([("question", pa.binary()), ("answer", pa.timestamp("s"))])
    assert reasons(read(str(save_set(tmp_path / "c.parquet", {"question": b"Q?"}, schema=schema)))) == {
        "row-0": "Its answer is of the type timestamp[ms]."
    }
    path = tmp_path / "d.parquet"
    broken = pa.array([b"Q\xff"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"question": broken}), path)
    assert reasons(read(str(path))) == {"row-0": "Its question is not written in UTF-8."}


def test_a_text_is_not_multiplied_in_memory(tmp_path: Path) -> None:
    many = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), pa.array(["x" * 3_000_000]))
    pq.write_table(pa.table({"question": many}), tmp_path / "a.parquet")
    before = pa.total_allocated_bytes()
    found = read(str(tmp_path / "a.parquet"))
    assert len(found.rejected) == 3000 and pa.total_allocated_bytes() - before < 10_000_000
    schema = pa.schema([("question", pa.string()), ("choices", pa.list_(pa.string()))])
    rows = [{"question": "Q?", "choices": ["x" * 6_000_000] * 5}] * 3
    with pytest.raises(StudioError, match=r"too much in its column 'choices\.list\.element'"):
        read(str(save_set(tmp_path / "b.parquet", *rows, schema=schema)))


def test_what_is_no_such_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no parquet at all")
    whole = save_set(tmp_path / "whole" / "a.parquet", row()).read_bytes()
    (tmp_path / "half.parquet").write_bytes(whole[: len(whole) // 2] + whole[-8:])
    (tmp_path / "empty.parquet").touch()
    for name in ("text", "half", "empty"):
        with pytest.raises(StudioError, match=rf"^{name}.parquet cannot be read as parquet: .*Give the file again"):
            read(str(tmp_path / f"{name}.parquet"))
    with pytest.raises(StudioError, match=r"no column 'question'. It has: text"):
        read(str(save_set(tmp_path / "other.parquet", {"text": "a"}, schema=None)))
    twice = pa.Table.from_arrays([pa.array(["a"])] * 2, names=["question"] * 2)
    pq.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(StudioError, match="the column 'question' twice"):
        read(str(tmp_path / "twice.parquet"))
    with pytest.raises(StudioError, match="holds no questions"):
        read(str(save_set(tmp_path / "none.parquet")))


def test_damage_in_the_middle_of_a_file_is_told(tmp_path: Path) -> None:
    path = save_set(tmp_path / "a.parquet", *(row(f"Is it {n}?") for n in range(500)), compression="zstd")
    data = bytearray(path.read_bytes())
    data[200:2000] = bytes(1800)
    path.write_bytes(data)
    with pytest.raises(StudioError, match=r"^a\.parquet cannot be read as parquet"):
        read(str(path))


def test_a_type_of_great_depth_is_no_trouble(tmp_path: Path) -> None:
    kind: pa.DataType = pa.int8()
    for _ in range(60):
        kind = pa.struct([("a", kind)])
    schema = pa.schema([("question", pa.string()), ("deep", kind)])
    found = read(str(save_set(tmp_path / "a.parquet", {"question": "Q?", "deep": None}, schema=schema)))
    assert len(found.questions) == 1


def test_several_sets_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    for name in ("ScienceQA-FULL", "ScienceQA-IMG"):
        save_set(tmp_path / name / "test-00000-of-00001.parquet", row(name))
    with pytest.raises(StudioError, match="several sets: ScienceQA-FULL, ScienceQA-IMG"):
        read(str(tmp_path))
    assert read(str(tmp_path / "ScienceQA-IMG")).questions[0].question == "ScienceQA-IMG"
