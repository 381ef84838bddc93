"""Durable intake: events a second in batches of 1000 through the public API, against bare appends to the log."""

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson

from benchmarks.figures import Figure, percentiles
from benchmarks.installation import ITEMS, engine, item_id, prepare
from benchmarks.load import closed_loop, post
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.protocol import Draft
from storage.records import clock
from storage.records.events import Event
from storage.records.wire import encode

BATCH, BATCHES, SECONDS, TARGET = 1_000, 400, 10.0, 20_000


def batch(number: int, rng: np.random.Generator) -> bytes:
    """Return one body of fresh events."""
    at = clock.now()
    return orjson.dumps(
        {
            "events": [
                {
                    "event_id": f"bench-{number}-{place}",
                    "type": "click",
                    "subject": f"u-{int(rng.integers(2_000))}",
                    "item": item_id(int(rng.integers(ITEMS))),
                    "surface": "home",
                    "campaign": "bench",
                    "at": at,
                }
                for place in range(BATCH)
            ]
        }
    )


async def bare_append(folder: Path) -> float:
    """Return entries a second of appends of the same size straight to the log."""
    log = EmbeddedLog(folder / "bare.db", log_id="bare")
    at = clock.now()
    event = Event(event_id="x", type="click", at=at, received_at=at, subject="0" * 32, item="item-1", surface="home")
    payload = encode(event)
    begin = time.perf_counter()
    for number in range(60):
        await log.append(
            [Draft(kind="event", at=at, payload=payload, key=f"{number}-{place}") for place in range(BATCH)]
        )
    rate = 60 * BATCH / (time.perf_counter() - begin)
    await log.close()
    return rate


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(Path(folder))
        requests = [post("/v1/events", batch(number, rng), bench.token) for number in range(BATCHES)]
        with engine(bench, core=0):
            asyncio.run(closed_loop(bench.settings.engine_port, requests[:20], seconds=1.0, connections=4, once=True))
            answers = asyncio.run(
                closed_loop(bench.settings.engine_port, requests[20:], seconds=SECONDS, connections=4, once=True)
            )
        bare = asyncio.run(bare_append(Path(folder)))
    if set(answers.statuses) != {202}:
        raise RuntimeError(f"answers other than 202: {answers.statuses}")
    rate = len(answers.seconds) * BATCH / answers.elapsed
    Figure(
        bench="intake",
        value=rate,
        unit="durable events per second",
        floor=bare,
        ratio=rate / bare,
        target=f"value >= {TARGET}",
        ok=rate >= TARGET,
        raw={"batch": BATCH, "batches": len(answers.seconds), "batch_s": percentiles(answers.seconds)},
    ).print()


if __name__ == "__main__":
    main()
