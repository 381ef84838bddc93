"""An alert on a running installation, as ops lives it: told, looked after, found, taken back, verified."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Copy, make_copy, until
from tests.e2e.walking import REASON, WAIT_MS, Enter, done, give, ledger_rows, look, settle
from tests.governance.alarms import Webhook, webhook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

CARD = {
    "intended_use": "Shows that a version which falls back is noticed.",
    "limits": "Its model does not exist; every decision of it falls back.",
    "owner": "tests",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[Webhook]:
    """Where alerts are sent."""
    with webhook() as listening:
        yield listening


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, desk: Webhook) -> Iterator[Copy]:
    """A copy of its own: what it serves is changed, and it tells somebody."""
    told = {"FAIRLEAD_ALERT_DESTINATIONS": f"desk=json://127.0.0.1:{desk.port}/alerts"}
    running = make_copy(tmp_path_factory.mktemp("alone") / "home", told).start("--traffic-rate", "10")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


class Person:
    """One person at the control API."""

    def __init__(self, copy: Copy, name: str) -> None:
        minted = copy.data("token", "create", "--name", name, "--principal", name, "--role", "admin")
        self._base = f"http://127.0.0.1:{copy.control}/control/v1"
        self._headers = {"Authorization": f"Bearer {minted['token']}"}

    def give(self, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        order = {**body, "reason": REASON}
        answer = httpx.request(method, self._base + path, json=order, headers=self._headers, timeout=30.0)
        assert answer.is_success, answer.text
        return answer.json()

    def see(self, path: str) -> Any:
        return httpx.get(self._base + path, headers=self._headers, timeout=30.0).raise_for_status().json()

    def alert(self, fingerprint: str) -> Any:
        found = self.see("/alerts")["alerts"]
        return next((one for one in found if one["fingerprint"] == fingerprint), None)


def test_ops_is_told_finds_the_cause_and_takes_it_back(copy: Copy, desk: Webhook, enter: Enter) -> None:
    anna, bert = Person(copy, "anna"), Person(copy, "bert")
    until(lambda: anna.see("/policies/home")["stable"], within_s=60.0)
    if anna.see("/policies/home")["rollout"]:
        anna.give("/policies/home/rollback", {})
    drafted = anna.see("/policies/home/versions/1")["document"]
    broken = {**drafted, "scorer": {"name": "gbdt", "parameters": {"model": "nowhere"}}}
    version = anna.give("/policies/home/versions", {"document": broken})["after"]["version"]
    anna.give(f"/policies/home/versions/{version}/card", {"card": CARD}, "PUT")
    wanted = {"kind": "policy.rollout", "key": "home", "payload": {"version": version, "percent": 50}}
    where = f"/changes/{anna.give('/changes', wanted)['change_id']}"
    anna.give(f"{where}/submit", {})
    bert.give(f"{where}/approve", {})
    anna.give(f"{where}/apply", {"confirm": "home"})

    alert = until(lambda: anna.alert("slo:quality"), within_s=240.0)
    assert alert and alert["state"] == "firing" and alert["slo"] == "quality", anna.see("/alerts")
    message = until(lambda: [body for _, body in desk.got if body["fingerprint"] == "slo:quality"], within_s=60.0)[0]
    assert message["title"] == "[FIRING] development: Decisions without fallback: budget burns"
    assert message["alert"].endswith(f"/alerts?alert={alert['alert_id']}") and message["burn"] and message["runbook"]

    ops = look(enter("ops"), copy, "alerts")
    expect(ops.get_by_role("link", name=re.compile(r"\d+ alerts?")).first).to_be_visible(timeout=WAIT_MS)
    expect(ops.get_by_text("Decisions without fallback: budget burns").first).to_be_visible(timeout=WAIT_MS)
    give(ops, "Acknowledge", within=f'[class*="st-key-row-{alert["alert_id"]}"]')
    done(ops, "Done")
    assert anna.alert("slo:quality")["state"] == "acknowledged"

    ops = look(ops, copy, f"alerts?alert={alert['alert_id']}")
    expect(ops.get_by_text("Coincides with its first sign")).to_be_visible(timeout=WAIT_MS)
    expect(ops.get_by_text(re.compile(f"home.* v{version} at 50 %")).first).to_be_attached(timeout=WAIT_MS)
    ops.get_by_role("link", name=re.compile("See what is served")).first.click()
    expect(ops.get_by_role("heading", name="Policies", exact=True)).to_be_visible(timeout=WAIT_MS)
    settle(ops)
    give(ops, "Back to v1")
    done(ops, "revision")
    expect(ops.get_by_text("serves v1 to everyone")).to_be_visible(timeout=WAIT_MS)
    expect(ops.get_by_text(re.compile("live on 1 of 1")).first).to_be_visible(timeout=WAIT_MS)

    ops = look(ops, copy, "ledger")
    ops.get_by_test_id("stMain").get_by_role("button", name=re.compile("Verify now")).first.click()
    expect(ops.get_by_text(re.compile("whole")).first).to_be_visible(timeout=WAIT_MS)
    told = ledger_rows(ops, copy, "alert.acknowledge")
    entries = anna.see("/ledger?action=alert.acknowledge")["entries"]
    assert [(int(row["seq"]), row["reason"]) for row in told] == [(one["seq"], REASON) for one in entries]
    assert len(told) == 1
