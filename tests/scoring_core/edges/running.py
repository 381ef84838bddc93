"""A real engine on a free port, in a thread of its own, over a real SQLite home."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvloop

from scoring_core.edges.engine import EngineConfig, Replica, bind, serve
from storage import catalogue, consent, migrations, revisions, tokens
from storage.database import Database
from storage.keys import Keys
from storage.pseudonyms import Salts
from storage.records import clock
from storage.records.campaigns import Campaign
from storage.records.consent import ConsentState, Purpose
from storage.records.events import EventType
from storage.records.items import Item
from storage.records.policies import (
    Attribute,
    Exploration,
    Installation,
    KillSwitch,
    Policy,
    PolicyState,
    ScorerChoice,
    Snapshot,
    Surface,
)

ITEMS = 12
ALLOW = dict.fromkeys(("tracking", "personalization", "profiling"), "allow")
INSTALLATION = Installation(
    region="demo",
    consent_default={"default": {}, "demo": ALLOW},
    events={"impression": EventType(weight=0.0), "click": EventType(weight=1.0)},
    surfaces={
        "home": Surface(
            key="home",
            context={
                "mood": Attribute(type="string"),
                "age": Attribute(type="number"),
                "member": Attribute(type="boolean"),
            },
            max_slots=20,
        )
    },
)
POLICY = Policy(surface="home", scorer=ScorerChoice(name="popular"), exploration=Exploration(epsilon=0.0))
SNAPSHOT = Snapshot(
    revision=0,
    at=0,
    installation=INSTALLATION,
    policies={"home": PolicyState(key="home", surface="home", stable=1, versions={1: POLICY})},
    campaigns={
        "men": Campaign(key="men", name="Men", surfaces=("home",), status="running"),
        "away": Campaign(key="away", name="Away", surfaces=("other",), status="running"),
    },
)


def items(count: int = ITEMS) -> list[Item]:
    return [
        Item(item_id=f"item-{n}", attributes={"colour": ("red", "blue")[n % 2], "price": float(n)})
        for n in range(count)
    ]


@dataclass
class Installed:
    """An installed home: its database, its keys, and one token per set of scopes."""

    home: Path
    database: Database
    url: str = ""

    def token(self, *scopes: str, expires_at: int | None = None) -> str:
        with self.database.write() as write:
            _, text = tokens.mint(
                write, name="t", principal="p", role="service", scopes=scopes, now=clock.now(), expires_at=expires_at
            )
        return text

    def publish(self, snapshot: Snapshot = SNAPSHOT, **changes: Any) -> Snapshot:
        with self.database.write() as write:
            return revisions.publish(write, replace(snapshot, at=clock.now(), **changes))

    def kill(self, on: bool = True) -> Snapshot:
        return self.publish(kill_switch=KillSwitch(on=on, since=clock.now(), reason="a test"))

    def say(self, raw: str, state: ConsentState, purpose: Purpose = Purpose.PERSONALIZATION) -> int:
        pseudonym = Salts(self.database, Keys.open(self.home).lookup).resolve([raw])[raw]
        with self.database.write() as write:
            return consent.append(
                write,
                subject=pseudonym,
                purpose=purpose,
                state=state,
                reason="r",
                source="t",
                actor="a",
                at=clock.now(),
            ).epoch


def install(home: Path, url: str = "", *, count: int = ITEMS, snapshot: Snapshot = SNAPSHOT) -> Installed:
    database = Database(url or f"sqlite:///{home / 'fairlead.db'}")
    migrations.upgrade(database)
    with database.write() as write:
        catalogue.upsert(write, items(count), now=clock.now())
    installed = Installed(home, database, url)
    installed.publish(snapshot)
    return installed


class Running:
    """An engine that runs, and a client that is let in everywhere."""

    def __init__(self, installed: Installed, *, now: Callable[[], int] = clock.now, **changes: Any) -> None:
        self.installed = installed
        patient = {"lease_s": 60.0, "report_s": 60.0, "grace_s": 3.0, "identify_s": 5.0}
        self._options = {"window_s": 0.5, "poll_s": 0.02} | patient | changes
        listener = bind("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.config = EngineConfig(home=installed.home, port=self.port, database_url=installed.url, **self._options)
        self.replica = Replica(self.config, now=now)
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = installed.token(
            "decide", "events:write", "metrics:read", "journal:read", "decision:read", "consent:write"
        )
        self.client = httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=10)
        self._listener = listener
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="engine")

    def start(self) -> "Running":
        """Start, and wait until it is ready and control knows of it: until then nobody is served by a model."""
        self._thread.start()
        self.until(lambda: self.client.get("/readyz").status_code == 200)
        self.until(lambda: self.replica.follower.consent.lease_holds(self.replica.monotonic_us()))
        return self

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self.client.close()
        assert not self._thread.is_alive()

    def until(self, holds: Any, *, seconds: float = 20.0) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                if found := holds():
                    return found
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")

    def decide(self, **body: Any) -> dict[str, Any]:
        answer = self.client.post("/v1/personalize", json={"surface": "home"} | body)
        assert answer.status_code == 200, answer.text
        decision: dict[str, Any] = answer.json()
        return decision

    def written(self) -> None:
        """Wait until the record of every answer given is in the log: an answer does not wait for it."""
        self.until(lambda: self.replica.log.backlog() == 0)

    def journal(self, after: int = 0, limit: int = 10_000) -> list[dict[str, Any]]:
        answer = self.client.get("/v1/journal", params={"after": after, "limit": limit})
        assert answer.status_code == 200, answer.text
        entries: list[dict[str, Any]] = answer.json()["entries"]
        return entries

    def _run(self) -> None:
        async def main() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await serve(self.replica, self._listener, self._stop)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())


@contextlib.contextmanager
def running(installed: Installed, **changes: Any) -> Iterator[Running]:
    engine = Running(installed, **changes)
    try:
        yield engine.start()
    finally:
        engine.stop()
