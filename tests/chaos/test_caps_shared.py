"""Caps over engine processes that share one store: never passed together, whoever is asked, whoever dies.

The policy holds back what nobody can count, so that a store too slow for a busy machine is no excuse.
"""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.records.caps import Cap
from tests.scoring_core.edges.running import install
from tests.scoring_core.edges.test_caps import POLICY, snapshot
from tests.scoring_core.edges.test_process import free_port, ready

pytestmark = pytest.mark.e2e

MAIN = """
import sys
from pathlib import Path
from scoring_core.edges.engine import EngineConfig, run
home, port, redis_url = sys.argv[1:]
sys.exit(run(EngineConfig(home=Path(home), port=int(port), replica=f"engine-{port}", redis_url=redis_url)))
"""
REPLICAS, LIMIT, ITEMS = 3, 3, 5
HOLDING = replace(POLICY, when_uncounted="hold")
CAPS = (Cap(key="each", limit=LIMIT), Cap(key="all", limit=12, per="any", unit="hour"))


class Fleet:
    """Engine processes on one home and one store, and a client that is let in."""

    def __init__(self, home: Path, redis_url: str) -> None:
        self.made = install(home, snapshot=snapshot(*CAPS, policy=HOLDING))
        token = self.made.token("decide", "events:write", "decision:read", "metrics:read")
        self.client = httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=20, trust_env=False)
        self.ports = [free_port() for _ in range(REPLICAS)]
        self.children = [
            subprocess.Popen(
                [sys.executable, "-c", MAIN, str(home), str(port), redis_url], cwd=Path(__file__).parents[2]
            )
            for port in self.ports
        ]

    def started(self) -> "Fleet":
        for port, child in zip(self.ports, self.children, strict=True):
            ready(port, child, seconds=90)
        return self

    def decide(self, n: int, **asked: Any) -> dict[str, Any]:
        body = {"surface": "home", "slots": 1, "candidates": [f"item-{at}" for at in range(ITEMS)], **asked}
        answer = self.client.post(f"http://127.0.0.1:{self.ports[n % len(self.ports)]}/v1/personalize", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def show(self, n: int, decision: dict[str, Any], **who: str) -> None:
        for item in decision["items"]:
            event = {"type": "impression", "item": item["item"], "decision_id": decision["decision_id"], **who}
            url = f"http://127.0.0.1:{self.ports[n % len(self.ports)]}/v1/events"
            assert self.client.post(url, json={"surface": "home", **event}).status_code == 202

    def close(self) -> None:
        for child in self.children:
            child.kill()
            child.wait(10)
        self.client.close()
        self.made.database.close()


@pytest.fixture
def fleet(home: Path, redis_url: str) -> Iterator[Fleet]:
    made = Fleet(home, redis_url)
    try:
        yield made.started()
    finally:
        made.close()


def shown(decisions: list[dict[str, Any]]) -> Counter[str]:
    return Counter(item["item"] for decision in decisions for item in decision["items"])


def test_a_hundred_decisions_at_once_for_one_person_pass_no_cap(fleet: Fleet) -> None:
    with ThreadPoolExecutor(24) as threads:
        decisions = list(threads.map(lambda n: fleet.decide(n, subject="u-1"), range(100)))
        seen = shown(decisions)
        assert max(seen.values()) <= LIMIT and sum(seen.values()) <= 12, seen
        for twice in range(2):
            jobs = [threads.submit(fleet.show, n + twice, each, subject="u-1") for n, each in enumerate(decisions)]
            assert [job.result() for job in jobs] == [None] * len(jobs)
    rest = [fleet.decide(n, subject="u-1") for n in range(15)]
    assert sum(shown([*decisions, *rest]).values()) <= 12 and rest[-1]["reason"] == "capped"
    metrics = "".join(fleet.client.get(f"http://127.0.0.1:{port}/metrics").text for port in fleet.ports)
    over = [line for line in metrics.splitlines() if line.startswith("fairlead_cap_overserves_total{")]
    assert over and all(line.endswith(" 0.0") for line in over), over


def test_a_replica_that_is_killed_takes_no_count_with_it(fleet: Fleet) -> None:
    first = [fleet.decide(n, subject="u-2") for n in range(6)]
    for n, each in enumerate(first):
        fleet.show(n, each, subject="u-2")
    fleet.children[0].send_signal(signal.SIGKILL)
    fleet.children[0].wait(10)
    del fleet.ports[0]
    with ThreadPoolExecutor(8) as threads:
        rest = list(threads.map(lambda n: fleet.decide(n, subject="u-2"), range(40)))
    seen = shown([*first, *rest])
    assert max(seen.values()) <= LIMIT and sum(seen.values()) <= 12, seen
