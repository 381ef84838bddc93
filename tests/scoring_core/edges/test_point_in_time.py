"""The served feature matrix, rebuilt from the log alone: byte for byte what the engine scored, for training too."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from collectors.client import Client
from collectors.journal import poll_journal
from collectors.targets import targets
from scoring_core.features.past import completed
from scoring_core.features.profile import PARTS, settled
from scoring_core.features.table import FeatureTable
from scoring_core.inputs import DIGEST_BYTES, matrix_sum
from scoring_core.learning.datasets import describe_features, feature_table, load_examples
from scoring_core.learning.pasts import past_states
from scoring_core.learning.stream import describe_stream
from scoring_core.learning.unfolding import Unfolding
from scoring_core.record import user_of
from scoring_core.shelf import build_shelf, no_statistics
from storage import catalogue
from storage.lake import Lake
from storage.records import clock
from storage.records.clock import DAY
from storage.records.consent import Purpose
from storage.records.decisions import CANDIDATE_DTYPE, Decision
from storage.records.policies import ConfidenceRule
from tests.scoring_core.edges import test_ranker as ranker
from tests.scoring_core.edges.known_people import WITH_PEOPLE, meet
from tests.scoring_core.edges.running import Installed, Running, install, running

FEATURES = (
    *("item.price", "item.colour", "context.age", "user.affinity", "user.3", "user.17", "user.norm", "user.events"),
    *("user.clicks", "user.purchases", "user.spend", "user.sessions", "user.mobile", "user.age_days"),
    *("user.recency_h", "user.preference", "user.seen", "profile.age", "profile.sizes"),
)
CATEGORIES = {"item.colour": ("red", "blue"), "profile.sizes": ("M", "M|S", "S")}
PEOPLE = [f"person-{n}" for n in range(6)]


@dataclass
class Past:
    """A home whose engine has stopped, its lake, and the matrix of each decision as the engine scored it."""

    installed: Installed
    lake: Lake
    served: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranker, "FEATURES", FEATURES)
        patch.setattr(ranker, "CATEGORIES", CATEGORIES)
        made = install(tmp_path_factory.mktemp("past"))
        ranker.add_model(made, "1", seed=1)
        served: list[np.ndarray] = []
        rows = FeatureTable.rows

        def seen(self: FeatureTable, *arguments: Any, **more: Any) -> Any:
            table = rows(self, *arguments, **more)
            served.append(table.copy())
            return table

        patch.setattr(FeatureTable, "rows", seen)
        policies = {
            "home": ranker.policy(1, confidence=ConfidenceRule(when_uncalibrated="model"), assume_impression=True)
        }
        made.publish(WITH_PEOPLE, policies=policies, models={"ranker": "1"})
        with running(made, lease_s=60.0) as engine:
            served.clear()
            decided = live_through(engine, served)
            engine.written()
            lake = Lake(made.home / "lake")
            with made.database.read() as read:
                (target,) = targets(read, now=clock.now())
            while poll_journal(made.database, lake, target, Client(engine.token), now=clock.now).more:
                pass
    yield Past(made, lake, decided)
    made.database.close()


def live_through(engine: Running, served: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Let people act, state, log in, opt out, and be served in between; return each decision's matrix."""
    rng = np.random.default_rng(3)
    kinds = ["click", "view", "purchase", "like", "skip", "wishlist", "impression", "rating"]
    decided: dict[str, np.ndarray] = {}
    for who in PEOPLE:
        meet(engine, who)
    for number in range(120):
        who = PEOPLE[int(rng.integers(len(PEOPLE)))]
        events = [
            {
                "type": kinds[int(rng.integers(len(kinds)))],
                "subject": who,
                "item": f"item-{int(rng.integers(14))}",
                "session": f"{who}-{number // 30}",
                "value": float(rng.integers(1, 6)),
                "at": clock.now() - int(rng.integers(3)) * 3_600_000_000,
                "properties": {"device": ("mobile", "desktop")[int(rng.integers(2))]},
            }
            for _ in range(int(rng.integers(1, 5)))
        ]
        assert engine.client.post("/v1/events", json=events).status_code == 202
        if number % 9 == 4:
            stated = {"attributes": {"age": number, "sizes": ["S", "M"]}, "interests": {"colour=red": -0.5}}
            put = engine.client.put("/v1/user/profile/preferences", json={"subject": who, **stated})
            assert put.status_code == 200
        if number % 25 == 20:
            pair = {"visitor": who, "account": PEOPLE[0]}
            assert engine.client.post("/v1/user/identify", json=pair).status_code == 200
        if number == 60:
            engine.installed.say(PEOPLE[5], "denied", Purpose.PROFILING)
            engine.until(lambda: len(engine.replica.follower.consent) == 1)
        served.clear()
        answer = engine.decide(subject=who, slots=5, context={"age": 30})
        (decided[answer["decision_id"]],) = served
    return decided


