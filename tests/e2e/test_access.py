"""Access, walked in a real browser: roles and tokens are made, closed pages stay closed, drafts outlive the dashboard,
and what is clicked twice, or in a page that is loaded anew, is done once."""

import os
import re
import signal
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.installation import Copy, until
from tests.e2e.walking import REASON, WAIT_MS, Enter, choose, done, give, look, settle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def fill(page: Page, label: str, text: str) -> None:
    box = page.get_by_role("textbox", name=label, exact=True).first
    box.fill(text)
    box.press("Enter")
    settle(page)


def half_a_role(page: Page, key: str) -> None:
    fill(page, "Key", key)
    box = page.locator(".st-key-panel-role").get_by_role("combobox", name=re.compile("It may"))
    box.click()
    box.fill("read")
    page.get_by_role("option", name="read", exact=True).click()
    page.keyboard.press("Escape")
    settle(page)


def applied(copy: Copy, action: str) -> list[dict[str, str]]:
    told = copy.data("ledger", "list", "--action", action)
    entries = told if isinstance(told, list) else told["entries"]
    return [one for one in entries if one["action"] == action and one["result"] == "applied"]


def may(copy: Copy, token: str, path: str) -> int:
    address = f"http://127.0.0.1:{copy.control}/control/v1{path}"
    return httpx.get(address, headers={"authorization": f"Bearer {token}"}).status_code


def test_an_admin_makes_a_role_and_a_token_of_it_and_revokes_it(copy: Copy, enter: Enter) -> None:
    page = look(enter("admin"), copy, "access")
    half_a_role(page, "helpers")
    role = page.locator(".st-key-panel-role")
    expect(role.get_by_text("It may no more than the role that it resembles")).to_be_visible(timeout=WAIT_MS)
    give(page, "Create role")
    done(page, "Done")
    fill(page, "Person or service", "kim")
    fill(page, "What it is for", "a first look")
    choose(page, "Role", "helpers")
    give(page, "Create token")
    expect(page.get_by_text("The new token of kim")).to_be_visible(timeout=WAIT_MS)
    token = page.locator(".st-key-fresh-token code").inner_text().strip()
    assert may(copy, token, "/policies") == 200 and may(copy, token, "/tokens") == 403
    page.get_by_role("button", name=re.compile("I have kept it")).click()
    expect(page.get_by_text("The new token of kim")).to_have_count(0)
    choose(page, "^.*Token", "a first look, of kim, " + token_id(copy, "a first look"))
    give(page, "Revoke")
    done(page, "Done")
    assert until(lambda: may(copy, token, "/policies") == 401, within_s=2)


def token_id(copy: Copy, name: str) -> str:
    return next(str(one["token_id"]) for one in copy.data("token", "list") if one["name"] == name)


def test_a_page_that_is_not_for_a_role_is_closed_at_its_address_too(copy: Copy, enter: Enter) -> None:
    page = look(enter("marketer"), copy, "access")
    expect(page.get_by_text("it needs the permission admin")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("FL-1403")).to_be_visible()
    expect(page.locator(".st-key-panel-tokens")).to_have_count(0)


def dashboard_of(copy: Copy) -> int | None:
    """The process of the dashboard, among the children of the supervisor."""
    assert copy.process is not None
    children = Path(f"/proc/{copy.process.pid}/task/{copy.process.pid}/children").read_text().split()
    said = {int(one): Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0") for one in children}
    return next((pid for pid, words in said.items() if b"dashboard" in words), None)


def test_a_half_filled_form_outlives_the_dashboard(copy: Copy, enter: Enter) -> None:
    page = look(enter("marketer"), copy, "rules")
    fill(page, "Key", "half")
    fill(page, "Name", "Half a rule")
    expect(page.get_by_text("half filled").first).to_be_visible(timeout=WAIT_MS)
    before = dashboard_of(copy)
    assert before is not None
    os.kill(before, signal.SIGTERM)
    health = f"http://127.0.0.1:{copy.dashboard}/healthz"
    assert until(lambda: dashboard_of(copy) not in (None, before) and answers(health), within_s=60, every_s=0.5)
    look(page, copy, "rules")
    expect(page.get_by_role("textbox", name="Key", exact=True)).to_have_value("half", timeout=WAIT_MS)
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Half a rule")
    page.get_by_role("button", name=re.compile("Discard")).click()
    expect(page.get_by_text("half filled")).to_have_count(0, timeout=WAIT_MS)
    settle(page)
    expect(page.get_by_role("textbox", name="Key", exact=True)).to_have_value("", timeout=WAIT_MS)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def test_a_double_click_makes_one_token(copy: Copy, enter: Enter) -> None:
    page = look(enter("admin"), copy, "access")
    fill(page, "Person or service", "twice")
    fill(page, "What it is for", "clicked twice")
    page.get_by_test_id("stPopover").get_by_role("button", name=re.compile("Create token")).click()
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_role("textbox", name="Reason").fill(REASON)
    form.get_by_role("button", name=re.compile("Create token")).dblclick()
    expect(page.get_by_text("The new token of twice")).to_be_visible(timeout=WAIT_MS)
    assert sum(one["name"] == "clicked twice" for one in copy.data("token", "list")) == 1


def test_a_page_that_is_loaded_anew_in_the_middle_of_a_command_does_it_once(copy: Copy, enter: Enter) -> None:
    page = look(enter("admin"), copy, "access")
    half_a_role(page, "anew")
    expect(page.get_by_text("half filled").first).to_be_visible(timeout=WAIT_MS)

    def create() -> None:
        page.get_by_test_id("stPopover").get_by_role("button", name=re.compile("Create role")).click()
        form = page.get_by_test_id("stPopoverBody")
        form.get_by_role("textbox", name="Reason").fill(REASON)
        form.get_by_role("button", name=re.compile("Create role")).click()

    create()
    look(page, copy, "access")
    expect(page.get_by_role("textbox", name="Key", exact=True)).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("No change is open").last).to_be_visible(timeout=WAIT_MS)
    settle(page)
    if page.get_by_role("textbox", name="Key", exact=True).input_value() == "anew":
        create()
        settle(page)
    assert until(lambda: "anew" in made(copy), within_s=20)
    assert made(copy).count("anew") == 1


def made(copy: Copy) -> list[str]:
    return [one["object_key"] for one in applied(copy, "role.create")]
