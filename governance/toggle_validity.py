"""What an author must mend before a toggle may be saved."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from governance.rule_validity import zone_known
from governance.validity import key_problems
from scoring_core.conditions import check
from scoring_core.declared import declared
from storage.errors import Problem
from storage.records.policies import Attribute, Installation
from storage.records.toggles import Toggle, ToggleRule

MAX_NAME = 200
MAX_RULES = 100
MAX_VALUE = 8_192
"""Bytes of JSON: a toggle's value is read by every asking."""
IDS = frozenset({"subject", "session"})
TAKEN = frozenset({"validate"})
_KINDS: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "string": (str,),
    "number": (int, float),
    "object": (dict, list),
}
_EVEN = 0.01
"""How far weights may miss a sum of one, as GrowthBook allows."""


def toggle_problems(toggle: Toggle, installation: Installation, *, others: Mapping[str, Toggle]) -> tuple[Problem, ...]:
    """Return what is wrong with a toggle; ``others`` are those that it may ask for as prerequisites."""
    problems = list(key_problems(toggle.key))
    if toggle.key in TAKEN:
        problems.append(Problem(field="key", message="is the name of a route; choose another"))
    if len(toggle.name) > MAX_NAME or len(toggle.owner) > MAX_NAME:
        problems.append(Problem(field="name", message=f"name and owner have at most {MAX_NAME} characters"))
    if len(toggle.rules) > MAX_RULES:
        problems.append(Problem(field="rules", message=f"use at most {MAX_RULES} rules"))
    problems += _value_problems(toggle.default, toggle.kind, "default")
    keys = [rule.key for rule in toggle.rules]
    if len(set(keys)) < len(keys):
        problems.append(Problem(field="rules", message="each key may stand here once"))
    known = declared(installation)
    for place, rule in enumerate(toggle.rules):
        found = _rule_problems(rule, toggle, known, others)
        problems += [Problem(field=f"rules.{place}.{one.field}", message=one.message) for one in found]
    if _cycle(toggle, others):
        problems.append(Problem(field="rules", message="a prerequisite comes back to this toggle; break the circle"))
    return tuple(problems)


def _rule_problems(
    rule: ToggleRule, toggle: Toggle, known: Mapping[str, Attribute], others: Collection[str]
) -> Iterator[Problem]:
    yield from key_problems(rule.key)
    for one in check(rule.when, known):
        yield Problem(field=f"when.{one.field}" if one.field else "when", message=one.message)
    yield from _gives(rule, toggle.kind)
    yield from _share_problems(rule)
    for field, name in (("by", rule.by), ("else_by", rule.else_by)):
        if name and name not in IDS and (name not in known or "." in name):
            message = "hash the subject, the session, or a declared attribute of the context"
            yield Problem(field=field, message=message)
    for place, wanted in enumerate(rule.requires):
        if wanted.toggle not in others:
            yield Problem(field=f"requires.{place}.toggle", message="there is no such toggle")
        for one in check(wanted.when, {"value": Attribute(type="any")}):
            yield Problem(field=f"requires.{place}.when.{one.field}", message=one.message)
    if rule.starts_at is not None and rule.ends_at is not None and rule.starts_at >= rule.ends_at:
        yield Problem(field="ends_at", message="must be after starts_at")
    if not zone_known(rule.zone):
        yield Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin")


def _gives(rule: ToggleRule, kind: str) -> Iterator[Problem]:
    if rule.value is not None and rule.variations:
        yield Problem(field="value", message="give one value, or variations")
    if rule.value is None and not rule.variations and not rule.requires:
        yield Problem(field="value", message="give a value, variations or a prerequisite; this rule does nothing")
    if rule.value is not None:
        yield from _value_problems(rule.value, kind, "value")
    for place, value in enumerate(rule.variations):
        yield from _value_problems(value, kind, f"variations.{place}")


def _share_problems(rule: ToggleRule) -> Iterator[Problem]:
    count = len(rule.variations)
    if count == 1:
        yield Problem(field="variations", message="name at least two, or one value instead")
    if rule.weights and (len(rule.weights) != count or abs(sum(rule.weights) - 1.0) > _EVEN):
        yield Problem(field="weights", message="give one weight per variation; together they are 1")
    if rule.ranges and len(rule.ranges) != max(count, 1):
        yield Problem(field="ranges", message="give one range per variation, or one for a value")
    if any(low > high for low, high in rule.ranges):
        yield Problem(field="ranges", message="each range goes from low to high")
    if any(not 0 <= place < count for place in rule.passthrough):
        yield Problem(field="passthrough", message="names a variation that is not there")
    if rule.namespace is not None and not rule.variations:
        yield Problem(field="namespace", message="divides variations; a value takes coverage or ranges")


def _value_problems(value: Any, kind: str, field: str) -> Iterator[Problem]:
    wrong_bool = isinstance(value, bool) and kind != "boolean"
    if wrong_bool or not isinstance(value, _KINDS[kind]):
        yield Problem(field=field, message=f"must be of the toggle's kind, {kind}")
    elif len(orjson.dumps(value)) > MAX_VALUE:
        yield Problem(field=field, message=f"is larger than {MAX_VALUE} bytes of JSON")


def _cycle(toggle: Toggle, others: Mapping[str, Toggle]) -> bool:
    """Tell whether following prerequisites leads back to where one was."""
    every = {**others, toggle.key: toggle}
    waiting, seen = [wanted.toggle for rule in toggle.rules for wanted in rule.requires], set[str]()
    while waiting:
        key = waiting.pop()
        if key == toggle.key:
            return True
        if key in every and key not in seen:
            seen.add(key)
            waiting += [wanted.toggle for rule in every[key].rules for wanted in rule.requires]
    return False
