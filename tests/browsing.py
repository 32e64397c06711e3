"""A real browser for tests: a page that must neither complain nor talk to anybody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
LEFT = ("AbortError", "Unexpected error Connection errored out")
"""What a page says of a stream, and Gradio of a request, that ends because the page is left."""
SOON, LONG = 30_000, 300_000  # milliseconds; a busy machine is no failure
expect.set_options(timeout=SOON)


@contextmanager
def opened() -> Iterator[Browser]:
    """Start the browser."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield one
        one.close()


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Page]:
    """Open the page as a new visitor; at the end, complain of what it complained of."""
    context = browser.new_context(viewport={"width": 1440, "height": 960}, accept_downloads=True)
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: wrong.append(request.url) if _leaves(request.url) else None)
    one = context.new_page()
    one.set_default_timeout(SOON)
    one.goto(url)
    expect(one.locator("#facts .facts")).to_be_visible(timeout=LONG)
    yield one
    complaints = [complaint for complaint in wrong if not complaint.startswith(LEFT)]
    context.close()
    assert complaints == []


def _leaves(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1"
