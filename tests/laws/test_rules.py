"""What holds of any set of rules, whoever asks and whenever."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.adapt import adapt
from scoring_core.compile import compile_live
from scoring_core.gate import admit
from scoring_core.live import Facts, Live, Request
from scoring_core.replay import replay
from storage.records.decisions import Decision
from storage.records.policies import Exploration, Installation, Surface
from storage.records.rules import Rule, RuleArm
from tests.scoring_core.world import NOW, Consent, decided, policy, request, user, world

KEYS = tuple("abcdefgh")
WHEN = st.sampled_from(
    (
        {},
        {"mood": "calm"},
        {"mood": "wild"},
        {"age": {"$gt": 30}},
        {"user.clicks": {"$gte": 2}},
        {"time.hour": {"$lt": 24}},
        {"session.sequence": {"$gt": 90}},
        {"$not": {"user.events": {"$exists": True}}},
    )
)
NEVER = ({"mood": "wild"}, {"session.sequence": {"$gt": 90}})
ITEMS = st.sampled_from(({}, {"kind": "book"}, {"kind": "shoe"}, {"item_id": "i3"}, {"price": {"$gt": 3}}, {"no": 1}))
ARMS = st.sampled_from(
    (
        (),
        (RuleArm(key="off", share=0.5, off=True),),
        (RuleArm(key="off", share=0.3, off=True), RuleArm(key="strong", share=0.3, factor=4.0, slot=3)),
    )
)
APP = {"theme": "light", "compact": False, "level": 1}
ACTIONS = st.sampled_from(("pin", "boost", "exclude", "set"))


@st.composite
def rules(draw: Any, when: Any = WHEN) -> tuple[Rule, ...]:
    """Some rules, each with its own key."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=6))
    return tuple(
        Rule(
            key=key,
            action=draw(ACTIONS),
            priority=draw(st.integers(0, 1)),
            enabled=draw(st.sampled_from((True, True, True, False))),
            when=draw(when),
            items=draw(ITEMS),
            factor=draw(st.sampled_from((0.25, 1.0, 3.0))),
            slot=draw(st.integers(1, 4)),
            values=draw(st.sampled_from(({"theme": "dark"}, {"compact": True, "level": 2}, {"theme": 3, "gone": 1}))),
            group=draw(st.sampled_from(("", "", "g"))),
            arms=draw(ARMS),
            weekdays=draw(st.sampled_from(((), (0, 1, 2, 3, 4, 5, 6), (1,)))),
        )
        for key in keys
    )


def live_with(given: tuple[Rule, ...], **more: Any) -> Live:
    return world(
        policy(exploration=Exploration(epsilon=0.2)),
        rules={rule.key: rule for rule in given},
        installation=Installation(surfaces={"home": Surface(key="home")}, app=APP),
        **more,
    )


def made(live: Live, asked: Request | None = None) -> Decision:
    return decided(live, asked)


def configured(live: Live, asked: Request | None = None) -> Decision:
    asked = replace(asked or request(candidates=None), slots=0)
    return adapt(asked, Facts(user=user()), live, NOW, admission=admit(asked, live, NOW))


def again(record: Decision, live: Live) -> str:
    model = live.models["ranker"] if record.model_version is not None else None
    found = replay(record, snapshot=live.snapshot, model=model, shelf=live.shelf, items=live.items)
    return found.verdict if found.verdict == "exact" else f"{found.verdict} {found.stage} {found.reason}"


