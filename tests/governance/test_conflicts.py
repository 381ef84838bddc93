"""Conflicts told to authors: none that cannot happen, none that can and is certain left out."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.conflicts import conflicts
from governance.overlap import overlapping, possible
from scoring_core.columns import Columns
from scoring_core.conditions import compile_condition
from storage.records.items import Item
from storage.records.policies import Attribute
from storage.records.rules import Rule, RuleArm

DECLARED = {"age": Attribute(type="number"), "mood": Attribute(type="string"), "time.hour": Attribute(type="number")}
ITEMS = Columns((Item(item_id="b1", kind="bag"), Item(item_id="s1", kind="shoe")))
NOW = 1_000

BOUND = st.integers(0, 4)
AGE = st.one_of(
    BOUND, st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]), BOUND, max_size=2)
)
MOOD = st.one_of(
    st.sampled_from(["calm", "wild"]),
    st.fixed_dictionaries({"$in": st.lists(st.sampled_from(["calm", "wild", "loud"]), max_size=2)}),
)
FLAT = st.fixed_dictionaries({}, optional={"age": AGE, "mood": MOOD})
CONDITION = st.one_of(
    FLAT, st.fixed_dictionaries({"$or": st.lists(FLAT, min_size=1, max_size=2)}, optional={"age": AGE})
)
WORLDS = [{"age": age, "mood": mood} for age in (-1, 0, 0.5, 1, 2, 2.5, 3, 4, 5) for mood in ("calm", "wild", "loud")]


@given(CONDITION, CONDITION)
def test_what_can_happen_at_once_is_never_denied(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = compile_condition(one), compile_condition(other)
    if any(first(world) and second(world) for world in WORLDS):
        assert overlapping(one, other, DECLARED) and possible(one, DECLARED)


def told(*rules: Rule) -> list[tuple[str, tuple[str, ...]]]:
    found = conflicts(rules, declared=DECLARED, matches=ITEMS.mask, now=NOW)
    return [(one.kind, one.rules) for one in found]


OFF = (RuleArm(key="o", share=0.5, off=True),)
DARK, LIGHT = {"theme": "dark"}, {"theme": "light"}
BAGS, SHOES = {"kind": "bag"}, {"kind": "shoe"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            (Rule(key="a", action="pin", items=BAGS), Rule(key="b", action="pin", items=SHOES, priority=1)),
            [("same_slot", ("b", "a"))],
        ),
        ((Rule(key="a", action="pin", items=BAGS), Rule(key="b", action="pin", items=SHOES, slot=2)), []),
        (
            (Rule(key="a", action="exclude", items=BAGS), Rule(key="b", action="pin", items=BAGS)),
            [("exclude_pin", ("a", "b"))],
        ),
        ((Rule(key="a", action="exclude", items=BAGS), Rule(key="b", action="pin", items=SHOES)), []),
        (
            (Rule(key="a", action="boost", factor=2.0), Rule(key="b", action="boost", factor=0.5, items=BAGS)),
            [("up_down", ("a", "b"))],
        ),
        (
            (Rule(key="a", action="boost", factor=2.0), Rule(key="b", action="boost", factor=3.0)),
            [],
        ),
        (
            (Rule(key="a", action="set", values=DARK), Rule(key="b", action="set", values=LIGHT)),
            [("same_setting", ("a", "b"))],
        ),
        (
            (
                Rule(key="a", action="set", values=DARK, hours=(1, 2)),
                Rule(key="b", action="set", values=LIGHT, hours=(3,)),
            ),
            [],
        ),
        (
            (
                Rule(key="a", action="pin", items=BAGS, ends_at=5_000),
                Rule(key="b", action="pin", items=SHOES, starts_at=5_000),
            ),
            [],
        ),
        (
            (
                Rule(key="a", action="boost", factor=2.0, group="g", when={"age": 3}, priority=2),
                Rule(key="b", action="boost", factor=3.0, group="g", when={"age": 3, "mood": "calm"}),
            ),
            [("shadowed", ("a", "b"))],
        ),
        (
            (
                Rule(key="a", action="boost", factor=2.0, group="g", priority=2, arms=OFF),
                Rule(key="b", action="boost", factor=3.0, group="g"),
            ),
            [],
        ),
        ((Rule(key="a", action="boost", factor=2.0, when={"time.hour": {"$gt": 23}}),), [("never_true", ("a",))]),
        ((Rule(key="a", action="boost", factor=2.0, ends_at=NOW),), [("expired", ("a",))]),
        ((Rule(key="a", action="pin", items={"kind": "hat"}),), [("no_items", ("a",))]),
        ((Rule(key="a", action="boost"),), [("no_effect", ("a",))]),
        ((Rule(key="a", action="pin", items={"kind": "hat"}, enabled=False),), []),
    ],
)  # fmt: skip
def test_each_conflict_is_told_where_it_can_happen_and_nowhere_else(
    rules: tuple[Rule, ...], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert told(*rules) == expected
    assert told(*reversed(rules)) == expected


def test_rules_of_other_surfaces_and_campaigns_do_not_meet() -> None:
    one = Rule(key="a", action="pin", items=BAGS, surfaces=("home",))
    assert told(one, Rule(key="b", action="pin", items=SHOES, surfaces=("cart",))) == []
    assert told(one, Rule(key="b", action="pin", items=SHOES, surfaces=("cart", "home"))) != []
    assert np.asarray(ITEMS.mask(BAGS)).tolist() == [True, False]
