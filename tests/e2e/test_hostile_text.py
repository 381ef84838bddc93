"""Hostile words in every free-text field, planted through the public APIs: no page, and no file, runs any of them."""

import csv
import io
import zipfile
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from dashboard.entrance import ADDRESSES
from storage.spreadsheets import FORMULA, NUMBER
from tests.e2e.installation import Copy
from tests.e2e.walking import Enter, look
from tests.outward import LEADS_AWAY

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MARKUP = "<img src=x onerror=alert(1)><script>alert(1)</script>![x](http://evil.test/p.png)[y](javascript:alert(1))"
SHEET = '=HYPERLINK("http://evil.test/x","y")'
WHY = {"reason": f"{SHEET} {MARKUP}"}
KEY = f"hostile-{token_hex(2)}"
HERE = {"surfaces": ["home"], "campaigns": [KEY]}
PLANTED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/campaigns", {"campaign": {"key": KEY, "name": f"{SHEET} {MARKUP}"[:120], "surfaces": ["home"]}}),
    (f"/campaigns/{KEY}/start", {}),
    ("/rules", {"rule": {"key": KEY, "action": "boost", "factor": 2.0, "name": MARKUP[:100], **HERE}}),
    ("/segments", {"key": KEY, "rule": {"when": {"user.clicks": {"$gte": 10}}, "title": MARKUP[:100]}}),
    ("/toggles", {"toggle": {"key": KEY, "enabled": True, "name": SHEET}}),
    ("/caps", {"cap": {"key": KEY, "limit": 3, **HERE}}),
    ("/consents/texts", {"purpose": "email", "version": KEY, "body": MARKUP}),
    ("/consents/opt-out", {"subject": SHEET, "purpose": "email"}),
    ("/changes", {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "percent": 100}}),
)


@pytest.fixture(scope="module")
def planted(copy: Copy, token: str) -> Iterator[None]:
    """Hostile names, reasons, titles, wordings, people, items and candidates, all within a campaign of their own."""
    minted = copy.data("token", "create", "--name", KEY, "--role", "admin", "--reason", WHY["reason"])
    asked = {"subject": MARKUP[:100], "surface": "home", "campaign": KEY, "slots": 2, "context": {}}
    control = f"http://127.0.0.1:{copy.control}/control/v1"
    engine = f"http://127.0.0.1:{copy.engine}/v1"
    with (
        httpx.Client(base_url=control, headers={"authorization": f"Bearer {minted['token']}"}, timeout=60) as staff,
        httpx.Client(base_url=engine, headers={"authorization": f"Bearer {token}"}, timeout=60) as app,
    ):
        for path, body in PLANTED:
            answer = staff.post(path, json={**body, **WHY})
            assert answer.is_success, (path, answer.text)
        change = answer.json()["change_id"]
        for words in (MARKUP, SHEET):
            answer = app.post("/personalize", json={**asked, "candidates": [words[:100], "1"]})
            assert answer.status_code == 200, answer.text
            shown = {"type": "impression", "subject": "u-1", "item": words[:100], "surface": "home", "campaign": KEY}
            answer = app.post("/events", json=shown | {"event_id": f"{KEY}-{len(words)}"})
            assert answer.status_code == 202, answer.text
        yield
        staff.post(f"/changes/{change}/withdraw", json=WHY)


def taken(page: Page) -> list[str]:
    """Return all cells of all CSV files of the page's bundle."""
    with page.expect_download() as saved:
        page.locator(".st-key-evidence button").first.click()
    with zipfile.ZipFile(saved.value.path()) as archive:
        files = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".csv")]
    return [cell for held in files for row in csv.reader(io.StringIO(held)) for cell in row]


def test_no_page_and_no_file_runs_what_was_planted(copy: Copy, enter: Enter, planted: None) -> None:
    page = enter("admin")
    outside, dialogs = [], []
    home = f"127.0.0.1:{copy.dashboard}"
    page.on("dialog", lambda one: (dialogs.append(one.message), one.dismiss()))
    page.on("request", lambda one: outside.append(one.url) if one.url.split("/")[2:3] not in ([home], []) else None)
    seen, cells = [], []
    for key in ADDRESSES:
        look(page, copy, key)
        page.wait_for_timeout(500)
        assert page.locator('a[href*="evil"], img[src*="evil"], [href^="javascript"]').count() == 0, key
        assert page.evaluate(LEADS_AWAY) == [], key
        assert page.locator('img[src="x"]').count() == 0, key
        if "evil.test" in page.get_by_test_id("stMain").inner_text().replace("\u2060", ""):
            seen.append(key)
        cells += taken(page)
    assert dialogs == []
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
    assert [one for one in cells if one.startswith(FORMULA) and not NUMBER.fullmatch(one)] == []
    assert any(one.startswith("'=HYPERLINK") for one in cells)
    assert seen
