"""Gated rollouts on a real database and lake: begun, looked at, advanced, taken back, by the rules of change."""

from collections.abc import Callable

import pytest

from governance.control import Control
from storage import ledger, revisions, rollouts
from storage.database import Database
from storage.errors import Conflict, Forbidden, NeedsApproval, Unavailable
from tests.governance.conftest import Clock, warrant

from .begun import PLAN, begin, served, state
from .traffic import Traffic


def test_a_start_needs_somebody_else_and_one_approval_covers_the_plan(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    with pytest.raises(NeedsApproval):
        stand.do("rollout.start", "home", PLAN, warrant("alice", confirm="home"))
    key = begin(stand)
    assert served(sqlite_database) == (1, 10.0)
    for _ in range(12):
        traffic.come(3_000, clock.at)
        turn()
        if state(sqlite_database, key).state == "done":
            break
    assert served(sqlite_database) == (2, None)
    ended = state(sqlite_database, key)
    assert [mark.percent for mark in ended.marks] == [10.0, 50.0, 100.0]
    assert ended.ended_at is not None
    with sqlite_database.read() as read:
        entries = ledger.entries(read, object_kind="rollout", limit=10)
        assert [entry.action for entry in entries] == ["rollout.advance", "rollout.advance"]
        assert all(entry.reason and entry.revision for entry in entries)
        assert ended.marks[-1].revision == entries[0].revision == revisions.number(read)


def test_a_broken_version_is_taken_back_at_the_first_look_that_shows_it(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand)
    traffic.come(2_000, clock.at)
    turn()
    assert state(sqlite_database, key).state == "running"
    traffic.come(1_000, clock.at, failing=lambda treated: 1.0 if treated else 0.0)
    turn()
    ended = state(sqlite_database, key)
    assert (ended.state, ended.percent) == ("rolled_back", 10.0)
    assert "slo" in ended.note and served(sqlite_database) == (1, None)
    with sqlite_database.read() as read:
        entry = ledger.entries(read, object_kind="rollout", limit=1)[0]
        last = rollouts.looks(read, key, limit=1)[0]
    assert entry.action == "rollout.roll_back" and entry.reason.startswith("slo: ")
    assert last.step == "roll_back"
    turn()
    assert state(sqlite_database, key) == ended


def test_slow_and_unloved_versions_are_taken_back(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand)
    for _ in range(2):
        traffic.come(2_000, clock.at, slow=lambda treated: 0.8 if treated else 0.0)
        turn()
    assert state(sqlite_database, key).note.startswith("slo: ")
    other = begin(stand, {**PLAN, "version": 3})
    for _ in range(3):
        traffic.come(3_000, clock.at, clicks=lambda treated: 0.01 if treated else 0.1)
        turn()
    assert state(sqlite_database, other).state == "rolled_back"
    assert state(sqlite_database, other).note.split(":")[0] in {"outcome", "fairness"}


def test_without_traffic_it_holds_and_says_so(
    stand: Control, sqlite_database: Database, turn: Callable[[], None]
) -> None:
    key = begin(stand)
    for _ in range(8):
        turn()
    held = state(sqlite_database, key)
    assert (held.state, held.percent) == ("running", 10.0)
    assert "Only 0" in held.note or "Too few" in held.note
    with sqlite_database.read() as read:
        assert 1 <= len(rollouts.looks(read, key)) <= 3  # a look that says the same is kept once a minute


def test_people_pause_resume_and_take_back(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand)
    stand.rollouts.command(key, "pause", warrant("ops", "ops"))
    for _ in range(4):
        traffic.come(3_000, clock.at)
        turn()
    assert state(sqlite_database, key).percent == 10.0
    assert "paused" in state(sqlite_database, key).note
    with pytest.raises(Conflict):
        stand.rollouts.command(key, "let_go", warrant("bert"))
    with pytest.raises(Forbidden):
        stand.rollouts.command(key, "resume", warrant("mia", "marketer"))
    stand.rollouts.command(key, "resume", warrant("ops", "ops"))
    for _ in range(3):
        turn()
    assert state(sqlite_database, key).percent == 50.0
    stand.rollouts.command(key, "roll_back", warrant("ops", "ops"))
    assert served(sqlite_database) == (1, None)
    with pytest.raises(Conflict):
        stand.rollouts.command(key, "roll_back", warrant("ops", "ops"))


def test_a_paused_one_that_harms_is_taken_back_all_the_same(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand)
    stand.rollouts.command(key, "pause", warrant("ops", "ops"))
    traffic.come(3_000, clock.at, failing=lambda treated: 1.0 if treated else 0.0)
    turn()
    assert state(sqlite_database, key).state == "rolled_back"


def test_the_last_step_asks_and_the_author_does_not_answer(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand, {**PLAN, "last_step": "ask"})
    for _ in range(12):
        traffic.come(3_000, clock.at)
        turn()
        if state(sqlite_database, key).state == "asking":
            break
    assert served(sqlite_database) == (1, 50.0)
    turn()
    assert served(sqlite_database) == (1, 50.0)
    with pytest.raises(Forbidden):
        stand.rollouts.command(key, "let_go", warrant(" ALICE "))
    stand.rollouts.command(key, "let_go", warrant("bert"))
    assert served(sqlite_database) == (2, None)
    assert state(sqlite_database, key).state == "done"


def test_what_is_moved_by_hand_is_left_to_people(
    stand: Control, sqlite_database: Database, turn: Callable[[], None]
) -> None:
    key = begin(stand)
    stand.do("policy.rollback", "home", {}, warrant("ops", "ops"))
    turn()
    assert state(sqlite_database, key).state == "superseded"
    assert served(sqlite_database) == (1, None)
    assert begin(stand)


def test_a_former_leader_moves_nothing(
    stand: Control, sqlite_database: Database, turn: Callable[..., None], traffic: Traffic, clock: Clock
) -> None:
    key = begin(stand)
    traffic.come(3_000, clock.at, failing=lambda treated: 1.0 if treated else 0.0)
    with pytest.raises(Unavailable):
        turn(token=999)
    assert state(sqlite_database, key).state == "running"
