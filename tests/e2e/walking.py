"""What a person does on a page, in a real browser."""

import csv
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.installation import Copy

REASON = "walking the pages as a person"
WAIT_MS = 60_000
TRIES = 4
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


def choose(page: Page, label: str, option: str, *, several: bool = False) -> None:
    """Choose from a list as a person does who types what they look for, and opens it anew where a page that was drawn
    meanwhile has closed it; a list that holds ``several`` is left open by a choice, and closed then."""
    settle(page)
    box = page.get_by_role("combobox", name=re.compile(label)).first
    for _ in range(TRIES):
        box.click()
        box.fill(option)
        with suppress(PlaywrightTimeout):
            page.get_by_role("option", name=option, exact=True).click(timeout=WAIT_MS / TRIES)
            break
    else:
        raise AssertionError(f"{label} did not offer {option}")
    if several:
        page.keyboard.press("Escape")
    settle(page)


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


def saved_rows(page: Page, key: str) -> list[dict[str, str]]:
    """Save what a button offers as CSV; return its rows."""
    with page.expect_download() as saved:
        page.locator(f".st-key-{key} button").click()
    with Path(saved.value.path()).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ledger_rows(page: Page, copy: Copy, action: str) -> list[dict[str, str]]:
    """Return the entries of one action as the page Audit log lists them (its table is drawn on a canvas)."""
    return saved_rows(look(page, copy, f"ledger?ledger_action={action}"), "ledger-csv")


def done(page: Page, word: str) -> None:
    """Expect the page to say that it was done, and its form to be gone."""
    form = page.get_by_test_id("stPopoverBody")
    try:
        expect(form).to_have_count(0, timeout=20_000)
    except AssertionError:
        raise AssertionError(form.first.inner_text()) from None
    expect(page.get_by_test_id("stToast").filter(has_text=word).last).to_be_visible(timeout=WAIT_MS)
    settle(page)
