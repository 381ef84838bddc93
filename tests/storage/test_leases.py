"""Leases: one holder at a time, tokens that only grow, a fence that holds until commit."""

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage import leases
from storage.database import Database


def acquire(database: Database, holder: str, now: int, ttl_us: int = 10) -> int | None:
    with database.write() as write:
        return leases.acquire(write, "leader", holder, now=now, ttl_us=ttl_us)


def holds(database: Database, token: int) -> bool:
    with database.read() as read:
        return leases.holds(read, "leader", token)


def test_one_holder_at_a_time(database: Database) -> None:
    assert not holds(database, 1)
    assert acquire(database, "a", 0) == 1
    assert acquire(database, "b", 9) is None
    assert acquire(database, "a", 9) == 1
    assert acquire(database, "b", 18) is None
    assert acquire(database, "b", 19) == 2
    assert (holds(database, 1), holds(database, 2)) == (False, True)
    assert acquire(database, "a", 20) is None


def test_a_lease_that_ran_out_comes_back_with_a_higher_token(database: Database) -> None:
    assert acquire(database, "a", 0) == 1
    assert acquire(database, "a", 10) == 2


def test_a_released_lease_is_free_at_once(database: Database) -> None:
    assert acquire(database, "a", 0) == 1
    with database.write() as write:
        leases.release(write, "leader", 1)
    assert acquire(database, "b", 1) == 2
    with database.write() as write:
        leases.release(write, "leader", 1)
    assert acquire(database, "c", 2) is None


@given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 15), st.integers(1, 12)), max_size=30))
def test_any_history_keeps_the_law(sqlite_database: Database, steps: list[tuple[str, int, int]]) -> None:
    """At every moment at most one holder, and a new holder's token is above every older one."""
    with sqlite_database.write() as write:
        now, holder, until, token = 0, "", 0, leases.acquire(write, "law", "start", now=0, ttl_us=1) or 0
        for who, wait, ttl in steps:
            now += wait
            free = now >= until
            got = leases.acquire(write, "law", who, now=now, ttl_us=ttl)
            if now < 1:
                continue
            assert (got is not None) == (free or who == holder)
            if got is not None:
                assert got > token if free or holder != who else got == token
                holder, until, token = who, now + ttl, got
        leases.release(write, "law", token)


def test_of_many_that_ask_at_once_one_gets_it(database: Database) -> None:
    got: list[int | None] = []
    threads = [threading.Thread(target=lambda n=n: got.append(acquire(database, f"holder-{n}", 0))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=str) == [1] + [None] * 7


def test_nobody_takes_the_lease_while_a_fenced_write_is_open(database: Database) -> None:
    order: list[Any] = []
    assert acquire(database, "a", 0) == 1
    started = threading.Event()

    def take_over() -> None:
        started.set()
        order.append(("taken", acquire(database, "b", 100)))

    thread = threading.Thread(target=take_over)
    with database.write() as write:
        assert leases.holds(write, "leader", 1)
        thread.start()
        started.wait()
        thread.join(0.2)
        assert thread.is_alive()
        order.append("written")
    thread.join()
    assert order == ["written", ("taken", 2)]
    with database.write() as write:
        assert not leases.holds(write, "leader", 1)
