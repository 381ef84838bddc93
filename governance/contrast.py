"""Decisions as they were beside decisions as they would have been, counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any

from governance.rehearsal import Rehearsed
from storage.records.decisions import Decision
from storage.records.items import Catalogue

MOST_GROUPS = 30
LEAST_GROUP = 20
"""Groups of fewer decisions are counted together, so that nobody is told apart."""

SMALL = "(small groups)"
EXAMPLES = 20


@dataclass(slots=True)
class Side:
    """One side of the comparison."""

    decisions: int = 0
    filled: int = 0
    empty: int = 0
    served_by: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    caps: Counter[str] = field(default_factory=Counter)
    capped: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    people: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    exposure: dict[str, dict[str, float]] = field(default_factory=dict)
    """Σ 1 / log2(1 + rank) by item attribute and value."""

    def add(self, made: Decision, attributes: Mapping[str, Mapping[str, str]]) -> None:
        """Count one decision; ``attributes`` are each item's values."""
        self.decisions += 1
        self.filled += len(made.items)
        self.empty += not made.items
        self.served_by[made.served_by] += 1
        self.reasons[made.reason] += 1
        self.caps.update(made.caps)
        self.capped += bool(made.caps)
        self.rules.update(each.partition("=")[0] for each in made.rules)
        if made.items and made.subject:
            self.people.add(made.subject)
        self.items.update(made.items)
        for slot, item in enumerate(made.items):
            worth = 1.0 / log2(2 + slot)
            for name, value in attributes.get(item, {}).items():
                held = self.exposure.setdefault(name, {})
                held[value] = held.get(value, 0.0) + worth

    def told(self) -> dict[str, Any]:
        """Return what was counted."""
        n = max(self.decisions, 1)
        return {
            "decisions": self.decisions,
            "filled_per_decision": self.filled / n,
            "empty_share": self.empty / n,
            "fallback_share": self.served_by["fallback"] / n,
            "default_share": self.served_by["default"] / n,
            "model_share": self.served_by["model"] / n,
            "capped_share": self.capped / n,
            "caps": dict(self.caps.most_common()),
            "rules": dict(self.rules.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "people_reached": len(self.people),
            "items_shown": len(self.items),
        }


@dataclass(slots=True)
class Contrast:
    """Counts both sides.

    Parameters
    ----------
    catalogue
        Whose items' attributes tell whom the exposure goes to.
    by
        Attributes of the context: what happens to which kind of visitor.
    of
        Attributes of items: whose items are shown how prominently.
    """

    catalogue: Catalogue
    by: tuple[str, ...]
    of: tuple[str, ...]
    now: Side = field(default_factory=Side)
    draft: Side = field(default_factory=Side)
    changed: int = 0
    first_changed: int = 0
    people_changed: set[str] = field(default_factory=set)
    groups: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    examples: list[dict[str, Any]] = field(default_factory=list)
    _attributes: dict[str, dict[str, str]] | None = None

    def add(self, pair: Rehearsed) -> None:
        """Count one decision on both sides."""
        known = self._items()
        before, after = pair.logged, pair.draft
        self.now.add(before, known)
        self.draft.add(after, known)
        moved = before.items != after.items
        self.changed += moved
        self.first_changed += before.items[:1] != after.items[:1]
        if moved and before.subject:
            self.people_changed.add(before.subject)
        if moved and len(self.examples) < EXAMPLES:
            self.examples.append(_example(before, after))
        for name in self.by:
            value = before.context.get(name)
            if isinstance(value, str | bool):
                held = self.groups.setdefault(name, {}).setdefault(str(value), Counter())
                held.update(decisions=1, changed=int(moved))
                for side, made in (("now", before), ("draft", after)):
                    held.update(
                        {
                            f"{side}_model": int(made.served_by == "model"),
                            f"{side}_filled": len(made.items),
                            f"{side}_capped": int(bool(made.caps)),
                        }
                    )

    def told(self) -> dict[str, Any]:
        """Return what was counted, plainly."""
        n = max(self.now.decisions, 1)
        return {
            "decisions": self.now.decisions,
            "changed": self.changed,
            "changed_share": self.changed / n,
            "first_changed_share": self.first_changed / n,
            "people_changed": len(self.people_changed),
            "now": self.now.told(),
            "draft": self.draft.told(),
            "groups": {name: _groups(held) for name, held in self.groups.items()},
            "exposure": {name: self._exposure(name) for name in self.of},
            "examples": self.examples,
        }

    def _exposure(self, name: str) -> dict[str, Any]:
        """Return each value's share of all exposure, before and after; the largest first."""
        now, draft = self.now.exposure.get(name, {}), self.draft.exposure.get(name, {})
        before, after = sum(now.values()) or 1.0, sum(draft.values()) or 1.0
        largest = sorted(now.keys() | draft.keys(), key=lambda each: (-now.get(each, 0.0) - draft.get(each, 0.0), each))
        rows = [
            {"group": each, "now": now.get(each, 0.0) / before, "draft": draft.get(each, 0.0) / after}
            for each in largest[:MOST_GROUPS]
        ]
        kept = {each["group"] for each in rows}
        return {
            "groups": rows,
            "others": {
                "now": sum(value for each, value in now.items() if each not in kept) / before,
                "draft": sum(value for each, value in draft.items() if each not in kept) / after,
            },
            "moved": sum(abs(now.get(each, 0.0) / before - draft.get(each, 0.0) / after) for each in largest) / 2.0,
        }

    def _items(self) -> dict[str, dict[str, str]]:
        if self._attributes is None:
            self._attributes = {
                item.item_id: {
                    name: str(value) for name in self.of if isinstance(value := item.attributes.get(name), str | bool)
                }
                for item in self.catalogue.items
            }
        return self._attributes


def _groups(held: Mapping[str, Counter[str]]) -> dict[str, Any]:
    """Return each group's figures, small ones together; ``ratio`` is the least group's model share ÷ the largest's."""
    small: Counter[str] = Counter()
    kept: dict[str, Counter[str]] = {}
    for place, (name, counts) in enumerate(sorted(held.items(), key=lambda each: (-each[1]["decisions"], each[0]))):
        if counts["decisions"] < LEAST_GROUP or place >= MOST_GROUPS:
            small.update(counts)
        else:
            kept[name] = counts
    rows = [_group(name, counts) for name, counts in kept.items()]
    if small["decisions"] >= LEAST_GROUP:
        rows.append(_group(SMALL, small))
    return {"groups": rows, "ratio": {side: _ratio([row[f"{side}_model_share"] for row in rows]) for side in SIDES}}


SIDES = ("now", "draft")


def _group(name: str, counts: Counter[str]) -> dict[str, Any]:
    n = counts["decisions"]
    return {
        "group": name,
        "decisions": n,
        "changed_share": counts["changed"] / n,
        **{
            f"{side}_{what}": counts[f"{side}_{counted}"] / n
            for side in SIDES
            for what, counted in (("model_share", "model"), ("filled", "filled"), ("capped_share", "capped"))
        },
    }


def _ratio(shares: list[float]) -> float | None:
    return min(shares) / max(shares) if len(shares) > 1 and max(shares) > 0.0 else None


def _example(before: Decision, after: Decision) -> dict[str, Any]:
    return {
        "decision_id": before.decision_id,
        "at": before.at,
        "campaign": before.campaign,
        "now": {"items": list(before.items), "served_by": before.served_by, "reason": before.reason},
        "draft": {"items": list(after.items), "served_by": after.served_by, "reason": after.reason},
    }
