"""A decision over REST against a bare route that calls LightGBM, and what governance costs."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import lightgbm
import numpy as np
import orjson

from benchmarks.figures import Figure, cpu_seconds, percentiles
from benchmarks.floor import FLOORS, SCORERS
from benchmarks.installation import (
    CANDIDATES,
    FEATURES,
    ITEMS,
    MEMBERS,
    SUBJECTS,
    TREES,
    Bench,
    context,
    engine,
    free_port,
    item_id,
    prepare,
    process,
    wait_ready,
)
from benchmarks.load import Answers, closed_loop, open_loop, post

BLOCKS, BLOCK_S = 5, 6.0
HABITS = 3
BATCH = 1_000


def bodies(rng: np.random.Generator, count: int = SUBJECTS) -> list[dict[str, object]]:
    """Return requests of 100 candidates each."""
    return [
        {
            "subject": f"u-{number % SUBJECTS}",
            "surface": "home",
            "campaign": "bench",
            "slots": 3,
            "explain": True,
            "context": context(rng),
            "candidates": [item_id(int(item)) for item in rng.choice(ITEMS, CANDIDATES, replace=False)],
        }
        for number in range(count)
    ]


def acquaint(port: int, token: str, rng: np.random.Generator) -> None:
    """Let every subject of the load have done something."""
    events = [
        {"type": kind, "subject": f"u-{number}", "item": item_id(int(item)), "surface": "home", "campaign": "bench"}
        for number in range(SUBJECTS)
        for item in rng.integers(0, ITEMS, HABITS)
        for kind in ("impression", "click")
    ]
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        for start in range(0, len(events), BATCH):
            answer = client.post(f"http://127.0.0.1:{port}/v1/events", json=events[start : start + BATCH])
            answer.raise_for_status()


def floor_model(bench: Bench, folder: Path) -> None:
    """Write the floor's model (one booster, as many trees) and its arrays."""
    table = bench.static_table()
    np.save(folder / "items.npy", np.nan_to_num(table))
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(20_000, len(FEATURES)))
    clicked = (rng.random(len(rows)) < 1 / (1 + np.exp(-rows[:, :8].sum(axis=1) / 2))).astype(int)
    parameters = {"objective": "binary", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    lightgbm.train(parameters, lightgbm.Dataset(rows, clicked), MEMBERS * TREES).save_model(folder / "floor.txt")


def predict_seconds(score: Callable[[np.ndarray], np.ndarray], table: np.ndarray, calls: int = 400) -> float:
    """Return the CPU time of one call, in seconds."""
    score(table)
    begin = time.process_time()
    for _ in range(calls):
        score(table)
    return (time.process_time() - begin) / calls


class Subject:
    """One server under load: its process, port and requests, and what its blocks showed."""

    def __init__(self, pid: int, port: int, requests: list[bytes]) -> None:
        self.pid, self.port, self.requests = pid, port, requests
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.p50: list[float] = []
        self.p99: list[float] = []

    def anew(self) -> "Subject":
        """Return the same server with nothing seen yet."""
        return Subject(self.pid, self.port, self.requests)

    def block(self, rate: float, seconds: float) -> Answers:
        """Run one block and remember it."""
        before = cpu_seconds(self.pid)
        answers = asyncio.run(open_loop(self.port, self.requests, rate=rate, seconds=seconds))
        if set(answers.statuses) != {200}:
            raise RuntimeError(f"answers other than 200: {answers.statuses}")
        self.cpu.append((cpu_seconds(self.pid) - before) / len(answers.seconds))
        seen = percentiles(answers.seconds)
        self.p50.append(seen["p50"])
        self.p99.append(seen["p99"])
        return answers

    def summary(self) -> dict[str, float]:
        """Medians over the blocks, in milliseconds."""
        return {
            "cpu_ms": 1e3 * float(np.median(self.cpu)),
            "p50_ms": 1e3 * float(np.median(self.p50)),
            "p99_ms": 1e3 * float(np.median(self.p99)),
        }


def main() -> None:
    """Measure in alternating blocks and print the figures."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, own_core = cores[0], cores[-1]
    rng = np.random.default_rng(3)
    requests = bodies(rng)
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = prepare(home)
        folder = home / "models" / "ranker" / "bench"
        floor_model(bench, folder)
        subjects: dict[str, Subject] = {}
        child = stack.enter_context(engine(bench, core=server_core))
        port = bench.settings.engine_port
        acquaint(port, bench.token, rng)
        subjects["engine"] = Subject(
            child.pid, port, [post("/v1/personalize", orjson.dumps(body), bench.token) for body in requests]
        )
        for name in sorted(FLOORS):
            port = free_port()
            command = [sys.executable, "-m", "benchmarks.floor", "--floor", name]
            command += ["--folder", str(folder), "--port", str(port)]
            child = stack.enter_context(process(command, {**os.environ, "OMP_NUM_THREADS": "1"}, core=server_core))
            wait_ready(f"http://127.0.0.1:{port}/readyz", child)
            subjects[name] = Subject(child.pid, port, [post("/rank", orjson.dumps(body)) for body in requests])
        os.sched_setaffinity(0, {own_core})
        capacity = {}
        for name, subject in subjects.items():
            asyncio.run(closed_loop(subject.port, subject.requests, seconds=2.0))
            answers = asyncio.run(closed_loop(subject.port, subject.requests, seconds=4.0))
            capacity[name] = len(answers.seconds) / answers.elapsed
        rate = min(capacity["engine"], capacity["lightgbm"]) / 2  # beyond its capacity a floor only queues
        served = alternate([subjects["engine"], subjects["lightgbm"]], rate)
        half = min(capacity["engine"], capacity["ungoverned"]) / 2
        governed = alternate([subjects["engine"].anew(), subjects["ungoverned"]], half)
        table = np.load(folder / "items.npy")[:CANDIDATES]
        predict = {name: 1e3 * predict_seconds(build(folder), table) for name, build in SCORERS.items()}
        report_serving(served, {"rate_per_s": rate, "capacity_per_s": capacity, "predict_ms": predict})
        report_governance(governed, {"rate_per_s": half, "capacity_per_s": capacity, "predict_ms": predict})


def alternate(subjects: list[Subject], rate: float) -> list[dict[str, float]]:
    """Load the subjects in turn, block by block, at one rate; return their summaries."""
    for _ in range(BLOCKS):
        for subject in subjects:
            subject.block(rate, BLOCK_S)
    return [subject.summary() for subject in subjects]


def report_serving(seen: list[dict[str, float]], raw: dict[str, Any]) -> None:
    """Print CPU, p50 and p99 of a decision against the LightGBM floor."""
    engine_, floor_ = seen
    for key, bound in (("cpu_ms", 0.8), ("p50_ms", 0.8), ("p99_ms", 1.5)):
        value, floor = engine_[key], floor_[key]
        Figure(
            bench=f"serving_{key.removesuffix('_ms')}",
            value=value,
            unit="ms per decision",
            floor=floor,
            ratio=value / floor,
            target=f"ratio <= {bound}",
            ok=value / floor <= bound,
            raw={**raw, "engine": engine_, "lightgbm": floor_, "blocks": BLOCKS},
        ).print()


def report_governance(seen: list[dict[str, float]], raw: dict[str, Any]) -> None:
    """Print what the engine costs above the same scoring with all of governance off, in units of LightGBM's predict."""
    engine_, bare = seen
    governance, predict = engine_["cpu_ms"] - bare["cpu_ms"], raw["predict_ms"]["lightgbm"]
    Figure(
        bench="governance_share",
        value=governance,
        unit="ms CPU per decision",
        floor=predict,
        ratio=governance / predict,
        target="ratio <= 0.25",
        ok=governance / predict <= 0.25,
        raw={**raw, "engine": engine_, "ungoverned": bare, "blocks": BLOCKS},
    ).print()


if __name__ == "__main__":
    main()
