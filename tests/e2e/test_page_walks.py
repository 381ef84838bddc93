"""Every command of the pages, given in a real browser on a running installation by those whose work it is."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Copy
from tests.e2e.walking import REASON, WAIT_MS, Enter, done, give, look

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NEXT_STEP = re.compile("serves v2 to (everyone|50 %|1 %)")
"""The demo starts at 50 %; tests before may have taken the copy they share down to 25 %, or back."""


@pytest.mark.parametrize(("key", "words"), [("fairness", "By user_feature_0"), ("drift", "One feature")])
def test_an_audit_is_started_and_its_result_comes_by_itself(copy: Copy, enter: Enter, key: str, words: str) -> None:
    page = look(enter("data_scientist"), copy, key)
    give(page, "Run audit")
    done(page, "queued")
    expect(page.get_by_text(words, exact=True)).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Every audit")).to_be_visible()
    page.get_by_text("Save").first.scroll_into_view_if_needed()
    with page.expect_download() as saved:
        page.get_by_text("Save").first.click()
    assert saved.value.path().stat().st_size > 1_000


def test_a_rollout_is_proposed_by_one_approved_and_applied_by_another_then_taken_back(copy: Copy, enter: Enter) -> None:
    author = look(enter("data_scientist"), copy, "policies")
    give(author, "Propose")
    done(author, "draft")
    change = '[class*="st-key-change-"]'
    give(author, "Submit", within=change)
    done(author, "in review")
    give(author, "Approve", within=change)
    expect(author.get_by_test_id("stAlert").first).to_be_visible(timeout=WAIT_MS)
    assert "approved" not in author.locator(change).first.inner_text().split("·")[0]

    other = look(enter("ops"), copy, "policies")
    give(other, "Approve", within=change)
    done(other, "approved")
    give(other, "Apply", confirm="home", within=change)
    done(other, "revision")
    expect(other.get_by_text(NEXT_STEP)).to_be_visible(timeout=WAIT_MS)
    give(other, "Back to v1")
    done(other, "revision")
    expect(other.get_by_text("serves v1 to everyone")).to_be_visible(timeout=WAIT_MS)
    give(other, "Apply 1 %", confirm="home")
    expect(other.get_by_text("propose it as a change")).to_be_visible(timeout=WAIT_MS)


def test_the_kill_switch_is_thrown_and_lifted(copy: Copy, enter: Enter, token: str) -> None:
    asked = {"subject": "walker-2", "surface": "home", "campaign": "men", "slots": 3, "context": {}}
    page = look(enter("ops"), copy, "live")
    give(page, "^.*Kill switch")
    done(page, "revision")
    expect(page.get_by_text("The kill switch is on since")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_timeout(1_000)
    assert copy.ask(token, "/v1/personalize", asked).json()["reason"] == "kill_switch"
    give(page, "Lift kill switch", confirm="development")
    done(page, "revision")
    expect(page.get_by_text("The kill switch is on since")).to_have_count(0)
    page.wait_for_timeout(1_000)
    assert copy.ask(token, "/v1/personalize", asked).json()["reason"] != "kill_switch"


def test_a_person_is_opted_out_and_the_history_says_so(copy: Copy, enter: Enter, token: str) -> None:
    page = look(enter("ops"), copy, "consent")
    page.get_by_role("textbox", name="Subject").first.fill("walker-1")
    page.get_by_role("textbox", name="Reason").first.fill(REASON)
    page.get_by_role("button", name=re.compile("Look up")).click()
    expect(page.get_by_text("has said nothing")).to_be_visible(timeout=WAIT_MS)
    give(page, "Opt out")
    done(page, "enforce it")
    expect(page.get_by_text("has said nothing")).to_have_count(0)
    asked = {"subject": "walker-1", "surface": "home", "campaign": "men", "slots": 3, "context": {}}
    answer = copy.ask(token, "/v1/personalize", asked).json()
    assert (answer["served_by"], answer["reason"]) == ("default", "no_consent")
    looks = copy.data("ledger", "list")
    entries = looks if isinstance(looks, list) else looks["entries"]
    assert sum(one["action"] == "consent.look_up" for one in entries) == 2


def test_a_decision_is_looked_up_explained_and_replayed(copy: Copy, enter: Enter, token: str) -> None:
    asked = {"subject": "walker-3", "surface": "home", "campaign": "men", "slots": 3, "context": {}}
    decision = copy.ask(token, "/v1/personalize", asked).json()
    page = look(enter("data_scientist"), copy, "explorer")
    box = page.get_by_role("textbox", name="Decision id")
    box.fill(decision["decision_id"])
    box.press("Enter")
    expect(page.get_by_text("What was shown")).to_be_visible(timeout=WAIT_MS)
    served = page.get_by_test_id("stMetric").filter(has_text="Served by")
    scorer = "model ranker" if decision["model"] else "scorer popular"
    expect(served).to_contain_text(scorer)
    page.get_by_role("button", name=re.compile("Decide again")).click()
    expect(page.get_by_text("Exact: the same bytes")).to_be_visible(timeout=WAIT_MS)


def test_the_ledger_is_verified_and_signing_out_ends_the_session(copy: Copy, enter: Enter) -> None:
    page = look(enter("ops"), copy, "ledger")
    page.get_by_role("button", name=re.compile("Verify now")).click()
    expect(page.get_by_text("entries verified at")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("button", name=re.compile("Sign out")).click()
    expect(page.get_by_text("You are signed out")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    expect(page.get_by_text("Open the one-time link")).to_be_visible(timeout=WAIT_MS)
