"""A person walks their own page in a real browser that runs no script: they read why, change what is known of them, say
no and see the next answer without them, take their data along, and go."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from governance.control import Control
from governance.warrants import Warrant
from scoring_core.features.interests import direction
from scoring_core.features.interests import token as number_of
from storage.database import Database
from storage.keys import Keys
from storage.records import clock
from storage.records.access import ROLES, Principal
from storage.records.clock import MINUTE
from tests.e2e.installation import Copy, until
from tests.e2e.walking import REASON

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

HOSTILE = "<script>alert(1)</script><img src=https://elsewhere.example/x.png onerror=alert(2)>"


class Shop:
    """The application that a person uses, as it talks to the engine."""

    def __init__(self, copy: Copy, held: str) -> None:
        self.copy = copy
        self.engine = httpx.Client(
            base_url=f"http://127.0.0.1:{copy.engine}", headers={"authorization": f"Bearer {held}"}, timeout=20.0
        )

    def show(self, who: str) -> dict[str, Any]:
        body = {"surface": "home", "campaign": "men", "slots": 3, "subject": who}
        answer = self.engine.post("/v1/personalize", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def click(self, who: str, shown: dict[str, Any]) -> None:
        about = {"item": shown["items"][0]["item"], "surface": "home", "campaign": "men", "subject": who}
        events = [{"type": kind, "decision_id": shown["decision_id"], **about} for kind in ("impression", "click")]
        assert self.engine.post("/v1/events", json={"events": events}).status_code == 202

    def vector(self, shown: dict[str, Any]) -> list[float]:
        record = self.engine.get(f"/v1/decisions/{shown['decision_id']}").json()
        found: list[float] = record["user_vector"]
        return found

    def link(self, who: str) -> str:
        made = self.copy.data("subject", "link", who, "--yes", "--reason", REASON)
        url: str = made["url"]
        return url


@pytest.fixture(scope="module")
def shop(copy: Copy, token: str) -> Iterator[Shop]:  # the fixture of that name
    made = Shop(copy, token)
    yield made
    made.engine.close()


@pytest.fixture
def page(browser: Browser, copy: Copy) -> Iterator[Page]:
    """A phone's browser without scripts; what it asks of anybody but control is kept, and not answered."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    outside: list[str] = []

    def only_ours(route: Route) -> None:
        if route.request.url.startswith(f"http://127.0.0.1:{copy.control}/"):
            route.continue_()
            return
        outside.append(route.request.url)
        route.abort()

    context.route("**/*", only_ours)
    made = context.new_page()
    dialogs: list[str] = []
    made.on("dialog", lambda dialog: dialogs.append(dialog.message))
    yield made
    assert outside == [] and dialogs == []
    context.close()


def lived(shop: Shop, who: str) -> dict[str, Any]:
    """Let somebody look and click; return the last answer once their page can tell of the first."""
    shop.click(who, shop.show(who))
    return shop.show(who)


def learned(shop: Shop, who: str) -> int:
    """Of how many events an engine learned."""
    return int(shop.engine.get("/v1/user/profile", params={"subject": who}).json()["learned"]["events"])


def test_a_person_sees_why_changes_what_is_known_and_says_no(shop: Shop, page: Page) -> None:
    who = "me-anna@example.org"
    before = lived(shop, who)
    hostile = {"subject": who, "interests": {f"tag={HOSTILE}": -1.0}}
    assert until(lambda: shop.engine.put("/v1/user/interests", json=hostile).is_success), "a busy store says 503"
    until(lambda: page.goto(shop.link(who)) and page.locator(".answer").count(), within_s=40.0, every_s=3.0)
    expect(page.locator("h1")).to_have_text("Your page")
    expect(page.locator("#why .answer").first).to_contain_text("Men's fashion")
    expect(page.locator("#why .because li").first).not_to_be_empty()
    expect(page.locator("#interests")).to_contain_text("‹script›")

    page.get_by_role("button", name="Remove men").click()
    expect(page.get_by_role("status")).to_contain_text("Removed")
    expect(page.get_by_role("button", name="Forget that I removed men")).to_be_visible()
    after = shop.show(who)
    place, sign = direction(number_of("campaign=men"))
    assert shop.vector(after)[place] * sign < shop.vector(before)[place] * sign - 0.05
    assert after["served_by"] != "default"

    page.get_by_role("button", name="Switch off: Choose things for me").click()
    expect(page.get_by_role("status")).to_contain_text("Switched off")
    answer = shop.show(who)
    assert (answer["served_by"], answer["reason"]) == ("default", "no_consent")
    expect(page.locator("header")).to_contain_text("Right now nothing is chosen for you")

    page.get_by_role("button", name="Switch on: Choose things for me").click()
    expect(page.get_by_role("status")).to_contain_text("Allowed")
    assert shop.show(who)["served_by"] != "default"


