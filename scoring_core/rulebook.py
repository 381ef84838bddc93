"""Rules made ready: conditions and items worked out once, in the order in which they apply."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scoring_core.conditions import compile_condition, names
from scoring_core.rules import Mask, PlannedRule, Predicate
from scoring_core.schedules import schedule_of
from storage.records.document import canonical
from storage.records.rules import Rule


class Rulebook:
    """Plans rules for one shelf; rules that ask the same thing share one condition, so that it is asked once a
    decision. ``names`` gathers what is asked.

    Parameters
    ----------
    masks
        Gives the items that a condition over item attributes holds for.
    """

    def __init__(self, masks: Callable[[Mapping[str, Any]], Mask]) -> None:
        self._masks = masks
        self._conditions: dict[bytes, Predicate] = {}
        self.names: set[str] = set()

    def condition(self, document: Mapping[str, Any]) -> Predicate:
        """Return a condition over the circumstances."""
        self.names |= names(document)
        key = canonical(document)
        if key not in self._conditions:
            self._conditions[key] = compile_condition(document)
        return self._conditions[key]

    def items(self, rules: Iterable[Rule]) -> tuple[PlannedRule, ...]:
        """Plan the enabled rules that touch items."""
        return self._plan(rule for rule in rules if rule.action != "set")

    def settings(self, rules: Iterable[Rule]) -> tuple[PlannedRule, ...]:
        """Plan the enabled rules that set the app's configuration."""
        return self._plan(rule for rule in rules if rule.action == "set")

    def _plan(self, rules: Iterable[Rule]) -> tuple[PlannedRule, ...]:
        return tuple(
            PlannedRule(
                rule=rule,
                when=self.condition(rule.when),
                items=self._masks(rule.items) if rule.action != "set" else None,
                schedule=schedule_of(rule),
            )
            for rule in sorted(rules, key=lambda rule: (-rule.priority, rule.key))
            if rule.enabled
        )
