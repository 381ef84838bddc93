"""Revisions: numbered, immutable, and never believed when damaged."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from storage import revisions
from storage.database import Database
from storage.errors import Unavailable
from storage.records.campaigns import Campaign
from storage.records.policies import (
    Installation,
    KillSwitch,
    Policy,
    PolicyState,
    Rollout,
    Snapshot,
    Source,
    Surface,
)
from storage.records.rules import Rule

SNAPSHOT = Snapshot(
    revision=0,
    at=123,
    environment="test",
    kill_switch=KillSwitch(on=True, since=5, reason="it <b>burns</b>"),
    installation=Installation(
        region="demo", consent_default={"demo": {"tracking": "allow"}}, surfaces={"home": Surface(key="home")}
    ),
    policies={
        "home": PolicyState(
            key="home",
            surface="home",
            stable=1,
            rollout=Rollout(version=2, percent=12.5, seed="s", segment={"country": {"$in": ["DE", "FR"]}}),
            versions={
                1: Policy(surface="home"),
                2: Policy(
                    surface="home",
                    sources=(Source(name="popular", quota=3),),
                    rules=(Rule(key="r", action="boost", factor=1.5, when={"$or": [{"a": 1}, {"b": None}]}),),
                ),
            },
        )
    },
    campaigns={"men": Campaign(key="men", name="Men \u2028 {}", surfaces=("home",), ends_at=9)},
    best_variants={"home/men": ("a", "b")},
    models={"ranker": "v1"},
)


def test_a_snapshot_comes_back_as_it_was_published(database: Database) -> None:
    with database.read() as read:
        assert revisions.number(read) == 0
        assert revisions.load(read) is None
        assert revisions.load(read, 1) is None
    with database.write() as write:
        first = revisions.publish(write, SNAPSHOT)
    with database.write() as write:
        second = revisions.publish(write, replace(SNAPSHOT, at=124))
    assert first == replace(SNAPSHOT, revision=1)
    with database.read() as read:
        assert revisions.number(read) == 2
        assert revisions.load(read) == second
        assert revisions.load(read, 1) == first
        assert revisions.load(read, 3) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE revisions SET digest = 'x'",
        "UPDATE revisions SET snapshot = CAST('{}' AS {bytes})",
        "UPDATE revisions SET revision = 2",
    ],
)
def test_a_damaged_revision_is_not_believed(database: Database, damage: str) -> None:
    with database.write() as write:
        revisions.publish(write, SNAPSHOT)
        kind = "BYTEA" if write.dialect == "postgresql" else "BLOB"
        write.execute(text(damage.replace("{bytes}", kind)))
    with database.read() as read, pytest.raises(Unavailable, match="damaged"):
        revisions.load(read)


def test_a_revision_of_another_version_is_a_clear_error(database: Database) -> None:
    from hashlib import sha256

    with database.write() as write:
        revisions.publish(write, SNAPSHOT)
        body = b'{"revision": 1, "at": 1, "from_the_future": true}'
        write.execute(
            text("UPDATE revisions SET snapshot = :body, digest = :digest"),
            {"body": body, "digest": sha256(body).hexdigest()},
        )
    with database.read() as read, pytest.raises(Unavailable, match="another version"):
        revisions.load(read)


def test_publishers_at_once_get_different_numbers(database: Database) -> None:
    numbers: list[int] = []

    def publish() -> None:
        for _ in range(10):
            with database.write() as write:
                numbers.append(revisions.publish(write, SNAPSHOT).revision)

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 41))
