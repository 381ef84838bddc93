"""Rules: pins, boosts and exclusions, one by one."""

from typing import Any

import numpy as np
import pytest

from scoring_core.compile import compile_plan
from scoring_core.rules import Ruled, Ruleset
from scoring_core.shelf import build_shelf
from storage.records.policies import PolicyState, Snapshot
from storage.records.rules import Rule
from tests.scoring_core.world import catalogue, policy

SHELF = build_shelf(catalogue())


def planned(*rules: Rule) -> Ruleset:
    state = PolicyState(key="p", surface="home", stable=1, versions={1: policy(rules=rules)})
    plan = compile_plan(Snapshot(revision=1, at=0, policies={"p": state}), models={}, shelf=SHELF)
    stable = plan.surfaces["home"].stable
    assert stable is not None
    return stable.rules


def ruled(*rules: Rule, values: Any = (1.0, -2.0, 3.0, 0.5), slots: int = 3, context: Any = None) -> Ruled:
    given = np.array(values)
    before = given.tobytes()
    ready = planned(*rules)
    holding = ready.holding(asking=context or {}, subject="s", campaign=None, now=0)
    found = ready.apply(holding, given, ordinals=np.arange(len(values)), slots=slots)
    assert given.tobytes() == before
    return found


def test_a_boost_lifts_whatever_the_sign() -> None:
    up = ruled(Rule(key="b", action="boost", factor=2.0))
    assert up.values.tolist() == [2.0, -1.0, 6.0, 1.0]
    down = ruled(Rule(key="b", action="boost", factor=0.5))
    assert down.values.tolist() == [0.5, -4.0, 1.5, 0.25]


def test_a_boost_by_nothing_stays_a_number() -> None:
    assert np.isfinite(ruled(Rule(key="b", action="boost", factor=0.0)).values).all()


def test_a_rule_touches_only_what_matches_when_it_holds() -> None:
    rule = Rule(key="b", action="boost", factor=2.0, when={"mood": "calm"}, items={"kind": "shoe"})
    assert ruled(rule).applied == ()
    found = ruled(rule, context={"mood": "calm"})
    assert found.values.tolist() == [1.0, -1.0, 3.0, 1.0]
    assert [found.touching(row) for row in range(4)] == [(), ("b",), (), ("b",)]


def test_a_pin_takes_the_best_that_matches_and_the_first_rule_has_the_slot() -> None:
    found = ruled(
        Rule(key="late", action="pin", slot=1),
        Rule(key="first", action="pin", slot=1, items={"kind": "shoe"}, priority=1),
        Rule(key="second", action="pin", slot=2, items={"kind": "shoe"}, priority=1),
    )
    assert found.pins == {0: 3, 1: 1}
    assert found.applied == ("first:pin", "second:pin", "late:pin:slot_taken")
    assert [found.touching(row) for row in range(4)] == [(), ("second",), (), ("first",)]


@pytest.mark.parametrize("slot", [0, -3, 4, 99])
def test_a_pin_beyond_the_slots_does_nothing_and_says_so(slot: int) -> None:
    found = ruled(Rule(key="p", action="pin", slot=slot))
    assert (found.pins, found.applied) == ({}, ("p:pin:beyond_slots",))


def test_what_is_excluded_is_neither_pinned_nor_boosted() -> None:
    found = ruled(
        Rule(key="pin", action="pin", slot=1, items={"item_id": "i2"}, priority=2),
        Rule(key="out", action="exclude", items={"item_id": "i2"}, priority=1),
        Rule(key="again", action="pin", slot=1, items={"item_id": "i2"}),
        Rule(key="boost", action="boost", items={"item_id": "i2"}, factor=9.0),
    )
    assert found.kept.tolist() == [True, True, False, True]
    assert found.pins == {}
    assert found.values[2] == 3.0


def test_rules_apply_by_priority_then_key() -> None:
    order = [
        each.rule.key
        for each in planned(*(Rule(key=key, action="exclude", priority=p) for key, p in (("b", 0), ("a", 0), ("z", 9))))
    ]
    assert order == ["z", "a", "b"]
