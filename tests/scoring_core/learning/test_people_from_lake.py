"""Models of people learned from the lake: registered, loaded as registered, compared on later time."""

import numpy as np
import pytest

from scoring_core.learning import churn, next_action, value
from scoring_core.learning.acts import load_acts
from scoring_core.learning.comparisons import Ground, compare_people
from scoring_core.learning.people import features_at, known_at
from scoring_core.models import load_model
from storage import registry, revisions
from storage.errors import Invalid, Unavailable
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.events import Event
from storage.records.policies import Installation, Snapshot
from storage.records.standard_events import standard_events

from .crowds import DAYS, START, crowd

NOW = START + DAYS * DAY
ORIGINS = ("live",)


@pytest.fixture
def lake(sqlite_database, home):
    """A lake with the events of a crowd, some of them twice, of another origin, nameless, or of being shown."""
    acts = crowd(400, seed=5)
    events = [
        Event(
            event_id=f"e{row}",
            type=acts.types[acts.type[row]],
            at=int(acts.at[row]),
            received_at=int(acts.at[row]),
            subject=f"s{acts.person[row]}",
            item=f"i{acts.item[row]}",
            value=float(acts.value[row]) or None,
        )
        for row in range(len(acts))
    ]
    at = START + DAY
    odd = [
        Event(event_id="shown", type="impression", at=at, received_at=at, subject="s0", item="i0"),
        Event(event_id="nobody", type="view", at=at, received_at=at, stored="aggregate"),
        Event(event_id="made-up", type="view", at=at, received_at=at, subject="s0", origin="simulated"),
        events[0],
    ]
    found = Lake(home / "lake")
    with sqlite_database.write() as write:
        revisions.publish(write, Snapshot(revision=0, at=START, installation=Installation(events=standard_events())))
        for place, (origin, records) in enumerate((("live", events), ("live", odd))):
            staged = found.stage(
                "events",
                replica="r",
                log=f"l{place}",
                from_seq=1,
                to_seq=len(records),
                origin=origin,
                records=records,
            )
            found.register(write, staged, now=START)
    return found


def test_each_act_once_and_of_who_may_be_known(sqlite_database, lake):
    acts, drawn = load_acts(sqlite_database, lake, now=NOW, origins=ORIGINS), crowd(400, seed=5)
    assert len(acts) == len(drawn)
    assert acts.types[acts.type[0]] in ("view", "purchase")
    assert np.isclose(acts.value.sum(), drawn.value.sum())
    assert not acts.value[~acts.committed].any()
    one = load_acts(sqlite_database, lake, now=NOW, origins=ORIGINS, subject="s0")
    assert one.subjects == ("s0",)
    assert not len(load_acts(sqlite_database, lake, now=START - 1, origins=ORIGINS))


@pytest.mark.parametrize(
    "train", [churn.train_churn, value.train_value, next_action.train_next_action], ids=lambda each: each.__name__
)
def test_a_registered_model_tells_what_it_told(sqlite_database, lake, home, train):
    model = train(sqlite_database, lake, home, now=NOW, seed=1, origins=ORIGINS)
    with sqlite_database.read() as read:
        (standing,) = registry.standings(read)
    assert standing.model.kind == "person"
    assert not standing.in_service
    assert model.evaluation["sentence"]
    assert model.lineage["held_out"]["to"] > model.lineage["trained"]["to"]
    loaded = load_model(model, home)
    assert loaded.horizon_days == model.parameters["horizon_days"]
    (home / model.path / "arrays.npz").write_bytes(b"torn")
    with pytest.raises(Unavailable, match="missing or damaged"):
        load_model(model, home)


def test_two_versions_are_compared_on_what_neither_saw(sqlite_database, lake, home):
    middle = START + (DAYS - 45) * DAY
    old, new = (
        churn.train_churn(sqlite_database, lake, home, now=middle + later, seed=1 + later, origins=ORIGINS)
        for later in (0, 1)
    )
    found = compare_people(Ground(database=sqlite_database, lake=lake, home=home, now=NOW), new, old)
    assert found.count == len(known_at(load_acts(sqlite_database, lake, now=NOW, origins=ORIGINS), middle))
    assert abs(found.difference) < 0.1
    with pytest.raises(Unavailable, match="not over"):
        compare_people(Ground(database=sqlite_database, lake=lake, home=home, now=middle - 5 * DAY), new, old)


def test_an_empty_lake_is_refused(sqlite_database, home):
    with sqlite_database.write() as write:
        revisions.publish(write, Snapshot(revision=0, at=START, installation=Installation(events=standard_events())))
    with pytest.raises(Invalid, match="0 people with acts"):
        churn.train_churn(sqlite_database, Lake(home / "lake"), home, now=NOW, seed=1, origins=ORIGINS)
    empty = load_acts(sqlite_database, Lake(home / "lake"), now=NOW, origins=ORIGINS)
    assert features_at(empty, NOW, known_at(empty, NOW)).shape[0] == 0