def records(past: Past) -> dict[str, Decision]:
    with past.installed.database.read() as read:
        found = past.lake.decisions(read, start=0, end=2**62, limit=1_000)
    return {record.decision_id: record for record in found}


def test_every_served_matrix_is_rebuilt_from_the_log_byte_for_byte(past: Past) -> None:
    database = past.installed.database
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    states = dict(past_states(database, past.lake, shelf=shelf))
    table, rebuilt, kept = FeatureTable(FEATURES, shelf, categories=CATEGORIES), 0, records(past)
    assert kept.keys() == past.served.keys()
    assert states.keys() == {name for name, record in kept.items() if record.user_vector is not None}
    for name, record in kept.items():
        if record.subject is None or (record.consent or {}).get("profiling") is not True:
            continue
        user = settled(states.get(name), record.at, reads=frozenset(PARTS))
        ordinals = np.frombuffer(record.candidates, CANDIDATE_DTYPE).astype(np.int64)
        matrix = table.rows(ordinals, record.context, user, no_statistics(shelf), now=record.at)
        assert matrix.tobytes() == past.served[name].tobytes(), name
        assert matrix_sum(matrix).to_bytes(8, "little") == record.input_digest[DIGEST_BYTES:]
        rebuilt += 1
    assert rebuilt > 100


def test_training_sees_the_very_rows_that_were_served(past: Past) -> None:
    database, kept = past.installed.database, records(past)
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    found = load_examples(database, past.lake, shelf=shelf, now=clock.now() + 2 * DAY, origins=("live",))
    table = feature_table(found, FEATURES, categories=CATEGORIES, shelf=shelf)
    names = sorted(kept)
    assert len(found) == sum(len(record.items) for record in kept.values()) > 0
    for row, place, ordinal in zip(table, found.decision.tolist(), found.ordinal.tolist(), strict=True):
        record = kept[names[place]]
        at = np.frombuffer(record.candidates, CANDIDATE_DTYPE).tolist().index(ordinal)
        assert row.tobytes() == past.served[names[place]][at].tobytes()


def test_what_decisions_did_not_read_is_completed_from_their_own_past_alone(past: Past) -> None:
    database, kept = past.installed.database, records(past)
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    states = dict(past_states(database, past.lake, shelf=shelf))
    completions = 0
    for name, record in kept.items():
        user = user_of(record)
        if user is None or (record.consent or {}).get("profiling") is not True:
            continue
        bare = replace(user, counts=b"", recent=b"", interests=b"", first_at=0, attributes={})
        assert completed(bare, states[name]) == replace(user, half_life_s=bare.half_life_s)
        stranger = replace(bare, vector=bytes(len(bare.vector) - 1) + b"\x40")
        assert completed(stranger, states[name]) == stranger
        completions += 1
    assert completions > 100


def test_training_by_the_disk_is_told_the_same_span_by_span(past: Past) -> None:
    database, kept = past.installed.database, records(past)
    with database.read() as read:
        shelf = build_shelf(catalogue.load(read))
    whole = dict(past_states(database, past.lake, shelf=shelf))
    moments = sorted(kept[name].at for name in whole)
    told = Unfolding(database, past.lake, shelf=shelf)
    parts = [(end, told.until(end)) for end in (moments[len(moments) // 3], moments[len(moments) // 2], 2**62)]
    assert [len(part) > 0 for _, part in parts] == [True] * 3
    assert all(kept[name].at < end for end, part in parts for name in part)
    assert {name: state for _, part in parts for name, state in part.items()} == whole
    features, categories = describe_stream(database, past.lake, shelf=shelf, origins=("live",), end=2**62)
    found = load_examples(database, past.lake, shelf=shelf, now=clock.now() + 2 * DAY, origins=("live",), pasts=whole)
    assert (features, categories) == describe_features(found, shelf)
    assert {"user.clicks", "user.seen"} < set(features)
