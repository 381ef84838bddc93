"""The shell in a real browser: help by its key, links that stand still, filters that stay, files, one landing page."""

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from storage.records.clock import DAY, iso
from tests.dashboard.browsed import Watched, at_rest, open_page
from tests.dashboard.week import NOW

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

READ = re.compile("· read 20")


def told(page: Page) -> str:
    """Return the range as the header says it."""
    return page.get_by_text(READ).first.inner_text().split(" · ")[0]


ANNOUNCED = "Cannot read properties of undefined (reading 'locale')"
"""What Plotly says on a slow machine when it tells a figure that its picture was saved, which Streamlit has just made
anew; the picture is whole."""


def test_a_question_mark_opens_the_help_but_not_while_one_types(watched: Watched, site: str) -> None:
    page = open_page(watched, f"{site}/heatmaps")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("opens this help")).to_be_visible(timeout=20_000)
    expect(dialog.get_by_text("When is a campaign clicked")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    open_page(watched, f"{site}/explorer")
    page.get_by_role("textbox").first.focus()
    page.keyboard.press("?")
    page.wait_for_timeout(1_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert watched.outside == []


def test_a_frozen_link_shows_one_window_for_ever_and_goes_along_from_page_to_page(watched: Watched, site: str) -> None:
    page = open_page(watched, f"{site}/live?refresh=Off&tz=Asia%2FKolkata")
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Link")).first.click()
    codes = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(codes).to_have_count(2)
    moving, frozen = (one.inner_text().strip() for one in codes.all())
    assert "from=" not in moving
    assert {"from", "to", "tz", "v"} <= {part.split("=")[0] for part in frozen.split("?")[1].split("&")}
    open_page(watched, frozen)
    first = told(page)
    assert "Asia/Kolkata" in first
    links = page.get_by_test_id("stSidebar").get_by_role("link")
    links.filter(has_text="heatmaps").click()
    expect(page.get_by_role("heading", name="Campaign heatmaps")).to_be_visible(timeout=20_000)
    expect(page.get_by_text(first)).to_be_visible(timeout=20_000)
    links.filter(has_text="Live").click()
    expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_text(first)).to_be_visible(timeout=20_000)
    assert "from=" in page.url


def test_filters_stay_while_one_looks_elsewhere(watched: Watched, site: str) -> None:
    page = open_page(watched, f"{site}/live?range=Last+7+days&tz=Asia%2FTokyo")
    before = told(page)
    links = page.get_by_test_id("stSidebar").get_by_role("link")
    links.filter(has_text="heatmaps").click()
    expect(page.get_by_role("heading", name="Campaign heatmaps")).to_be_visible(timeout=20_000)
    links.filter(has_text="Live").click()
    expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible(timeout=20_000)
    expect(page.get_by_text(before)).to_be_visible(timeout=20_000)
    assert "Tokyo" in page.url


def test_a_figure_and_a_page_are_taken_along(watched: Watched, site: str, tmp_path) -> None:
    page = open_page(watched, f"{site}/overview?tz=UTC")
    with page.expect_download() as bundle:
        page.locator(".st-key-evidence button").first.click()
    bundle.value.save_as(tmp_path / "page.zip")
    with zipfile.ZipFile(tmp_path / "page.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["about"]["page"] == "overview"
    assert {"data/campaign-table.csv", "data/impressions-live.json"} <= manifest["files"].keys()
    page.locator(".st-key-impressions-live-numbers button").first.click()
    page.get_by_test_id("stPopoverBody").get_by_text("Picture").click()
    camera = page.locator(".st-key-impressions-live-framed .modebar-btn")
    expect(camera).to_have_count(1, timeout=20_000)
    at_rest(page)
    with page.expect_download() as picture:
        camera.click()
    picture.value.save_as(tmp_path / "figure.png")
    data = (tmp_path / "figure.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == 1920
    assert watched.outside == []
    assert [error for error in watched.errors if error != ANNOUNCED] == []


def test_a_choice_within_a_panel_of_live_reads_for_that_panel_only(watched: Watched, site: str, readings: Path) -> None:
    asked = urlencode({"range": "Fixed window", "from": iso(NOW - DAY), "to": iso(NOW), "tz": "UTC"})
    page = open_page(watched, f"{site}/live?{asked}")
    expect(page.get_by_role("heading", name="Replicas")).to_be_visible(timeout=60_000)
    before = readings.read_text().split()
    assert {"pulse", "outcomes", "stages", "caches"} <= set(before)
    page.locator(".st-key-latency-chart-numbers button").first.click()
    page.get_by_test_id("stPopoverBody").get_by_text("Picture").click()
    expect(page.locator(".st-key-latency-chart-framed .modebar-btn")).to_have_count(1, timeout=60_000)
    after = readings.read_text().split()[len(before) :]
    assert "pulse" in after
    assert set(after) <= {"pulse", "gaps", "marks"}
    assert watched.errors == []


def test_the_landing_page_has_an_address_of_its_own(watched: Watched, site: str) -> None:
    page = open_page(watched, f"{site}/overview?range=Last+7+days")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert "range=Last" in page.url
