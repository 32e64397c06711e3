"""The newcomer's path in a real browser: from an empty page to a .cube, with a reload on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import colour
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import LONG, opened, visiting
from tests.serving import served

pytestmark = pytest.mark.browser

ENDLESS = 5000  # steps; no machine is through before the test has pressed Stop


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("browser") / "home") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened() as one:
        yield one


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visiting(browser, url) as one:
        yield one


def set_steps(page: Page, steps: int) -> None:
    settings = page.locator("#settings > button").first
    settings.click()
    field = page.locator("#field-steps input")
    expect(field).to_be_visible()
    for _ in range(10):  # a frame after unfolding, Gradio gives the fields their values again: nobody types that fast
        field.fill(str(steps))
        field.press("Tab")
        page.wait_for_timeout(700)
        if field.input_value() == str(steps):
            break
    expect(field).to_have_value(str(steps))
    settings.click()


def state(page: Page, name: str, timeout: int = LONG) -> None:
    expect(page.locator(f"#status [data-state={name}]")).to_be_visible(timeout=timeout)


def steps_done(page: Page) -> int:
    found = re.search(r"(\d+) of", page.locator("#status").inner_text())
    return int(found[1]) if found else 0


def after_picture(page: Page) -> str | None:
    return page.locator("#before-after img").last.get_attribute("src")


def test_the_newcomers_path(page: Page, tmp_path: Path) -> None:
    page.locator("#try-example").click()
    expect(page.locator("#thumbs img")).to_have_count(4)
    page.get_by_text("teal and orange", exact=True).click()
    expect(page.locator("#field-prompt textarea")).to_have_value("cinematic teal and orange")
    expect(page.locator("#known-looks")).to_contain_text("teal and orange")
    set_steps(page, ENDLESS)
    page.locator("#start").click()

    state(page, "running")
    expect(page.locator("#before-after img").first).to_be_visible(timeout=LONG)
    first = after_picture(page)
    expect(page.locator("#scores .mark-line path").first).to_be_attached(timeout=LONG)
    for plot, curves in ("#scores", 4), ("#losses", 6):
        expect(page.locator(f"{plot} .mark-line path")).to_have_count(curves, timeout=LONG)
    expect(page.locator("#gauges .gauge").first).to_contain_text("%")
    page.wait_for_function(
        "src => [...document.querySelectorAll('#before-after img')].at(-1).getAttribute('src') !== src",
        arg=first, timeout=LONG,
    )  # fmt: skip

    job = page.locator("#status .status").get_attribute("data-job")
    page.reload()
    expect(page.locator(f"#status [data-job='{job}']")).to_be_visible()
    expect(page.locator("#before-after img").first).to_be_visible()
    expect(page.locator("#field-prompt textarea")).to_have_value("cinematic teal and orange")
    expect(page.locator("#thumbs img")).to_have_count(4)

    page.locator("#stop").click()
    state(page, "cancelled")
    stopped = steps_done(page)
    expect(page.locator("#start")).to_have_text("Start")
    expect(page.locator("#download-cube")).to_be_visible()  # what a stopped run had is not lost
    page.locator("#resume").click()
    state(page, "running")
    page.wait_for_function(
        "steps => parseInt(document.querySelector('#status .meta').textContent) > steps", arg=stopped, timeout=LONG
    )
    page.locator("#stop").click()
    state(page, "cancelled")
    assert 0 < stopped < steps_done(page) < ENDLESS

    set_steps(page, 12)
    page.locator("#start").click()
    state(page, "done")
    assert steps_done(page) == 12
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#resume")).to_be_hidden()

    with page.expect_download() as download:
        page.locator("#download-cube").click()
    assert download.value.suggested_filename.endswith(".cube")
    download.value.save_as(tmp_path / "look.cube")
    lut = colour.read_LUT(str(tmp_path / "look.cube"))
    assert isinstance(lut, colour.LUT3D)
    assert lut.table.shape == (33, 33, 33, 3) and np.isfinite(lut.table).all()


def test_photographs_of_ones_own_and_a_tab_that_is_closed(page: Page, photographs: Path) -> None:
    page.locator("#photographs input[type=file]").set_input_files(sorted(photographs.glob("*.jpg"))[:3])
    expect(page.locator("#counted")).to_contain_text("3 photographs")
    page.locator("#field-prompt textarea").fill("film noir")
    set_steps(page, 8)
    page.locator("#start").click()
    expect(page.locator("#status .status")).to_be_visible(timeout=LONG)
    context, address = page.context, page.url
    page.close()
    again = context.new_page()
    again.goto(address)
    state(again, "done")
    expect(again.locator("#before-after img").first).to_be_visible()
    again.locator("#facts button").click()
    expect(again.locator("#jobs")).to_contain_text("film noir")


def test_the_empty_stage_runs_the_example_in_one_click(page: Page) -> None:
    set_steps(page, ENDLESS)
    page.locator("#run-example").click()
    expect(page.locator("#before-after img").first).to_be_visible(timeout=LONG)
    page.locator("#facts button").click()
    page.locator("#jobs").get_by_role("button", name="Stop").first.click()
    state(page, "cancelled")


def test_a_ready_look_opens_from_the_library_and_a_lut_of_any_program_becomes_another_file(
    page: Page, tmp_path: Path
) -> None:
    page.get_by_role("tab", name="Library", exact=True).click()
    cells = page.locator("#library-grid button.thumbnail-item")
    expect(cells.nth(13)).to_be_visible(timeout=LONG)
    page.locator("#library-grid").get_by_text("film noir").click()
    expect(page.locator("#lut-report .verdicts li").first).to_be_visible(timeout=LONG)
    expect(page.locator("#lut-report h2")).to_contain_text("film noir")
    expect(page.locator("#lut-before-after img").first).to_be_visible()

    table = np.clip(colour.LUT3D.linear_table(9) * [1.0, 0.9, 0.7], 0, 1)
    colour.io.write_LUT_SonySPI3D(colour.LUT3D(table, "warm"), str(tmp_path / "warm.spi3d"))
    page.locator("#lut-file input[type=file]").set_input_files([tmp_path / "warm.spi3d"])
    expect(page.locator("#lut-report h2")).to_contain_text("warm", timeout=LONG)
    page.locator("#lut-export").click()
    with page.expect_download() as download:
        page.locator("#lut-download").click()
    download.value.save_as(tmp_path / "warm.cube")
    written = colour.read_LUT(str(tmp_path / "warm.cube"))
    assert isinstance(written, colour.LUT3D) and np.abs(written.table - table).max() < 1e-6

    page.locator("#lut-judge > button").first.click()
    page.locator("#lut-words textarea, #lut-words input").first.fill("warm")
    page.locator("#lut-ask").click()
    expect(page.locator("#lut-answer")).to_contain_text("believes", timeout=LONG)
    page.reload()
    page.get_by_role("tab", name="LUT", exact=True).click()
    expect(page.locator("#lut-report h2")).to_contain_text("warm", timeout=LONG)


def test_wrong_input_is_answered_in_a_sentence(page: Page, tmp_path: Path) -> None:
    page.locator("#start").click()
    expect(page.locator("#message")).to_contain_text("There are no photographs yet.")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    page.locator("#photographs input[type=file]").set_input_files([broken])
    expect(page.locator("#counted")).to_contain_text("broken.jpg")


def test_dark_light_and_the_models_tab(page: Page) -> None:
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.locator("#theme").click()
    page.get_by_role("tab", name="Models").click()
    expect(page.locator("#loaded")).to_be_visible()
    page.reload()
    expect(page.locator("#loaded")).to_be_visible()
    expect(page.locator("body")).not_to_have_class(re.compile("dark"))


@pytest.mark.parametrize("tab", ["grade", "embed", "science", "models"])
def test_a_phone_scrolls_one_way_only(page: Page, url: str, tab: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{url}/?tab={tab}")
    expect(page.locator("#facts .facts")).to_be_visible()
    if tab == "grade":
        page.locator("#try-example").click()
        expect(page.locator("#thumbs img")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#facts button").click()
    expect(page.locator("#jobs")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