@given(rules(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_rules_are_written_means_nothing(given_rules: tuple[Rule, ...], random: Any) -> None:
    shuffled = list(given_rules)
    random.shuffle(shuffled)
    one, other = live_with(given_rules), live_with(tuple(shuffled))
    for decide_on in (made, configured):
        before, after = decide_on(one), decide_on(other)
        told = ("items", "propensity", "rules", "arms", "reasons", "settings")
        assert [getattr(before, name) for name in told] == [getattr(after, name) for name in told]


@given(rules(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_what_a_rule_that_applied_excludes_is_never_served(given_rules: tuple[Rule, ...], person: int) -> None:
    live = live_with(given_rules)
    record = made(live, request(subject=f"{person:032x}"))
    planned = live.plan.surfaces["home"].stable
    assert planned is not None
    for each in planned.rules:
        if f"{each.rule.key}:exclude" in record.rules:
            served = [live.shelf.ordinals[item] for item in record.items]
            assert each.items is not None or not record.items
            assert each.items is None or not each.items[served].any()


@given(rules(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_a_pin_stands_at_its_slot_or_the_record_says_why_not(given_rules: tuple[Rule, ...], person: int) -> None:
    live = live_with(given_rules)
    record = made(live, request(subject=f"{person:032x}"))
    pinned = [key for entry in record.rules for key, what, *why in [entry.split(":")] if what == "pin" and not why]
    told = [code for codes in record.reasons if codes[0] == "pinned" for code in codes]
    assert all(f"rule:{key}" in told for key in pinned)
    for place, codes in enumerate(record.reasons, 1):
        for key in (code.removeprefix("rule:") for code in codes if codes[0] == "pinned"):
            rule = live.snapshot.rules.get(key)
            if rule is not None and rule.action == "pin" and len(record.items) == record.slots:
                arm = next((arm for arm in rule.arms if arm.key == record.arms.get(f"rule/{key}")), None)
                assert place == (arm.slot if arm is not None and arm.slot is not None else rule.slot)


@given(rules(), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_decision_under_rules_replays_exactly(given_rules: tuple[Rule, ...], person: int) -> None:
    live = live_with(given_rules)
    asked = request(subject=f"{person:032x}")
    assert again(made(live, asked), live) == "exact"
    assert again(configured(live, replace(asked, candidates=None)), live) == "exact"


@given(rules(when=st.sampled_from(NEVER)))
@settings(max_examples=40, deadline=None)
def test_rules_that_do_not_hold_change_nothing(given_rules: tuple[Rule, ...]) -> None:
    with_rules, without = made(live_with(given_rules)), made(live_with(()))
    told = ("items", "propensity", "scores", "ranking", "rules", "arms", "reasons", "served_by")
    assert [getattr(with_rules, name) for name in told] == [getattr(without, name) for name in told]
    assert configured(live_with(given_rules)).settings == APP


@given(rules())
@settings(max_examples=40, deadline=None)
def test_whom_the_gate_refuses_no_rule_touches(given_rules: tuple[Rule, ...]) -> None:
    live = live_with(given_rules, consent=Consent(denied=frozenset({request().subject})))
    for record in (made(live), configured(live)):
        assert (record.rules, record.arms, record.subject) == ((), {}, None)
        assert again(record, live) == "exact"
    assert configured(live).settings == APP


@given(rules())
@settings(max_examples=40, deadline=None)
def test_of_a_group_one_rule_applies(given_rules: tuple[Rule, ...]) -> None:
    live = live_with(given_rules)
    grouped = {rule.key for rule in given_rules if rule.group}
    for record in (made(live), configured(live)):
        assert len({entry.split(":")[0] for entry in record.rules} & grouped) <= 1


def test_arms_hold_their_shares_and_people_stay_in_them() -> None:
    rule = Rule(key="half", action="boost", factor=2.0, arms=(RuleArm(key="off", share=0.5, off=True),))
    live = live_with((rule,))
    arms = [made(live, request(subject=f"{person:032x}")).arms["rule/half"] for person in range(400)]
    assert arms == [
        made(live, request(subject=f"{person:032x}", sequence=9)).arms["rule/half"] for person in range(400)
    ]
    share = arms.count("off") / len(arms)
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / len(arms))
    applied = [made(live, request(subject=f"{person:032x}")).rules for person in range(50)]
    assert [bool(entry) for entry in applied] == [arm == "default" for arm in arms[:50]]


def test_what_another_policy_reads_does_not_stop_a_replay() -> None:
    """A plan compiled for replay lacks the models of other policies; the state that was recorded is kept whole."""
    live = live_with((Rule(key="a", action="boost", when={"user.clicks": {"$gte": 0}}),))
    narrow = compile_live(live.snapshot, live.consent, models={}, shelf=live.shelf, items=live.items)
    assert "counts" in live.plan.reads
    assert again(made(narrow), narrow) == "exact"
