"""What a short task says while it runs: notes on standard error, a growing one on one line."""

from __future__ import annotations

import sys

import pytest

from studio import console


def test_a_note_that_goes_on_continues_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Notes() as notes:
        for note in ("Loading", "Equal", "Equal poles", "", "Equal poles", "Equal poles repel.", "Done", "Another"):
            notes.show(note)
    out, err = capsys.readouterr()
    assert err == "Loading\nEqual poles repel.\nDone\nAnother\n" and out == ""


def test_nothing_said_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Notes() as notes:
        notes.show("")
    assert capsys.readouterr().err == ""


def test_what_was_just_read_at_a_terminal_is_not_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with console.Notes() as notes:
        notes.show(" It repels.")
        assert not notes.seen("It repels."), "no terminal"
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        assert notes.seen("It repels.") and not notes.seen("It attracts.")


def test_colours_are_shown_where_the_terminal_can(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "#ff0000  and #0a0b0c, no #abc"
    assert console.shown(line) == line, "no terminal"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    block = "\033[48;2;255;0;0m    \033[0m #ff0000"
    assert console.shown(line) == f"{block}  and \033[48;2;10;11;12m    \033[0m #0a0b0c, no #abc"
    monkeypatch.delenv("COLORTERM")
    assert console.shown("#ff0000") == "\033[48;5;196m    \033[0m #ff0000"
    monkeypatch.setenv("NO_COLOR", "1")
    assert console.shown(line) == line
