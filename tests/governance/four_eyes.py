"""A machine in which every caller tries everything, and a model that says what may take effect."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from governance.control import Control
from governance.outcomes import Outcome
from governance.rules import person
from governance.warrants import Warrant
from storage import policies
from storage.database import Database
from storage.errors import FairleadError
from storage.keys import Keys
from storage.policies import PolicyHead
from storage.records.access import ROLES, Principal
from storage.records.clock import HOUR, MINUTE

from .conftest import REASON, Clock

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
