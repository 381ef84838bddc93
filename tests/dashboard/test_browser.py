"""A real browser on the real dashboard: data is drawn, nothing is fetched from outside, a cell opens its decisions."""

import pytest
from playwright.sync_api import expect

from dashboard.entrance import ADDRESSES
from tests.dashboard.browsed import open_page
from tests.outward import LEADS_AWAY

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("key", ["", *(f"{key}?decision=d-1" if key == "explorer" else key for key in ADDRESSES)])
def test_every_page_opens_clean_and_fetches_nothing_from_outside(watched, site, key):
    page = open_page(watched, f"{site}/{key}")
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    page.wait_for_timeout(1_000)
    assert watched.errors == []
    assert watched.outside == []
    assert watched.dialogs == []
    assert page.evaluate(LEADS_AWAY) == []


def test_a_click_on_a_cell_opens_its_decisions(watched, site):
    page = open_page(watched, f"{site}/heatmaps?rows=All+rows")
    chart = page.locator(".js-plotly-plot").first
    layer = chart.locator(".heatmaplayer")
    expect(layer).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1_000)
    box = layer.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    expect(page.get_by_text("decisions of this cell")).to_be_visible(timeout=20_000)


def test_an_address_reproduces_the_view(watched, site, chromium):
    page = open_page(watched, f"{site}/heatmaps?campaign=men&rows=All+rows&tz=Asia%2FKolkata")
    expect(page.get_by_text("Asia/Kolkata · read")).to_be_visible()
    expect(page.get_by_text("holds simulated rows").first).to_be_visible()
    assert "campaign=men" in page.url


def test_a_stranger_is_told_how_to_sign_in(chromium, site):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site}/?login=refused")
    expect(page.get_by_text("fairlead login")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("older than ten minutes")).to_be_visible()
    context.close()


def test_the_cookie_is_closed_to_scripts(watched):
    assert "fl_x" not in watched.page.evaluate("document.cookie")
    assert "fl_x" not in watched.page.content()
