"""Where rules get in each other's way, or in their own, told before anybody is served by them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from governance.overlap import implies, overlapping, possible
from storage.records.document import document
from storage.records.policies import Attribute
from storage.records.rules import Rule

Kind = Literal[
    "same_slot",
    "exclude_pin",
    "exclude_boost",
    "up_down",
    "same_setting",
    "shadowed",
    "never_true",
    "expired",
    "no_items",
    "no_effect",
]
Matches = Callable[[Mapping[str, Any]], NDArray[np.bool_]]
"""Which items of the catalogue a condition holds for."""


@document
class Conflict:
    """One thing that its author should know: which rules, and what happens, in a sentence."""

    kind: Kind
    rules: tuple[str, ...]
    sentence: str


def conflicts(
    rules: Iterable[Rule], *, declared: Mapping[str, Attribute], matches: Matches, now: int
) -> tuple[Conflict, ...]:
    """Return the conflicts of the rules that are on, in the order in which they apply.

    Of two rules only what may happen at once is told: on a common surface and campaign, at a common time, where both
    conditions can hold and, for rules that touch items, on a common item.
    """
    active = sorted((rule for rule in rules if rule.enabled), key=lambda rule: (-rule.priority, rule.key))
    items = {rule.key: matches(rule.items) if rule.action != "set" else np.ones(1, dtype=np.bool_) for rule in active}
    alone = [one for rule in active for one in _alone(rule, items[rule.key], declared, now)]
    living = [rule for rule in active if not any(rule.key in one.rules for one in alone if one.kind in _DEAD)]
    together = [
        found
        for first, second in combinations(living, 2)
        if _together(first, second, declared)
        for found in _pair(first, second, bool((items[first.key] & items[second.key]).any()))
    ]
    return (*alone, *together)


_OUT = "exclusions go first, whatever the priorities"
_DEAD = frozenset({"never_true", "expired", "no_items"})


def _alone(rule: Rule, items: NDArray[np.bool_], declared: Mapping[str, Attribute], now: int) -> Iterator[Conflict]:
    def said(kind: Kind, sentence: str) -> Conflict:
        return Conflict(kind=kind, rules=(rule.key,), sentence=sentence)

    if rule.ends_at is not None and rule.ends_at <= now:
        yield said("expired", f"{_name(rule)} ended; disable or delete it, or give it a new end.")
    if not possible(rule.when, declared):
        yield said("never_true", f"The condition of {_name(rule)} can never hold; it asks for what excludes itself.")
    if rule.action != "set" and not items.any():
        yield said("no_items", f"No item of the catalogue matches {_name(rule)}, so it does nothing.")
    if rule.action == "boost" and rule.factor == 1.0 and all(arm.factor in (None, 1.0) for arm in rule.arms):
        yield said("no_effect", f"{_name(rule)} multiplies by 1, so it changes no order.")


def _pair(first: Rule, second: Rule, common: bool) -> Iterator[Conflict]:
    def said(kind: Kind, sentence: str) -> Conflict:
        return Conflict(kind=kind, rules=(first.key, second.key), sentence=sentence)

    if first.group and first.group == second.group:
        if _always_with(first, second):
            yield said(
                "shadowed",
                f"{_name(second)} never applies: wherever it holds, {_first(first, second)} holds, too, and takes the "
                f"group {first.group}.",
            )
        return
    actions = (first.action, second.action)
    if actions == ("pin", "pin") and _slots(first) & _slots(second):
        slot = min(_slots(first) & _slots(second))
        yield said("same_slot", f"Both pin slot {slot}: where both hold, {_first(first, second)} has it.")
    if actions == ("set", "set"):
        for name in sorted(_settings(first).keys() & _settings(second).keys()):
            if _settings(first)[name] != _settings(second)[name]:
                yield said("same_setting", f"Both set {name}: where both hold, {_first(first, second)} has it.")
    if not common:
        return
    if set(actions) == {"exclude", "pin"}:
        out, pin = (first, second) if first.action == "exclude" else (second, first)
        yield said("exclude_pin", f"{_name(out)} leaves out what {_name(pin)} pins: {_OUT}.")
    if set(actions) == {"exclude", "boost"}:
        out, lift = (first, second) if first.action == "exclude" else (second, first)
        yield said("exclude_boost", f"{_name(out)} leaves out items that {_name(lift)} would lift or lower: {_OUT}.")
    if actions == ("boost", "boost") and (first.factor - 1.0) * (second.factor - 1.0) < 0.0:
        both = first.factor * second.factor
        yield said(
            "up_down",
            f"{_name(first)} and {_name(second)} pull the same items apart: together they multiply by {both:.3g}.",
        )


def _together(first: Rule, second: Rule, declared: Mapping[str, Attribute]) -> bool:
    """Tell whether two rules may hold in one decision."""
    return (
        (first.action == "set") == (second.action == "set")
        and _meet(first.surfaces, second.surfaces)
        and _meet(first.campaigns, second.campaigns)
        and _meet(first.weekdays, second.weekdays, first.zone == second.zone)
        and _meet(first.hours, second.hours, first.zone == second.zone)
        and (first.ends_at is None or second.starts_at is None or second.starts_at < first.ends_at)
        and (second.ends_at is None or first.starts_at is None or first.starts_at < second.ends_at)
        and overlapping(first.when, second.when, declared)
    )


def _meet(one: Sequence[object], other: Sequence[object], comparable: bool = True) -> bool:
    return not one or not other or not comparable or bool(set(one) & set(other))


def _always_with(first: Rule, second: Rule) -> bool:
    """Tell whether ``first`` certainly applies wherever ``second`` would."""
    return (
        not any(arm.off for arm in first.arms)
        and implies(second.when, first.when)
        and _within(second.surfaces, first.surfaces)
        and _within(second.campaigns, first.campaigns)
        and (first.starts_at is None or (second.starts_at is not None and first.starts_at <= second.starts_at))
        and (first.ends_at is None or (second.ends_at is not None and second.ends_at <= first.ends_at))
        and (not first.weekdays or (first.zone == second.zone and _within(second.weekdays, first.weekdays)))
        and (not first.hours or (first.zone == second.zone and _within(second.hours, first.hours)))
    )


def _within(small: Sequence[object], large: Sequence[object]) -> bool:
    return not large or (bool(small) and set(small) <= set(large))


def _slots(rule: Rule) -> frozenset[int]:
    return frozenset({rule.slot, *(arm.slot for arm in rule.arms if arm.slot is not None)})


def _settings(rule: Rule) -> dict[str, object]:
    found: dict[str, object] = dict(rule.values)
    for arm in rule.arms:
        found |= arm.values
    return found


def _first(first: Rule, second: Rule) -> str:
    """Name the rule that goes first, and why it does."""
    if first.priority == second.priority:
        why = f"the priorities are equal, so the keys decide: {first.key} comes before {second.key}"
    else:
        why = f"priority {first.priority} goes before {second.priority}"
    return f"{_name(first)} ({why})"


def _name(rule: Rule) -> str:
    return f"“{rule.name or rule.key}”"
