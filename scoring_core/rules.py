"""Rules: when something holds, pin, boost or exclude items."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring_core.circumstances import Circumstances
from scoring_core.features.table import Ordinals
from scoring_core.plan import PlannedRule
from scoring_core.scorers.protocol import Floats

SMALLEST_FACTOR = 1e-9


@dataclass(frozen=True, slots=True)
class Ruled:
    """What rules leave: ``values`` per row, which rows are ``kept`` (None: all), the row pinned at each slot (0-based),
    the keys of the rules that touched a row, and which did anything at all."""

    values: Floats
    kept: NDArray[np.bool_] | None
    pins: Mapping[int, int] = field(default_factory=dict)
    touched: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    applied: tuple[str, ...] = ()


def apply_rules(
    rules: tuple[PlannedRule, ...],
    values: Floats,
    *,
    ordinals: Ordinals,
    asking: Circumstances,
    subject: str,
    slots: int,
    now: int,
) -> Ruled:
    """Apply the rules whose condition holds, in their order.

    A boost multiplies a score that is not negative and divides one that is, so that a factor above one always lifts. A
    pin takes the best item that matches and is not pinned yet; the first rule to claim a slot has it.
    """
    active = [rule for rule in rules if rule.when(asking)]
    if not active:
        return Ruled(values, None)
    kept = np.ones(len(ordinals), dtype=np.bool_)
    values = values.copy()
    pins: dict[int, int] = {}
    touched: dict[int, tuple[str, ...]] = {}
    applied: list[str] = []
    for planned in active:
        rule = planned.rule
        rows = np.flatnonzero(kept if planned.items is None else kept & planned.items[ordinals])
        if rule.action == "exclude":
            kept[rows] = False
            pins = {slot: row for slot, row in pins.items() if kept[row]}
        elif rule.action == "boost":
            factor = max(rule.factor, SMALLEST_FACTOR)
            values[rows] = np.where(values[rows] < 0.0, values[rows] / factor, values[rows] * factor)
        else:
            rows = _pin(pins, rows, values, slot=rule.slot - 1, slots=slots)
        if len(rows):
            applied.append(f"{rule.key}:{rule.action}")
        for row in rows.tolist():
            touched[row] = (*touched.get(row, ()), rule.key)
    return Ruled(values, kept, pins, touched, tuple(applied))


def _pin(pins: dict[int, int], rows: Ordinals, values: Floats, *, slot: int, slots: int) -> Ordinals:
    """Claim ``slot`` for the best row that is not pinned yet; return that row, or nothing."""
    free = np.array([row for row in rows.tolist() if row not in pins.values()], dtype=np.int64)
    if not 0 <= slot < slots or slot in pins or not free.size:
        return free[:0]
    best = free[int(np.argmax(values[free]))]
    pins[slot] = int(best)
    return np.array([best], dtype=np.int64)
