"""What counts as shown and as clicked, and what a live decision's record teaches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import delete

from collectors.cells import rebuild
from scoring_core.features.interests import item_vector
from scoring_core.features.table import FeatureTable
from scoring_core.learning.datasets import describe_features, feature_table, load_examples
from scoring_core.learning.outcomes import SHOWN, parameters
from scoring_core.shelf import build_shelf, no_statistics
from storage import catalogue, cells
from storage.records.clock import DAY, HOUR, SECOND
from storage.records.decisions import Decision
from storage.records.events import Event
from storage.records.subjects import COUNTERS, INTEREST_DTYPE, RECENT_DTYPE, UserState
from storage.tables.observed import CellRow, LakeFileRow
from tests.worlds import START, items, lake_at

NOW = START + 30 * DAY


def decision(key: str, shown: tuple[str, ...], **changes) -> Decision:
    values = {
        "decision_id": key,
        "at": START,
        "replica": "r1",
        "subject": "p",
        "session": None,
        "sequence": 0,
        "surface": "home",
        "campaign": "men",
        "slots": len(shown),
        "revision": 1,
        "consent_epoch": 0,
        "policy": "home",
        "version": 1,
        "bucket": 0.1,
        "served_by": "model",
        "reason": "",
        "items": shown,
        "propensity": tuple(0.5 for _ in shown),
    }
    return Decision(**(values | changes))


def event(kind: str, key: str, item: str, after_us: int, **changes) -> Event:
    at = START + after_us
    values = {"event_id": f"{kind}{key}{item}{after_us}", "type": kind, "at": at, "received_at": at}
    return Event(**(values | {"item": item, "decision_id": key} | changes))


@pytest.fixture
def tell(sqlite_database, home):
    lake = lake_at(home)

    def told(decisions, events):
        with sqlite_database.write() as write:
            catalogue.upsert(write, items(), now=START)
            for kind, records in (("decisions", decisions), ("events", events)):
                if records:
                    staged = lake.stage(
                        kind, replica="r1", log="l", from_seq=1, to_seq=len(records), origin="live", records=records
                    )
                    lake.register(write, staged, now=START)
        return sqlite_database, lake

    return told


def shown(told, **options) -> list[tuple]:
    database, lake = told
    bound = parameters(**({"now": NOW, "origins": ("live",)} | options))
    with database.read() as read, lake.connect(read) as duck:
        return duck.execute(
            SHOWN + "SELECT decision_id, item, slot, position, clicked FROM shown ORDER BY ALL", bound
        ).fetchall()


def test_only_reported_slots_were_shown_and_a_click_counts_once(tell):
    told = tell(
        [decision("d", ("i0", "i1", "i2"))],
        [
            event("impression", "d", "i0", 0),
            event("impression", "d", "i1", 0),
            event("click", "d", "i1", SECOND),
            event("click", "d", "i1", 2 * SECOND),
            event("click", "d", "i2", SECOND),
        ],
    )
    assert shown(told) == [("d", "i0", 1, 1, False), ("d", "i1", 2, 2, True)]


def test_a_click_before_the_impression_or_after_the_window_does_not_count(tell):
    told = tell(
        [decision(key, ("i0",)) for key in ("early", "last", "late")],
        [
            event("impression", "early", "i0", 10 * SECOND),
            event("click", "early", "i0", 9 * SECOND),
            event("impression", "last", "i0", HOUR),
            event("click", "last", "i0", 25 * HOUR),
            event("impression", "late", "i0", HOUR),
            event("click", "late", "i0", 25 * HOUR + 1),
        ],
    )
    assert [row[-1] for row in shown(told)] == [False, True, False]


def test_where_the_policy_assumes_it_a_decision_is_an_impression(tell):
    told = tell([decision("d", ("i3",), assume_impression=True, positions=(7,))], [event("click", "d", "i3", SECOND)])
    assert shown(told) == [("d", "i3", 1, 7, True)]


def test_an_assumed_impression_stands_at_its_decision_whatever_is_reported_later(tell):
    told = tell(
        [decision("d", ("i3",), assume_impression=True)],
        [event("impression", "d", "i3", HOUR), event("click", "d", "i3", 24 * HOUR + 1)],
    )
    assert shown(told) == [("d", "i3", 1, 1, False)]


def test_an_impression_reported_after_seven_days_is_none(tell):
    told = tell(
        [decision(key, ("i0",)) for key in ("in time", "late")],
        [event("impression", "in time", "i0", 7 * DAY), event("impression", "late", "i0", 7 * DAY + 1)],
    )
    assert [row[0] for row in shown(told)] == ["in time"]


def test_what_came_twice_counts_once_and_a_simulated_event_makes_all_simulated(tell):
    twice = event("impression", "d", "i0", 0)
    again = event("impression", "d", "i0", SECOND, event_id=twice.event_id)
    made = event("click", "s", "i1", SECOND, origin="simulated")
    told = tell(
        [decision("d", ("i0",)), decision("d", ("i0",)), decision("s", ("i1",))],
        [twice, again, event("impression", "s", "i1", 0), made],
    )
    assert shown(told) == [("d", "i0", 1, 1, False)]
    assert shown(told, origins=("simulated",)) == [("s", "i1", 1, 1, True)]


STEP = st.tuples(
    st.sampled_from(["impression", "impression", "click", "purchase"]),
    st.integers(0, 3),
    st.sampled_from(["i0", "i1", "i9"]),
    st.sampled_from([-SECOND, 0, 1, HOUR, DAY, DAY + 1, 2 * DAY, 7 * DAY, 7 * DAY + 1]),
    st.sampled_from(["live", "live", "live", "simulated"]),
    st.integers(0, 12),
)


@settings(max_examples=15)
@given(st.lists(STEP, max_size=25))
def test_learning_and_heatmaps_count_the_same(sqlite_database, home, steps):
    with sqlite_database.write() as write:
        for row in (CellRow, LakeFileRow):
            write.execute(delete(row))
    made = [
        decision(str(number), ("i0", "i1"), assume_impression=number == 3, campaign=(None, "men")[number % 2])
        for number in range(4)
    ]
    events = [
        event(kind, str(number), item, after, origin=origin, event_id=f"e{place}")
        for kind, number, item, after, origin, place in steps
    ]
    lake = lake_at(home)
    with sqlite_database.write() as write:
        for kind, records in (("decisions", made), ("events", events)):
            if records:
                options = {"replica": "r1", "log": "l", "from_seq": 1, "to_seq": len(records), "origin": "live"}
                lake.register(write, lake.stage(kind, records=records, **options), now=START)
    rebuild(sqlite_database, lake, start=START - DAY, end=NOW, now=NOW)
    for origin in ("live", "simulated"):
        found = shown((sqlite_database, lake), origins=(origin,))
        with sqlite_database.read() as read:
            (*counted,) = cells.totals(read, start=0, end=NOW, origins=(origin,), by=())
        sums = [(cell.impressions, cell.clicks) for cell in counted] or [(0, 0)]
        assert sums == [(len(found), sum(row[-1] for row in found))]


def test_another_outcome_another_origin_and_an_open_window(tell):
    told = tell([decision("d", ("i0",))], [event("impression", "d", "i0", 0), event("conversion", "d", "i0", 1)])
    assert shown(told, outcome="conversion") == [("d", "i0", 1, 1, True)]
    assert shown(told, origins=("imported",)) == []
    assert shown(told, now=START + 24 * HOUR) == []


def test_what_a_record_says_of_a_person_is_what_the_engine_had_before_it(tell):
    shelf = build_shelf(catalogue_of(tell))
    person = UserState(vector=(item_vector(items()[3]) * 2).tobytes(), updated_at=START, events=4)
    known = decision("known", ("i3", "i4"), user_vector=person.vector, user_events=4, context={"town": "Ulm"})
    database, lake = tell(
        [known, decision("unknown", ("i5",))],
        [event("impression", key, item, 0) for key, item in (("known", "i3"), ("known", "i4"), ("unknown", "i5"))],
    )
    found = load_examples(database, lake, shelf=shelf, now=NOW, origins=("live",))
    features, categories = describe_features(found, shelf)
    assert {"user.affinity", "user.events", "user.31", "context.town"} <= set(features)
    engine = FeatureTable(features, shelf, categories=categories)
    expected = np.vstack(
        [
            engine.rows(np.array([3, 4]), {"town": "Ulm"}, person, no_statistics(shelf)),
            engine.rows(np.array([5]), {}, None, no_statistics(shelf)),
        ]
    )
    np.testing.assert_array_equal(feature_table(found, features, categories=categories, shelf=shelf), expected)
    assert feature_table(found, features, categories=categories, shelf=shelf)[0, features.index("user.events")] == 4
    assert found.weight.tolist() == [2.0, 2.0, 2.0]


class Near:
    """A retriever that knows how many items a person touched."""

    name, version, digest = "near", "v1", ""

    def affinity(self, user, ordinals):
        return ordinals + 100.0 * len(user.recent)


def test_a_decision_written_twice_teaches_once_and_what_its_first_record_says(tell):
    known = {"context": {"device": "first"}, "assume_impression": True}
    told = tell(
        [
            decision("b", ("i0", "i1"), at=START + SECOND),
            decision("d", ("i0", "i1", "i0"), **known),
            decision("d", ("i0", "i1", "i0"), **(known | {"context": {"device": "second"}})),
        ],
        [event("impression", "b", "i1", 0), event("click", "d", "i1", SECOND)],
    )
    shelf = build_shelf(catalogue_of(tell))
    found = load_examples(*told, shelf=shelf, now=NOW, origins=("live",))
    assert found.at.tolist() == [START, START, START + SECOND]
    assert found.ordinal.tolist() == [shelf.ordinals[item] for item in ("i0", "i1", "i1")]
    assert found.clicked.tolist() == [False, True, False]
    assert found.decision.tolist() == [0, 0, 1]
    assert [dict(found.contexts[place]) for place in found.inputs] == [{"device": "first"}] * 2 + [{}]


def test_everything_recorded_of_a_person_is_in_the_features_again(tell):
    shelf = build_shelf(catalogue_of(tell))
    state = {
        "counts": bytes(4 * len(COUNTERS)),
        "recent": np.array([(3, 2, START // SECOND)], RECENT_DTYPE).tobytes(),
        "interests": np.array([(7, 1.0, 0.5, 0, 1, 1)], INTEREST_DTYPE).tobytes(),
        "first_at": START,
        "attributes": {"size": "m"},
    }
    person = UserState(vector=item_vector(items()[3]).tobytes(), updated_at=START, events=4, **state)
    recorded = {f"user_{name}": value for name, value in state.items()}
    about = {"user_vector": person.vector, "user_events": 4, "plugins": {"p.x": 2.5}, **recorded}
    database, lake = tell(
        [
            decision("a", ("i3",), retrievers={"near": "v1"}, **about),
            decision("b", ("i4",), retrievers={"near": "v0"}, **about),
        ],
        [event("impression", "a", "i3", 0), event("impression", "b", "i4", 0)],
    )
    found = load_examples(database, lake, shelf=shelf, now=NOW, origins=("live",))
    assert found.users == (person, person)
    assert found.subject.tolist() == ["p", "p"]
    assert found.trusted({"p": 0.25}).weight.tolist() == [0.5, 0.5]
    features, categories = describe_features(found, shelf)
    assert {"model.near", "plugin.p.x", "profile.size", "user.seen", "user.clicks"} <= set(features)
    kept = {("near", "v1"): Near()}
    table = feature_table(found, features, categories=categories, shelf=shelf, kept=lambda *which: kept.get(which))
    np.testing.assert_array_equal(table[:, features.index("model.near")], [3.0 + 100.0 * RECENT_DTYPE.itemsize, np.nan])
    np.testing.assert_array_equal(table[:, features.index("plugin.p.x")], [2.5, 2.5])


def catalogue_of(tell):
    database, _ = tell([], [])
    with database.read() as read:
        return catalogue.load(read)
