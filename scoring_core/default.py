"""The default experience: nothing of the person is read."""

from typing import Any

from scoring_core.candidates import caller
from scoring_core.candidates.popular import most_popular
from scoring_core.candidates.sources import asked_for, eligible, generation, showable
from scoring_core.experiments.allocation import Allotment
from scoring_core.features.table import Ordinals
from scoring_core.live import Live, Request
from scoring_core.record import sealed
from scoring_core.rules import Mask
from storage.records.decisions import RANK_DTYPE, Decision
from storage.records.policies import Policy

NO_POLICY = Policy(surface="")


def default_experience(
    request: Request,
    live: Live,
    fields: dict[str, Any],
    *,
    reason: str,
    now: int,
    allotted: Allotment | None = None,
    stage_us: dict[str, int],
) -> Decision:
    """Serve the caller's candidates in the caller's order, else what was searched for, else what is popular; hidden and
    sold-out items removed.

    A campaign's items stay its items, and a surface's kinds its kinds, whoever looks. Candidates that the caller names
    are all that may be shown.
    """
    masks = asked_for(request, live.plan, live.shelf)
    if request.candidates is not None:
        ordinals = caller.named(request.candidates, live.shelf)
    else:
        ordinals = _listed(request, live, masks, now)
    rows = eligible(ordinals, shelf=live.shelf, masks=masks, now=now)[: request.slots]
    place = live.plan.surfaces.get(request.surface)
    policy = place.stable.policy if place is not None and place.stable is not None else NO_POLICY
    reason = reason if len(rows) else "no_candidates"
    items = live.shelf.catalogue.items
    return Decision(
        **sealed(fields, ordinals, live=live, refusal=reason),
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
        stage_us=stage_us,
        assume_impression=policy.assume_impression,
        join_window_s=policy.join_window_s,
    )


def _listed(request: Request, live: Live, masks: tuple[Mask, ...], now: int) -> Ordinals:
    """Return the list that everyone gets who asks for the same, remembered."""

    def make() -> Ordinals:
        allowed = showable(live.shelf, masks, now)
        if request.query is not None:
            return live.shelf.texts.find(request.query, allowed, request.slots)
        return most_popular(live.items, allowed, request.slots)

    key = generation(request, live.plan, live.shelf, live.items, now=now)
    return live.lists.of((*key, "default", request.slots), make)