def test_a_person_says_what_they_think_of_what_they_saw(shop: Shop, page: Page) -> None:
    who = "me-bert@example.org"
    lived(shop, who)
    until(lambda: page.goto(shop.link(who)) and page.locator(".answer").count(), within_s=40.0, every_s=3.0)
    known = learned(shop, who)
    page.get_by_role("button", name="Helpful:", exact=False).first.click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")
    told = until(
        lambda: shop.engine.get("/v1/user/profile", params={"subject": who}).json()["learned"]["events"] > known
    )
    assert told
    page.get_by_role("button", name="Show less like this:", exact=False).first.click()
    expect(page.get_by_role("status")).to_contain_text("you will see less")
    stated = shop.engine.get("/v1/user/profile", params={"subject": who}).json()["stated"]["interests"]
    assert stated and {one["value"] for one in stated.values()} == {-0.5}


def test_a_person_takes_their_data_along_and_goes(shop: Shop, page: Page, copy: Copy, tmp_path: Path) -> None:
    who = "me-cleo@example.org"
    lived(shop, who)
    until(lambda: page.goto(shop.link(who)) and page.locator(".answer").count(), within_s=40.0, every_s=3.0)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download my data").click()
    coming.value.save_as(tmp_path / "mine.zip")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "mine.zip").read_bytes())) as archive:
        whole = json.loads(archive.read("export.json"))
        assert {"events.csv", "decisions.csv", "interests.csv"} <= set(archive.namelist())
    assert [one["type"] for one in whole["events"]] == ["impression", "click"] and len(whole["decisions"]) >= 1

    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete everything about me").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing about you is used from this moment on")
    assert shop.show(who)["served_by"] == "default"
    number = page.locator("#delete code").inner_text()
    carry_out(copy, number)
    page.reload()
    expect(page.locator("#delete")).to_contain_text("Nothing is kept about you here")
    page.goto(f"http://127.0.0.1:{copy.control}/me/receipt/{number}")
    expect(page.locator("main")).to_contain_text("It is being carried out")
    page.goto(f"http://127.0.0.1:{copy.control}/me")
    page.get_by_role("button", name="Close it now").click()
    page.goto(f"http://127.0.0.1:{copy.control}/me")
    expect(page.locator("h1")).to_have_text("That did not work")


def test_everybody_can_use_the_page(shop: Shop, browser: Browser) -> None:
    """Checked by axe-core, in both schemes, on a phone and a desk; every control is reached by keyboard, and seen."""
    who = "me-dora@example.org"
    lived(shop, who)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(shop.link(who))
    for scheme in ("light", "dark"):
        for width in (390, 1440):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 844})
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    wanted = page.locator(
        "a:visible, button:visible, select:visible, summary:visible, textarea, [type=checkbox]"
    ).count()
    reached: set[str] = set()
    for _ in range(wanted + 2):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement) + ''"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or page.evaluate("document.activeElement === document.body")
    assert len(reached) >= wanted
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, [type=checkbox]')].map(one => one.getBoundingClientRect())"
        ".filter(box => box.width && (box.width < 20 || box.height < 20)).length"
    )
    assert small == 0
    context.close()


def carry_out(copy: Copy, number: str) -> None:
    """Let two people agree to a deletion, and a third apply it a quarter of an hour later."""
    database, keys = Database(copy.database_url), Keys.open(copy.home)

    def control(ahead: int = 0) -> Control:
        return Control(database, keys, environment="development", solo=False, now=lambda: clock.now() + ahead)

    def someone(name: str) -> Warrant:
        by = Principal(name=name, role="admin", scopes=ROLES["admin"], token_id=name)
        return Warrant(by=by, reason=REASON, confirm=number)

    from storage import changes

    with database.read() as read:
        change = changes.listed(read, object_key=number, limit=1)[0]
    for name in ("anna", "bert"):
        control().approve(change.change_id, someone(name))
    control(16 * MINUTE).apply(change.change_id, someone("carl"))
    time.sleep(0.5)
    database.close()
