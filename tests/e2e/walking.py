"""What a person does on a page, in a real browser."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.installation import Copy

REASON = "walking the pages as a person"
WAIT_MS = 60_000
Enter = Callable[[str], Page]


def settle(page: Page) -> None:
    """Wait until the page is drawn."""
    page.wait_for_selector("h1", timeout=WAIT_MS)
    page.wait_for_timeout(300)
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT_MS)


def look(page: Page, copy: Copy, key: str) -> Page:
    page.goto(f"http://127.0.0.1:{copy.dashboard}/{key}")
    settle(page)
    return page


def give(page: Page, command: str, *, confirm: str = "", within: str = "") -> None:
    """Open a command's form, say why, type what is asked for, and give it."""
    name = re.compile(command)
    place = page.locator(within).first if within else page
    place.get_by_test_id("stPopover").get_by_role("button", name=name).first.click()
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_role("textbox", name="Reason").fill(REASON)
    if confirm:
        form.get_by_role("textbox", name=re.compile("^Type")).fill(confirm)
    form.get_by_role("button", name=name).click()


def done(page: Page, word: str) -> None:
    """Expect the page to say that it was done, and its form to be gone."""
    form = page.get_by_test_id("stPopoverBody")
    try:
        expect(form).to_have_count(0, timeout=20_000)
    except AssertionError:
        raise AssertionError(form.first.inner_text()) from None
    expect(page.get_by_test_id("stToast").filter(has_text=word).last).to_be_visible(timeout=WAIT_MS)
    settle(page)
