"""A judge is called by its name, and its quality is quoted from its card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from studio.errors import StudioError
from studio.gemma import catalog
from studio.ui import quality


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    quality.measured.cache_clear()
    yield
    quality.measured.cache_clear()


def test_the_cards_own_sentence_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "card", lambda name: "# Judge\n\nWords.\n\nMeasured on 12 photographs: AUC .98.\n")
    assert quality.measured("embedded") == "Measured on 12 photographs: AUC .98."


def test_a_card_that_says_nothing_or_is_missing_is_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "card", lambda name: "# Judge\n")
    assert quality.measured("embedded") == ""

    def missing(name: str) -> str:
        raise StudioError("No card.")

    monkeypatch.setattr(catalog, "card", missing)
    assert quality.measured("other") == ""


def test_a_small_model_is_called_small() -> None:
    assert "small model that ships" in quality.called("embedded")
    assert quality.called("gemma3_4b") == "Gemma 3 4B" and quality.called("/my/judge") == "/my/judge"
