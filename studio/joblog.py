"""What a job says while it runs, read as it is written, and what is kept of a failure."""

from __future__ import annotations

import json
import time
import traceback
from contextlib import suppress
from pathlib import Path

from studio.device import is_out_of_memory
from studio.errors import StudioError
from studio.events import Event

_WINDOW = 32  # events that rate and time left are measured over


class EventLog:
    """The events of one job in order, read as they are appended by this process or another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.events: list[Event] = []
        self.artifacts: dict[str, str] = {}
        self._moments: list[tuple[float, Event]] = []

    def read(self) -> None:
        """Take in the complete lines that are new; a torn one, left by a power cut, is passed over."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                fresh = file.read()
        except FileNotFoundError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def pace(self, since: float, now: float) -> tuple[float | None, float | None]:
        """Return units a second and seconds left, over the last events after ``since`` that count to one total."""
        if not self._moments:
            return None, None
        newest_at, newest = self._moments[-1]
        oldest_at, oldest = newest_at, newest
        for at, event in reversed(self._moments):
            if at < since or event.total != newest.total or event.done > oldest.done:
                break
            if event.done == 0 and newest.done - oldest.done >= 2:
                break  # what precedes the first unit is loading, and says nothing about the pace
            oldest_at, oldest = at, event
        done, seconds = newest.done - oldest.done, newest_at - oldest_at
        if done <= 0 or seconds <= 0:
            return None, None
        rate = done / seconds
        if newest.total is None:
            return rate, None
        return rate, max(0.0, (newest.total - newest.done) / rate - (now - newest_at))

    def _take(self, line: bytes) -> None:
        try:
            data = json.loads(line)
            at, event = float(data.pop("time")), Event.from_json(data)
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        self.events.append(event)
        self.artifacts.update(event.artifacts)
        self._moments = [*self._moments[1 - _WINDOW :], (at, event)]


def explain(error: BaseException, folder: Path) -> StudioError:
    """Keep a failure's trace in the job's log.txt, and return one sentence for a person and a way on."""
    with suppress(OSError), open(folder / "log.txt", "a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{''.join(traceback.format_exception(error))}\n")
    line = (str(error).strip().splitlines() or ["no further word"])[0][:300]
    if is_out_of_memory(error):
        return StudioError(f"Memory ran out: {line}", "Choose a smaller model or batch and resume.")
    what = f"The task stopped unexpectedly: {type(error).__name__}: {line}"
    return StudioError(what, "Resume it; if it happens again, report it with the job's log.txt.")
