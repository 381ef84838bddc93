"""The whole decision: what is served, in which order, with which record, and an answer to whatever is asked."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import wire
from storage.records.campaigns import Campaign
from storage.records.decisions import Decision
from storage.records.policies import Exploration, Source
from storage.records.rules import Rule
from tests.scoring_core.world import (
    ONE_SUBJECT,
    STRICT,
    LinearEnsemble,
    catalogue,
    decided,
    ensemble,
    greedy,
    policy,
    request,
    scores_of,
    statistics,
    trusting,
    world,
)


def test_the_model_serves_its_order_when_it_is_sure() -> None:
    record = decided(world(trusting()))
    best = np.argsort(-np.array(scores_of(record)), kind="stable")[:3]
    assert (record.served_by, record.reason) == ("model", "ok")
    assert np.frombuffer(record.ranking, "<u2").tolist() == best.tolist()
    assert record.items == tuple(f"i{place}" for place in best)
    assert (record.model, record.model_version, record.scorer) == ("ranker", "7", "gbdt")
    assert record.propensity == (1.0, 1.0, 1.0)
    assert record.reasons == (("model",),) * 3


def test_the_record_is_complete_and_survives_the_wire() -> None:
    record = decided(world())
    assert wire.decode(Decision, wire.encode(record)) == record
    assert record.subject == ONE_SUBJECT
    assert (record.revision, record.consent_epoch, record.catalogue, record.item_feature_epoch) == (11, 3, 4, 9)
    assert record.consent == {"tracking": True, "personalization": True, "profiling": True}
    assert len(record.candidates) == 4 * 8
    assert len(record.input_digest) == 24
    assert record.user_vector is not None
    assert len(record.user_vector) == 256
    assert (record.rng_seed, record.replica) == (42, "engine-1")
    assert record.runtime


def test_a_record_of_100_candidates_is_small() -> None:
    live = world(stock=catalogue(200), items=statistics(200))
    record = decided(live, request(candidates=tuple(f"i{number}" for number in range(100))))
    arrays = len(record.candidates) + len(record.scores) + len(record.ranking) + len(record.user_vector or b"")
    assert arrays == 400 + 800 + 6 + 256


def test_the_same_inputs_give_the_same_record() -> None:
    live = world()
    assert decided(live) == decided(live)


def test_a_caller_who_names_candidates_gets_an_order_of_these() -> None:
    record = decided(world(trusting()), request(candidates=("i7", "nobody", "i3", "i7"), slots=9))
    assert set(record.items) == {"i7", "i3"}
    assert np.frombuffer(record.candidates, "<u4").tolist() == [7, 3]
    assert record.caller_candidates


def test_without_candidates_the_sources_bring_theirs() -> None:
    sources = (Source(name="popular", quota=2), Source(name="catalogue", quota=3))
    record = decided(world(trusting(sources=sources)), request(candidates=None))
    best = np.argsort(-statistics().values[:, 2])[:2].tolist()
    expected = list(dict.fromkeys([*best, 0, 1, 2]))
    assert np.frombuffer(record.candidates, "<u4").tolist() == expected
    assert not record.caller_candidates


def test_filters_and_the_campaigns_items_hold() -> None:
    campaigns = {
        "c": Campaign(key="c", name="C", surfaces=("home",), status="running", item_filter={"tags": {"$in": ["new"]}})
    }
    live = world(trusting(filters={"kind": "book"}), campaigns=campaigns)
    assert set(decided(live, request(campaign="c", slots=9)).items) == {"i0", "i6"}
    record = decided(live, request(campaign="c", slots=9))
    assert [value == value for value in scores_of(record)] == [True, *[False] * 5, True, False]
    everything = decided(live, request(campaign="c", slots=9, candidates=None))
    assert set(everything.items) == {"i0", "i6"}
    refused = decided(live, request(campaign="c", slots=9, subject=None))
    assert refused.items == ("i0", "i3", "i6")


def test_rules_pin_boost_and_exclude() -> None:
    rules = (
        Rule(key="top", action="pin", items={"item_id": "i6"}, slot=2),
        Rule(key="books", action="exclude", items={"kind": "shoe"}, priority=5),
        Rule(key="lift", action="boost", items={"item_id": "i4"}, factor=1e9),
        Rule(key="never", action="exclude", when={"mood": "wild"}),
    )
    record = decided(world(trusting(rules=rules)))
    assert record.items[:2] == ("i4", "i6")
    assert record.rules == ("books:exclude", "lift:boost", "top:pin")
    assert record.reasons[:2] == (("model", "rule:lift"), ("pinned", "rule:top"))
    assert record.propensity[1] == 1.0
    assert all(int(item[1:]) % 2 == 0 for item in record.items)


def test_a_slate_of_pins_is_served_by_rules() -> None:
    rules = tuple(Rule(key=f"p{n}", action="pin", items={"item_id": f"i{n}"}, slot=n + 1) for n in range(3))
    record = decided(world(policy(rules=rules)))
    assert (record.served_by, record.items, record.propensity) == ("rules", ("i0", "i1", "i2"), (1.0, 1.0, 1.0))


def test_rules_that_exclude_everything_leave_an_empty_answer() -> None:
    record = decided(world(policy(rules=(Rule(key="all", action="exclude"),))))
    assert (record.served_by, record.reason, record.items) == ("default", "no_candidates", ())


def test_exploration_reaches_the_fallback_too_and_is_recorded() -> None:
    document = policy(confidence=STRICT, exploration=Exploration(epsilon=0.6))
    live = world(document)
    explored = [decided(live, seed=seed) for seed in range(40)]
    assert {record.served_by for record in explored} == {"fallback"}
    assert len({record.items for record in explored}) > 5
    assert any("explored" in reasons for record in explored for reasons in record.reasons)
    first = decided(greedy(live)).items[0]
    for record in explored:
        assert record.propensity[0] == pytest.approx(0.4 * (record.items[0] == first) + 0.6 / 8)


@given(
    candidates=st.none() | st.lists(st.sampled_from([f"i{n}" for n in range(14)] + ["", "x"]), max_size=20).map(tuple),
    slots=st.integers(1, 30),
    context=st.dictionaries(
        st.sampled_from(["mood", "age", "odd"]),
        st.text(max_size=4) | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False),
        max_size=3,
    ),
    subject=st.none() | st.text(max_size=8),
    known=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
def test_whatever_is_asked_gets_an_answer(
    candidates: Any, slots: int, context: Any, subject: Any, known: bool, seed: int
) -> None:
    asked = request(candidates=candidates, slots=slots, context=context, subject=subject)
    record = decided(ANY_WORLD, asked, seed=seed, known=known)
    assert len(record.items) == len(set(record.items)) == len(record.propensity) == len(record.reasons) <= slots
    ordinals = np.frombuffer(record.candidates, "<u4")[np.frombuffer(record.ranking, "<u2")]
    assert tuple(f"i{ordinal}" for ordinal in ordinals) == record.items
    assert all(0.0 < chance <= 1.0 for chance in record.propensity)
    if candidates is not None:
        assert set(record.items) <= set(candidates)
    assert (record.subject is None) == (not subject)


ANY_WORLD = world(policy(rules=(Rule(key="p", action="pin", items={"kind": "shoe"}, slot=2),)), scorer=ensemble())


def test_a_single_weight_matters() -> None:
    base = ensemble()
    changed = base.weights.copy()
    changed[0, 0] = np.nextafter(changed[0, 0], np.inf)
    assert decided(world(trusting(), scorer=base)).input_digest != (
        decided(world(trusting(), scorer=LinearEnsemble(changed))).input_digest
    )
