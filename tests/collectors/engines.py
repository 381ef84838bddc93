"""A replica's metric windows as METRICS describes them, with the truth kept beside them."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from collectors.client import Client, Failure
from collectors.targets import Target
from storage.records.clock import SECOND
from storage.records.metrics import Counter, Gauge, Histogram, Window

EDGES = (0.01, 0.05, 0.1)
REQUESTS = "fairlead_decision_requests_total"
DURATION = "fairlead_decision_duration_seconds"
START = 1_700_000_000 * SECOND // (900 * SECOND) * 900 * SECOND


@dataclass
class Engine:
    """One replica: closes windows, stops gracefully or not, and answers like ``/v1/metrics/windows``."""

    replica: str
    ring_size: int = 360
    clock: int = START
    boot: int = 0
    seq: int = 0
    truth: dict[str, int] = field(default_factory=lambda: {"ok": 0, "error": 0})
    spread: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    open_counts: dict[str, int] = field(default_factory=lambda: {"ok": 0, "error": 0})
    open_spread: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    ring: deque[Window] = field(default_factory=deque)
    evicted: list[Window] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def boot_id(self) -> str:
        return f"{self.replica}-boot-{self.boot}"

    def work(self, outcome: str, bucket: int) -> None:
        self.truth[outcome] += 1
        self.spread[bucket] += 1
        self.open_counts[outcome] += 1
        self.open_spread[bucket] += 1

    def close(self, length_us: int = 10 * SECOND) -> None:
        window = Window(
            replica=self.replica,
            boot_id=self.boot_id,
            seq=self.seq,
            start=self.clock,
            end=self.clock + length_us,
            monotonic_us=length_us,
            counters=tuple(
                Counter(name=REQUESTS, labels={"outcome": name, "reason": "ok"}, value=float(count))
                for name, count in self.open_counts.items()
            ),
            histograms=(
                Histogram(
                    name=DURATION,
                    labels={"outcome_class": "ok"},
                    edges=EDGES,
                    counts=tuple(self.open_spread),
                    sum=float(sum(self.open_spread)),
                ),
            ),
            gauges=(Gauge(name="fairlead_http_requests_in_flight", value=float(self.seq)),),
        )
        self.clock += length_us
        self.seq += 1
        self._reset()
        self.ring.append(window)
        while len(self.ring) > self.ring_size:
            self.evicted.append(self.ring.popleft())

    def _reset(self) -> None:
        self.open_counts = {"ok": 0, "error": 0}
        self.open_spread = [0] * (len(EDGES) + 1)

    def restart(self, *, graceful: bool, down_us: int = 3 * SECOND) -> None:
        if graceful:
            self.close(4 * SECOND)
        else:
            self.ring.clear()
            self._reset()
        self.boot += 1
        self.seq = 0
        self.clock += down_us

    def answer(self, after: str) -> bytes:
        boot, _, number = after.rpartition(":")
        boots = [window.boot_id for window in self.ring]
        first = boots.index(boot) if boot in boots else 0
        windows = [
            window
            for place, window in enumerate(self.ring)
            if place >= first and (window.boot_id != boot or window.seq > int(number))
        ]
        return json.dumps(
            {
                "replica": self.replica,
                "boot_id": self.boot_id,
                "now": self.clock,
                "windows": [asdict(window) for window in windows],
            }
        ).encode()


class Wire(Client):
    """A client whose wire ends in the engines of this process."""

    def __init__(self, engines: Mapping[str, "Engine | RoundRobin"]) -> None:
        super().__init__("token")
        self.engines = engines

    def get(self, url: str, *, params: Mapping[str, str | int], accept: str) -> bytes | Failure:
        engine = self.engines[url.removesuffix("/v1/metrics/windows")]
        engine.asked.append(str(params.get("after", "")))
        return engine.answer(str(params.get("after", "")))


@dataclass
class RoundRobin:
    """A load balancer in front of engines."""

    engines: list[Engine]
    asked: list[str] = field(default_factory=list)

    def answer(self, after: str) -> bytes:
        return self.engines[len(self.asked) % len(self.engines)].answer(after)


def target(engine: Engine) -> Target:
    return Target(replica=engine.replica, url=engine.replica)
