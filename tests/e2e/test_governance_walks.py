"""What governance offers on its pages, done in a real browser on a running installation by those whose work it is."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.installation import Copy
from tests.e2e.walking import REASON, WAIT_MS, Enter, choose, done, give, look, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CHANGE = '[class*="st-key-change-"]'
FILE = b"subject,purpose,state\nwalker-csv,personalization,denied\nwalker-csv,no-such-purpose,denied\n"


def fill(page: Page, label: str, text: str) -> None:
    """Write into a field as a person does, who then leaves it."""
    box = page.get_by_test_id("stMain").get_by_role("textbox", name=label, exact=True).first
    box.fill(text)
    box.press("Enter")
    settle(page)


def opened(page: Page, name: str) -> Locator:
    """Open a form that hangs on a button."""
    page.get_by_test_id("stPopover").get_by_role("button", name=re.compile(name)).first.click()
    return page.get_by_test_id("stPopoverBody")


def until_told(page: Page, copy: Copy, key: str, words: str) -> None:
    """Open a page again and again until it says something that takes its time."""
    for _ in range(30):
        if look(page, copy, key).get_by_text(words).count():
            return
        page.wait_for_timeout(1_000)
    raise AssertionError(page.get_by_test_id("stMain").inner_text())


def test_a_marketer_writes_a_toggle_tries_it_and_turns_it_on_and_off(copy: Copy, enter: Enter, token: str) -> None:
    def answered() -> str:
        page.wait_for_timeout(1_500)
        return copy.ask(token, "/v1/toggles", {"subject": "walker-9", "toggles": ["new-checkout"]}).text

    page = look(enter("marketer"), copy, "toggles")
    fill(page, "Key", "new-checkout")
    page.get_by_text("All of them", exact=True).click()
    expect(page.get_by_text("It may give 0 % of everyone")).to_be_visible(timeout=WAIT_MS)
    give(page, "Create")
    done(page, "revision")
    assert '"value":false' in answered()
    page = look(page, copy, "toggles?toggle=new-checkout")
    give(page, "Turn on")
    expect(page.get_by_text("propose it as a change")).to_be_visible(timeout=WAIT_MS)
    page = look(page, copy, "toggles?toggle=new-checkout")
    page.get_by_text("All of them", exact=True).click()
    expect(page.get_by_text("Share of them, %")).to_be_visible(timeout=WAIT_MS)
    settle(page)
    give(page, "Save")
    done(page, "revision")
    give(page, "Turn on", confirm="new-checkout")
    done(page, "revision")
    fill(page, "Subject", "walker-9")
    expect(page.get_by_text("no rule holds")).to_be_visible(timeout=WAIT_MS)
    give(page, "Put back")
    done(page, "revision")


def test_a_data_scientist_asks_what_a_version_would_have_done(copy: Copy, enter: Enter) -> None:
    page = look(enter("data_scientist"), copy, "whatif")
    give(page, "Try it")
    done(page, "queued")
    expect(page.get_by_text("came out again as recorded").first).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Exact: what would be shown")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("Estimated: what it would have earned")).to_be_visible(timeout=WAIT_MS)


def test_a_version_goes_out_by_itself_after_one_approval_and_is_taken_back(copy: Copy, enter: Enter) -> None:
    ops = look(enter("ops"), copy, "policies")
    if ops.get_by_test_id("stPopover").get_by_role("button", name=re.compile("Back to v1")).count():
        give(ops, "Back to v1")
        done(ops, "revision")
    author = look(enter("data_scientist"), copy, "policies")
    author.get_by_text("Let a version go out by itself").click()
    expect(author.get_by_text("no sensitive attribute is declared")).to_be_visible(timeout=WAIT_MS)
    choose(author, "Nobody harmed by", "user_feature_0", several=True)
    expect(author.get_by_text("decisions in all and at least")).to_be_visible(timeout=WAIT_MS)
    settle(author)
    give(author, "Propose", within='[class*="st-key-gated-next"]')
    done(author, "draft")
    give(author, "Submit", within=CHANGE)
    done(author, "in review")
    ops = look(ops, copy, "policies")
    give(ops, "Approve", within=CHANGE)
    done(ops, "approved")
    give(ops, "Apply", confirm="home", within=CHANGE)
    done(ops, "revision")
    expect(ops.get_by_text("serves v2 to 1 %")).to_be_visible(timeout=WAIT_MS)
    expect(ops.get_by_text("looks follow every few seconds")).to_be_visible(timeout=WAIT_MS)
    for gate in ("Failures and speed", "Outcome", "Same traffic", "Fairness", "Split of people"):
        expect(ops.get_by_text(gate).first).to_be_visible(timeout=WAIT_MS)
    give(ops, "Take back")
    done(ops, "Done")
    expect(ops.get_by_text("serves v1 to everyone")).to_be_visible(timeout=WAIT_MS)


def test_consent_from_elsewhere_and_a_request_are_taken_in(copy: Copy, enter: Enter) -> None:
    page = look(enter("ops"), copy, "consent")
    form = opened(page, "Publish a wording")
    form.get_by_role("textbox", name="Version").fill("2026-11")
    form.get_by_role("textbox", name="Wording").fill("May we remember what you looked at?")
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name="Publish").click()
    done(page, "Done")
    expect(page.get_by_text("No wording was published yet")).to_have_count(0)
    form = opened(page, "Take a CSV file")
    file = {"name": "consent.csv", "mimeType": "text/csv", "buffer": FILE}
    form.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(form.get_by_text("consent.csv")).to_be_visible(timeout=WAIT_MS)
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name="Take", exact=True).click()
    done(page, "queued")
    main = page.get_by_test_id("stMain")
    main.get_by_role("textbox", name="Subject").nth(1).fill("walker-csv")
    main.get_by_role("textbox", name="Reason").nth(1).fill(REASON)
    main.get_by_role("button", name=re.compile("Take in")).click()
    done(page, "Done")
    until_told(page, copy, "consent", "1 denied, 0 unchanged, 0 outdated, 1 refused")
    expect(page.get_by_text("Nobody has asked for anything yet")).to_have_count(0)


def test_an_emergency_is_declared_and_somebody_else_closes_it(copy: Copy, enter: Enter) -> None:
    ops = look(enter("ops"), copy, "policies")
    give(ops, "Declare an emergency", confirm="development")
    done(ops, "Done")
    expect(ops.get_by_text("may apply alone")).to_be_visible(timeout=WAIT_MS)
    other = look(enter("admin"), copy, "policies")
    give(other, "Close with a finding")
    done(other, "Done")
    expect(other.get_by_text("may apply alone")).to_have_count(0)


def test_every_check_looks_when_it_is_asked_to(copy: Copy, enter: Enter) -> None:
    page = look(enter("ops"), copy, "checks")
    give(page, "Look now")
    done(page, "Done")
    expect(page.get_by_text("What deserves attention")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("have not looked lately")).to_have_count(0)
