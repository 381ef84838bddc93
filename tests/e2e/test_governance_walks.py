"""What governance offers on its pages, done in a real browser on a running installation by those whose work it is."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.installation import Copy
from tests.e2e.walking import REASON, WAIT_MS, Enter, done, give, look, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def fill(page: Page, label: str, text: str) -> None:
    """Write into a field as a person does, who then leaves it."""
    box = page.get_by_test_id("stMain").get_by_role("textbox", name=label, exact=True).first
    box.fill(text)
    box.press("Enter")
    settle(page)


def open_form(page: Page, name: str):
    """Open a form that hangs on a button."""
    page.get_by_test_id("stPopover").get_by_role("button", name=re.compile(name)).first.click()
    return page.get_by_test_id("stPopoverBody")


def test_a_marketer_writes_a_toggle_tries_it_and_turns_it_on_and_off(copy: Copy, enter: Enter, token: str) -> None:
    page = look(enter("marketer"), copy, "toggles")
    fill(page, "Key", "new-checkout")
    expect(page.get_by_text("of everyone something else")).to_be_visible(timeout=WAIT_MS)
    give(page, "Create")
    done(page, "new-checkout")
    page = look(page, copy, "toggles?toggle=new-checkout")
    expect(page.get_by_text("default", exact=False).first).to_be_visible(timeout=WAIT_MS)
    give(page, "Turn on", confirm="new-checkout")
    done(page, "new-checkout")
    fill(page, "Subject", "walker-9")
    expect(page.get_by_text("bucket 0.")).to_be_visible(timeout=WAIT_MS)

    def answered() -> dict[str, object]:
        body = {"subject": "walker-9", "toggles": ["new-checkout"]}
        found: dict[str, object] = copy.ask(token, "/v1/toggles", body).json()
        return found

    assert "new-checkout" in str(answered())
    give(page, "Turn off")
    done(page, "new-checkout")
    page.wait_for_timeout(1_000)
    assert "off" in str(answered()) or "default" in str(answered())


def test_a_data_scientist_asks_what_a_version_would_have_done(copy: Copy, enter: Enter) -> None:
    page = look(enter("data_scientist"), copy, "whatif")
    give(page, "Try it")
    done(page, "queued")
    expect(page.get_by_text(re.compile("decisions? decided again"))).to_be_visible(timeout=120_000)


def test_a_version_goes_out_by_itself_after_one_approval_and_is_taken_back(copy: Copy, enter: Enter) -> None:
    author = look(enter("data_scientist"), copy, "policies")
    back = author.get_by_test_id("stPopover").get_by_role("button", name=re.compile("Back to v1"))
    if back.count():
        other = look(enter("ops"), copy, "policies")
        give(other, "Back to v1")
        done(other, "revision")
        author = look(author, copy, "policies")
    author.get_by_text("Let a version go out by itself").click()
    settle(author)
    give(author, "Propose", within='[class*="st-key-gated-"]')
    done(author, "draft")


def test_consent_from_elsewhere_is_taken_in(copy: Copy, enter: Enter) -> None:
    page = look(enter("ops"), copy, "consent")
    form = open_form(page, "Publish a wording")
    form.get_by_role("textbox", name="Version").fill("2026-11")
    form.get_by_role("textbox", name="Wording").fill("May we remember what you looked at?")
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name="Publish").click()
    done(page, "")
    expect(page.get_by_text("May we remember")).to_be_visible(timeout=WAIT_MS)
