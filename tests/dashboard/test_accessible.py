"""Every page for every eye: axe finds nothing serious that is ours, and nothing is cut or pushed aside on a screen."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from dashboard.entrance import ADDRESSES
from tests.dashboard.browsed import Watched, open_page

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

WIDTHS = {"a phone": 390, "a laptop at 200 %": 640, "a laptop": 1280}
STREAMLITS_OWN = {"aria-progressbar-name": "stProgress"}
"""What Streamlit draws and gives no way to name: rule, and where."""
CUT = """() => [...document.querySelectorAll('[data-testid="stMain"] *')].filter((one) => {
  if (one.closest('[data-testid="stDataFrame"], [data-testid="stCode"], .js-plotly-plot')) return false;
  const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const style = getComputedStyle(one);
  const hidden = style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && style.display !== 'inline';
  return said && hidden && one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.textContent.trim().slice(0, 60))"""
ASIDE = """() => {
  const main = document.querySelector('[data-testid="stMain"]');
  return [main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth];
}"""


@pytest.fixture(scope="module")
def pages(chromium: Browser, site: str) -> Iterator[dict[str, Page]]:
    """A signed-in page a theme; axe is put into it, which the pages' own policy would refuse."""
    found = {}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto(f"{site}/auth/once/anything")
        page.wait_for_selector("h1")
        found[scheme] = page
    yield found
    for page in found.values():
        page.context.close()


def serious(found: dict[str, Any]) -> list[str]:
    """Return what axe calls serious or critical, Streamlit's own left out."""
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
        if STREAMLITS_OWN.get(one["id"], "nothing") not in f"{node['target']}{node['html']}"
    ]


@pytest.mark.parametrize("key", ADDRESSES)
def test_a_page_is_whole_on_every_screen_and_axe_finds_nothing_serious(pages, site, key):
    address = f"{site}/{key}" + ("?decision=d-1" if key == "explorer" else "")
    light, dark = pages["light"], pages["dark"]
    light.set_viewport_size({"width": 1280, "height": 1000})
    dark.set_viewport_size({"width": 390, "height": 900})
    for page in (light, dark):
        open_page(Watched(page=page), address)
        page.wait_for_timeout(800)
        assert serious(Axe().run(page).response) == []
    for name, width in WIDTHS.items():
        light.set_viewport_size({"width": width, "height": 1000})
        light.wait_for_timeout(500)
        with suppress(PlaywrightTimeout):  # charts take their new width one after another
            light.wait_for_function(f"() => ({ASIDE})().every((one) => one === 0)", timeout=10_000)
        assert light.evaluate(ASIDE) == [0, 0], name
        assert light.evaluate(CUT) == [], name
