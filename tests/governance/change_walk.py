"""A walk through the life of changes by the API alone; a model says what may take effect."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from governance.rules import person
from storage import revisions
from storage.database import Read
from storage.records.clock import HOUR, MINUTE

from .callers import PEOPLE, Callers
from .change_model import NEEDED, PAYLOADS, Seen, World
from .conftest import warrant

APPLIERS = {"ops", "admin"}
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


class ChangeWalk(Callers):
    """One installation, all its people, and every route about changes; whatever takes effect must have been agreed to.

    Parameters
    ----------
    template
        A bootstrapped database, with a toggle ``new`` that reaches nobody.
    home
        Where its keys are.
    """

    def __init__(self, template: Path, home: Path, rng: Random) -> None:
        super().__init__(template, home, rng)
        self.seen: dict[str, Seen] = {}
        self.emergencies: dict[str, tuple[str, int]] = {}
        self.world = World()
        with self._database.read() as read:
            self.revision = revisions.number(read)
        self.applied = self.scheduled = self.alone_applied = 0

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
