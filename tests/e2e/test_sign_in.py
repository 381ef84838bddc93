"""A real browser signs in with a real provider: the group decides what is seen, signing out ends it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import find
from tests.provider import ROLES, SECRET, provider

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("--no-first-run", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(url: str, child: subprocess.Popen[bytes], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert child.poll() is None, "it ended"
        try:
            if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("signed")
    control, pages, issuer = free(), free(), free()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    environ |= {
        "FAIRLEAD_HOME": str(home),
        "FAIRLEAD_CONTROL_PORT": str(control),
        "FAIRLEAD_DASHBOARD_PORT": str(pages),
        "FAIRLEAD_OIDC_ISSUER": f"http://127.0.0.1:{issuer}",
        "FAIRLEAD_OIDC_CLIENT_SECRET": SECRET,
        "FAIRLEAD_OIDC_ROLES": ROLES,
        "PYTHONPATH": str(ROOT),
    }
    children = []
    try:
        with provider(issuer):
            for name, url in (
                ("control", f"http://127.0.0.1:{control}/readyz"),
                ("dashboard", f"http://127.0.0.1:{pages}/healthz"),
            ):
                command = [sys.executable, "-m", "fairlead", name]
                children.append(subprocess.Popen(command, env=environ, cwd=home, stderr=subprocess.DEVNULL))
                until(url, children[-1])
            yield f"http://127.0.0.1:{pages}"
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(30)


@pytest.fixture
def page() -> Iterator[Page]:
    executable = find()
    if executable is None:
        pytest.skip("no Chromium: set CHROMIUM")
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        opened = browser.new_page(viewport={"width": 1440, "height": 1000})
        opened.set_default_timeout(60_000)
        yield opened
        browser.close()


def sign_in(page: Page, dashboard: str, person: str) -> None:
    page.goto(dashboard)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=person, exact=True).click()


def test_the_group_decides_what_is_seen_and_signing_out_ends_it(page: Page, dashboard: str) -> None:
    sign_in(page, dashboard, "mia")
    expect(page.get_by_text("mia, marketer")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/bye*", timeout=60_000)
    page.goto(dashboard)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    sign_in(page, dashboard, "olga")
    expect(page.get_by_text("olga, ops")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="System")).to_be_visible()


def test_who_has_no_role_is_told_so(page: Page, dashboard: str) -> None:
    sign_in(page, dashboard, "nobody")
    expect(page.get_by_text("none of your groups has a role here")).to_be_visible(timeout=60_000)
