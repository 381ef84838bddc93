"""Experiments and insights, walked in a browser by those whose work they are, with data of the public API."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Copy, until
from tests.e2e.walking import REASON, WAIT_MS, Enter, choose, ledger_rows, look, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

TABLE = b"metric,industry,value,source,date\nclick_rate,fashion retail,0.9 %,Report A,2025-05-01\n"


def test_a_marketer_reads_what_was_shown_and_brings_figures(copy: Copy, enter: Enter) -> None:
    copy.data("job", "run", "experiments")
    page = look(enter("marketer"), copy, "experiments")
    expect(page.get_by_text("Is it healthy?")).to_be_visible(timeout=WAIT_MS)
    choose(page, "Experiment", "Policies of the imported log all (imported rows)")
    expect(page.locator("p").filter(has_text="Not shown to be better").first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("impressions in each of two arms", exact=False)).to_be_visible()
    look(page, copy, "insights")
    page.get_by_role("button", name="Bring a table").click()
    form = page.get_by_test_id("stPopoverBody")
    form.locator("input[type=file]").set_input_files(
        files=[{"name": "figures.csv", "mimeType": "text/csv", "buffer": TABLE}]
    )
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name="Replace all figures").click()
    expect(page.get_by_test_id("stToast").filter(has_text="Done").last).to_be_visible(timeout=WAIT_MS)
    settle(page)
    rows = copy.data("benchmark", "list")["benchmarks"]
    assert [(row["industry"], row["value"]) for row in rows] == [("fashion retail", 0.009)]


def test_a_data_scientist_looks_early_and_the_ledger_knows(copy: Copy, enter: Enter) -> None:
    def read_out() -> Any:
        copy.data("job", "run", "experiments")
        return next((one for one in copy.data("insight", "experiments")["experiments"] if one["hidden"]), None)

    hidden = until(read_out, within_s=180.0, every_s=5.0)
    assert hidden, "nothing was shown yet that could be hidden"
    assert all("clicks" not in arm for arm in hidden["arms"])
    page = look(enter("data_scientist"), copy, "experiments")
    page.get_by_role("combobox", name="Experiment").click()
    page.get_by_role("option", name=f"{hidden['title']} ({hidden['origin']} rows)").click()
    settle(page)
    page.get_by_role("button", name="Look early").click()
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name="Look early").click()
    expect(page.get_by_text("An early look, entered in the ledger", exact=False)).to_be_visible(timeout=WAIT_MS)
    told = [row["reason"] for row in ledger_rows(enter("ops"), copy, "experiments.reveal")]
    entries = copy.data("ledger", "list", "--action", "experiments.reveal")
    assert told == [one["reason"] for one in (entries if isinstance(entries, list) else entries["entries"])]
    assert REASON in told


def test_the_overview_is_that_of_the_role(copy: Copy, enter: Enter) -> None:
    for role, there, absent in (
        ("marketer", "Campaigns", "The fleet"),
        ("data_scientist", "Open questions", "The fleet"),
        ("ops", "The fleet", "Open questions"),
    ):
        page = look(enter(role), copy, "")
        expect(page.get_by_role("heading", name=there)).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_role("heading", name=absent)).to_have_count(0)
