"""Reading runs: a run's folder, one of its parts, or files in the seed's layout, all alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas
from numpy.typing import NDArray

from studio.embeddings import representations
from studio.embeddings.store import manifest, opening
from studio.embeddings.store.parts import IMAGE_COLUMNS, QUESTION_COLUMNS
from studio.embeddings.store.records import Failure
from studio.embeddings.store.seedlayout import SeedPart
from studio.embeddings.store.stacked import Part, StackedPart, is_stacked, ordered, split_key
from studio.embeddings.store.writing import METADATA, read_metadata
from studio.errors import StudioError

_NAMED = 5  # ids that a note names


class Run:
    """The questions of a run with their vectors; made by `open_run`, and closed by ``with`` or `close`.

    Attributes:
        metadata: Of the run.
        questions: A row for each, in the order of extraction: question_id, image_id, row, question,
            ground_truth_answer, answer, first_token, first_token_probability (NaN where unknown), answer_tokens,
            answer_finished, and then the other columns of the CSV, of which one with such a name is prefixed ``csv_``.
            The index counts from 0.
        images: A row for each: image_id, sha256, width, height.
        layers: The layers of each representation, in order; none for one without.
        keys: The length of the vectors, by key.
        failures: The rows that stand as failed.
        notes: Sentences on what was passed over.
    """

    def __init__(
        self, parts: Sequence[Part], metadata: Mapping[str, Any], failures: Sequence[Failure], notes: Sequence[str]
    ) -> None:
        self.metadata = metadata
        self.failures = tuple(failures)
        self.keys: dict[str, int] = dict(parts[0].keys) if parts else {}
        self._parts, others = _alike(parts)
        questions = [part.questions for part in self._parts] or [pandas.DataFrame(columns=[*QUESTION_COLUMNS])]
        together = pandas.concat(questions, ignore_index=True)
        twice = together["question_id"].duplicated()
        self._kept = np.flatnonzero(~twice)
        self.questions = _filled(together[~twice].reset_index(drop=True))
        images = [part.images for part in self._parts] or [pandas.DataFrame(columns=[*IMAGE_COLUMNS])]
        self.images = pandas.concat(images, ignore_index=True).drop_duplicates("image_id", ignore_index=True)
        self.layers = _layers(self.keys)
        doubles = _counted(together["question_id"][twice], "is there twice", "are there twice")
        self.notes = (*notes, *(note for part in self._parts for note in part.notes), *others, *doubles)
        self._places = {question: place for place, question in enumerate(self.questions["question_id"])}

    def __len__(self) -> int:
        return len(self.questions)

    def __getitem__(self, question_id: str) -> Mapping[str, Any]:
        """Return what is known of a question: the columns of `questions` by name, and its vectors [D] by key.

        Raises:
            KeyError: There is no such question.
        """
        return _Question(self, self._places[question_id])

    def matrix(self, representation: str, layer: int | None = None) -> NDArray[np.float32]:
        """Return vectors [N, D], a row for each of `questions`; those of an image come once for each of its questions.

        Args:
            representation: One of `layers`.
            layer: One of its layers, or None for a representation without.

        Raises:
            StudioError: The run does not hold it, or a part is damaged there.
        """
        return self.rows(representations.key(representation, layer))

    def rows(self, key: str, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return the vectors [N, D] of the questions in rows ``start`` up to ``stop``, or to the end.

        Args:
            key: One of `keys`.
            start: First row of `questions`.
            stop: The row after the last.

        Raises:
            StudioError: The run does not hold the key, or a part is damaged there.
        """
        if key not in self.keys:
            raise StudioError(f"The run holds no {key}.", f"It holds {', '.join(self.keys) or 'no vectors'}.")
        wanted = self._kept[start:stop]
        result = np.empty((len(wanted), self.keys[key]), np.float32)
        first = filled = 0
        for part in self._parts:
            here = wanted[(wanted >= first) & (wanted < first + len(part.questions))] - first
            if len(here):
                found = part.read(key, here[0], here[-1] + 1)
                result[filled : filled + len(here)] = found if len(found) == len(here) else found[here - here[0]]
            first, filled = first + len(part.questions), filled + len(here)
        return result

    def stored(self, key: str) -> str:
        """Return the type of a key's vectors in the first file, such as ``bfloat16`` or ``float32``."""
        return self._parts[0].stored(key)

    def close(self) -> None:
        """Let go of the files."""
        for part in self._parts:
            part.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Question(Mapping[str, Any]):
    def __init__(self, run: Run, place: int) -> None:
        self._run, self._place = run, place

    def __getitem__(self, name: str) -> Any:
        if name in self._run.questions.columns:
            return self._run.questions[name].iloc[self._place]
        if name not in self._run.keys:
            raise KeyError(name)
        return self._run.rows(name, self._place, self._place + 1)[0]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._run.questions.columns, *self._run.keys])

    def __len__(self) -> int:
        return len(self._run.questions.columns) + len(self._run.keys)


