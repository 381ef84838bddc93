"""Stores of impression counts, each with a clock of its own, and what is asked of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from storage.hot.caps import CapStore, Claim, Counted, Holder, Reserved, Shown, Window, Windows
from storage.hot.caps_memory import MemoryCaps
from storage.hot.caps_redis import RedisCaps
from storage.records.clock import SECOND
from storage.records.tallies import Counter

START = 1_700_000_000 * SECOND
ANNA = Holder("5f" * 16)
DAILY, WEEKLY, BRAND = 101, 102, 103
WINDOWS = Windows(
    {
        DAILY: Window(DAILY, 2, 86_400),
        WEEKLY: Window(WEEKLY, 3, 7 * 86_400),
        BRAND: Window(BRAND, 1, 3_600),
    }
)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    @property
    def now_s(self) -> int:
        return self.now // SECOND


@dataclass
class Stand:
    """A store under test, its clock, and another store of the same rows, as a second replica has it."""

    store: CapStore
    other: CapStore
    clock: Clock


def stand(kind: str, url: str) -> Stand:
    clock = Clock()
    if kind == "memory":
        store = MemoryCaps(clock)
        return Stand(store, store, clock)
    return Stand(*(RedisCaps(url, timeout_s=10.0, clock=clock) for _ in range(2)), clock)


Run = Callable[[Callable[[Stand], Awaitable[None]]], None]


def claim(mark: int, *counters: Counter) -> Claim:
    return Claim(mark, counters or ((DAILY, 1),))


def shown(at: Stand, mark: int, *counters: Counter, holder: Holder = ANNA, **changes: object) -> Shown:
    return replace(Shown(holder, mark, at.clock.now_s, counters or ((DAILY, 1),)), **changes)  # type: ignore[arg-type]


async def reserve(at: Stand, *claims: Claim, store: CapStore | None = None, for_s: int = 60, **how: bool) -> Reserved:
    return await (store or at.store).reserve(ANNA, claims, WINDOWS, for_s=for_s, **how)


def counts_of(counted: Counted, windows: Windows = WINDOWS) -> dict[Counter, int]:
    return counted.tally(windows).by_counter()


async def count(at: Stand, counter: Counter = (DAILY, 1), windows: Windows = WINDOWS, holder: Holder = ANNA) -> int:
    return counts_of(await at.other.counted(holder), windows).get(counter, 0)
