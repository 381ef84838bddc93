"""A walk through the life of changes by the API alone, and a model that says what may take effect."""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from governance.rules import person
from storage import revisions
from storage.database import Database, Read
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import HOUR, MINUTE
from storage.records.document import dump

from .conftest import REASON, Clock, installation, warrant
from .served import serving

PEOPLE = (
    ("alice", "admin"),
    ("alice", "ops"),
    ("Alice", "admin"),
    ("ＡＬＩＣＥ", "ops"),
    ("bob", "ops"),
    ("carol", "admin"),
    ("dora", "data_scientist"),
    ("mary", "marketer"),
    ("erin", "admin"),
    ("frank", "admin"),
)
APPLIERS = {"ops", "admin"}
LOOSE = {"demo": {"personalization": "allow", "tracking": "allow"}, "default": {}}
MORE = {"demo": {"personalization": "allow", "tracking": "allow", "profiling": "allow"}, "default": {}}


def settings(consent: Mapping[str, Any]) -> dict[str, Any]:
    return {"installation": dump(installation(consent_default=consent))}


def toggled(share: float) -> dict[str, Any]:
    return {"toggle": {"key": "new", "enabled": True, "rules": [{"key": "r", "value": True, "coverage": share}]}}


PAYLOADS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("policy.rollout", "home", {"version": 2, "percent": 50.0}),
    ("policy.rollout", "home", {"version": 2, "percent": 100.0}),
    ("policy.rollout", "home", {"version": 3, "percent": 10.0}),
    ("policy.rollout", "home", {"version": 3, "percent": 5.0}),
    ("toggle.edit", "new", toggled(0.05)),
    ("toggle.edit", "new", toggled(0.3)),
    ("toggle.edit", "new", toggled(0.9)),
    ("settings.edit", "installation", settings(LOOSE)),
    ("settings.edit", "installation", settings(MORE)),
)
"""What is proposed: of each kind some that is narrow, broad, or cannot be undone."""
NEEDED = {"safe": 0, "D0": 0, "D1": 0, "D2": 1, "D3": 2}
MOVES = {
    "propose": 4,
    "edit": 1,
    "submit": 2,
    "approve": 4,
    "reject": 0.3,
    "withdraw": 0.3,
    "apply": 3,
    "finish": 3,
    "schedule": 2,
    "call": 0.7,
    "declare": 0.15,
    "review": 0.3,
    "alone": 0.7,
    "roll_back": 0.4,
    "tick": 1,
    "wait": 0.6,
}


@dataclass
class Seen:
    """What the model knows of one change: who wrote it as it stands, on what, who agreed to just that, and when."""

    kind: str
    key: str
    payload: dict[str, Any]
    author: str
    written_on: Any
    agreed: dict[str, int] = field(default_factory=dict)
    at: int | None = None


