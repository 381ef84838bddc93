"""What is known of people is known to every replica, and after a restart."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from storage.hot.redis import RedisStore
from storage.records import clock
from tests.scoring_core.edges.known_people import WITH_PEOPLE, did, liked, prefer, profile
from tests.scoring_core.edges.running import Installed, Running, install, running


def test_another_replica_and_a_restart_know_it_too(home: Path) -> None:
    made: Installed = install(home, snapshot=WITH_PEOPLE)
    with running(made, lease_s=60.0, replica="engine-1") as one:
        did(one, "p-11", "click", 2)
        with running(made, lease_s=60.0, replica="engine-2") as two:
            prefer(one, "p-11", attributes={"age": 7}, interests={"colour=blue": 1.0})
            two.until(lambda: "colour=blue" in liked(profile(two, "p-11")))
            did(two, "p-11", "click", 2)
    made.database.close()


def test_a_restart_takes_everything_up_in_the_order_in_which_it_came(home: Path) -> None:
    made: Installed = install(home, snapshot=WITH_PEOPLE)
    people = ("p-12", "a-12", "v-12")
    with running(made, lease_s=60.0) as engine:
        for subject in people:
            did(engine, subject, "like", 2, session="one")
        prefer(engine, "p-12", interests={"colour=red": -1.0})
        did(engine, "p-12", "click", 2, session="two")
        engine.client.post("/v1/user/identify", json={"visitor": "v-12", "account": "a-12"})
        did(engine, "v-12", "click", 1)
        before = [profile(engine, subject) for subject in people]
    with running(made, lease_s=60.0) as engine:
        engine.until(lambda: profile(engine, "p-12")["stated"] and (profile(engine, "v-12")["learned"] or {}))
        engine.until(lambda: profile(engine, "p-12")["learned"]["events"] == 2)
        after = [profile(engine, subject) for subject in people]
    timeless = ("events", "first_seen", "counted", "login_level", "recent")
    for one, other in zip(before, after, strict=True):
        assert [one["learned"][name] for name in timeless] == [other["learned"][name] for name in timeless]
    assert [liked(each) for each in after] == [
        {
            name: interest | {"score": pytest.approx(interest["score"], abs=1e-4)}
            for name, interest in liked(each).items()
        }
        for each in before
    ]
    made.database.close()


def test_replicas_that_share_a_store_know_what_one_engine_alone_would(home: Path, redis_url: str) -> None:
    now = clock.now()
    alone, together = home / "alone", home / "together"
    told: list[list[dict[str, Any]]] = []
    for folder in (alone, together):
        folder.mkdir()
        made = install(folder, snapshot=WITH_PEOPLE)
        shared = {"redis_url": redis_url} if folder == together else {}
        with running(made, lease_s=60.0, now=lambda: now, **shared) as one:
            if not shared:
                told.append(_lived([one], now))
                continue
            with running(made, lease_s=60.0, now=lambda: now, replica="engine-1", **shared) as two:
                told.append(_lived([one, two], now))
        made.database.close()
    assert told[0] == told[1]
    assert told[0][0]["learned"]["events"] > 20


def _lived(engines: list[Running], now: int) -> list[dict[str, Any]]:
    """Let the same things happen, each at the next engine in turn, and return what the last one knows."""
    for engine in engines:
        if isinstance(engine.replica.hot, RedisStore):
            engine.replica.hot._server.timeout_s = 10.0  # deadlines have tests of their own, and machines may be busy
    turn = itertools.cycle(engines)
    people = [f"shared-{number}" for number in range(3)]
    for number in range(120):
        at = now - (120 - number) * 1_000_000_000
        kind = ("click", "view", "like", "skip", "purchase", "impression")[number % 6]
        did(next(turn), people[number % 3], kind, number % 12, at=at, session=f"s-{number // 40}", value=2.0)
        if number % 20 == 9:
            prefer(next(turn), people[number % 3], attributes={"age": number}, interests={"colour=red": -0.5})
    joined = next(turn).client.post("/v1/user/identify", json={"visitor": people[2], "account": people[0]})
    assert joined.json()["joined"]
    return [profile(engines[-1], subject) for subject in people[:2]]