def open_run(path: Path) -> Run:
    """Open a run for reading.

    Args:
        path: A run's folder, one of its parts, a file in the seed's layout, or a folder of such files.

    Raises:
        StudioError: There is nothing of the kind, or none of it can be read. A part that cannot be read beside
            others that can is passed over and noted.
    """
    if not path.exists():
        raise StudioError(f"'{path}' is missing.", "Choose a run's folder, or an .h5 file.")
    notes: list[str] = []
    lines: tuple[manifest.Line, ...] = ()
    metadata: Mapping[str, Any] | None = None
    paths = [path]
    if path.is_dir():
        paths = sorted(path.glob("*.h5"), key=lambda each: (manifest.part_number(each.name) or 0, each.name))
    if (path / METADATA).exists():
        metadata, found = read_metadata(path), manifest.read(path)
        lines, notes = found.lines, [*found.notes]
        if (path / manifest.NAME).exists():
            paths = [path / line.part for line in lines if line.part]
        else:
            notes = [f"The run has lost its {manifest.NAME}; every part that is there counts."]
    parts, lost = _open_parts(paths)
    notes += [note for each, note in lost.items() if not _replaced(each, lines, lost)]
    if not parts and metadata is None:
        raise StudioError(f"'{path.name}' holds nothing that can be read. {' '.join(notes)}".strip(), "Choose another.")
    try:
        return Run(parts, metadata or parts[0].metadata, manifest.standing(lines), notes)
    except BaseException:
        for part in parts:
            part.close()
        raise


def open_part(path: Path) -> Part:
    """Open one file of either layout.

    Raises:
        StudioError: It cannot be read.
    """
    file = opening.open_file(path)
    return StackedPart(path, file) if is_stacked(file) else SeedPart(path, file)


def _open_parts(paths: Sequence[Path]) -> tuple[list[Part], dict[Path, str]]:
    parts, lost = [], {}
    for path in paths:
        try:
            parts.append(open_part(path))
        except StudioError as error:
            lost[path] = error.what
    return parts, lost


def _replaced(path: Path, lines: Sequence[manifest.Line], lost: Mapping[Path, str]) -> bool:
    """Whether other parts hold all questions of one that cannot be read."""
    wanted = {each for line in lines if line.part == path.name for each in line.question_ids}
    gone = {each.name for each in lost}
    return bool(wanted) and wanted.issubset(
        each for line in lines if line.part not in gone for each in line.question_ids
    )


def _alike(parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Return the parts that hold at least the vectors of the first, and a note on each other, which is closed."""
    alike, notes = [], []
    for part in parts:
        differing = [key for key, length in parts[0].keys.items() if part.keys.get(key) != length]
        if differing:
            part.close()
            notes.append(f"{part.path.name} is passed over: its {differing[0]} is not that of {parts[0].path.name}.")
        else:
            alike.append(part)
    return alike, notes


def _filled(questions: pandas.DataFrame) -> pandas.DataFrame:
    """Give every question every extra column, as text."""
    extra = [name for name in questions.columns if name not in QUESTION_COLUMNS]
    return questions.assign(**{name: questions[name].fillna("").astype(str) for name in extra})


def _layers(keys: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for key in ordered(keys):
        name, layer = split_key(key)
        found[name] = found.get(name, ()) + (() if layer is None else (layer,))
    return found


def _counted(ids: pandas.Series[str], one: str, many: str) -> list[str]:
    if not len(ids):
        return []
    named = ", ".join(ids[:_NAMED]) + (", …" if len(ids) > _NAMED else "")
    return [f"{len(ids)} question{'' if len(ids) == 1 else 's'} {one if len(ids) == 1 else many}: {named}."]
