"""What a draft would have earned on logged traffic: rehearsed decisions joined to what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from governance.offpolicy import DRAWS, Estimate, estimate
from governance.rehearsal import Rehearsed
from scoring_core.learning.outcomes import SHOWN, parameters
from storage.database import Read
from storage.lake import Lake

Floats = NDArray[np.float64]

OPEN = 2**62
"""A moment at which every window has closed: outcomes so far are counted."""

CAVEAT = (
    "Per slot, given what stood above: exact for one slot, for a slate an approximation where people look at several "
    "items together."
)
WHOLE = "Per slot, times the probabilities of all slots above: exact where a click depends on nothing below it."

_CAME = """
SELECT shown.decision_id, slot, clicked, shown_at + d.join_us <= $settled FROM shown JOIN d USING (n)
SEMI JOIN sampled ON sampled.decision_id = shown.decision_id
"""

Outcomes = Mapping[str, Mapping[int, tuple[bool, bool]]]
"""By decision and slot (1, 2, …): whether the outcome came, and whether its window has closed."""


@dataclass(slots=True)
class Rows:
    """One row per slot that was seen."""

    reward: list[float] = field(default_factory=list)
    logged: list[float] = field(default_factory=list)
    target: list[float] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    context: list[Mapping[str, Any]] = field(default_factory=list)
    slot: list[int] = field(default_factory=list)
    open: int = 0

    def add(self, pair: Rehearsed, came: Mapping[int, tuple[bool, bool]], *, slate: bool) -> None:
        """Add what was seen of a decision; a decision without conditional propensities adds nothing."""
        made = pair.logged
        if made.propensity_kind != "conditional" or made.withheld:
            return
        above_logged = above_target = 1.0
        for place, (logged, target) in enumerate(zip(made.propensity, pair.likelihood, strict=True)):
            above_logged, above_target = above_logged * logged, above_target * target
            if place + 1 in came:
                reward, closed = came[place + 1]
                self.reward.append(float(reward))
                self.logged.append(above_logged if slate else logged)
                self.target.append(above_target if slate else target)
                self.unit.append(made.subject or made.decision_id)
                self.context.append(made.context)
                self.slot.append(place)
                self.open += not closed


def outcomes(
    lake: Lake,
    read: Read,
    ids: Sequence[str],
    *,
    start: int,
    end: int,
    origins: Sequence[str],
    outcome: str,
    now: int,
) -> Outcomes:
    """Return what came so far of the slots that were seen of these decisions."""
    found: dict[str, dict[int, tuple[bool, bool]]] = {}
    asked = parameters(now=OPEN, origins=origins, start=start, end=end, outcome=outcome)
    with lake.connect(read, start=start) as duck:
        duck.register("sampled", pa.table({"decision_id": pa.array(ids, pa.string())}))
        rows = duck.execute(
            SHOWN + _CAME,
            {**asked, "settled": now},
        )
        while page := rows.fetchmany(10_000):
            for decision_id, slot, clicked, closed in page:
                found.setdefault(decision_id, {})[int(slot)] = (bool(clicked), bool(closed))
    return found


def estimated(
    rows: Rows, *, seed: int, slate: bool, clip: float | None = None, draws: int = DRAWS
) -> tuple[Estimate, dict[str, Any]]:
    """Return the estimate and its document; several rows of one person are drawn together."""
    _, units = np.unique(np.array(rows.unit, dtype=str), return_inverse=True)
    found = estimate(
        np.array(rows.reward),
        np.array(rows.logged),
        np.array(rows.target),
        features=_features(rows),
        units=units.astype(np.int64),
        clip=clip,
        seed=seed,
        draws=draws,
    )
    told = {
        **found.document(),
        "label": "estimated",
        "people": len(set(rows.unit)),
        "open_windows": rows.open,
        "caveat": WHOLE if slate else CAVEAT,
    }
    return found, told


def _features(rows: Rows) -> Floats | None:
    """Return what was known before: the slot, and each attribute of the context as a number of its own."""
    if not rows.reward:
        return None
    names = sorted({name for context in rows.context for name in context})
    columns = [np.array(rows.slot, dtype=np.float64)]
    for name in names:
        values = [context.get(name) for context in rows.context]
        if all(value is None or isinstance(value, int | float) for value in values):
            columns.append(np.array([np.nan if value is None else float(value) for value in values]))
        else:
            _, codes = np.unique(np.array([str(value) for value in values]), return_inverse=True)
            columns.append(codes.astype(np.float64))
    return np.stack(columns, axis=1)


def sentence(found: Estimate, *, what: str, outcome: str) -> str:
    """Say in words what a draft is worth, or that nothing can be said."""
    best = found.best
    if found.verdict != "supported" or best is None:
        return f"No verdict on {what}. {found.sentence}"
    name, value = best
    lift = found.lift[name]
    direction = "more" if lift.low > 0 else "fewer" if lift.high < 0 else "neither more nor fewer is shown"
    return (
        f"{what[:1].upper()}{what[1:]} would earn {value.value:.3%} {outcome}s per impression "
        f"({value.low:.3%} to {value.high:.3%}; served: {found.logged.value:.3%}): {direction} "
        f"({lift.value:+.3%}, {lift.low:+.3%} to {lift.high:+.3%}). {found.sentence}"
    )
