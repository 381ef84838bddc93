"""The census counts people as serving does: the same segments as the hot store's state of each, from the lake alone."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from scoring_core.edges.intake import signal_of
from scoring_core.features.segments import segmentation, segments, tally
from scoring_core.learning.census import people_of
from scoring_core.learning.sizes import counts, memberships, take_census
from scoring_core.shelf import build_shelf
from storage import catalogue, consent, profiles, revisions
from storage import segments as sizes
from storage.hot.memory import MemoryStore
from storage.lake import Lake
from storage.records.clock import DAY, HOUR, MINUTE, SECOND
from storage.records.consent import Consented, Purpose
from storage.records.events import Event
from storage.records.items import Item
from storage.records.policies import Installation, Snapshot
from storage.records.profiles import Profile
from storage.records.segments import SegmentRule
from storage.records.standard_events import standard_events

START = 1_700_000_000 * SECOND
NOW = START + 60 * DAY
OWN = {"fans": SegmentRule(when={"user.clicks": {"$gte": 10}}, title="Ten clicks and more.")}
SETTINGS = Installation(
    events=standard_events(), segments=OWN, consent_default={"default": {"tracking": "allow", "profiling": "allow"}}
)
PEOPLE, ITEMS = 30, 48


def wild_events() -> list[Event]:
    """Thirty people of different habits, three thousand events of every kind."""
    rng = np.random.Generator(np.random.PCG64(11))
    types = sorted(SETTINGS.events)
    found = []
    for person in range(PEOPLE):
        at = START + int(rng.integers(0, 50 * DAY))
        for _ in range(int(rng.integers(2, 200))):
            at += int(rng.choice([MINUTE, 20 * MINUTE, 2 * HOUR, 3 * DAY], p=[0.6, 0.2, 0.15, 0.05]))
            if at > NOW:
                break
            session = rng.choice(["", f"s{at // DAY}"])
            phone = 0.1 + 0.02 * (person % 10)
            device = rng.choice(["", "mobile", "desktop", "Tablet"], p=[0.4, phone, 0.2, 0.4 - phone])
            found.append(
                Event(
                    event_id=f"e{len(found)}",
                    type=str(rng.choice(types)),
                    at=at,
                    received_at=at + SECOND,
                    subject=f"p{person}",
                    session=str(session) or None,
                    item=f"i{rng.integers(0, ITEMS)}" if rng.random() < 0.9 else None,
                    value=float(rng.integers(0, 9)) if rng.random() < 0.5 else None,
                    properties={"device": str(device)} if device else {},
                )
            )
    return sorted(found, key=lambda event: (event.at, event.event_id))


@pytest.fixture
def events():
    return wild_events()


@pytest.fixture
def lake(sqlite_database, home, events):
    found = Lake(home / "lake")
    items = [Item(item_id=f"i{number}", attributes={"kind": f"k{number % 5}"}) for number in range(ITEMS)]
    with sqlite_database.write() as write:
        catalogue.upsert(write, items, now=START)
        revisions.publish(write, Snapshot(revision=0, at=START, installation=SETTINGS))
        for log, records in (("a", events), ("b", events[:10])):
            staged = found.stage(
                "events", replica="r", log=log, from_seq=1, to_seq=len(records), origin="live", records=records
            )
            found.register(write, staged, now=START)
    return found


def served(events, database) -> dict:
    """The states that an engine would hold of the same events."""
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    signals = [
        signal_of(event, event.subject, SETTINGS.events[event.type], shelf, shelf.ordinals.get(event.item or ""))
        for event in events
    ]
    hot = MemoryStore()
    asyncio.run(hot.learn(signals))
    return {f"p{person}": asyncio.run(hot.state(Consented(f"p{person}"))) for person in range(PEOPLE)}


def test_everyone_is_counted_as_served(sqlite_database, lake, events):
    people, settings = people_of(sqlite_database, lake, now=NOW)
    states = served(events, sqlite_database)
    rules = segmentation(settings.segments)
    found = memberships(people, rules)
    assert len(people) == PEOPLE
    for row, subject in enumerate(people.subjects):
        counted, age = tally(states[subject], NOW)
        assert people.counted[row] == pytest.approx(counted, rel=1e-6), subject
        assert people.age_days[row] == pytest.approx(age)
        assert people.events[row] == states[subject].events
        here = {name: column[row] for name, column in found.items() if column[row] > 0.0}
        assert here == pytest.approx(dict(segments(states[subject], NOW, rules)), abs=1e-6), subject
    assert found["fans"].any()


def test_what_was_stated_and_who_turned_out_to_be_whom_is_known(sqlite_database, lake):
    vip = {"vip": SegmentRule(when={"user.tier": "gold"})}
    with sqlite_database.write() as write:
        profiles.state(write, "p3", Profile(attributes={"tier": "silver"}), at=NOW)
        profiles.state(write, "p3", Profile(attributes={"tier": "gold"}), at=NOW)
        profiles.merge(write, "p5", "p4", at=NOW)
        profiles.merge(write, "p4", "p3", at=NOW)
    people, _ = people_of(sqlite_database, lake, now=NOW)
    assert len(people) == PEOPLE - 2
    assert "p5" not in people.subjects
    found = memberships(people, segmentation(vip))
    assert [people.subjects[row] for row in np.flatnonzero(found["vip"])] == ["p3"]
    one, _ = people_of(sqlite_database, lake, now=NOW, subject="p3")
    assert one.events.tolist() == people.events[[people.subjects.index("p3")]].tolist()


def test_one_person_alone_is_the_same(sqlite_database, lake):
    everyone, _ = people_of(sqlite_database, lake, now=NOW)
    one, _ = people_of(sqlite_database, lake, now=NOW, subject="p7")
    assert one.subjects == ("p7",)
    row = everyone.subjects.index("p7")
    assert one.counted[0].tolist() == everyone.counted[row].tolist()


def test_who_may_not_be_profiled_is_not_counted(sqlite_database, lake):
    with sqlite_database.write() as write:
        for subject, state in (("p1", "denied"), ("p2", "denied"), ("p2", "granted")):
            consent.append(
                write, subject=subject, purpose=Purpose.PROFILING, state=state, reason="", source="", actor="", at=NOW
            )
    people, _ = people_of(sqlite_database, lake, now=NOW)
    assert "p1" not in people.subjects
    assert "p2" in people.subjects
    with sqlite_database.write() as write:
        revisions.publish(write, Snapshot(revision=0, at=NOW, installation=Installation(events=standard_events())))
    assert people_of(sqlite_database, lake, now=NOW)[0].subjects == ("p2",)


def test_a_census_is_kept_by_the_hour(sqlite_database, lake):
    for at in (NOW, NOW + MINUTE, NOW + 2 * HOUR):
        with sqlite_database.write() as write:
            sizes.save(write, take_census(sqlite_database, lake, lake.root.parent, now=at))
    with sqlite_database.read() as read:
        latest = sizes.latest(read)
        history = sizes.history(read, start=0, end=2**62)
    assert latest == take_census(sqlite_database, lake, lake.root.parent, now=NOW + 2 * HOUR)
    assert latest.people == PEOPLE
    assert latest.origins == ("live",)
    assert [people for _, people in history[""]] == [PEOPLE, PEOPLE]
    with sqlite_database.write() as write:
        sizes.save(write, take_census(sqlite_database, lake, lake.root.parent, now=NOW + 100 * DAY))
    with sqlite_database.read() as read:
        assert len(sizes.history(read, start=0, end=2**62)[""]) == 1


def test_nobody_is_an_empty_census(sqlite_database, home):
    with sqlite_database.read() as read:
        assert sizes.latest(read) is None
    census = take_census(sqlite_database, Lake(home / "lake"), home, now=NOW)
    assert census.people == 0
    assert all(each.people == 0 and each.confidence is None for each in census.segments)


def test_a_segment_that_clicks_less_is_told_and_an_equal_one_is_not(sqlite_database, lake):
    people, _ = people_of(sqlite_database, lake, now=NOW)
    rng = np.random.Generator(np.random.PCG64(1))
    many = 400
    crowd = replace(
        people,
        subjects=tuple(f"q{number}" for number in range(many)),
        counted=np.zeros((many, people.counted.shape[1])),
        shown=np.full(many, 20.0),
        clicked=rng.binomial(20, np.where(np.arange(many) < 200, 0.05, 0.2)).astype(float),
    )
    seldom, any_half = np.zeros(many), np.zeros(many)
    seldom[:200], any_half[::2] = 0.9, 1.0
    alike, lazy = counts(crowd, {"alike": any_half, "lazy": seldom})
    assert lazy.high is not None
    assert lazy.high < 0.0
    assert lazy.confidence == pytest.approx(0.9)
    assert alike.low is not None
    assert alike.low < 0.0 < alike.high
