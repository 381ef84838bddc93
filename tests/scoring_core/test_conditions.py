"""Conditions mean what GrowthBook's mean, and tell their author what is wrong with them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.conditions import check, compile_condition
from scoring_core.operators import OPERATORS
from storage.records.policies import Attribute

DECLARED = {
    "age": Attribute(type="number"),
    "town": Attribute(type="string"),
    "member": Attribute(type="boolean"),
}


def test_conditions_equal_growthbook() -> None:
    root = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    path = root / "growthbook" / "cases_open.json"
    if not path.exists():
        pytest.skip(f"the shared data is not here: {path}; set FAIRLEAD_SHARED_DATA")
    cases = json.loads(path.read_text())["evalCondition"]
    assert len(cases) >= 124
    for name, condition, attributes, expected, *groups in cases:
        holds = compile_condition(condition, groups=groups[0] if groups else None)
        assert holds(attributes) is expected, name


@pytest.mark.parametrize(
    ("condition", "attributes", "expected"),
    [
        ({"age": {"$gt": -10, "$lt": 10, "$ne": 10}}, {}, True),
        ({"name": {"$regx": "hello"}}, {"name": "hello"}, False),
        ({"n": {"$gt": 5}}, {"n": "many"}, False),
        ({"$nor": []}, {}, False),
        ({"$and": []}, {}, True),
        ({"flag": True}, {"flag": 1}, False),
        ({"n": {"$in": [1]}}, {"n": True}, False),
        ({"tags": {"$notInGroup": "absent"}}, {"tags": "x"}, True),
        ({"text": {"$notRegex": "^a"}}, {"text": "abc"}, False),
        ({"text": {"$notRegexi": "^A"}}, {"text": "bbc"}, True),
        ({"text": {"$regex": "a"}}, {"text": 5}, False),
        ({"a.b.c": {"$exists": True}}, {"a": {"b": {"c": 0}}}, True),
        ({"v": {"$vgt": "1.2"}}, {}, False),
        ({"tags": {"$all": "new"}}, {"tags": ["new"]}, False),
        ({"tags": {"$alli": "new"}}, {"tags": ["new"]}, False),
        ({"name": {"$type": "object"}}, {"name": {"first": "A"}}, True),
    ],
)
def test_the_corners(condition: dict[str, Any], attributes: dict[str, Any], expected: bool) -> None:
    assert compile_condition(condition)(attributes) is expected


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"age": {"$gt": "old"}}, "age.$gt"),
        ({"age": "old"}, "age"),
        ({"age": True}, "age"),
        ({"twon": "Ulm"}, "twon"),
        ({"town": {"$like": "U"}}, "town.$like"),
        ({"town": {"$in": "Ulm"}}, "town.$in"),
        ({"town": {"$in": ["Ulm", 5]}}, "town.$in.1"),
        ({"town": {"$regex": "("}}, "town.$regex"),
        ({"town": {"$regex": "a" * 500}}, "town.$regex"),
        ({"town": {"$regex": "^(a+b)*$"}}, "town.$regex"),
        ({"age": {"$regex": "a"}}, "age.$regex"),
        ({"age": {"$vgt": "1.0"}}, "age.$vgt"),
        ({"town": {"$exists": "yes"}}, "town.$exists"),
        ({"town": {"$size": 1}}, "town.$size"),
        ({"town": {"$inGroup": 4}}, "town.$inGroup"),
        ({"$or": {"age": 1}}, "$or"),
        ({"$or": [{"age": 1}, {"nope": 1}]}, "$or.1.nope"),
        ({"$not": {"age": "x"}}, "$not.age"),
        ({"$xor": []}, "$xor"),
        ({"age": {"$not": {"$gt": "x"}}}, "age.$not.$gt"),
        ({"$and": ["age"]}, "$and.0"),
    ],
)
def test_an_author_sees_the_mistake(condition: dict[str, Any], field: str) -> None:
    assert [problem.field for problem in check(condition, DECLARED)] == [field]
    assert compile_condition(condition, DECLARED)({"age": 1, "town": "Ulm", "member": True}) is False


def test_a_sound_condition_has_no_problem() -> None:
    condition = {
        "$or": [{"age": {"$gte": 18, "$lt": 99.5}}, {"town": {"$regexi": "^ulm$"}, "member": True}],
        "town": {"$ne": None},
    }
    assert check(condition, DECLARED) == ()
    assert compile_condition(condition, DECLARED)({"age": 20, "town": "Ulm"}) is True


def test_the_text_of_a_problem_never_holds_the_value() -> None:
    (problem,) = check({"age": "<script>secret</script>"}, DECLARED)
    assert "secret" not in problem.message


def test_deep_nesting_is_refused() -> None:
    condition: dict[str, Any] = {"age": 1}
    for _ in range(60):
        condition = {"$not": condition}
    assert len(check(condition, DECLARED)) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [*OPERATORS, "$all", "$size", "$elemMatch", "$not", "$inGroup", "$and", "$or", "$nor", "a", "a.b"]
)


@given(st.dictionaries(names, json_values | st.dictionaries(names, json_values, max_size=2)), json_values)
def test_no_condition_and_no_attributes_raise(condition: dict[str, Any], value: Any) -> None:
    holds = compile_condition(condition)
    assert holds({"a": value, "b": value}) in (True, False)
    check(condition, DECLARED)
