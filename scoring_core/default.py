"""The default experience: nothing of the person is read."""

from typing import Any

import numpy as np

from scoring_core.candidates import caller
from scoring_core.candidates.popular import most_popular
from scoring_core.candidates.sources import asked_for, eligible, generation, showable
from scoring_core.caps import hold, ration
from scoring_core.experiments.allocation import Allotment
from scoring_core.features.table import Ordinals
from scoring_core.live import Facts, Live, Request
from scoring_core.plan import caps_for
from scoring_core.record import sealed
from scoring_core.rules import Mask
from storage.records.decisions import RANK_DTYPE, Decision
from storage.records.policies import Policy

SPARE = 16
"""How many items a list is longer at a time, so that what caps hold back leaves no slot open."""
NO_POLICY = Policy(surface="")


def default_experience(
    request: Request,
    live: Live,
    fields: dict[str, Any],
    *,
    facts: Facts,
    reason: str,
    now: int,
    allotted: Allotment | None = None,
    stage_us: dict[str, int],
) -> Decision:
    """Serve the caller's candidates in the caller's order, else what was searched for, else what is popular; hidden and
    sold-out items removed.

    A campaign's items stay its items, and a surface's kinds its kinds, whoever looks. Candidates that the caller names
    are all that may be shown. Caps hold within the session: ``facts`` has its counts and nothing else.
    """
    masks = asked_for(request, live.plan, live.shelf)
    counted = 0 if facts.caps is None else len(facts.caps)
    if request.candidates is not None:
        ordinals = caller.named(request.candidates, live.shelf)
    else:
        ordinals = _listed(request, live, masks, now, request.slots + -(-counted // SPARE) * SPARE)
    rows = eligible(ordinals, shelf=live.shelf, masks=masks, now=now)
    place = live.plan.surfaces.get(request.surface)
    stable = place.stable if place is not None else None
    held = hold(
        caps_for(live.plan, stable, request.surface, request.campaign),
        ordinals[rows],
        counts=facts.caps,
        shelf=live.shelf,
        campaign=request.campaign,
        slots=request.slots,
    )
    order = np.arange(len(rows)) if held.kept is None else np.flatnonzero(held.kept)
    rationed = ration(held, order, {}, request.slots)
    if not rationed.order.size:
        reason = "capped" if len(rows) else "no_candidates"
    rows = rows[rationed.order[: rationed.slots]]
    policy = stable.policy if stable is not None else NO_POLICY
    items = live.shelf.catalogue.items
    return Decision(
        **sealed(fields, ordinals, live=live, counts=held.counts, refusal=reason),
        policy=None,
        version=None,
        bucket=allotted.bucket if allotted is not None else None,
        arms=allotted.arms if allotted is not None else {},
        served_by="default",
        reason=reason,
        ranking=rows.astype(RANK_DTYPE).tobytes(),
        items=tuple(items[ordinal].item_id for ordinal in ordinals[rows].tolist()),
        propensity=(1.0,) * len(rows),
        reasons=(("default",),) * len(rows),
        caps=rationed.caps,
        stage_us=stage_us,
        assume_impression=policy.assume_impression,
        join_window_s=policy.join_window_s,
    )


def _listed(request: Request, live: Live, masks: tuple[Mask, ...], now: int, wanted: int) -> Ordinals:
    """Return the list that everyone gets who asks for the same, remembered."""

    def make() -> Ordinals:
        allowed = showable(live.shelf, masks, now)
        if request.query is not None:
            return live.shelf.texts.find(request.query, allowed, wanted)
        return most_popular(live.items, allowed, wanted)

    key = generation(request, live.plan, live.shelf, live.items, now=now)
    return live.lists.of((*key, "default", wanted), make)
