"""The whole decision: what is served, why, and that it never ends in an error for want of data."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.experiments.hashing import bucket
from scoring_core.live import ItemFeatures
from scoring_core.scorers.protocol import Floats, Scores
from storage.records import wire
from storage.records.campaigns import Campaign
from storage.records.decisions import Decision
from storage.records.items import Catalogue, Item
from storage.records.models import Calibration
from storage.records.policies import (
    ConfidenceRule,
    Exploration,
    KillSwitch,
    Policy,
    PolicyState,
    Rollout,
    ScorerChoice,
    Source,
)
from storage.records.rules import Rule
from tests.scoring_core.world import (
    NOW,
    Consent,
    LinearEnsemble,
    catalogue,
    decided,
    ensemble,
    greedy,
    policy,
    request,
    statistics,
    world,
)

CERTAIN = Exploration(epsilon=0.0)
TRUSTING = ConfidenceRule(threshold=0.0)
STRICT = ConfidenceRule(threshold=1.0)
UNCALIBRATED = Calibration(outcomes_missing=900)
ONE_SUBJECT = "5f" * 16


def trusting(**changes: Any) -> Policy:
    return policy(confidence=TRUSTING, exploration=CERTAIN, **changes)


def strict(**changes: Any) -> Policy:
    return policy(confidence=STRICT, exploration=CERTAIN, **changes)


class Broken:
    """A scorer that fails."""

    name, version, digest = "broken", "1", "00"
    features: tuple[str, ...] = ("item.price",)

    def __init__(self, answer: Floats | None = None) -> None:
        self.answer = answer

    def score(self, table: Floats) -> Scores:
        if self.answer is None:
            raise RuntimeError("a model that cannot")
        return Scores(self.answer[: len(table)], np.empty((len(table), 0)))


def scores_of(record: Decision) -> list[float]:
    return np.frombuffer(record.scores, "<f8").tolist()


# the model


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


# confidence


def test_low_confidence_falls_back() -> None:
    record = decided(world(strict()))
    assert (record.served_by, record.reason) == ("fallback", "low_confidence")
    assert record.confidence is not None
    assert record.confidence < 1.0
    popularity = statistics().values[:8, 2]
    assert record.items[0] == f"i{int(np.argmax(popularity))}"
    assert record.reasons[0] == ("popular",)
    assert len(scores_of(record)) == 8


def test_raw_is_the_share_of_members_and_confidence_its_isotonic_value() -> None:
    live = world(strict())
    record = decided(live)
    assert record.confidence_raw is not None
    assert record.confidence == pytest.approx(np.interp(record.confidence_raw, (0, 0.5, 1), (0.1, 0.5, 0.95)))
    assert (record.confidence_raw * 20) == pytest.approx(round(record.confidence_raw * 20))


def test_agreement_serves_the_model_without_a_confidence() -> None:
    live = world(strict())
    top = int(np.argmax(scores_of(decided(live))))
    values = statistics().values.copy()
    values[top, 2] = 99.0
    record = decided(world(strict(), items=ItemFeatures(epoch=9, values=values)))
    assert record.served_by == "model"
    assert (record.confidence_raw, record.confidence, record.confidence_reason) == (None, None, "agree")


@pytest.mark.parametrize(("then", "served_by"), [("fallback", "fallback"), ("model", "model")])
def test_without_calibration_the_policy_decides(then: Any, served_by: str) -> None:
    document = policy(confidence=ConfidenceRule(threshold=0.0, when_uncalibrated=then))
    record = decided(world(document, calibration=UNCALIBRATED))
    assert record.served_by == served_by
    assert record.confidence is None
    assert record.confidence_raw is not None
    assert record.confidence_reason == "uncalibrated"
    assert record.reason == ("ok" if then == "model" else "uncalibrated")


def test_a_scorer_that_is_no_ensemble_has_no_confidence_and_serves() -> None:
    record = decided(world(replace(strict(), scorer=ScorerChoice(name="popular"))))
    assert (record.served_by, record.reason, record.confidence_reason) == ("model", "ok", "no_ensemble")
    assert (record.model, record.scorer) == (None, "popular")
    assert record.reasons[0] == ("popular",)


# fallback


@pytest.mark.parametrize(
    "scorer", [Broken(), Broken(np.full(99, np.nan)), Broken(np.zeros(2))], ids=["raises", "nan", "short"]
)
def test_a_failing_scorer_is_a_counted_reason_not_an_error(scorer: Broken) -> None:
    record = decided(world(trusting(), scorer=scorer))
    assert (record.served_by, record.reason) == ("fallback", "scorer_failed")
    assert len(record.items) == 3


def test_a_model_that_is_not_in_service_falls_back() -> None:
    record = decided(world(replace(trusting(), scorer=ScorerChoice(name="gbdt", parameters={"model": "absent"}))))
    assert (record.served_by, record.reason, record.model, record.model_version) == (
        "fallback",
        "model_missing",
        "absent",
        None,
    )


def test_the_ladder_takes_the_first_rung_that_can_speak() -> None:
    best = {"home/": ("i5", "gone", "i2")}
    assert decided(world(strict(), best_variants=best)).items[:2] == ("i5", "i2")
    assert decided(world(strict(), best_variants=best)).reasons[0] == ("best_variant",)
    blind = ItemFeatures(epoch=9, values=np.zeros((12, 5)))
    record = decided(world(strict(), items=blind))
    assert record.items == ("i0", "i1", "i2")
    assert record.reasons[0] == ("caller",)
    popular_first = strict(fallback=("popular", "best_variant"))
    assert decided(world(popular_first, best_variants=best)).reasons[0] == ("popular",)
    assert decided(world(strict(fallback=()))).items == ("i0", "i1", "i2")


def test_the_best_variant_is_the_campaigns_own() -> None:
    campaigns = {"c": Campaign(key="c", name="C", surfaces=("home",), status="running")}
    best = {"home/": ("i5",), "home/c": ("i6",)}
    record = decided(world(strict(), campaigns=campaigns, best_variants=best), request(campaign="c"))
    assert record.items[0] == "i6"


# default experience


@pytest.mark.parametrize(
    ("live", "changes", "reason"),
    [
        (world(kill_switch=KillSwitch(on=True, since=1, reason="drill")), {}, "kill_switch"),
        (world(consent=Consent(lease=False)), {}, "consent_stale"),
        (world(consent=Consent(denied=frozenset({ONE_SUBJECT}))), {}, "no_consent"),
        (world(), {"subject": None}, "anonymous"),
        (world(), {"gpc": True}, "gpc"),
    ],
    ids=["killed", "stale", "denied", "anonymous", "gpc"],
)
def test_who_is_refused_gets_the_callers_order_and_leaves_no_trace(
    live: Any, changes: dict[str, Any], reason: str
) -> None:
    record = decided(live, request(**changes))
    assert (record.served_by, record.reason) == ("default", reason)
    assert record.items == ("i0", "i1", "i2")
    assert (record.subject, record.session, record.context) == (None, None, {})
    assert (record.user_vector, record.user_events, record.bucket, record.policy) == (None, None, None, None)
    assert record.arms == {}
    assert record.confidence is None
    assert record.propensity == (1.0, 1.0, 1.0)
    assert record.rng_seed == 0
    assert ONE_SUBJECT.encode() not in wire.encode(record)


def test_without_candidates_the_refused_get_what_is_popular() -> None:
    record = decided(world(consent=Consent(lease=False)), request(candidates=None, slots=2))
    best = np.argsort(-statistics().values[:, 2])[:2]
    assert record.items == tuple(f"i{ordinal}" for ordinal in best)


def test_hidden_and_sold_out_and_expired_items_are_never_shown() -> None:
    items = (
        Item(item_id="hidden", hidden=True),
        Item(item_id="sold", stock=0),
        Item(item_id="expired", expires_at=NOW - 1),
        Item(item_id="soon", expires_at=NOW + 1_000),
        Item(item_id="fine", stock=3),
    )
    stock = Catalogue(version=1, items=items)
    asked = request(candidates=tuple(item.item_id for item in items), slots=9)
    for consent in (Consent(), Consent(lease=False)):
        live = world(trusting(), stock=stock, consent=consent, items=statistics(5))
        assert set(decided(live, asked).items) == {"soon", "fine"}
        assert decided(live, asked, now=NOW + 2_000).items == ("fine",)
        assert set(decided(live, request(candidates=None, slots=9)).items) == {"soon", "fine"}


@pytest.mark.parametrize("consent", [Consent(), Consent(lease=False)])
@pytest.mark.parametrize("candidates", [(), ("unknown", "nobody")])
def test_nothing_to_show_is_an_empty_answer_with_a_reason(consent: Consent, candidates: tuple[str, ...]) -> None:
    record = decided(world(consent=consent), request(candidates=candidates))
    assert (record.served_by, record.reason, record.items, record.ranking) == ("default", "no_candidates", (), b"")


def test_an_empty_catalogue_is_an_empty_answer() -> None:
    empty = world(stock=Catalogue(version=0, items=()), items=statistics(0))
    for asked in (request(candidates=None), request(), request(subject=None, candidates=None)):
        assert decided(empty, asked).reason == "no_candidates"


def test_a_surface_without_a_policy_gets_the_default() -> None:
    record = decided(world(), request(surface="cellar"))
    assert (record.served_by, record.reason, record.items) == ("default", "no_policy", ("i0", "i1", "i2"))


# candidates and filters


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


# campaigns


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "draft"}, "campaign_draft"),
        ({"status": "paused"}, "campaign_paused"),
        ({"status": "ended"}, "campaign_ended"),
        ({"starts_at": NOW + 1}, "campaign_not_started"),
        ({"ends_at": NOW}, "campaign_ended"),
        ({"surfaces": ("cellar",)}, "campaign_elsewhere"),
        ({"eligibility": {"mood": "wild"}}, "ineligible"),
        ({"holdout": 1.0}, "holdout"),
    ],
)
def test_a_campaign_that_does_not_want_the_subject_gives_the_default(changes: dict[str, Any], reason: str) -> None:
    campaign = replace(Campaign(key="c", name="C", surfaces=("home",), status="running"), **changes)
    record = decided(world(campaigns={"c": campaign}), request(campaign="c"))
    assert (record.served_by, record.reason, record.campaign) == ("default", reason, "c")
    assert record.subject == ONE_SUBJECT


def test_a_running_campaign_serves() -> None:
    campaign = Campaign(
        key="c", name="C", surfaces=("home",), status="running", starts_at=NOW, ends_at=NOW + 1, holdout=1e-9
    )
    record = decided(world(trusting(), campaigns={"c": campaign}), request(campaign="c"))
    assert (record.served_by, record.campaign, record.arms) == ("model", "c", {"holdout": "treated"})


def test_an_unknown_campaign_is_no_error() -> None:
    assert decided(world(), request(campaign="nobody")).reason == "campaign_unknown"
    assert decided(world(), request(campaign="nobody", subject=None)).items == ("i0", "i1", "i2")


def test_the_holdout_is_its_share_and_stays() -> None:
    campaign = Campaign(key="c", name="C", surfaces=("home",), status="running", holdout=0.25)
    live = world(campaigns={"c": campaign})
    subjects = [f"subject-{number}" for number in range(800)]
    held = {each for each in subjects if decided(live, request(campaign="c", subject=each)).reason == "holdout"}
    assert abs(len(held) / 800 - 0.25) < 3 * (0.25 * 0.75 / 800) ** 0.5
    wider = world(campaigns={"c": replace(campaign, holdout=0.5)})
    assert all(decided(wider, request(campaign="c", subject=each)).reason == "holdout" for each in held)


# rollout


def rolled(percent: float, **changes: Any) -> Any:
    rollout = Rollout(version=2, percent=percent, seed="ramp-1", **changes)
    versions = {1: trusting(), 2: replace(trusting(), scorer=ScorerChoice(name="popular"))}
    state = PolicyState(key="home", surface="home", stable=1, rollout=rollout, versions=versions)
    return world(policies={"home": state})


@given(st.text(min_size=1, max_size=20), st.sampled_from([0.0, 1.0, 5.0, 25.0, 50.0, 100.0]))
def test_the_bucket_decides_the_version(subject: str, percent: float) -> None:
    record = decided(ROLLED[percent], request(subject=subject))
    point = bucket("ramp-1", subject)
    assert record.bucket == point
    assert point is not None
    assert record.version == (2 if point < percent / 100 else 1)


ROLLED = {percent: rolled(percent) for percent in (0.0, 1.0, 5.0, 25.0, 50.0, 100.0)}


def test_a_rollout_for_a_segment_leaves_the_others_alone() -> None:
    live = rolled(100.0, segment={"mood": "wild"})
    assert decided(live).version == 1
    assert decided(live, request(context={"mood": "wild"})).version == 2


def test_a_first_version_on_its_way_leaves_the_others_with_the_default() -> None:
    state = PolicyState(
        key="home",
        surface="home",
        rollout=Rollout(version=1, percent=0.0, seed="s"),
        versions={1: trusting()},
    )
    record = decided(world(policies={"home": state}))
    assert (record.served_by, record.reason) == ("default", "no_policy")


# rules


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


# exploration


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


# anything at all


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
