"""Reading a set of questions, in whichever layout it comes."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.scienceqa.questions import jsonfiles, llava, official, table
from studio.scienceqa.questions.checking import Raw, check, split_in
from studio.scienceqa.questions.pictures import Folder
from studio.scienceqa.questions.record import SPLITS, Question, QuestionSet, Rejected, Unusable
from studio.settings import Settings

MOST_RECORDS = 2_000_000
_KNOWN = "Give a folder with problems.json, a .json, .jsonl, .csv or .parquet, or a data set's name on the Hub."
_ON_HUB = re.compile(r"[\w.-]+/[\w.-]+(/[\w.-]+)*")


@dataclass(frozen=True)
class _Source:
    name: str
    layout: str
    pictures: Path
    records: Iterable[Raw]
    skipped: Mapping[str, int]


def read(
    data: str,
    images_dir: Path | None = None,
    *,
    splits: Collection[str] = SPLITS,
    limit: int = 0,
    settings: Settings | None = None,
) -> QuestionSet:
    """Read questions; pictures are looked for and not opened.

    Args:
        data: A folder with ``problems.json``, or that file; LLaVA's conversations (.json, .jsonl); a .csv; a .parquet
            or a folder of them; or the name of a data set on the Hub, with a folder in it behind another slash.
        images_dir: Folder of the pictures; without it ``images`` beside ``problems.json``, or the folder of the file.
        splits: Those that are wanted. Where neither the records nor the file's name say a split, every question is of
            the first of these; so whoever wants to keep two apart reads them in one call.
        limit: Only so many questions, the first; 0 for all. The others are not looked at.
        settings: Its limit of a picture's size counts; without it that of the environment.

    Returns:
        The questions in their order, and what was passed over. Of two with one id the first usable one counts.

    Raises:
        StudioError: The whole cannot be read, holds no records or too many, or a split is unknown.
    """
    if unknown := [split for split in splits if split not in SPLITS]:
        raise StudioError(f"There is no split '{unknown[0]}'.", f"Splits are {', '.join(SPLITS)}.")
    source = _open(data, images_dir, splits, settings or Settings.from_environment())
    folder, default = Folder(source.pictures), next(iter(splits))
    good: dict[str, Question] = {}
    rejected: list[Rejected] = []
    skipped = Counter(source.skipped)
    for number, raw in enumerate(source.records, 1):
        if limit and len(good) >= limit:
            break
        if number > MOST_RECORDS:
            raise StudioError(f"'{source.name}' holds over {MOST_RECORDS:,} records.", "Part it into several sets.")
        if (raw.split or default) not in splits and raw.split in SPLITS:
            skipped[raw.split] += 1
            continue
        try:
            question = check(raw, default, folder)
            if question.pid in good:
                raise Unusable("Its id is that of another question already.")
            good[question.pid] = question
        except Unusable as error:
            rejected.append(Rejected(raw.name, str(error), error.about))
    if not good and not rejected and not skipped:
        raise StudioError(f"'{source.name}' holds no questions.", _KNOWN)
    return QuestionSet(source.name, source.layout, tuple(good.values()), tuple(rejected), dict(skipped))


def _open(data: str, images_dir: Path | None, splits: Collection[str], settings: Settings) -> _Source:
    """Find out what the data are, and begin to read them."""
    path = Path(os.path.expanduser(data)).absolute()
    if not os.path.exists(os.path.expanduser(data)):  # says no, too, of what no path can be
        if not _ON_HUB.fullmatch(data):
            raise StudioError(f"There is no file or folder '{data[:200]}'.", _KNOWN)
        from studio.scienceqa.questions import hub

        return _parquet(hub.fetch(data), data, images_dir, splits, settings)
    home = path if path.is_dir() else path.parent
    if (path / official.PROBLEMS).is_file():
        return _official(path / official.PROBLEMS, images_dir)
    if path.is_dir() or path.suffix.lower() == ".parquet":
        if path.is_dir() and not any(path.rglob("*.parquet")):
            raise StudioError(f"The folder {path} holds neither {official.PROBLEMS} nor .parquet files.", _KNOWN)
        return _parquet(path, path.name, images_dir, splits, settings)
    pictures = images_dir or home
    said = split_in(path.stem)
    match path.suffix.lower():
        case ".json":
            return _official(path, images_dir)
        case ".jsonl":
            return _Source(path.name, "llava", pictures, llava.records(jsonfiles.load_lines(path), said), {})
        case ".csv" | ".tsv":
            return _Source(path.name, "csv", pictures, table.records(path, said), {})
    raise StudioError(f"'{path.name}' is no set of questions.", _KNOWN)


def _official(path: Path, images_dir: Path | None) -> _Source:
    """Read a .json: the official object of problems, or LLaVA's list of conversations."""
    found: Any = jsonfiles.load(path)
    if isinstance(found, list):
        records = llava.records(enumerate(found, 1), split_in(path.stem))
        return _Source(path.name, "llava", images_dir or path.parent, records, {})
    if not isinstance(found, dict):
        raise StudioError(f"{path.name} holds neither problems nor conversations.", _KNOWN)
    pictures = images_dir or path.parent / official.IMAGES
    return _Source(path.parent.name, "official", pictures, official.records(found, path.parent), {})


def _parquet(path: Path, name: str, images_dir: Path | None, splits: Collection[str], settings: Settings) -> _Source:
    from studio.scienceqa.questions import parquet  # here, since pyarrow takes half a second

    shards = parquet.shards(path)
    unwanted = [shard for shard in shards if shard.split and shard.split not in splits]
    skipped: Counter[str] = Counter()
    for shard in unwanted:
        skipped[shard.split] += shard.rows
    records = parquet.records([shard for shard in shards if shard not in unwanted], settings.max_file_bytes)
    return _Source(name, "parquet", images_dir or (path if path.is_dir() else path.parent), records, skipped)
