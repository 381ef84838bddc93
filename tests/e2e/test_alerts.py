"""An alert on a running installation, as ops lives it: told, looked after, found, taken back, verified."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.installation import Copy, running, until
from tests.e2e.people import Person, failing_version, let_out
from tests.e2e.walking import REASON, WAIT_MS, Enter, done, give, ledger_rows, look, settle
from tests.governance.alarms import Webhook, webhook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def desk() -> Iterator[Webhook]:
    """Where alerts are sent."""
    with webhook() as listening:
        yield listening


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, desk: Webhook) -> Iterator[Copy]:
    """A copy of its own: what it serves is changed, and it tells somebody."""
    told = {"FAIRLEAD_ALERT_DESTINATIONS": f"desk=json://127.0.0.1:{desk.port}/alerts"}
    with running(tmp_path_factory.mktemp("alone") / "home", told) as started:
        yield started


def told_of(person: Person, fingerprint: str) -> Any:
    found = person.see("/alerts")["alerts"]
    return next((one for one in found if one["fingerprint"] == fingerprint), None)


def test_ops_is_told_finds_the_cause_and_takes_it_back(copy: Copy, desk: Webhook, enter: Enter) -> None:
    anna, bert = Person(copy, "anna"), Person(copy, "bert")
    version = failing_version(anna)
    let_out(anna, bert, {"kind": "policy.rollout", "key": "home", "payload": {"version": version, "percent": 50}})

    alert = until(lambda: told_of(anna, "slo:quality"), within_s=240.0)
    assert alert and alert["state"] == "firing" and alert["slo"] == "quality", anna.see("/alerts")
    message = until(lambda: [body for _, body in desk.got if body["fingerprint"] == "slo:quality"], within_s=60.0)[0]
    assert message["title"] == "[FIRING] development: Decisions without fallback: budget burns"
    assert message["alert"].endswith(f"/alerts?alert={alert['alert_id']}") and message["burn"] and message["runbook"]

    ops = look(enter("ops"), copy, "alerts")
    expect(ops.get_by_role("link", name=re.compile(r"\d+ alerts?")).first).to_be_visible(timeout=WAIT_MS)
    expect(ops.get_by_text("Decisions without fallback: budget burns").first).to_be_visible(timeout=WAIT_MS)
    give(ops, "Acknowledge", within=f'[class*="st-key-row-{alert["alert_id"]}"]')
    done(ops, "Done")
    assert told_of(anna, "slo:quality")["state"] == "acknowledged"

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
