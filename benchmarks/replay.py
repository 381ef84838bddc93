"""Decisions of a running engine, recomputed from its journal in another process; every flipped bit is found."""

import asyncio
import contextlib
import os
import signal
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
from msgspec.structs import replace as altered

from benchmarks.figures import Figure
from benchmarks.installation import ITEMS, Bench, engine, item_id, prepare
from benchmarks.load import closed_loop, open_loop, post
from benchmarks.serving import bodies
from governance.warrants import Warrant, system
from scoring_core.compile import compile_plan
from scoring_core.epochs import rebuilt
from scoring_core.live import ItemFeatures
from scoring_core.replay import ReplayVerdict, replay
from scoring_core.scorers.gbdt import load
from scoring_core.shelf import build_shelf, no_statistics
from storage import catalogue, registry, revisions
from storage.records import wire
from storage.records.consent import Purpose
from storage.records.decisions import Decision
from storage.records.events import ItemEpoch

DECISIONS, FLIPS = 10_000, 1_000

FLIPPED = (
    "candidates",
    "context",
    "user_vector",
    "rng_seed",
    "revision",
    "consent_epoch",
    "item_feature_epoch",
    "bucket",
    "input_digest",
    "scores",
    "ranking",
    "propensity",
    "confidence_raw",
    "items",
    "reason",
)


def drive(bench: Bench) -> None:
    """Make decisions while events, a rollout, opt-outs and a kill switch change what they see."""
    rng = np.random.default_rng(13)
    port = bench.settings.engine_port
    asked = [post("/v1/personalize", orjson.dumps(body), bench.token) for body in bodies(rng)]
    warrant = Warrant(by=system("benchmark"), reason="traffic of the replay benchmark", confirm="home")
    environment = bench.settings.environment
    for block in range(12):
        events = [
            {
                "event_id": f"replay-{block}-{number}",
                "type": "click",
                "subject": f"u-{int(rng.integers(500))}",
                "item": item_id(int(rng.integers(ITEMS))),
                "surface": "home",
            }
            for number in range(200)
        ]
        event = post("/v1/events", orjson.dumps({"events": events}), bench.token)
        asyncio.run(closed_loop(port, [event], seconds=5.0, connections=1, once=True))
        if block == 3:
            bench.control.do("policy.rollout", "home", {"version": 2, "percent": 50.0}, warrant)
        if block in {5, 6}:
            kind = "kill.on" if block == 5 else "kill.off"
            bench.control.do(kind, environment, {}, replace(warrant, confirm=environment))
        if block == 8:
            for number in range(10):
                bench.control.opt_out(f"u-{number}", Purpose.PERSONALIZATION, warrant)
        time.sleep(1.1)
        asyncio.run(open_loop(port, asked, rate=400, seconds=DECISIONS / 12 / 400 + 0.1))


