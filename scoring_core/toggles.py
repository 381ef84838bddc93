"""Toggles evaluated as GrowthBook evaluates features: rules in order, prerequisites, shares of people by hash."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoring_core.circumstances import Asked, asked
from scoring_core.conditions import Groups, Predicate, compile_condition, names
from scoring_core.experiments.hashing import bucket, bucket_ranges, choose_variation, in_namespace, in_range
from scoring_core.schedules import Clocks, Schedule
from storage.records.toggles import Prerequisite, Toggle, ToggleFilter, ToggleRule

Attributes = Mapping[str, Any]
Ids = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The value of a toggle and why it is that: ``source`` is ``force``, ``experiment``, ``default``, ``disabled``,
    ``prerequisite``, ``cyclic_prerequisite`` or ``unknown``; a value that a prerequisite withholds is None."""

    value: Any
    source: str
    rule: str = ""
    bucket: float | None = None
    variation: int | None = None

    @property
    def on(self) -> bool:
        """Whether the value is one that programs take for true."""
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class PlannedToggleRule:
    """A rule with its conditions compiled."""

    rule: ToggleRule
    holds: Predicate
    schedule: Schedule | None
    requires: tuple[tuple[Prerequisite, Predicate], ...]


@dataclass(frozen=True, slots=True)
class PlannedToggle:
    """A toggle with its rules compiled."""

    toggle: Toggle
    rules: tuple[PlannedToggleRule, ...]


@dataclass(frozen=True, slots=True)
class Toggles:
    """All toggles by key, and what their conditions ask."""

    planned: Mapping[str, PlannedToggle] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)


def plan_toggles(toggles: Iterable[Toggle], *, groups: Groups | None = None) -> Toggles:
    """Compile toggles; ``groups`` are the lists that ``$inGroup`` names."""
    planned = {toggle.key: _planned(toggle, groups) for toggle in toggles}
    wanted = {
        name for each in planned.values() if each.toggle.enabled for one in each.rules for name in names(one.rule.when)
    }
    return Toggles(planned=planned, asked=asked(wanted))


def evaluate(key: str, toggles: Toggles, attributes: Attributes, *, ids: Ids, now: int) -> Evaluation:
    """Return what a toggle gives. Pure.

    Parameters
    ----------
    attributes
        What conditions are asked of, and what may be hashed beside ``ids``.
    ids
        ``subject`` and ``session``; None where there is none, or none may be used.
    now
        Microseconds UTC, for schedules.

    References
    ----------
    GrowthBook, "Build your own SDK" (the order of rules, prerequisites, coverage, namespaces).
    """
    return _Asking(toggles.planned, attributes, ids, now).value_of(key, ())


def _planned(toggle: Toggle, groups: Groups | None) -> PlannedToggle:
    def condition(document: Mapping[str, Any]) -> Predicate:
        return compile_condition(document, groups=groups)

    return PlannedToggle(
        toggle,
        tuple(
            PlannedToggleRule(
                rule,
                condition(rule.when),
                _schedule(rule),
                tuple((each, condition(each.when)) for each in rule.requires),
            )
            for rule in toggle.rules
        ),
    )


def _schedule(rule: ToggleRule) -> Schedule | None:
    if rule.starts_at is None and rule.ends_at is None and not rule.weekdays and not rule.hours:
        return None
    return Schedule(rule.starts_at, rule.ends_at, rule.zone, frozenset(rule.weekdays), frozenset(rule.hours))


class _Asking:
    """One person asking at one moment."""

    def __init__(self, planned: Mapping[str, PlannedToggle], attributes: Attributes, ids: Ids, now: int) -> None:
        self._planned = planned
        self._attributes = attributes
        self._ids = ids
        self._now = now
        self._clocks: Clocks = {}

    def value_of(self, key: str, above: tuple[str, ...]) -> Evaluation:
        if key in above:
            return Evaluation(value=None, source="cyclic_prerequisite")
        planned = self._planned.get(key)
        if planned is None:
            return Evaluation(value=None, source="unknown")
        if not planned.toggle.enabled:
            return Evaluation(value=planned.toggle.default, source="disabled")
        for one in planned.rules:
            found = self._by(one, planned.toggle, (*above, key))
            if found is not None:
                return found
        return Evaluation(value=planned.toggle.default, source="default")

    def _by(self, planned: PlannedToggleRule, toggle: Toggle, above: tuple[str, ...]) -> Evaluation | None:
        """Return what a rule gives, None where the next one is asked."""
        rule = planned.rule
        met, instead = self._met(planned, above)
        open_now = planned.schedule is None or planned.schedule.open(self._now, self._clocks)
        if not met or not open_now or not all(map(self._passes, rule.filters)) or not planned.holds(self._attributes):
            return instead
        if rule.variations:
            return self._varied(rule, toggle)
        return None if rule.value is None else self._forced(rule, toggle)

    def _met(self, planned: PlannedToggleRule, above: tuple[str, ...]) -> tuple[bool, Evaluation | None]:
        """Tell whether the prerequisites are met, and what is given at once where they are not."""
        for wanted, holds in planned.requires:
            before = self.value_of(wanted.toggle, above)
            if before.source == "cyclic_prerequisite":
                return False, before
            if not holds({"value": before.value}):
                gated = Evaluation(value=None, source="prerequisite", rule=planned.rule.key)
                return False, gated if wanted.gate else None
        return True, None

    def _forced(self, rule: ToggleRule, toggle: Toggle) -> Evaluation | None:
        point = self._point(rule, toggle)
        if rule.ranges:
            reached = point is not None and in_range(point, rule.ranges[0])
        elif rule.coverage is not None:  # a share of nothing leaves out bucket 0, too
            reached = point is not None and rule.coverage > 0.0 and point <= rule.coverage
        else:
            reached = True
        return Evaluation(value=rule.value, source="force", rule=rule.key, bucket=point) if reached else None

    def _varied(self, rule: ToggleRule, toggle: Toggle) -> Evaluation | None:
        value = self._hashed(rule.by) or self._hashed(rule.else_by)
        point = self._point(rule, toggle)
        if len(rule.variations) < 2 or value is None or point is None:
            return None
        place = rule.namespace
        if place is not None and not rule.filters and not in_namespace(value, place.name, (place.low, place.high)):
            return None
        ranges = rule.ranges or bucket_ranges(
            len(rule.variations), 1.0 if rule.coverage is None else rule.coverage, rule.weights or None
        )
        chosen = choose_variation(point, ranges)
        if not 0 <= chosen < len(rule.variations) or chosen in rule.passthrough:
            return None
        given = rule.variations[chosen]
        return Evaluation(value=given, source="experiment", rule=rule.key, bucket=point, variation=chosen)

    def _passes(self, each: ToggleFilter) -> bool:
        value = self._hashed(each.by)
        point = None if value is None else bucket(each.seed, value, each.hash_version)
        return point is not None and any(in_range(point, bounds) for bounds in each.ranges)

    def _point(self, rule: ToggleRule, toggle: Toggle) -> float | None:
        value = self._hashed(rule.by) or self._hashed(rule.else_by)
        return None if value is None else bucket(rule.seed or toggle.key, value, rule.hash_version)

    def _hashed(self, name: str) -> str | None:
        """Return what is hashed as text, None where there is nothing."""
        if name in self._ids:
            return self._ids[name] or None
        value = self._attributes.get(name)
        if value is None or value == "":
            return None
        return _TEXT.get(type(value), str)(value)


_TEXT: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: lambda value: str(int(value)) if value.is_integer() else str(value),
}
"""As JavaScript writes a value, since that is what GrowthBook's libraries hash."""
