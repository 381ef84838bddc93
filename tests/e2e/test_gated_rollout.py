"""A version that fails, let out by itself on a running installation: taken back by itself, within a minute."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from storage import rollouts
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import SECOND
from tests.e2e.installation import Copy, make_copy, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

REASON = "because it is tried out"
CARD = {
    "intended_use": "Shows that a version which fails is taken back.",
    "limits": "Its model does not exist; every decision of it falls back.",
    "owner": "tests",
}
PLAN = {"version": 3, "steps": [50, 100], "waived": ["fairness"]}


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of its own: what it serves is changed for good."""
    running = make_copy(tmp_path_factory.mktemp("alone") / "home").start("--traffic-rate", "10")
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


class Desk:
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


def test_a_version_that_fails_is_taken_back_within_a_minute(alone: Copy) -> None:
    anna, bert = Desk(alone, "anna"), Desk(alone, "bert")
    until(lambda: anna.see("/policies/home")["stable"], within_s=60.0)
    if anna.see("/policies/home")["rollout"]:
        anna.give("/policies/home/rollback", {})
    drafted = anna.see("/policies/home/versions/1")["document"]
    broken = {**drafted, "scorer": {"name": "gbdt", "parameters": {"model": "nowhere"}}}
    version = anna.give("/policies/home/versions", {"document": broken})["after"]["version"]
    anna.give(f"/policies/home/versions/{version}/card", {"card": CARD}, "PUT")

    change = anna.give("/changes", {"kind": "rollout.start", "key": "home", "payload": {**PLAN, "version": version}})
    where = f"/changes/{change['change_id']}"
    anna.give(f"{where}/submit", {})
    bert.give(f"{where}/approve", {})
    started = anna.give(f"{where}/apply", {"confirm": "home"})
    key = started["after"]["rollout_id"]

    view = until(lambda: (v := anna.see(f"/rollouts/{key}"))["state"] == "rolled_back" and v, within_s=180.0)
    assert view["note"].startswith("slo: ")
    assert anna.see("/policies/home")["rollout"] is None
    assert anna.see(f"/rollouts/{key}/looks/{view['latest']['seq']}/replay")["verdict"] == "exact"

    lake, database = Lake(alone.home / "lake"), Database(f"sqlite:///{alone.home / 'fairlead.db'}")
    with database.read() as read, lake.connect(read, start=view["created_at"]) as duck:
        asked = """SELECT DISTINCT ON (subject) "at" FROM decisions WHERE version = ? ORDER BY subject, "at" """
        met = sorted(at for (at,) in duck.execute(asked, [version]).fetchall())
        kept = rollouts.looks(read, key, limit=1)[0]
    database.close()
    assert kept.step == "roll_back" and len(met) >= 3
    shown = met[min(len(met), 20) - 1]  # by the twentieth person the evidence has crossed, at a share of one half
    assert view["ended_at"] - shown <= 60 * SECOND
