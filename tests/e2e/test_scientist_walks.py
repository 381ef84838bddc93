"""A data scientist's walks: an audit that cannot say, a draft held against what was served, Evidently's own report."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.installation import Copy, until
from tests.e2e.visitors import Visitors
from tests.e2e.walking import WAIT_MS, Enter, choose, done, give, look

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

LONG_MS = 180_000


@pytest.fixture(scope="module")
def control(copy: Copy, token: str) -> Iterator[Visitors]:
    """The public API of control."""
    asking = Visitors(copy, token)
    yield asking
    asking.leave()


def newest(control: Visitors, kind: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = control.control.get("/audits", params={"kind": kind}).json()["audits"]
    return found[0] if found else {"audit_id": ""}


def asked_for(page: Page, control: Visitors, kind: str) -> dict[str, Any]:
    """Run an audit from its page; return what came of it."""
    before = newest(control, kind)["audit_id"]
    give(page, "Run audit")
    done(page, "queued")
    found = until(lambda: one if (one := newest(control, kind))["audit_id"] != before else None, within_s=150.0)
    assert found, control.copy.logs()
    return dict(found)


def test_an_audit_that_cannot_say_says_how_much_more_it_takes(copy: Copy, enter: Enter, control: Visitors) -> None:
    page = look(enter("data_scientist"), copy, "fairness")
    page.get_by_text("Choose what to look at").click()
    choose(page, "Groups by", "user_feature_1", several=True)
    choose(page, "Measures", "click_rate", several=True)
    audit = asked_for(page, control, "fairness")
    assert audit["verdict"] == "unknown"
    needed = re.search(r"about ([\d,]+) more impressions needed", audit["sentence"])
    assert needed, audit["sentence"]
    page = look(page, copy, f"fairness?audit_fairness={audit['audit_id']}")
    verdict = page.locator(".st-key-panel-verdict")
    expect(verdict.get_by_text("not enough data").first).to_be_visible(timeout=WAIT_MS)
    expect(
        verdict.get_by_text(f"Inconclusive for click rate by user_feature_1: about {needed[1]} more").first
    ).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("By user_feature_1", exact=True)).to_be_visible(timeout=WAIT_MS)
    assert page.get_by_test_id("stMain").get_by_text("harm shown").count() == 0


def test_a_draft_is_held_against_what_was_served(copy: Copy, enter: Enter, control: Visitors) -> None:
    base = control.control.get("/policies/home/versions/1").json()["document"]
    draft = {**base, "exploration": {**base["exploration"], "epsilon": 0.5}}
    version = control.command("/policies/home/versions", document=draft)["after"]["version"]
    page = look(enter("data_scientist"), copy, "whatif")
    choose(page, "^.*Version", str(version))
    give(page, "Try it")
    done(page, "queued")
    told = page.locator(".st-key-panel-answer")
    expect(told.get_by_text(f"version {version} of home").first).to_be_visible(timeout=LONG_MS)
    expect(told.get_by_text("came out again as recorded").first).to_be_visible(timeout=LONG_MS)
    runs = control.control.get("/whatif").json()["runs"]
    whole = [control.control.get(f"/whatif/{run['audit_id']}").json()["result"] for run in runs]
    (estimate,) = [one["estimated"] for one in whole if one["scenario"].get("version") == version]
    panel = page.locator(".st-key-panel-estimated")
    expect(panel.get_by_text(f"{estimate['n']:,} impressions, worth").first).to_be_visible(timeout=WAIT_MS)
    if estimate["verdict"] == "supported":
        expect(panel.get_by_test_id("stPlotlyChart")).to_be_visible(timeout=WAIT_MS)
    else:
        expect(panel.get_by_text("not enough data").first).to_be_visible(timeout=WAIT_MS)
        expect(panel.get_by_test_id("stPlotlyChart")).to_have_count(0)
    expect(page.locator(".st-key-panel-exact").get_by_text("Decisions that change")).to_be_visible(timeout=WAIT_MS)


def test_evidentlys_own_report_is_taken_from_the_page_of_drift(copy: Copy, enter: Enter, control: Visitors) -> None:
    page = look(enter("data_scientist"), copy, "drift")
    audit = known if (known := newest(control, "drift"))["audit_id"] else asked_for(page, control, "drift")
    page = look(page, copy, f"drift?audit_drift={audit['audit_id']}")
    button = page.get_by_role("button", name=re.compile("Save evidently.html"))
    button.scroll_into_view_if_needed()
    with page.expect_download() as saved:
        button.click()
    assert saved.value.suggested_filename == "evidently.html"
    report = Path(saved.value.path()).read_text("utf-8")
    assert report.lstrip().lower().startswith(("<!doctype html", "<html"))
    assert "Dataset Drift is" in report and "user_feature_0" in report
