from __future__ import annotations

from studio.errors import StudioError


def test_an_error_reads_as_what_and_what_to_do() -> None:
    error = StudioError("The folder x is missing.", "Check the path.")
    assert (error.what, error.todo) == ("The folder x is missing.", "Check the path.")
    assert str(error) == "The folder x is missing. Check the path."


def test_without_advice_there_is_no_trailing_space() -> None:
    assert str(StudioError("It stopped.")) == "It stopped."
