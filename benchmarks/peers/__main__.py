"""Requests per CPU second of the engine against MLServer, BentoML and LitServe, alternating in one run."""

import asyncio
import contextlib
import json
import os
import re
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.figures import Figure, percentiles
from benchmarks.installation import CANDIDATES, MEMBERS, Bench, engine, prepare
from benchmarks.load import Answers, closed_loop, connect, open_loop, post
from benchmarks.peers.environments import Unavailable, installed, pins
from benchmarks.peers.ranking import Ranking
from benchmarks.peers.servers import PEERS, Peer, Served, Setting, served, tree_seconds
from benchmarks.peers.work import named_items, prepare_work
from benchmarks.serving import bodies

BLOCKS, CLOSED_S, OPEN_S, IDLE_S = 5, 3.0, 4.0, 3.0
PROBES, PROBE_S = 4, 1.5  # per setting; its best one counts, as a neighbour can only make it look worse
CHECKED, SLOTS = 20, 3  # answers compared, and items that each request of ``bodies`` asks for
TARGET, MODEL, MODEL_SHARE = (
    1.6,
    "model: ok",
    0.999,
)  # an engine that answers without its model would be fast for nothing

Body = dict[str, object]


@dataclass
class Seen:
    """What the blocks of one server showed, in one kind of load."""

    per_cpu_s: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Medians over the blocks."""
        return {
            "per_cpu_s": float(np.median(self.per_cpu_s)),
            "per_s": float(np.median(self.per_s)),
            "p50_ms": 1e3 * float(np.median(self.p50)),
            "p99_ms": 1e3 * float(np.median(self.p99)),
            "blocks_per_cpu_s": [round(value, 1) for value in self.per_cpu_s],
        }


def block(server: Served, seen: Seen, load: Callable[[], Answers]) -> None:
    """Run one load and remember it.

    Raises
    ------
    Unavailable
        If any answer is not 200.
    """
    before = tree_seconds(server.pid)
    answers = load()
    spent = tree_seconds(server.pid) - before
    if set(answers.statuses) != {200}:
        raise Unavailable(f"answers other than 200: {answers.statuses}")
    times = percentiles(answers.seconds)
    seen.per_cpu_s.append(len(answers.seconds) / spent)
    seen.per_s.append(len(answers.seconds) / answers.elapsed)
    seen.p50.append(times["p50"])
    seen.p99.append(times["p99"])


def closed(server: Served, seen: Seen, seconds: float = CLOSED_S) -> None:
    """Run one block at the server's capacity."""
    block(server, seen, lambda: asyncio.run(closed_loop(server.port, server.requests, seconds=seconds)))


def paced(server: Served, seen: Seen, rate: float) -> None:
    """Run one block at a rate."""
    block(server, seen, lambda: asyncio.run(open_loop(server.port, server.requests, rate=rate, seconds=OPEN_S)))


def ranked(ranking: Ranking, body: Body, slots: int) -> list[dict[str, Any]]:
    """Return the right answer."""
    candidates, context = body["candidates"], body["context"]
    assert isinstance(candidates, list) and isinstance(context, dict)
    return ranking.rank(candidates, context, slots)


async def check(server: Served, ranking: Ranking, requests: list[Body]) -> None:
    """Compare a server's first answers with the ranking itself.

    Raises
    ------
    Unavailable
        If one differs.
    """
    connection = await connect(server.port)
    for request, body in zip(server.requests[:CHECKED], requests, strict=False):
        status, answer = await connection.send(request)
        right = [row["item"] for row in ranked(ranking, body, SLOTS)]
        if status != 200 or named_items(answer) != right:
            raise Unavailable(f"answered {status} with {answer[:200]!r} where {right} is right")
    connection.close()


def idle_shares(servers: dict[str, Served]) -> dict[str, float]:
    """Return the share of a core that each server takes when nobody asks."""
    before = {name: tree_seconds(server.pid) for name, server in servers.items()}
    time.sleep(IDLE_S)
    return {name: (tree_seconds(server.pid) - before[name]) / IDLE_S for name, server in servers.items()}


async def check_engine(server: Served, ranking: Ranking, requests: list[Body]) -> None:
    """Compare the engine's scores with the peers': the mean of its members against their sum; order may be explored.

    Raises
    ------
    RuntimeError
        If a score differs, or most decisions were not the model's.
    """
    connection, others = await connect(server.port), []
    for request, body in zip(server.requests[:CHECKED], requests, strict=False):
        _, text = await connection.send(request)
        answer = orjson.loads(text)
        if answer["served_by"] != "model":
            others.append(f"{answer['served_by']}: {answer['reason']}")
            continue
        right = {row["item"]: row["score"] / MEMBERS for row in ranked(ranking, body, CANDIDATES)}
        wrong = [row for row in answer["items"] if abs(row["score"] - right[row["item"]]) > 1e-9]
        if wrong:
            raise RuntimeError(f"the engine's scores are not the peers' model's: {wrong}")
    connection.close()
    if len(others) > CHECKED / 2:
        raise RuntimeError(f"the engine does not decide by its model: {others}")


def outcomes(bench: Bench) -> dict[str, float]:
    """Return how the engine answered so far and why, by its own counters."""
    url = f"http://127.0.0.1:{bench.settings.engine_port}/metrics"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bench.token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    counted: dict[str, float] = {}
    series = r'(?m)^fairlead_decision_requests_total\{.*outcome="(\w+)",reason="(\w+)".*\} (\S+)$'
    for outcome, reason, value in re.findall(series, text):
        counted[f"{outcome}: {reason}"] = counted.get(f"{outcome}: {reason}", 0.0) + float(value)
    return {outcome: value for outcome, value in counted.items() if value}


