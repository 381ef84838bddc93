"""Gated rollouts on a real database and lake: begun, looked at, advanced, taken back, by the rules of change."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from governance.control import Control
from governance.rollouts.counts import count
from governance.rollouts.ramp import again
from governance.rollouts.watch import question
from governance.tasks import TaskContext, tasks
from storage import leases, ledger, policies, revisions, rollouts
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, Unavailable
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.records.document import canonical
from storage.records.rollouts import GatedRollout
from storage.records.tasks import SCHEDULE_LEASE
from tests.governance.conftest import NOW, Clock, warrant

from .traffic import Traffic

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


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(home / "lake")


@pytest.fixture
def traffic(sqlite_database: Database, lake: Lake) -> Traffic:
    return Traffic(sqlite_database, lake)


@pytest.fixture
def stand(control: Control, sqlite_database: Database) -> Control:
    """Version 1 is stable."""
    with sqlite_database.write() as write:
        head = policies.head(write, "home")
        assert head is not None
        policies.save(write, replace(head, stable=1, rollout=None, previous=None))
    return control


@pytest.fixture
def turn(
    stand: Control, sqlite_database: Database, keys: Keys, home: Path, clock: Clock, lake: Lake
) -> Callable[[], None]:
    """One look of the schedule, ten seconds later."""
    context = TaskContext(control=stand, database=sqlite_database, keys=keys, home=home, lake=lake, now=clock)
    task = next(task for task in tasks(context) if task.name == "rollouts")
    with sqlite_database.write() as write:
        token = leases.acquire(write, SCHEDULE_LEASE, "this test", now=clock.at, ttl_us=100 * DAY)
    assert token is not None

    def run(token: int = token) -> None:
        clock.at += ROUND
        task.run(token)

    return run


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


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"steps": [1, 7, 100]}, "steps"),
        ({"steps": [100]}, "steps"),
        ({"steps": [50, 10]}, "steps"),
        ({"version": 99}, "version"),
        ({"outcome": "applause"}, "outcome"),
        ({"groups": [], "waived": []}, "groups"),
        ({"groups": ["shoe_size"]}, "groups"),
        ({"groups": ["age"]}, "groups"),
        ({"features": []}, "features"),
        ({"segment": {"nonsense": 1}}, "segment.nonsense"),
        ({"tolerance": 2.0}, "tolerance"),
    ],
)
def test_a_plan_that_cannot_hold_is_refused_by_its_field(stand: Control, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        stand.propose("rollout.start", "home", {**PLAN, **wrong}, warrant("alice"))
    assert field in {problem.field for problem in refused.value.problems}


def test_there_is_one_rollout_of_a_policy_and_something_to_compare_with(
    stand: Control, sqlite_database: Database
) -> None:
    begin(stand)
    with pytest.raises(Conflict):
        stand.propose("rollout.start", "home", {**PLAN, "version": 3}, warrant("alice"))
    with sqlite_database.write() as write:
        head = policies.head(write, "home")
        assert head is not None
        policies.save(write, replace(head, stable=None, rollout=None))
    with pytest.raises(Conflict):
        stand.propose("rollout.start", "home", {**PLAN, "version": 3}, warrant("alice"))


def test_counts_are_those_of_the_records_and_a_kept_look_is_judged_again(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    key = begin(stand)
    for _ in range(3):
        traffic.come(
            1_500, clock.at, failing=lambda treated: 0.02, slow=lambda treated: 0.03, clicks=lambda treated: 0.2
        )
        turn()
    known = state(sqlite_database, key)
    assert len(known.marks) == 1
    with sqlite_database.read() as read:
        asked = question(read, known)
        assert asked is not None
        found = count(read, lake, asked).steps[0]
    clicked = {event.decision_id for event in traffic.told if event.type == "click"}
    sides = [[one for one in traffic.made if one.version == version] for version in (2, 1)]
    assert found.decisions == tuple(map(len, sides))
    assert found.failed == tuple(sum(one.reason == "scorer_failed" for one in side) for side in sides)
    assert found.late == tuple(sum(one.stage_us["score"] > 100_000 for one in side) for side in sides)
    assert found.outcomes == tuple(
        number for side in sides for number in (len(side), sum(one.decision_id in clicked for one in side))
    )
    assert found.people == tuple(len({one.subject for one in side}) for side in sides)
    assert found.failing == tuple(len({one.subject for one in side if one.reason == "scorer_failed"}) for side in sides)
    assert found.crossed == 0
    assert found.share == pytest.approx(0.1)
    assert sum(cells[1] for cells in found.groups.values()) == found.outcomes[1]
    assert sorted(found.groups) == ["user_feature_0=de", "user_feature_0=fr", "user_feature_0=it"]
    assert sum(joined for joined, _ in found.features["user_feature_0"].values()) == found.people[0]
    assert "served by" in found.features
    with sqlite_database.read() as read:
        looks = rollouts.looks(read, key)
    assert looks
    for look in looks:
        assert canonical(again(known, look)) == canonical(look)


def test_people_whose_decisions_are_alike_widen_the_bound(
    stand: Control, sqlite_database: Database, traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    """Of 200 people one in five always clicks, the others never: 200 coins, however often they come."""
    key = begin(stand, {**PLAN, "steps": [50, 100]})
    known = state(sqlite_database, key)

    def spread() -> float:
        with sqlite_database.read() as read:
            asked = question(read, known)
            assert asked is not None
            return count(read, lake, asked).spread

    traffic.come(4_000, clock.at, clicks=lambda treated: 0.2)
    assert spread() == pytest.approx(1.0, abs=0.15)
    crowd = Traffic(sqlite_database, lake, people=200, seed=3, log="crowd")
    crowd.come(4_000, clock.at, loyal=lambda person: person.endswith(("1", "2")))
    assert spread() > 3.0


def test_a_step_tests_only_whom_it_could_have_moved(
    stand: Control, sqlite_database: Database, turn: Callable[[], None], traffic: Traffic, clock: Clock, lake: Lake
) -> None:
    """At 50 % after 10 %, of those above 10 % four in nine join: the share that the evidence reckons with."""
    key = begin(stand)
    for _ in range(8):
        if state(sqlite_database, key).percent == 50.0:
            break
        traffic.come(3_000, clock.at)
        turn()
    traffic.come(3_000, clock.at)
    known = state(sqlite_database, key)
    with sqlite_database.read() as read:
        asked = question(read, known)
        assert asked is not None
        found = count(read, lake, asked).steps[1]
    assert found.share == pytest.approx(40.0 / 90.0)
    assert found.people[0] / sum(found.people) == pytest.approx(found.share, abs=0.05)
    assert clock.at > NOW
