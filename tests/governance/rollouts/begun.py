"""Gated rollouts that were agreed to and begun, and where they stand."""

from typing import Any

from governance.control import Control
from storage import policies, rollouts
from storage.database import Database
from storage.records.clock import SECOND
from storage.records.rollouts import GatedRollout
from tests.governance.conftest import warrant

PLAN: dict[str, Any] = {
    "version": 2,
    "steps": [10, 50, 100],
    "dwell_s": 20,
    "base_rate": 0.1,
    "tolerance": 0.5,
    "groups": ["user_feature_0"],
    "waived": ["fairness"],
}
ROUND = 10 * SECOND


def approved(control: Control, plan: dict[str, Any] | None = None, key: str = "home") -> str:
    """Propose, submit and approve a start; return the change."""
    change = control.propose("rollout.start", key, plan or PLAN, warrant("alice"))
    control.submit(change.change_id, warrant("alice"))
    control.approve(change.change_id, warrant("bert"))
    return change.change_id


def begin(control: Control, plan: dict[str, Any] | None = None) -> str:
    outcome = control.apply(approved(control, plan), warrant("alice", confirm="home"))
    return str(outcome.after["rollout_id"])


def state(database: Database, rollout_id: str) -> GatedRollout:
    with database.read() as read:
        found = rollouts.find(read, rollout_id)
    assert found is not None
    return found


def served(database: Database) -> tuple[int | None, float | None]:
    with database.read() as read:
        head = policies.head(read, "home")
    assert head is not None
    return head.stable, head.rollout.percent if head.rollout else None