class Contest:
    """The installation, the work and the environments of one run."""

    def __init__(self, bench: Bench, folder: Path, *, core: int) -> None:
        self.bench, self.folder, self.core = bench, folder, core
        self.ranking = prepare_work(bench, folder)
        self.bodies = bodies(np.random.default_rng(3))
        self.tried: dict[str, dict[str, float | str]] = {}
        self.missing: dict[str, str] = {}

    @contextlib.contextmanager
    def running(self, peer: Peer, setting: Setting, programs: Path) -> Iterator[Served]:
        """Run a peer whose answers are right."""
        with served(peer, setting, programs, self.folder, core=self.core) as server:
            server.requests = [post(setting.path, orjson.dumps(setting.form(body))) for body in self.bodies]
            asyncio.run(check(server, self.ranking, self.bodies))
            asyncio.run(closed_loop(server.port, server.requests, seconds=1.0))
            yield server

    def best(self, peer: Peer, programs: Path) -> Setting:
        """Return the setting with the most requests per CPU second.

        Raises
        ------
        Unavailable
            If no setting starts and answers rightly.
        """
        tried = self.tried.setdefault(peer.name, {})
        seen: dict[str, float] = {}
        for setting in peer.settings:
            try:
                with self.running(peer, setting, programs) as server:
                    probe = Seen()
                    for _ in range(PROBES):
                        closed(server, probe, PROBE_S)
                    tried[setting.name] = seen[setting.name] = round(max(probe.per_cpu_s), 1)
            except (Unavailable, OSError) as error:
                tried[setting.name] = str(error)
        if not seen:
            raise Unavailable(f"no setting of {peer.name} works here: {tried}")
        return max(peer.settings, key=lambda setting: seen.get(setting.name, 0.0))


def main() -> None:
    """Install, choose each peer's best setting, measure in alternating blocks and print the figures."""
    programs, missing = {}, {}
    for peer in PEERS:
        try:
            programs[peer.name] = installed(peer.name)
        except Unavailable as error:
            missing[peer.name] = str(error)
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = prepare(home)
        contest = Contest(bench, folder, core=cores[0])
        contest.missing |= missing
        os.sched_setaffinity(0, {cores[-1]})
        servers: dict[str, Served] = {}
        chosen: dict[str, str] = {}
        for peer in PEERS:
            if peer.name in programs:
                try:
                    setting = contest.best(peer, programs[peer.name])
                    servers[peer.name] = stack.enter_context(contest.running(peer, setting, programs[peer.name]))
                    chosen[peer.name] = setting.name
                except (Unavailable, OSError) as error:
                    contest.missing[peer.name] = str(error)
        child = stack.enter_context(engine(bench, core=cores[0]))
        requests = [post("/v1/personalize", orjson.dumps(body), bench.token) for body in contest.bodies]
        servers["engine"] = Served(child.pid, bench.settings.engine_port, requests)
        asyncio.run(check_engine(servers["engine"], contest.ranking, contest.bodies))
        asyncio.run(closed_loop(servers["engine"].port, requests, seconds=2.0))
        capacity, load = {name: Seen() for name in servers}, {name: Seen() for name in servers}
        for _ in range(BLOCKS):
            for name, server in servers.items():
                closed(server, capacity[name])
        # on a core of its own a server's capacity is its requests per CPU second
        rate = min(float(np.median(seen.per_cpu_s)) for seen in capacity.values()) / 2
        for _ in range(BLOCKS):
            for name, server in servers.items():
                paced(server, load[name], rate)
        idle = idle_shares(servers)
        answered = outcomes(bench)
    raw = {"settings": chosen, "tried": contest.tried, "missing": contest.missing, "blocks": BLOCKS}
    raw |= {
        "engine_outcomes": answered,
        "model_share": answered.get(MODEL, 0) / sum(answered.values()),
        "idle_cpu_share": idle,
    }
    raw["pins"] = {peer.name: pins(peer.name) for peer in PEERS}
    report("peers_at_capacity", capacity, raw)
    report("peers_at_half_load", load, {**raw, "rate_per_s": rate})
    for name, reason in contest.missing.items():
        print(json.dumps({"bench": f"peers_{name}", "ok": False, "error": reason}), flush=True)


def report(bench: str, seen: dict[str, Seen], raw: dict[str, Any]) -> None:
    """Print the engine's figure against the best peer's."""
    summaries = {name: shown.summary() for name, shown in seen.items()}
    value = summaries["engine"]["per_cpu_s"]
    rivals = {name: summary["per_cpu_s"] for name, summary in summaries.items() if name != "engine"}
    best = max(rivals, key=rivals.__getitem__, default=None)
    floor = rivals[best] if best else None
    ratio = value / floor if floor else None
    Figure(
        bench=bench,
        value=value,
        unit="requests per CPU second",
        floor=floor,
        ratio=ratio,
        target=f"ratio >= {TARGET}",
        ok=ratio is not None and ratio >= TARGET and raw["model_share"] >= MODEL_SHARE and not raw["missing"],
        raw={**raw, "best": best, **summaries},
    ).print()


if __name__ == "__main__":
    main()
