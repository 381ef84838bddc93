"""Rules: when something holds, pin, boost or exclude items, or set a value of the app's configuration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.circumstances import Circumstances
from scoring_core.experiments.hashing import bucket
from scoring_core.features.table import Ordinals
from scoring_core.schedules import Clocks, Schedule
from scoring_core.scorers.protocol import Floats
from storage.records.events import Scalar
from storage.records.rules import Rule, RuleArm

Predicate = Callable[[Mapping[str, Any]], bool]
Mask = NDArray[np.bool_] | None
Flags = NDArray[np.bool_]

SMALLEST_FACTOR = 1e-9
NO_ARM = "default"
"""Who is in none of a rule's arms gets the rule as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRule:
    """A rule, its condition over the circumstances (rules that ask the same share one), which items it touches, and
    its schedule where it has one."""

    rule: Rule
    when: Predicate
    items: Mask
    schedule: Schedule | None = None

    def arm(self, subject: str) -> RuleArm | None:
        """Return the arm that a person is in, by hash; None where they are in none."""
        point = bucket(f"rule/{self.rule.key}", subject) or 0.0
        end = 0.0
        for arm in self.rule.arms:
            end += arm.share
            if point < end:
                return arm
        return None


@dataclass(frozen=True, slots=True)
class Active:
    """A rule that holds, and the arm of it that the person is in."""

    planned: PlannedRule
    arm: RuleArm | None = None

    @property
    def factor(self) -> float:
        """What a boost multiplies by."""
        given = self.arm.factor if self.arm is not None else None
        return max(self.planned.rule.factor if given is None else given, SMALLEST_FACTOR)

    @property
    def slot(self) -> int:
        """Where a pin goes, 1-based."""
        given = self.arm.slot if self.arm is not None else None
        return self.planned.rule.slot if given is None else given

    @property
    def values(self) -> Mapping[str, Scalar]:
        """What is set."""
        return {**self.planned.rule.values, **(self.arm.values if self.arm is not None else {})}


@dataclass(frozen=True, slots=True)
class Ruled:
    """What rules leave: ``values`` per row, which rows are ``kept`` (None: all), the row pinned at each slot (0-based),
    each rule's key with the rows that it touched, ``applied``: ``key:action`` of each that did something and
    ``key:pin:WHY`` of each pin that found no place, and the arms of the rules that hold."""

    values: Floats
    kept: Flags | None = None
    pins: Mapping[int, int] = field(default_factory=dict)
    touches: tuple[tuple[str, Flags], ...] = ()
    applied: tuple[str, ...] = ()
    arms: Mapping[str, str] = field(default_factory=dict)

    def touching(self, row: int) -> tuple[str, ...]:
        """Return the keys of the rules that touched a row."""
        return tuple(key for key, rows in self.touches if rows[row])


def holding(
    rules: Iterable[PlannedRule], *, asking: Circumstances, subject: str, campaign: str | None, now: int
) -> tuple[list[Active], dict[str, str]]:
    """Return the rules that hold, in their order, and the arm that the person is in by ``rule/KEY``.

    Of the rules that share a group the first that holds applies. One whose arm is off leaves its group to the next, so
    that ``off`` is what would be without the rule.
    """
    verdicts: dict[Predicate, bool] = {}
    clocks: Clocks = {}
    taken: set[str] = set()
    found: list[Active] = []
    arms: dict[str, str] = {}
    for planned in rules:
        rule = planned.rule
        if rule.campaigns and campaign not in rule.campaigns:
            continue
        if planned.schedule is not None and not planned.schedule.open(now, clocks):
            continue
        holds = verdicts.get(planned.when)
        if holds is None:
            holds = verdicts[planned.when] = planned.when(asking)
        if not holds or rule.group in taken:
            continue
        arm = None
        if rule.arms:
            arm = planned.arm(subject)
            arms[f"rule/{rule.key}"] = NO_ARM if arm is None else arm.key
            if arm is not None and arm.off:
                continue
        if rule.group:
            taken.add(rule.group)
        found.append(Active(planned, arm))
    return found, arms


def apply_rules(
    rules: tuple[PlannedRule, ...],
    values: Floats,
    *,
    ordinals: Ordinals,
    asking: Circumstances,
    subject: str,
    slots: int,
    now: int,
    campaign: str | None = None,
    allowed: Mask = None,
) -> Ruled:
    """Apply the rules that hold: exclusions, then boosts, then pins, each in the order of the rules; no pin takes a row
    that is not ``allowed`` (None: all are).

    Boosts multiply together; one multiplies a score that is not negative and divides one that is, so that a factor
    above one always lifts. A pin takes the best item that matches and is not pinned yet; the first rule to claim a slot
    has it.
    """
    active, arms = holding(rules, asking=asking, subject=subject, campaign=campaign, now=now)
    if not active:
        return Ruled(values, arms=arms)
    everything = np.ones(len(ordinals), dtype=np.bool_)
    matches = [everything if one.planned.items is None else one.planned.items[ordinals] for one in active]
    excluding = [rows for one, rows in zip(active, matches, strict=True) if one.planned.rule.action == "exclude"]
    kept = ~np.logical_or.reduce(excluding) if excluding else everything
    lift: Floats | None = None
    pins: dict[int, int] = {}
    touches: list[tuple[str, Flags]] = []
    did: dict[int, str] = {}
    for place, (one, matching) in enumerate(zip(active, matches, strict=True)):
        rule = one.planned.rule
        rows = matching if rule.action == "exclude" else matching & kept
        if rule.action == "pin" or not rows.any():
            continue
        did[place] = f"{rule.key}:{rule.action}"
        if rule.action == "boost":
            lift = np.ones(len(ordinals)) if lift is None else lift
            lift[rows] *= one.factor
            touches.append((rule.key, rows))
    pinnable = kept if allowed is None else kept & allowed
    if lift is not None:
        values = np.where(values < 0.0, values / lift, values * lift)
    for place, (one, matching) in enumerate(zip(active, matches, strict=True)):
        if one.planned.rule.action == "pin":
            row, why = _pin(pins, matching & pinnable, values, slot=one.slot - 1, slots=slots)
            did[place] = f"{one.planned.rule.key}:pin{why}"
            if row is not None:
                touches.append((one.planned.rule.key, np.arange(len(ordinals)) == row))
    return Ruled(
        values, kept if excluding else None, pins, tuple(touches), tuple(did[place] for place in sorted(did)), arms
    )


def _pin(pins: dict[int, int], matching: Flags, values: Floats, *, slot: int, slots: int) -> tuple[int | None, str]:
    """Claim ``slot`` for the best row that is not pinned yet; return that row, or None and why there is none."""
    if not 0 <= slot < slots:
        return None, ":beyond_slots"
    if slot in pins:
        return None, ":slot_taken"
    free = matching.copy()
    free[list(pins.values())] = False
    rows = np.flatnonzero(free)
    if not rows.size:
        return None, ":no_match"
    best = int(rows[int(np.argmax(values[rows]))])
    pins[slot] = best
    return best, ""
