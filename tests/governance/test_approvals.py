"""What an approval is worth: one application, of just what was agreed to, for a while; and races for the same step."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any

import pytest

from governance.control import Control
from storage import ledger
from storage.database import Database
from storage.errors import FairleadError, Stale
from storage.records.clock import HOUR

from .conftest import Clock, warrant


def approved(control: Control, plan: dict[str, Any]) -> str:
    change = control.propose("policy.rollout", "home", plan, warrant("alice"))
    control.submit(change.change_id, warrant("alice"))
    control.approve(change.change_id, warrant("bob"))
    return change.change_id


@pytest.mark.parametrize("plan", [{"version": 2, "percent": 50.0}, {"version": 2, "steps": [5.0, 25.0, 100.0]}])
def test_of_concurrent_appliers_exactly_one_wins(
    database: Database, build: Callable[..., Control], plan: dict[str, Any]
) -> None:
    control = build(database)
    change = approved(control, plan)
    barrier = Barrier(8)

    def race(number: int) -> str:
        barrier.wait()
        try:
            control.apply(change, warrant(f"applier-{number}", confirm="home"))
        except Stale as stale:
            return stale.code
        return "won"

    with ThreadPoolExecutor(8) as pool:
        results = sorted(pool.map(race, range(8)))
    assert results == ["FL-1412"] * 7 + ["won"]
    with database.read() as read:
        entries = ledger.entries(read, action="policy.rollout", limit=100)
    assert sorted(entry.result for entry in entries) == ["applied"] + ["denied"] * 7


def test_of_two_approved_changes_of_one_policy_one_is_stale(database: Database, build: Callable[..., Control]) -> None:
    control = build(database)
    first, second = (approved(control, {"version": version, "percent": 50.0}) for version in (2, 3))
    control.apply(first, warrant("alice", confirm="home"))
    with pytest.raises(Stale):
        control.apply(second, warrant("alice", confirm="home"))
    with pytest.raises(FairleadError):
        control.approve(second, warrant("carol"))
    edited = control.edit(second, {"version": 3, "percent": 50.0}, warrant("alice"))
    assert edited.state == "draft" and edited.approvals == ()


def test_concurrent_editors_lose_no_update(database: Database, build: Callable[..., Control]) -> None:
    control = build(database)
    campaign = {"key": "a", "name": "0", "surfaces": ["home"]}
    etag = control.do("campaign.create", "a", {"campaign": campaign}, warrant()).etag
    barrier, numbers = Barrier(6), count(1)

    def edit(_: int) -> bool:
        name = str(next(numbers))
        barrier.wait()
        try:
            control.do("campaign.edit", "a", {"campaign": {**campaign, "name": name}}, warrant(etag=etag))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(edit, range(6))) == 1


def test_solo_approves_alone_and_says_so(solo: Control, sqlite_database: Database) -> None:
    change = solo.propose("policy.rollout", "home", {"version": 2, "percent": 100.0}, warrant("alice"))
    solo.submit(change.change_id, warrant("alice"))
    solo.approve(change.change_id, warrant("alice"))
    solo.apply(change.change_id, warrant("alice", confirm="home"))
    with sqlite_database.read() as read:
        assert not any(entry.four_eyes for entry in ledger.entries(read, limit=100))


def test_an_expired_approval_is_worth_nothing(control: Control, clock: Clock) -> None:
    change = approved(control, {"version": 2, "percent": 50.0})
    clock.at += 73 * HOUR
    with pytest.raises(FairleadError, match="expired"):
        control.apply(change, warrant("alice", confirm="home"))
    assert control.expire(warrant("schedule")) == 1
    assert control.expire(warrant("schedule")) == 0


def test_what_became_stale_is_superseded(control: Control) -> None:
    change = approved(control, {"version": 2, "percent": 50.0})
    other = approved(control, {"version": 3, "percent": 50.0})
    control.apply(change, warrant("alice", confirm="home"))
    assert control.expire(warrant("schedule")) == 1
    with pytest.raises(FairleadError, match="superseded"):
        control.apply(other, warrant("alice", confirm="home"))
