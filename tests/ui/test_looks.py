"""Words are answered honestly: known, alike, or not known at all."""

from __future__ import annotations

from studio.ui.looks import nearest


def test_known_words_are_named() -> None:
    assert "Read as golden hour." in nearest("golden hour", "embedded")


def test_unknown_words_beside_known_ones_are_named() -> None:
    assert "does not know: zorblax" in nearest("golden hour zorblax", "embedded")


def test_nonsense_is_called_nonsense() -> None:
    assert "knows none of these words" in nearest("zorblax quuxify", "embedded")


def test_nothing_is_said_of_nothing_or_for_a_judge_that_reads_any_words() -> None:
    assert nearest("  ", "embedded") == "" and nearest("golden hour", "gemma3_4b") == ""


def test_words_are_only_text() -> None:
    assert "<script>" not in nearest("golden hour <script>", "embedded")
