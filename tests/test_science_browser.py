"""The newcomer's path through the Science tab in a real browser: a drawn question, an answer, a look into the data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import LONG, opened, visiting
from tests.scienceqa import tiny
from tests.serving import served

pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served(tmp_path / "home") as url, opened() as browser, visiting(browser, f"{url}/?tab=science") as one:
        yield one


def test_from_a_drawn_question_to_an_answer(page: Page, tmp_path: Path) -> None:
    bundle = tiny.save_bundle(tmp_path / "bundle", rank=0)
    page.locator("#chat-model-typed").locator("input, textarea").fill(str(bundle))
    page.locator("#chat-model-typed").locator("input, textarea").press("Tab")
    page.locator("#chat-example").click()
    expect(page.locator("#chat-seen img")).to_be_visible(timeout=LONG)
    expect(page.locator("#chat-told")).to_contain_text("What the encoder sees")
    page.locator("#chat-ask").click()
    expect(page.locator("#chat-log ul.choices li b").first).to_contain_text("%", timeout=LONG)
    expect(page.locator("#chat-log .verdict")).to_be_visible()
    expect(page.locator("#chat-stop")).to_be_hidden()

    page.get_by_role("tab", name="Data", exact=True).click()
    page.locator("#data-example").click()
    expect(page.locator("#data-told h2")).to_contain_text("questions", timeout=LONG)
    expect(page.locator("#data-found img").first).to_be_visible()
