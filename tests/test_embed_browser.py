"""The newcomer's path through the Embed tab in a real browser: an example, a reload on the way, a verdict."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import LONG, opened, visiting
from tests.serving import served

pytestmark = pytest.mark.browser


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served(tmp_path / "home") as url, opened() as browser, visiting(browser, url) as one:
        yield one


def test_from_an_example_to_a_verdict(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Embed", exact=True).click()
    page.locator("#run-questions").click()
    going = page.locator("#extract-status").locator("[data-state=queued], [data-state=running]")
    expect(going).to_be_visible(timeout=LONG)
    job = going.get_attribute("data-job")
    page.reload()
    expect(page.locator(f"#extract-status [data-job='{job}']")).to_be_visible(timeout=LONG)
    expect(page.locator("#extract-surveyed")).to_contain_text("600 questions about 150 pictures")
    expect(page.locator("#extract-status [data-state=done]")).to_be_visible(timeout=LONG)
    expect(page.locator("#extract-told")).to_contain_text("each with 4 kinds of vectors", timeout=LONG)
    expect(page.locator("#extract-answers tbody img").first).to_be_visible()

    with page.expect_download() as download:
        page.locator("#extract-csv").click()
    download.value.save_as(tmp_path / "answers.csv")
    with open(tmp_path / "answers.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 600

    page.locator("#extract-probe").click()
    page.locator("#probe-presets").get_by_text("quick").click()
    page.locator("#probe-start").click()
    expect(page.locator("#probe-verdict h2")).to_contain_text("AUROC", timeout=LONG)
    expect(page.locator("#probe-found svg")).to_have_count(4)
    expect(page.locator("#probe-found .mistakes img").first).to_be_visible()

    page.get_by_role("tab", name="Inspect", exact=True).click()
    page.locator("#inspect-start").click()
    expect(page.locator("#inspect-found")).to_contain_text("query token", timeout=LONG)
