"""Who touched what: only what may be known, each event once, in order of time."""

from pathlib import Path

import numpy as np
import pytest

from scoring_core.learning.interactions import Interactions, load_interactions
from scoring_core.shelf import build_shelf
from storage import catalogue, revisions
from storage.database import Database
from storage.records.clock import DAY, SECOND
from storage.records.events import Event, EventType
from storage.records.policies import Installation, Snapshot
from storage.records.subjects import ROLES
from tests.worlds import START, items, lake_at

NOW = START + DAY
TYPES = {
    "click": EventType(weight=1.0, role="interest"),
    "purchase": EventType(weight=3.0, role="commitment"),
    "impression": EventType(weight=0.0),
    "skip": EventType(weight=-1.0, role="rejection"),
}


def event(key: str, kind: str, subject: str | None, item: str | None, second: int, **changes) -> Event:
    values = {"event_id": key, "type": kind, "at": START + second * SECOND, "received_at": START, "subject": subject}
    return Event(**{**values, "item": item, "origin": "live", **changes})


def told(database: Database, home: Path, events: list[Event], **options) -> Interactions:
    lake = lake_at(home)
    with database.write() as write:
        catalogue.upsert(write, items(), now=START)
        revisions.publish(write, Snapshot(revision=0, at=START, installation=Installation(events=TYPES)))
        staged = lake.stage(
            "events", replica="r1", log="l", from_seq=1, to_seq=len(events), origin="live", records=events
        )
        lake.register(write, staged, now=START)
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    return load_interactions(database, lake, shelf=shelf, now=NOW, **{"origins": ("live",), **options})


def test_one_row_per_event_that_names_a_person_and_a_known_item(sqlite_database: Database, home: Path) -> None:
    found = told(
        sqlite_database,
        home,
        [
            event("e5", "purchase", "b", "i3", 50),
            event("e1", "click", "a", "i2", 10),
            event("e1", "click", "a", "i2", 10),
            event("e2", "skip", "a", "i4", 20),
            event("e3", "click", None, "i2", 30),
            event("e4", "click", "a", None, 40),
            event("e6", "impression", "a", "i2", 60),
            event("e7", "click", "a", "not in the catalogue", 61),
            event("e8", "undeclared", "a", "i2", 62),
            event("e9", "click", "a", "i2", 63, stored="aggregate"),
            event("f1", "click", "a", "i2", 64, origin="simulated"),
            event("f2", "click", "z", "i2", 2 * 86_400),
        ],
    )
    assert found.subjects == ("a", "b")
    assert [found.subjects[each] for each in found.person] == ["a", "a", "b"]
    assert found.ordinal.tolist() == [2, 4, 3]
    assert found.weight.tolist() == [1.0, -1.0, 3.0]
    assert found.roles.tolist() == [ROLES["interest"], ROLES["rejection"], ROLES["commitment"]]
    assert (found.people, found.items) == (2, 12)
    assert found.at.tolist() == sorted(found.at.tolist())


def test_end_is_not_included(sqlite_database: Database, home: Path) -> None:
    events = [event("e1", "click", "a", "i2", 10), event("e2", "click", "a", "i3", 20)]
    found = told(sqlite_database, home, events, end=START + 20 * SECOND)
    assert found.ordinal.tolist() == [2]


def test_an_empty_lake_is_no_people(sqlite_database: Database, home: Path) -> None:
    found = told(sqlite_database, home, [event("e1", "undeclared", "a", "i2", 10)])
    assert (len(found), found.people, found.items) == (0, 0, 12)
    assert found.matrix().shape == (0, 12)


@pytest.fixture
def few() -> Interactions:
    return Interactions(
        person=np.array([0, 1, 0, 1]),
        ordinal=np.array([2, 2, 2, 0]),
        at=np.array([1, 2, 2, 3]),
        weight=np.array([1.0, 1.0, 2.0, -1.0]),
        roles=np.array([2, 2, 4, 8], dtype=np.uint8),
        people=2,
        items=3,
    )


def test_a_split_cuts_by_time_and_keeps_the_numbers(few: Interactions) -> None:
    past, rest = few.split(2)
    assert (past.at.tolist(), rest.at.tolist()) == ([1], [2, 2, 3])
    assert past.people == rest.people == 2


def test_the_matrix_sums_weights_and_leaves_out_what_is_not_liked(few: Interactions) -> None:
    matrix = few.matrix()
    assert matrix.toarray().tolist() == [[0.0, 0.0, 3.0], [0.0, 0.0, 1.0]]
    assert matrix.nnz == 2