def journal(bench: Bench) -> tuple[list[Decision], list[ItemEpoch]]:
    """Read the whole journal of the engine through its public route."""
    records: list[Decision] = []
    epochs: list[ItemEpoch] = []
    after, head = 0, 1
    while after < head:
        url = f"http://127.0.0.1:{bench.settings.engine_port}/v1/journal?after={after}&limit=2000"
        asked = urllib.request.Request(
            url, headers={"Authorization": f"Bearer {bench.token}", "Accept": "application/x-msgpack"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            page = msgspec.msgpack.decode(answer.read())
        head = page["head"]
        for seq, kind, _at, payload in page["entries"]:
            after = seq
            if kind == "decision":
                records.append(wire.decode(Decision, payload))
            elif kind == "epoch":
                epochs.append(wire.decode(ItemEpoch, payload))
    return records, epochs


class Past:
    """What decisions were computed from, as the stores keep it."""

    def __init__(self, bench: Bench, epochs: list[ItemEpoch]) -> None:
        self._bench, self._epochs = bench, epochs
        with bench.store.database.read() as read:
            self.shelf = build_shelf(catalogue.load(read))
            self.model = load(registry.in_service(read)["ranker"], bench.settings.home)
        self._items: dict[int, ItemFeatures] = {}
        self._snapshots: dict[int, Any] = {}
        self._plans: dict[int, Any] = {}

    def items(self, epoch: int) -> ItemFeatures | None:
        """Return the item features of an epoch, or None for one that never was."""
        if epoch == 0:
            return no_statistics(self.shelf)
        if epoch not in self._items:
            known = [each for each in self._epochs if each.epoch <= epoch]
            if not known or known[-1].epoch != epoch:
                return None
            self._items[epoch] = rebuilt(ITEMS, known)
        return self._items[epoch]

    def snapshot(self, revision: int) -> Any:
        """Return a revision's snapshot, or None."""
        if revision not in self._snapshots:
            with self._bench.store.database.read() as read:
                self._snapshots[revision] = revisions.load(read, revision)
        return self._snapshots[revision]

    def replay(self, record: Decision) -> ReplayVerdict:
        """Compute a record again."""
        snapshot = self.snapshot(record.revision)
        if snapshot is not None and record.revision not in self._plans:
            self._plans[record.revision] = compile_plan(snapshot, models={"ranker": self.model}, shelf=self.shelf)
        return replay(
            record,
            snapshot=snapshot,
            model=self.model if record.model_version is not None else None,
            shelf=self.shelf,
            items=self.items(record.item_feature_epoch),
            plan=self._plans.get(record.revision),
        )


def flipped(record: Decision, field: str, rng: np.random.Generator) -> Decision | None:
    """Return the record with one bit of one field flipped, None where the field holds nothing."""
    value = getattr(record, field)
    if value is None or value in ((), b"", {}):
        return None
    return altered(record, **{field: _flip(value, rng)})


def _flip(value: Any, rng: np.random.Generator) -> Any:
    match value:
        case bytes():
            data = bytearray(value)
            bit = int(rng.integers(8 * len(data)))
            data[bit // 8] ^= 1 << (bit % 8)
            return bytes(data)
        case int():
            return value ^ (1 << int(rng.integers(8)))
        case float():
            return float(np.frombuffer(_flip(np.float64(value).tobytes(), rng), np.float64)[0])
        case str():
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case tuple():
            place = int(rng.integers(len(value)))
            return (*value[:place], _flip(value[place], rng), *value[place + 1 :])
        case dict():
            key = sorted(value)[int(rng.integers(len(value)))]
            return {**value, key: _flip(value[key], rng)}
    raise TypeError(type(value).__name__)


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(17)
    with contextlib.ExitStack() as stack:
        bench = prepare(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        child = stack.enter_context(engine(bench, core=None))
        drive(bench)
        records, epochs = journal(bench)
        os.kill(child.pid, signal.SIGTERM)
        child.wait(15)
        past = Past(bench, epochs)
        records = records[:DECISIONS]
        begin = time.perf_counter()
        verdicts = [past.replay(record) for record in records]
        seconds = time.perf_counter() - begin
        missed: list[str] = []
        tried: Counter[str] = Counter()
        while tried.total() < FLIPS:
            field = FLIPPED[tried.total() % len(FLIPPED)]
            changed = flipped(records[int(rng.integers(len(records)))], field, rng)
            if changed is None:
                continue
            tried[field] += 1
            if past.replay(changed).verdict not in {"mismatch", "unavailable"}:
                missed.append(field)
    counts = Counter(verdict.verdict for verdict in verdicts)
    exact = counts["exact"]
    Figure(
        bench="replay",
        value=exact / len(records),
        unit="share of decisions replayed exactly",
        floor=1.0,
        ratio=exact / len(records),
        target=f"value = 1 on {DECISIONS} decisions, no flip missed",
        ok=exact == len(records) == DECISIONS and not missed,
        raw={
            "decisions": len(records),
            "verdicts": dict(counts),
            "served_by": dict(Counter(record.served_by for record in records)),
            "epochs": len(epochs),
            "replays_per_s": len(records) / seconds,
            "flips": tried.total(),
            "flips_missed": dict(Counter(missed)),
            "first_mismatch": next(
                (f"{verdict.stage}: {verdict.reason}" for verdict in verdicts if verdict.verdict == "mismatch"), None
            ),
        },
    ).print()


if __name__ == "__main__":
    main()