@dataclass
class World:
    """What is in force, as the model knows it from what took effect."""

    stable: int = 1
    rollout: tuple[int, float] | None = None
    share: float = 0.0
    consent: Mapping[str, Any] = field(default_factory=lambda: installation().consent_default)

    def state(self, key: str) -> Any:
        """Return the state of one object."""
        return {"home": (self.stable, self.rollout), "new": self.share, "installation": self.consent}[key]

    def danger(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Say how dangerous something would be now, by the table of danger levels alone."""
        if kind == "policy.rollout":
            version, percent = payload["version"], payload["percent"]
            now = self.rollout[1] if self.rollout and self.rollout[0] == version else 0.0
            if self.stable == version:
                now = 100.0
            elif now and percent <= now:
                return "safe"
            return "D1" if now and percent - now <= 10.0 and percent <= 50.0 else "D2"
        if kind == "toggle.edit":
            share = payload["toggle"]["rules"][0]["coverage"]
            rise = share - self.share
            return "D2" if rise > 0.1 + 1e-9 or (rise > 1e-9 and share > 0.5) else "D1"
        wanted = payload["installation"]["consent_default"]["demo"]
        return "D2" if wanted.keys() <= self.consent["demo"].keys() else "D3"

    def take(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Let something take effect."""
        if kind == "policy.rollout":
            whole = payload["percent"] == 100.0
            self.rollout = None if whole else (payload["version"], payload["percent"])
            self.stable = payload["version"] if whole else self.stable
        elif kind == "toggle.edit":
            self.share = payload["toggle"]["rules"][0]["coverage"]
        else:
            self.consent = payload["installation"]["consent_default"]


class ChangeWalk:
    """One installation, all its people, and every route about changes; whatever takes effect must have been agreed to.

    Parameters
    ----------
    template
        A bootstrapped database, with a toggle ``new`` that reaches nobody.
    home
        Where its keys are.
    """

    def __init__(self, template: Path, home: Path, rng: Random) -> None:
        self.rng = rng
        self._folder = Path(tempfile.mkdtemp(prefix="changes-"))
        shutil.copy(template, self._folder / "control.db")
        self._database = Database(f"sqlite:///{self._folder / 'control.db'}")
        self.clock = Clock()
        keys = Keys.open(home)
        self.control = Control(self._database, keys, environment="test", solo=False, now=self.clock)
        made = (
            self.control.mint(name="t", principal=name, role=role, scopes=None, expires_in_s=None, warrant=warrant())
            for name, role in PEOPLE
        )
        self._tokens = [one.token for one in made]
        context = ControlContext(
            control=self.control,
            database=self._database,
            keys=keys,
            home=home,
            environment="test",
            solo=False,
            lake=Lake(home / "lake"),
        )
        self._served = ExitStack()
        url = self._served.enter_context(serving(create_app(context)))
        self._client = self._served.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=30))
        self.seen: dict[str, Seen] = {}
        self.emergencies: dict[str, tuple[str, int]] = {}
        self.world = World()
        with self._database.read() as read:
            self.revision = revisions.number(read)
        self.applied = self.scheduled = self.alone_applied = 0

    def close(self) -> None:
        """Let go of everything."""
        self._served.close()
        self._database.close()
        shutil.rmtree(self._folder)

    def step(self) -> None:
        """Take one step at random, the fruitful ones more often, and look at what is in force."""
        self.clock.at += 1
        getattr(self, self.rng.choices(list(MOVES), list(MOVES.values()))[0])()
        with self._database.read() as read:
            revision = revisions.number(read)
        assert revision == self.revision, "something changed that nobody was told of"

    def propose(self) -> None:
        kind, key, payload = self.rng.choice(PAYLOADS)
        who, answer = self._ask("POST", "/changes", {"kind": kind, "key": key, "payload": payload})
        if answer is not None:
            written = self.world.state(key)
            self.seen[answer["change_id"]] = Seen(kind, key, payload, person(PEOPLE[who][0]), written)

    def edit(self) -> None:
        change, known = self._one()
        payload = self.rng.choice([each for kind, _key, each in PAYLOADS if kind == known.kind])
        who, answer = self._ask("PUT", f"/changes/{change}", {"payload": payload}, by=self._author(known))
        if answer is not None:
            assert person(PEOPLE[who][0]) == known.author and answer["approvals"] == []
            written = self.world.state(known.key)
            self.seen[change] = Seen(known.kind, known.key, payload, known.author, written)

    def submit(self) -> None:
        change, known = self._one()
        self._ask("POST", f"/changes/{change}/submit", {}, by=self._author(known))

    def approve(self) -> None:
        change, known = self._one()
        if self.rng.random() < 0.5:
            self._ask("POST", f"/changes/{change}/submit", {}, by=self._author(known))
        who, answer = self._ask("POST", f"/changes/{change}/approve", {})
        if answer is not None:
            known.agreed.setdefault(person(PEOPLE[who][0]), self.clock.at)

    def reject(self) -> None:
        self._ask("POST", f"/changes/{self._one()[0]}/reject", {})

    def withdraw(self) -> None:
        change, known = self._one()
        self._ask("POST", f"/changes/{change}/withdraw", {}, by=self._author(known))

    def apply(self) -> None:
        change, known = self._one()
        percent = self.rng.choice([None, None, None, 5.0, 10.0, 50.0])
        body = {"confirm": known.key if self.rng.random() < 0.9 else "", "percent": percent}
        who, answer = self._ask("POST", f"/changes/{change}/apply", body, by=self._applier())
        if answer is not None:
            self._effect(known, by=who)

    def finish(self) -> None:
        """Do what one does, so that the walk gets further than chance would; at times one step is left out."""
        change, known = self._one()
        self._seek_agreement(change, known)
        self.clock.at += self.rng.choice([0, 0, 14 * MINUTE, 15 * MINUTE])
        who, answer = self._ask("POST", f"/changes/{change}/apply", {"confirm": known.key}, by=self._applier())
        if answer is not None:
            self._effect(known, by=who)

    def _seek_agreement(self, change: str, known: Seen) -> None:
        self._ask("POST", f"/changes/{change}/submit", {}, by=self._author(known))
        for _ in range(self.rng.choice([0, 1, 2, 2])):
            who, answer = self._ask(
                "POST", f"/changes/{change}/approve", {}, by=self.rng.choice([4, 5, 6, 0, 8, 9, 8, 9])
            )
            if answer is not None:
                known.agreed.setdefault(person(PEOPLE[who][0]), self.clock.at)

    def schedule(self) -> None:
        """Name a time; often with what it takes before, and often wait for it."""
        change, known = self._one()
        if self.rng.random() < 0.5:
            self._seek_agreement(change, known)
        ahead = self.rng.choice([-MINUTE, MINUTE, 16 * MINUTE, 20 * MINUTE, 40 * 24 * HOUR])
        body = {"at": self.clock.at + ahead, "confirm": known.key}
        who, answer = self._ask("POST", f"/changes/{change}/schedule", body, by=self._applier())
        if answer is not None:
            assert PEOPLE[who][1] in APPLIERS and 0 < ahead <= 30 * 24 * HOUR
            known.at = self.clock.at + ahead
            if self.rng.random() < 0.5:
                self.clock.at = known.at
                self.tick()

    def call(self) -> None:
        """Call a scheduled change off, in one of the ways there are."""
        change, known = self._one()
        verb = self.rng.choice(["withdraw", "reject"])
        self._ask("POST", f"/changes/{change}/{verb}", {}, by=self._author(known) if verb == "withdraw" else None)

    def declare(self) -> None:
        body = {"confirm": self.rng.choice(["test", "test", "home"])}
        who, answer = self._ask("POST", "/emergencies", body)
        if answer is not None:
            mine = person(PEOPLE[who][0])
            assert PEOPLE[who][1] in APPLIERS
            assert all(name != mine for name, _ends in self.emergencies.values()), "one was not looked at yet"
            self.emergencies[answer["emergency_id"]] = (mine, self.clock.at + 30 * MINUTE)

    def review(self) -> None:
        if self.emergencies:
            found = self.rng.choice(list(self.emergencies))
            who, answer = self._ask("POST", f"/emergencies/{found}/review", {})
            if answer is not None:
                assert person(PEOPLE[who][0]) != self.emergencies.pop(found)[0]

    def alone(self) -> None:
        """Try the routes that do things at once."""
        kind, key, payload = self.rng.choice(PAYLOADS)
        danger, body = self.world.danger(kind, payload), {**payload, "confirm": key}
        method, route = {
            "policy.rollout": ("POST", "/policies/home/rollout"),
            "toggle.edit": ("PUT", "/toggles/new"),
            "settings.edit": ("PUT", "/settings"),
        }[kind]
        tag = self._client.get(f"/control/v1{route}", headers=self._headers(0)).headers.get("etag", "*")
        _who, answer = self._ask(method, route, body, headers={} if method == "POST" else {"if-match": tag})
        if answer is not None:
            assert NEEDED[danger] == 0, "what needs a second person was done alone"
            self._took(kind, payload)

    def roll_back(self) -> None:
        who, answer = self._ask("POST", "/policies/home/rollback", {})
        if answer is not None:
            assert PEOPLE[who][1] in APPLIERS
            after = answer["after"]
            self.world.rollout, self.world.stable = None, after["stable"]
            self.revision += 1

    def tick(self) -> None:
        """Let the product's own clock apply what is due, and expire what waited too long."""

        def guard(_read: Read) -> None:
            """Nobody else leads."""

        self.control.timetable.apply_due(warrant("schedule"), guard)
        self.control.expire(warrant("schedule"))
        due = [(known.at, change, known) for change, known in self.seen.items() if known.at is not None]
        for at, change, known in sorted(due, key=lambda one: one[:2]):
            if at <= self.clock.at:
                state = self._ask("GET", f"/changes/{change}", None, by=0)[1]
                if state is not None and state["state"] == "applied":
                    self._effect(known, by=None)
                known.at = None
        self._agree()

    def wait(self) -> None:
        self.clock.at += self.rng.choice([0, MINUTE, 17 * MINUTE, 30 * MINUTE, HOUR, 80 * HOUR])

    def _effect(self, known: Seen, *, by: int | None) -> None:
        """Judge a change that took effect: who agreed, to what, when, and on which state it was written."""
        danger = self.world.danger(known.kind, known.payload)
        others = {name: at for name, at in known.agreed.items() if name != known.author}
        agreed = len(others) >= NEEDED[danger]
        cooled = danger != "D3" or (agreed and self.clock.at >= sorted(others.values())[1] + 15 * MINUTE)
        if not (agreed and cooled):
            assert by is not None and danger != "D3", f"applied without approval: {danger}"
            mine = person(PEOPLE[by][0])
            running = [ends for name, ends in self.emergencies.values() if name == mine]
            assert running and self.clock.at < running[0], "applied without a second person, and in no emergency"
            self.alone_applied += 1
        assert by is None or PEOPLE[by][1] in APPLIERS
        assert known.written_on == self.world.state(known.key), "applied to another state than was approved"
        if by is None:
            assert known.at is not None and known.at <= self.clock.at, "applied before its time"
            self.scheduled += 1
        known.at = None
        self.applied += 1
        self.world.take(known.kind, known.payload)
        self.revision += 1
        if by is not None:
            self._agree()

    def _took(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.world.take(kind, payload)
        self.revision += 1
        self._agree()

    def _agree(self) -> None:
        """See that what is in force is what the model says."""
        told = self._client.get("/control/v1/revisions/current", headers=self._headers(0)).json()
        head = told["policies"]["home"]
        out = head["rollout"]
        assert (head["stable"], out and (out["version"], out["percent"])) == (self.world.stable, self.world.rollout)
        assert told["toggles"]["new"]["rules"][0]["coverage"] == self.world.share
        assert told["installation"]["consent_default"] == self.world.consent

    def _one(self) -> tuple[str, Seen]:
        if not self.seen:
            self.propose()
            return self._one()
        change = self.rng.choice(list(self.seen)[-4:])
        return change, self.seen[change]

    def _author(self, known: Seen) -> int | None:
        """Mostly one of the author's own tokens, so that the walk gets further than chance would."""
        own = [place for place, (name, _role) in enumerate(PEOPLE) if person(name) == known.author]
        return self.rng.choice(own) if self.rng.random() < 0.8 else None

    def _applier(self) -> int | None:
        return self.rng.choice([0, 1, 4, 5]) if self.rng.random() < 0.8 else None

    def _headers(self, who: int) -> dict[str, str]:
        return {"authorization": f"Bearer {self._tokens[who]}"}

    def _ask(
        self,
        method: str,
        route: str,
        body: Mapping[str, Any] | None,
        *,
        by: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Ask as somebody; return who, and what was answered, None where it was refused."""
        who = self.rng.randrange(len(PEOPLE)) if by is None else by
        sent = None if body is None else {**body, "reason": REASON}
        answer = self._client.request(
            method, "/control/v1" + route, json=sent, headers={**self._headers(who), **(headers or {})}
        )
        assert answer.status_code < 500, answer.text
        return who, answer.json() if answer.is_success else None
