"""An event is acknowledged: how long until a decision sees it."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson

from benchmarks.figures import Figure, percentiles
from benchmarks.installation import ITEMS, Bench, engine, item_id, prepare
from benchmarks.load import Connection, connect, post
from benchmarks.propagation import request

ROUNDS, TARGET_S = 400, 0.1


def get(path: str, token: str) -> bytes:
    """Return a whole GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def vector(connection: Connection, bench: Bench, asked: bytes) -> tuple[object, float]:
    """Decide, and read the user vector that the decision's record holds; and when the decision was answered."""
    _, body = await connection.send(asked)
    answered = time.perf_counter()
    decision = json.loads(body)["decision_id"]
    status, body = await connection.send(get(f"/v1/decisions/{decision}", bench.token))
    if status != 200:
        raise RuntimeError(f"the record answered {status}")
    return json.loads(body)["user_vector"], answered


async def rounds(bench: Bench) -> list[float]:
    """Return, per round, the seconds from acknowledgement to the first answer that used the event."""
    rng = np.random.default_rng(11)
    connection = await connect(bench.settings.engine_port)
    seconds = []
    for number in range(ROUNDS):
        asked = request(bench, f"fresh-{number % 50}", rng)
        before, _ = await vector(connection, bench, asked)
        event = {
            "event_id": f"fresh-{number}",
            "type": "click",
            "subject": f"fresh-{number % 50}",
            "item": item_id(int(rng.integers(ITEMS))),
            "surface": "home",
        }
        status, _ = await connection.send(post("/v1/events", orjson.dumps({"events": [event]}), bench.token))
        if status != 202:
            raise RuntimeError(f"an event answered {status}")
        acknowledged = time.perf_counter()
        after, answered = await vector(connection, bench, asked)
        while after == before:
            after, answered = await vector(connection, bench, asked)
        seconds.append(answered - acknowledged)
    connection.close()
    return seconds


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(Path(folder))
        with engine(bench, core=0):
            seen = percentiles(asyncio.run(rounds(bench)))
    Figure(
        bench="freshness",
        value=seen["p99"],
        unit="seconds, p99",
        floor=None,
        ratio=None,
        target=f"value <= {TARGET_S}",
        ok=seen["p99"] <= TARGET_S,
        raw=seen,
    ).print()


if __name__ == "__main__":
    main()
