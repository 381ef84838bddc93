"""What governance does by the clock: best variants, anchors, expiry, old logins; all of it fenced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.best_variant import MIN_IMPRESSIONS, lower_bound, rank
from governance.control import Control
from governance.tasks import TaskContext, tasks
from storage import cells, jobs, leases, ledger, revisions, tokens
from storage.anchors import Anchors
from storage.cells import Cell
from storage.database import Database
from storage.errors import Unavailable
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, HOUR, SECOND
from storage.records.tasks import SCHEDULE_LEASE
from storage.tables.observed import CellRow

from .conftest import NOW, Clock, someone, warrant

CLOSED = (NOW - 3 * DAY) // cells.CELL_US * cells.CELL_US


@pytest.fixture
def run(control: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock) -> Callable[[str], None]:
    lake = Lake(home / "lake")
    context = TaskContext(control=control, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    known = {task.name: task for task in tasks(context)}
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=100 * DAY)
    return lambda name, token=token: known[name].run(token)


def shown(database: Database, item: str, impressions: int, clicks: int, **more: Any) -> None:
    row = {"campaign": "men", "start": CLOSED, "origin": "live", "a": "1", **more}
    with database.write() as write:
        write.add(CellRow(cube="position_item", b=item, impressions=impressions, clicks=clicks, **row))


def counts(database: Database) -> tuple[int, int]:
    with database.read() as read:
        return revisions.number(read), ledger.entries(read, limit=1)[0].seq


def test_the_best_variants_enter_the_snapshot_once(
    run: Callable[[str], None], control: Control, sqlite_database: Database
) -> None:
    shown(sqlite_database, "good", 1000, 50)
    shown(sqlite_database, "good", 500, 20, a="2")
    shown(sqlite_database, "better", 400, 40)
    shown(sqlite_database, "few", 199, 199)
    shown(sqlite_database, "made up", 10_000, 9_000, origin="simulated")
    shown(sqlite_database, "still open", 10_000, 9_000, start=NOW // cells.CELL_US * cells.CELL_US)
    shown(sqlite_database, "long ago", 10_000, 9_000, start=CLOSED - 20 * DAY)
    shown(sqlite_database, "of nobody", 10_000, 9_000, campaign="unknown")
    run("best_variants")
    snapshot = control.snapshot()
    assert snapshot is not None and dict(snapshot.best_variants) == {"home/men": ("better", "good")}
    before = counts(sqlite_database)
    run("best_variants")
    assert counts(sqlite_database) == before
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert (entry.actor, entry.action, entry.revision) == ("schedule", "best_variants.update", before[0])


def test_with_nothing_shown_nothing_is_published(run: Callable[[str], None], sqlite_database: Database) -> None:
    before = counts(sqlite_database)
    run("best_variants")
    assert counts(sqlite_database) == before


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), max_size=8))
def test_the_ranking_is_by_lower_bound(pairs: list[tuple[int, int]]) -> None:
    found = rank(
        Cell(
            a="1", b=f"i{place}", impressions=max(pair), clicks=min(pair), conversions=0, decisions=0, hit_decisions=0,
            shown_decisions=0, model_decisions=0, users=None, last_at=0, origins=("live",),
        )
        for place, pair in enumerate(pairs)
    )  # fmt: skip
    bounds = [lower_bound(min(pairs[int(item[1:])]), max(pairs[int(item[1:])])) for item in found]
    assert bounds == sorted(bounds, reverse=True)
    assert {int(item[1:]) for item in found} == {
        place for place, pair in enumerate(pairs) if max(pair) >= MIN_IMPRESSIONS
    }


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_bound_is_wilsons(impressions: int, share: float) -> None:
    from scipy.stats import binomtest

    clicks = round(impressions * share)
    exact = binomtest(clicks, impressions).proportion_ci(method="wilson").low
    assert lower_bound(clicks, impressions) == pytest.approx(max(exact, 0.0), abs=1e-9)


def test_the_ledger_is_anchored(run: Callable[[str], None], sqlite_database: Database, keys: Keys, home: Path) -> None:
    run("ledger.anchor")
    anchors = Anchors(home / "anchors" / "anchors.jsonl", keys.signing)
    assert [head.seq for head in anchors.heads()] == [counts(sqlite_database)[1]]
    with sqlite_database.read() as read:
        assert ledger.verify(read, keys=keys, anchors=anchors).anchored_to == counts(sqlite_database)[1]


def test_a_former_leader_writes_nothing(
    run: Callable[[str], None], control: Control, sqlite_database: Database, home: Path, clock: Clock
) -> None:
    shown(sqlite_database, "good", 1000, 50)
    change = control.propose("policy.rollout", "home", {"version": 2, "percent": 50.0}, warrant("alice"))
    control.submit(change.change_id, warrant("alice"))
    with sqlite_database.write() as write:
        leases.release(write, SCHEDULE_LEASE, 1)
        assert leases.acquire(write, SCHEDULE_LEASE, "another", now=clock.at, ttl_us=DAY) == 2
    clock.at += 4 * DAY
    before = counts(sqlite_database)
    for name in ("ledger.anchor", "best_variants", "changes.expire"):
        with pytest.raises(Unavailable):
            run(name)
    assert counts(sqlite_database) == before and not (home / "anchors" / "anchors.jsonl").exists()


def test_changes_expire_by_the_clock(run: Callable[[str], None], control: Control, clock: Clock) -> None:
    change = control.propose("policy.rollout", "home", {"version": 2, "percent": 50.0}, warrant("alice"))
    control.submit(change.change_id, warrant("alice"))
    clock.at += 73 * 3600 * SECOND
    run("changes.expire")
    with pytest.raises(Exception, match="expired"):
        control.approve(change.change_id, warrant("bob"))


def test_old_logins_are_forgotten_and_minted_tokens_are_not(
    run: Callable[[str], None], control: Control, sqlite_database: Database, clock: Clock
) -> None:
    minted = control.mint(
        name="mary's", principal="mary", role="marketer", scopes=None, expires_in_s=1, warrant=warrant()
    )
    holder = warrant("alice")
    with sqlite_database.read() as read:
        admin = next(token for token in tokens.listed(read) if token.name == "admin")
    by = someone("admin", token=admin.token_id)
    control.exchange(control.once(type(holder)(by=by, reason=holder.reason)).once)
    before = counts(sqlite_database)
    run("logins.forget")
    assert counts(sqlite_database) == before
    clock.at += 9 * DAY
    run("logins.forget")
    with sqlite_database.read() as read:
        names = {token.name for token in tokens.listed(read)}
        assert minted.token_id in {token.token_id for token in tokens.listed(read)}
    assert not any(name.startswith(("session:", "once:")) for name in names)
    assert {"admin", "collector", "dashboard", "traffic"} <= names


def test_rules_are_judged_once_an_hour_and_only_where_there_are_any(
    run: Callable[..., None], control: Control, sqlite_database: Database, clock: Clock
) -> None:
    def asked() -> int:
        with sqlite_database.read() as read:
            return len(jobs.jobs(read, name="rules"))

    run("rules.judge")
    assert asked() == 0
    rule = {"key": "lift", "action": "boost", "factor": 2.0, "when": {"age": {"$gt": 3}}}
    control.do("rule.create", "lift", {"rule": rule}, warrant())
    run("rules.judge")
    run("rules.judge")
    assert asked() == 1
    clock.at += HOUR
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=100 * DAY)
    run("rules.judge", token)
    assert asked() == 2
