"""Visitors with every habit that a figure must survive: late, early, twice, unserved, unnamed, opted out, simulated."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from storage.records import clock
from storage.records.clock import DAY, HOUR, MINUTE
from tests.e2e.installation import Copy

SUBJECTS = 60
CAMPAIGNS = ("all", "men", "women")
FAR = 30 * HOUR
"""How long ago it was in windows that are closed for good."""
WEEKS_AGO = (16, 9)
"""Days back on which people were here before: two weeks that are over, the later without a third of them."""
LADDER = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0)
REASON = "figures are recounted"


def own_token(copy: Copy, name: str) -> str:
    """The token of one of the copy's own processes."""
    return (copy.home / "keys" / f"{name}.token").read_text().strip()


def process_of(copy: Copy, name: str) -> list[int]:
    """The processes of a copy that run one command."""
    mark = f"\0{name}\0".encode()
    return [pid for pid in copy.pids() if mark in Path(f"/proc/{pid}/cmdline").read_bytes()]


@dataclass
class Visitors:
    """Makes requests as an application does, and keeps what it knows it did."""

    copy: Copy
    token: str
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    events: list[dict[str, Any]] = field(default_factory=list)
    decided: int = 0
    repeated: int = 0
    objected: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.engine = httpx.Client(base_url=f"http://127.0.0.1:{self.copy.engine}", timeout=20.0)
        self.control = httpx.Client(
            base_url=f"http://127.0.0.1:{self.copy.control}/control/v1",
            headers={"Authorization": f"Bearer {own_token(self.copy, 'admin')}"},
            timeout=20.0,
        )

    def leave(self) -> None:
        """Close the connections."""
        self.engine.close()
        self.control.close()

    def command(self, path: str, **body: Any) -> dict[str, Any]:
        """Give control one order."""
        answer = self.control.post(path, json={"reason": REASON, **body})
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def say(self, subject: str, verb: str, purpose: str) -> None:
        """Give or withdraw consent for a visitor; back when every replica knows."""
        assert self.command(f"/consents/{verb}", subject=subject, purpose=purpose)["complete"] is True

    def roll_out(self, percent: float) -> None:
        """Move the demo's rollout."""
        self.command("/policies/home/rollout", version=2, percent=percent, confirm="home")

    def visit(self, number: int, *, token: str | None = None) -> None:
        """Ask for a slate and do with it what this number does; events wait for ``report``."""
        subject = None if number % 17 == 0 else f"figures-{number % SUBJECTS}"
        campaign = CAMPAIGNS[number % 3]
        context = {"user_feature_0": f"figures-{number % 4}", "user_feature_1": "ja" if number % 5 else "nein"}
        body: dict[str, Any] = {"surface": "home", "campaign": campaign, "slots": 3, "context": context}
        if subject is not None:
            body |= {"subject": subject, "session": f"s-{number % SUBJECTS}"}
        if number % 29 == 0:
            body["candidates"] = []
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if number % 41 == 0 and subject is not None:
            headers["Sec-GPC"] = "1"
            self.objected.add(subject)
        answer = self.engine.post("/v1/personalize", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        self.decided += 1
        about = {"surface": "home", "campaign": campaign, **({} if subject is None else {"subject": subject})}
        found = answer.json()
        self.events += self._habits(number, found["decision_id"], [entry["item"] for entry in found["items"]], about)

    def _habits(self, number: int, decision: str, items: list[str], about: Mapping[str, str]) -> list[dict[str, Any]]:
        now, place = clock.now(), iter(range(99))

        def event(kind: str, item: str, at: int, **changes: Any) -> dict[str, Any]:
            said = {"type": kind, "item": item, "at": at, "decision_id": decision, **about, **changes}
            return {"event_id": f"{decision}-{next(place)}", **said}

        if not items or number % 6 == 0:
            return [event("click", item, now) for item in items[:1]]  # nobody reported that it was seen
        first = items[0]
        if number % 7 == 3:  # long ago, and in time
            return [event("impression", item, now - FAR) for item in items] + [event("click", first, now - FAR + HOUR)]
        if number % 7 == 5:  # seen long ago, clicked too late
            return [event("impression", item, now - FAR) for item in items] + [event("click", first, now)]
        seen = [event("impression", item, now) for item in items]
        if number % 7 == 2:  # clicked before it was seen; seen but not served; clicked without a decision
            strange = [event("impression", "nothing-like-it", now), event("click", first, now, decision_id=None)]
            return [*seen, event("click", first, now - MINUTE), *strange]
        if number % 7 == 1:  # reported again, as seen an hour before
            seen.append(event("impression", first, now - HOUR))
        if self.rng.random() < 0.6:
            seen += [event("click", first, now), event("click", first, now + 1)]  # clicked twice
        return seen

    def remember(self) -> None:
        """Tell of people who were here in weeks that are over, some of whom came back the week after."""
        for back, days in enumerate(WEEKS_AGO):
            for number in range(SUBJECTS):
                if back == 0 or number % 3:
                    said = {"type": "view", "item": "men-1", "at": clock.now() - days * DAY, "surface": "home"}
                    who = {"subject": f"figures-{number}", "event_id": f"before-{days}-{number}-{clock.now()}"}
                    self.events.append({**said, **who})

    def report(self, *, token: str | None = None) -> None:
        """Send what happened, shuffled, some of it twice."""
        self.rng.shuffle(self.events)
        again = self.rng.sample(self.events, len(self.events) // 10)
        headers = {"Authorization": f"Bearer {token or self.token}"}
        for some in (self.events, again):
            answer = self.engine.post("/v1/events", json={"events": some}, headers=headers)
            assert answer.status_code == 202, answer.text
        assert answer.json()["duplicates"] == len(again)
        self.repeated += len(again)
        self.events = []


def live_through(visitors: Visitors, *, simulate: str) -> None:
    """Opt some out, decide, take the rollout a step back, decide more, report; then the same as simulated visitors."""
    for number in range(1, 6):
        visitors.say(f"figures-{number}", "opt-out", "personalization")
    for number in range(4, 8):
        visitors.say(f"figures-{number}", "opt-out", "tracking")
    visitors.say("figures-1", "opt-in", "personalization")
    percent = visitors.control.get("/policies/home").json()["rollout"]["percent"]
    lower = max(stop for stop in LADDER if stop < percent)
    for number in range(130):
        visitors.visit(number)
    visitors.roll_out(lower)
    for number in range(130, 260):
        visitors.visit(number)
    touched = [{**one, "event_id": f"touched-{one['event_id']}"} for one in visitors.events[:9]]
    visitors.remember()
    visitors.report()
    visitors.events = touched  # a simulated visitor reports on what real ones were served
    for number in range(260, 320):
        visitors.visit(number, token=simulate)
    visitors.report(token=simulate)
