"""Rules made ready: conditions and items worked out once, in the order in which they apply."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from scoring_core.conditions import Predicate, compile_condition, names
from scoring_core.rules import Mask, PlannedRule, Ruleset
from scoring_core.schedules import schedule_of
from storage.records.rules import Rule


class Rulebook:
    """Plans rules for one shelf; ``names`` gathers what is asked, by rules and by other conditions.

    Parameters
    ----------
    masks
        Gives the items that a condition over item attributes holds for.
    items
        How many items there are.
    """

    def __init__(self, masks: Callable[[Mapping[str, Any]], Mask], *, items: int) -> None:
        self._masks = masks
        self._items = items
        self.names: set[str] = set()

    def condition(self, document: Mapping[str, Any]) -> Predicate:
        """Return a condition over the circumstances."""
        self.names |= names(document)
        return compile_condition(document)

    def items(self, rules: Iterable[Rule]) -> Ruleset:
        """Plan the enabled rules that touch items."""
        return self._plan((rule for rule in rules if rule.action != "set"), items=self._items)

    def settings(self, rules: Iterable[Rule]) -> Ruleset:
        """Plan the enabled rules that set the app's configuration."""
        return self._plan((rule for rule in rules if rule.action == "set"), items=0)

    def _plan(self, rules: Iterable[Rule], *, items: int) -> Ruleset:
        ordered = sorted((rule for rule in rules if rule.enabled), key=lambda rule: (-rule.priority, rule.key))
        self.names.update(*(names(rule.when) for rule in ordered))
        planned = [
            PlannedRule(rule=rule, items=self._masks(rule.items) if items else None, schedule=schedule_of(rule))
            for rule in ordered
        ]
        return Ruleset(planned, items=items)
