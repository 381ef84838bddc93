"""A policy flip and an opt-out, from the call until four replicas enforce them, and until they are acknowledged."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.figures import Figure, percentiles
from benchmarks.installation import CANDIDATES, Bench, context, engine, item_id, prepare
from benchmarks.load import connect, post
from governance.warrants import Warrant, system
from storage.records.consent import Purpose

REPLICAS, FLIPS, OPT_OUTS, PAUSE_S = 4, 40, 40, 0.01

Seen = Callable[[dict[str, Any]], bool]


def request(bench: Bench, subject: str, rng: np.random.Generator) -> bytes:
    """Return one decision request."""
    body = {
        "subject": subject,
        "surface": "home",
        "campaign": "bench",
        "slots": 3,
        "context": context(rng),
        "candidates": [item_id(number) for number in range(CANDIDATES)],
    }
    return post("/v1/personalize", orjson.dumps(body), bench.token)


async def enforced(port: int, asked: bytes, seen: Seen) -> float:
    """Ask one replica until its answer shows the change; return the instant its first such request was sent."""
    connection = await connect(port)
    while True:
        sent = time.perf_counter()
        status, body = await connection.send(asked)
        if status != 200:
            raise RuntimeError(f"a replica answered {status}")
        if seen(json.loads(body)):
            connection.close()
            return sent
        await asyncio.sleep(PAUSE_S)


async def measure(bench: Bench, act: Callable[[], Any], asked: bytes, seen: Seen) -> tuple[float, float]:
    """Return the seconds from the call of ``act`` to enforcement on the last replica, and to its return."""
    ports = [bench.settings.engine_port + replica for replica in range(REPLICAS)]
    watching = asyncio.gather(*(enforced(port, asked, seen) for port in ports))
    await asyncio.sleep(0.05 + np.random.default_rng().random() * 0.1)
    begin = time.perf_counter()
    await asyncio.to_thread(act)
    acknowledged = time.perf_counter() - begin
    return max(await watching) - begin, acknowledged


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(9)
    warrant = Warrant(by=system("benchmark"), reason="measuring how fast a flip is")
    with contextlib.ExitStack() as stack:
        bench = prepare(Path(stack.enter_context(tempfile.TemporaryDirectory())), replicas=REPLICAS)
        for replica in range(REPLICAS):
            stack.enter_context(engine(bench, replica=replica, core=None))
        flips, outs, acknowledgements = [], [], []
        for number in range(FLIPS):
            on = number % 2 == 0
            kind = "kill.on" if on else "kill.off"
            confirm = Warrant(by=warrant.by, reason=warrant.reason, confirm=bench.settings.environment)
            flip = asyncio.run(
                measure(
                    bench,
                    lambda kind=kind, confirm=confirm: bench.control.do(kind, bench.settings.environment, {}, confirm),
                    request(bench, "flip", rng),
                    lambda answer, on=on: (answer["reason"] == "kill_switch") == on,
                )
            )
            flips.append(flip[0])
        for number in range(OPT_OUTS):
            subject = f"out-{number}"
            out = asyncio.run(
                measure(
                    bench,
                    lambda subject=subject: bench.control.opt_out(subject, Purpose.PERSONALIZATION, warrant),
                    request(bench, subject, rng),
                    lambda answer: answer["served_by"] == "default",
                )
            )
            outs.append(out[0])
            acknowledgements.append(out[1])
    for name, values, target in (
        ("propagation_flip", flips, 0.25),
        ("propagation_opt_out", outs, 0.25),
        ("propagation_acknowledged", acknowledgements, 1.0),
    ):
        seen = percentiles(values)
        Figure(
            bench=name,
            value=seen["p99"],
            unit=f"seconds, p99 over {REPLICAS} replicas",
            floor=None,
            ratio=None,
            target=f"value <= {target}",
            ok=seen["p99"] <= target,
            raw=seen,
        ).print()


if __name__ == "__main__":
    main()
