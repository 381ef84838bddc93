"""Nobody applies alone what needs two: a stateful search for a way around it, and races for the same step."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from inspect import signature
from itertools import count
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from governance import rules
from governance.control import Control
from governance.outcomes import Outcome
from governance.rules import person
from governance.warrants import Warrant
from storage import ledger, policies
from storage.database import Database
from storage.errors import Conflict, FairleadError, Stale
from storage.keys import Keys
from storage.policies import PolicyHead
from storage.records.access import ROLES, Principal
from storage.records.changes import Change
from storage.records.clock import HOUR, MINUTE

from .conftest import REASON, Clock, preset, warrant

TOKENS = [
    Principal(name=name, role=role, scopes=ROLES[role], token_id=f"{number}")
    for number, (name, role) in enumerate(
        [
            ("alice", "admin"),
            ("alice", "ops"),
            (" Alice", "admin"),
            ("ＡＬＩＣＥ", "ops"),
            ("bob", "ops"),
            ("carol", "admin"),
            ("dora", "data_scientist"),
            ("mary", "marketer"),
        ]
    )
]
WHO = st.sampled_from(TOKENS)
PLANS: list[dict[str, Any]] = [
    {"version": 2, "percent": 50.0},
    {"version": 2, "percent": 100.0},
    {"version": 3, "percent": 10.0},
    {"version": 3, "steps": [5.0, 25.0, 100.0]},
    {"version": 2, "percent": 25.0, "segment": {"user_feature_0": "a"}},
]
A_PLAN = st.sampled_from(PLANS)


@dataclass
class Seen:
    """What the model knows of one change: who wrote it as it stands, on what, and who agreed to just that."""

    author: str
    payload: dict[str, Any]
    base: str
    agreed: set[str] = field(default_factory=set)


def allowed_stops(plan: dict[str, Any]) -> set[float]:
    return set(plan.get("steps") or [plan["percent"]])


class FourEyes(RuleBasedStateMachine):
    """Every caller tries everything; whatever takes effect must have been agreed to by somebody else."""

    template: Path
    home: Path

    changes = Bundle("changes")

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="four-eyes-"))
        shutil.copy(self.template, self.folder / "control.db")
        self.database = Database(f"sqlite:///{self.folder / 'control.db'}")
        self.clock = Clock()
        self.control = Control(self.database, Keys.open(self.home), environment="test", solo=False, now=self.clock)
        self.seen: dict[str, Seen] = {}
        self.effects = 0
        self.applied = 0
        self.head = self.read_head()

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    def read_head(self) -> PolicyHead:
        with self.database.read() as read:
            head = policies.head(read, "home")
        assert head is not None
        return head

    def attempt(self, act: Callable[[], Any]) -> Any:
        self.clock.at += 1
        try:
            return act()
        except FairleadError:
            return None

    def by(self, who: Principal, *, confirm: str = "home", etag: str | None = None) -> Warrant:
        return Warrant(by=who, reason=REASON, confirm=confirm, etag=etag)

    @rule(target=changes, who=WHO, plan=A_PLAN)
    def propose(self, who: Principal, plan: dict[str, Any]) -> Any:
        change = self.attempt(lambda: self.control.propose("policy.rollout", "home", plan, self.by(who)))
        if change is None:
            return multiple()
        self.seen[change.change_id] = Seen(person(who.name), plan, self.head.etag)
        return change.change_id

    @rule(change=changes, who=WHO, plan=A_PLAN)
    def edit(self, change: str, who: Principal, plan: dict[str, Any]) -> None:
        edited = self.attempt(lambda: self.control.edit(change, plan, self.by(who)))
        if edited is not None:
            assert person(who.name) == self.seen[change].author
            assert edited.approvals == () and edited.state == "draft"
            self.seen[change] = Seen(person(who.name), plan, self.head.etag)

    @rule(change=changes, who=WHO)
    def submit(self, change: str, who: Principal) -> None:
        if self.attempt(lambda: self.control.submit(change, self.by(who))) is not None:
            assert person(who.name) == self.seen[change].author

    @rule(change=changes, who=WHO)
    def approve(self, change: str, who: Principal) -> None:
        if self.attempt(lambda: self.control.approve(change, self.by(who))) is not None:
            self.seen[change].agreed.add(person(who.name))

    @rule(change=changes)
    def hand_in(self, change: str) -> None:
        """The author does what one does, so that the search gets further than chance would."""
        self.submit(change, next(token for token in TOKENS if person(token.name) == self.seen[change].author))

    @rule(change=changes, who=WHO)
    def hand_in_and_approve(self, change: str, who: Principal) -> None:
        self.hand_in(change)
        self.approve(change, who)

    @rule(change=changes, who=st.sampled_from([token for token in TOKENS if token.role in {"ops", "admin"}]))
    def finish(self, change: str, who: Principal) -> None:
        self.apply(change, who, None)

    @rule(change=changes, who=WHO)
    def reject(self, change: str, who: Principal) -> None:
        if self.attempt(lambda: self.control.reject(change, self.by(who))) is not None:
            self.seen[change].agreed.clear()

    @rule(change=changes, who=WHO)
    def withdraw(self, change: str, who: Principal) -> None:
        if self.attempt(lambda: self.control.withdraw(change, self.by(who))) is not None:
            assert person(who.name) == self.seen[change].author
            self.seen[change].agreed.clear()

    @rule(change=changes, who=WHO, percent=st.sampled_from([None, 5.0, 25.0, 100.0]))
    def apply(self, change: str, who: Principal, percent: float | None) -> None:
        seen = self.seen[change]
        outcome = self.attempt(lambda: self.control.apply(change, self.by(who), percent=percent))
        if outcome is None:
            return
        assert seen.agreed - {seen.author} or self.narrow(outcome), "applied without a second person"
        assert seen.base == self.head.etag, "applied to another state than was approved"
        rollout = outcome.after["rollout"]
        reached = rollout["percent"] if rollout else 100.0
        assert reached in allowed_stops(seen.payload)
        assert (rollout["version"] if rollout else outcome.after["stable"]) == seen.payload["version"]
        self.head = self.read_head()
        seen.base = self.head.etag
        self.effects += 1
        self.applied += 1

    def narrow(self, outcome: Outcome) -> bool:
        """Whether a step was one that nobody else need agree to: up by at most ten points, at most to the half."""
        was, now = self.head.rollout, outcome.after["rollout"]
        if was is None or now is None or (was.version, dict(was.segment)) != (now["version"], now["segment"]):
            return False
        return bool(now["percent"] <= was.percent or (now["percent"] - was.percent <= 10.0 and now["percent"] <= 50.0))

    @rule(who=WHO, plan=A_PLAN)
    def go_alone(self, who: Principal, plan: dict[str, Any]) -> None:
        before = self.head
        outcome = self.attempt(lambda: self.control.do("policy.rollout", "home", plan, self.by(who)))
        if outcome is not None:
            assert self.narrow(outcome) or outcome.after["rollout"] is None
            self.head = self.read_head()
            assert self.head.stable == before.stable
            assert (
                self.head.rollout is None or not before.rollout or before.rollout.version == self.head.rollout.version
            )
            self.effects += 1

    @rule(who=WHO)
    def roll_back(self, who: Principal) -> None:
        if self.attempt(lambda: self.control.do("policy.rollback", "home", {}, self.by(who, confirm=""))) is not None:
            self.head = self.read_head()
            self.effects += 1

    @rule(hours=st.sampled_from([0, 1, 80]))
    def wait(self, hours: int) -> None:
        self.clock.at += hours * HOUR + MINUTE

    @invariant()
    def nothing_else_changed_the_policy(self) -> None:
        if hasattr(self, "head"):
            assert self.read_head() == self.head
            snapshot = self.control.snapshot()
            assert snapshot is not None and snapshot.revision == 1 + self.effects
            assert snapshot.policies["home"].rollout == self.head.rollout


STEPS = int(os.environ.get("FAIRLEAD_TEST_STEPS", "500"))
MOVES = {
    "propose": 3,
    "edit": 2,
    "submit": 1,
    "approve": 3,
    "reject": 0.3,
    "withdraw": 0.3,
    "apply": 3,
    "hand_in": 2,
    "hand_in_and_approve": 3,
    "finish": 4,
    "go_alone": 1,
    "roll_back": 0.5,
    "wait": 0.5,
}
ARGUMENTS: dict[str, list[Any]] = {
    "who": TOKENS,
    "plan": PLANS,
    "percent": [None, 5.0, 25.0, 100.0],
    "hours": [0, 0, 0, 1, 80],
}


@pytest.fixture
def machine(sqlite_database: Database, build: Callable[..., Control], home: Path) -> type[FourEyes]:
    """The search on copies of a fresh installation."""
    build(sqlite_database)
    template = home / "template.db"
    with closing(sqlite3.connect(home / "fairlead.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(template),))
    return type("FourEyesHere", (FourEyes,), {"template": template, "home": home})


def walk(machine: type[FourEyes], steps: int, *, seed: int = 7) -> FourEyes:
    """Take steps at random, the fruitful ones more often; a fresh installation every 500."""
    rng = Random(seed)
    applied = 0
    for first in range(0, steps, 500):
        here = machine()
        here.start()
        try:
            for _ in range(min(500, steps - first)):
                name = rng.choices(list(MOVES), list(MOVES.values()))[0]
                move = getattr(FourEyes, name)
                wanted = [one for one in signature(move).parameters if one != "self"]
                if "change" in wanted and not here.seen:
                    continue
                given = {
                    one: rng.choice(list(here.seen)[-4:]) if one == "change" else rng.choice(ARGUMENTS[one])
                    for one in wanted
                }
                move(here, **given)
                here.nothing_else_changed_the_policy()
            applied += here.applied
        finally:
            here.teardown()
    here.applied = applied
    return here


def test_no_interleaving_applies_without_a_second_person(machine: type[FourEyes]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=40, deadline=None))


def test_a_long_walk_applies_often_and_never_without_a_second_person(machine: type[FourEyes]) -> None:
    assert walk(machine, STEPS).applied >= STEPS // 60


def _no_author_rule(change: Change, _now: int, *, solo: bool) -> None:
    if change.state != "approved" or solo:
        raise Conflict("not approved")


PLANTED: dict[str, dict[str, Any]] = {
    "authors approve": {
        "rules.approved": lambda change, by, now, *, solo, real=rules.approved: real(change, by, now, solo=not solo),
        "rules.require_applicable": _no_author_rule,
    },
    "edits keep approvals": {"rules.edited": lambda change, _by: change},
    "spellings are people": {"rules.person": lambda name: name},
    "bases do not matter": {"changes.Changes.require_base": lambda *_: None},
    "nobody asks for approval": {"rules.admit": lambda *_, **__: None},
}


@pytest.mark.parametrize("planted", PLANTED)
def test_the_search_finds_a_planted_way_around(
    machine: type[FourEyes], planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, fault in PLANTED[planted].items():
        monkeypatch.setattr(f"governance.{name}", fault)
    with pytest.raises(AssertionError):
        walk(machine, 3000)


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


def test_the_preset_is_what_this_module_expects() -> None:
    assert len(preset().policies[0].versions) == 3
