"""Fixtures of whole installations."""

import os
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find
from tests.e2e.installation import Copy, running
from tests.e2e.lived import Lived, live_on
from tests.e2e.walking import REASON, Enter, settle


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """One copy for all tests, traffic included; the last one stops it."""
    with running(tmp_path_factory.mktemp("copy") / "home") as started:
        yield started


@pytest.fixture(scope="session")
def token(copy: Copy) -> str:
    """A token of an application."""
    minted = copy.data("token", "create", "--name", "e2e", "--scopes", "decide,events:write,decision:read,journal:read")
    time.sleep(0.5)
    found: str = minted["token"]
    return found


@pytest.fixture(scope="session")
def lived(copy: Copy, token: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A stretch of the copy's life: what its pages say of it, and the raw rows that it left."""
    found = live_on(copy, token, tmp_path_factory.mktemp("raw"))
    yield found
    found.raw.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find()
    assert path, "no Chromium: set CHROMIUM, or install one"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        yield playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture(scope="module")
def enter(browser: Browser, copy: Copy) -> Iterator[Enter]:
    """Sign people in, each with a role of their own and in a browser of their own."""
    known: dict[str, Page] = {}

    def as_person(role: str) -> Page:
        if role not in known:
            minted = copy.data("token", "create", "--name", f"walker-{role}", "--role", role, "--reason", REASON)
            control = f"http://127.0.0.1:{copy.control}/control/v1"
            asked = httpx.post(f"{control}/auth/once", headers={"authorization": f"Bearer {minted['token']}"}, json={})
            page = browser.new_context(viewport={"width": 1440, "height": 1400}).new_page()
            page.goto(f"http://127.0.0.1:{copy.dashboard}/auth/once/{asked.json()['once']}")
            settle(page)
            known[role] = page
        return known[role]

    yield as_person
    for page in known.values():
        page.context.close()
