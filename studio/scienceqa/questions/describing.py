"""The task that says what a set of questions holds, what is missing, and what some of it look like."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from studio.context import Context
from studio.errors import StudioError
from studio.events import Event
from studio.files import write_atomic
from studio.scienceqa.config import DataConfig
from studio.scienceqa.questions.pictures import open_picture
from studio.scienceqa.questions.reading import read
from studio.scienceqa.questions.record import LETTERS, Question, QuestionSet, Rejected
from studio.scienceqa.questions.statistics import Statistics, describe
from studio.settings import Settings

REPORT, REJECTED = "report.json", "rejected.csv"
SAMPLES = 8
"""Questions shown, spread evenly over the set."""
_EDGE = 640  # pixels of a sample's picture
_TOLD = 20  # rejected records in the lines for a person; the table has all
_VALUES = 12  # of one count
_EVERY = 250  # pictures between two events


def run(config: DataConfig, context: Context) -> Iterator[Event]:
    """Look at a set.

    The report has ``summary``, ``lines`` (all for a person), ``name``, ``layout``, ``statistics`` (as `Statistics`),
    ``rejected`` (the first 200: ``pid``, ``about``, ``reason``) and ``samples`` (``pid``, ``split``, ``question``,
    ``choices``, ``letter``, ``hint``, ``lecture``, ``solution``, ``subject``, ``topic``, ``grade``, ``family`` and
    ``picture``, the name of an artifact or null).

    Yields:
        Where pictures are opened, an `Event` every 250; the last has the artifacts ``report`` (.json), ``rejected``
        (.csv: pid, about, reason) and ``sample-1`` ... (.png).

    Raises:
        StudioError: The set cannot be read, or the folder not written.
    """
    found = read(config.data, config.images_dir, settings=context.settings)
    if config.open_pictures:
        found = yield from open_all(found, context.settings)
    statistics = describe(found)
    artifacts = {"report": REPORT, "rejected": REJECTED}
    samples = _samples(found.questions, context, artifacts)
    lines = tell(found, statistics)
    report = {
        "summary": lines[0],
        "lines": lines,
        "name": found.name,
        "layout": found.layout,
        "statistics": asdict(statistics),
        "rejected": [asdict(each) for each in found.rejected[:200]],
        "samples": samples,
    }
    files = {REPORT: json.dumps(report, indent=1), REJECTED: _table(found.rejected)}
    for name, content in files.items():
        write_atomic(context.folder / name, content)
    if config.output_path is not None:
        _copy(files, config.output_path)
        artifacts |= {name: str((config.output_path / artifacts[name]).resolve()) for name in ("report", "rejected")}
    names = ("questions", "with_picture", "rejected", "missing_pictures")
    metrics = {name: float(getattr(statistics, name)) for name in names}
    yield Event(len(found.questions), len(found.questions), lines[0], metrics, artifacts)


def open_all(found: QuestionSet, settings: Settings) -> Generator[Event, None, QuestionSet]:
    """Open every picture, and return the set without the questions whose picture is damaged.

    Yields:
        An `Event` every 250 pictures.
    """
    total, opened = sum(each.image is not None for each in found.questions), 0
    good: list[Question] = []
    bad: list[Rejected] = []
    for question in found.questions:
        try:
            open_picture(question, settings)
            good.append(question)
        except StudioError as error:
            bad.append(Rejected(question.pid, error.what, "picture"))
        opened += question.image is not None
        if question.image is not None and opened % _EVERY == 0:
            yield Event(opened, total, f"{opened:,} of {total:,} pictures opened.")
    return replace(found, questions=tuple(good), rejected=(*found.rejected, *bad))


def tell(found: QuestionSet, statistics: Statistics) -> list[str]:
    """Return what a person wants to know, line by line; the first sums it up."""
    said = statistics
    lines = [
        f"{found.name}: {_many(said.questions, 'question')}, {said.with_picture:,} with a picture; "
        f"{_many(said.rejected, 'record')} cannot be used."
    ]
    for name, counts in said.counts.items():
        if [*counts] not in ([], ["not said"]):
            shown = [f"{value} {count:,}" for value, count in [*counts.items()][:_VALUES]]
            more = len(counts) - len(shown)
            lines.append(f"{name}: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}")
    if said.pictures:
        lines.append(f"with a picture: {', '.join(f'{split} {count:,}' for split, count in said.pictures.items())}")
    texts = {"solution": said.with_solution, "lecture": said.with_lecture, "hint": said.with_hint}
    lines.append(f"with a text: {', '.join(f'{name} {count:,}' for name, count in texts.items())}")
    lines += [f"without choices: {said.free:,}"] if said.free else []
    lines += [f"without a known answer: {said.unanswered:,}"] if said.unanswered else []
    lines += [f"pictures missing or unreadable: {said.missing_pictures:,}"] if said.missing_pictures else []
    lines += [f"cannot be used: {each.pid}: {each.reason}" for each in found.rejected[:_TOLD]]
    if len(found.rejected) > _TOLD:
        lines.append(f"cannot be used: {len(found.rejected) - _TOLD:,} more; {REJECTED} has all of them")
    return ["".join(each if each.isprintable() else "\ufffd" for each in " ".join(line.split())) for line in lines]


def _samples(questions: Sequence[Question], context: Context, artifacts: dict[str, str]) -> list[dict[str, Any]]:
    """Describe some questions, spread over the set, and write their pictures."""
    places = dict.fromkeys(number * len(questions) // SAMPLES for number in range(SAMPLES if questions else 0))
    samples = []
    for number, question in enumerate((questions[place] for place in places), 1):
        facts = ("pid", "split", "question", "hint", "lecture", "solution", "subject", "topic", "grade", "family")
        sample: dict[str, Any] = {name: getattr(question, name) for name in facts}
        sample["choices"] = list(question.choices)
        sample["letter"] = None if question.answer is None else LETTERS[question.answer]
        sample["picture"] = _write_picture(question, f"sample-{number}", context)
        if sample["picture"]:
            artifacts[sample["picture"]] = f"{sample['picture']}.png"
        samples.append(sample)
    return samples


def _write_picture(question: Question, name: str, context: Context) -> str | None:
    try:
        picture = open_picture(question, context.settings)
    except StudioError:  # reported by `open_all` where that is wanted
        return None
    if picture is None:
        return None
    picture.thumbnail((_EDGE, _EDGE))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomic(context.folder / f"{name}.png", buffer.getvalue())
    return name


def _table(rejected: Sequence[Rejected]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["pid", "about", "reason"])
    writer.writerows([each.pid, each.about, each.reason] for each in rejected)
    return text.getvalue()


def _copy(files: Mapping[str, str], folder: Path) -> None:
    try:
        for name, content in files.items():
            write_atomic(folder / name, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StudioError(f"The report cannot be written to '{folder}': {reason}.", "Name another folder.") from None


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
