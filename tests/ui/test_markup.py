"""Numbers carry units, and escaping leaves nothing to run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from studio.jobs import Job, State
from studio.ui import markup


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59, "59 s"), (125, "2 min 05 s"), (12_000, "3 h 20 min"), (-3, "0 s")]
)
def test_time_spans(seconds: float, words: str) -> None:
    assert markup.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (2048, "2 KiB"), (5 * 2**20, "5 MiB"), (3 * 2**30, "3.0 GiB")]
)
def test_amounts_of_memory(count: int, words: str) -> None:
    assert markup.size(count) == words


def test_escaping() -> None:
    assert markup.escape('<a href="x">') == "&lt;a href=&quot;x&quot;&gt;"
    assert markup.escape("${1}{{2}}`") == "&#36;&#123;1&#125;&#123;&#123;2&#125;&#125;&#96;"


def test_bars_stay_within_their_frame() -> None:
    assert "width:100.0%" in markup.bar(7.0) and "width:0.0%" in markup.bar(-1.0)
    assert "unknown" in markup.bar(None)


def test_progress_in_words(make_job: Callable[..., Job]) -> None:
    job = make_job(State.RUNNING, rate=2.44, seconds_left=49.0)
    assert markup.progress(job) == "30 of 150 · 2.4 per second · 49 s left"
    assert markup.progress(make_job(State.RUNNING, rate=0.5)) == "30 of 150 · 2.0 s each"
    assert markup.progress(make_job(State.DONE, started=10.0, finished=75.0)) == "30 of 150 · took 1 min 05 s"
    assert markup.progress(make_job(State.QUEUED, last=None, position=1)) == "next in the queue"
    assert markup.progress(make_job(State.QUEUED, last=None, position=3)) == "number 3 in the queue"


def test_how_far(make_job: Callable[..., Job]) -> None:
    assert markup.fraction(make_job(State.RUNNING)) == pytest.approx(0.2)
    assert markup.fraction(make_job(State.DONE, last=None)) == 1.0
    assert markup.fraction(make_job(State.RUNNING, last=None)) is None
    assert markup.fraction(make_job(State.QUEUED, last=None)) == 0.0


def test_a_picture_is_carried_in_the_page() -> None:
    drawn = markup.picture(np.full((4, 6, 3), 128, np.uint8), 'a "cup"')
    assert drawn.startswith('<img alt="a &quot;cup&quot;" src="data:image/jpeg;base64,')
