"""The pages of a running installation in a real browser: data at once, no error, nothing fetched from outside."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from dashboard.pages.registry import PAGES
from tests.e2e.installation import Copy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

CHARTS = ".js-plotly-plot .main-svg"
FAILED = "[data-testid='stException'], [data-testid='stAlertContentError']"
BUSY = "[data-testid='stSkeleton'], [data-stale='true'], [data-testid='stStatusWidget']"
READY_MS = 60_000


@dataclass
class Watch:
    """What a page said on its console and whom it asked."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        yield _launch(playwright, path)


def _launch(playwright: Playwright, path: str | None) -> Browser:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, copy: Copy) -> Iterator[tuple[Page, Watch]]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page, watch = context.new_page(), Watch()
    page.on("console", lambda said: watch.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    inside = (f"http://127.0.0.1:{copy.dashboard}/", f"ws://127.0.0.1:{copy.dashboard}/", "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(inside) else watch.outside.append(asked.url))
    page.goto(copy.url)
    yield page, watch
    context.close()


def address(copy: Copy, key: str) -> str:
    """Return a page's address; the first page is the one without a path."""
    return f"http://127.0.0.1:{copy.dashboard}/{'' if key == PAGES[0].key else key}"


def settle(page: Page) -> None:
    """Wait until nothing on the page is being drawn any more."""
    page.wait_for_selector("h1", timeout=READY_MS)
    deadline = time.monotonic() + READY_MS / 1000
    calm = 0
    while calm < 3 and time.monotonic() < deadline:
        calm = calm + 1 if page.locator(BUSY).count() == 0 else 0
        page.wait_for_timeout(300)


def test_within_a_minute_of_its_start_overview_live_and_heatmaps_show_data(
    copy: Copy, signed_in: tuple[Page, Watch]
) -> None:
    page, watch = signed_in
    for key in ("overview", "live", "heatmaps"):
        page.goto(address(copy, key))
        page.wait_for_selector(CHARTS, timeout=READY_MS)
        settle(page)
        assert page.locator(FAILED).count() == 0, page.locator(FAILED).first.inner_text()
    assert watch.errors == []


@pytest.mark.parametrize("key", [page.key for page in PAGES])
def test_every_page_opens_without_an_error(copy: Copy, signed_in: tuple[Page, Watch], key: str) -> None:
    page, watch = signed_in
    watch.errors.clear()
    page.goto(address(copy, key))
    settle(page)
    assert page.locator(FAILED).count() == 0, page.locator(FAILED).first.inner_text()
    question = next(entry.question for entry in PAGES if entry.key == key)
    assert page.get_by_text(question).count() >= 1
    assert watch.errors == []


def test_nothing_is_fetched_from_outside(signed_in: tuple[Page, Watch]) -> None:
    assert signed_in[1].outside == []


def test_without_signing_in_no_page_shows_anything(browser: Browser, copy: Copy) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{copy.dashboard}/heatmaps")
    page.wait_for_timeout(3_000)
    assert page.locator(CHARTS).count() == 0
    context.close()
