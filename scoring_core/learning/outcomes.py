"""The one question to the lake that learning and audits share: which slot was shown, and was it clicked in time."""

from collections.abc import Sequence

SETTLE_US = 600_000_000
"""How long after the join window an outcome may still arrive: ten minutes."""

SHOWN = """
WITH slot AS (
    SELECT decision_id, "at", surface, campaign, policy, context, user_vector, user_events, propensity_kind, origin,
        assume_impression, join_window_s::BIGINT * 1000000 AS join_window,
        unnest(items) AS item,
        unnest(generate_series(1, len(items))) AS slot,
        positions, propensity
    FROM decisions
    WHERE list_contains($origins, origin) AND "at" >= $start AND "at" < $end
      AND ($campaign IS NULL OR campaign = $campaign)
      AND ($policy IS NULL OR policy = $policy)
), seen AS (
    SELECT decision_id, item, min("at") AS "at" FROM events
    WHERE type = 'impression' AND decision_id IS NOT NULL GROUP BY ALL
), outcome AS (
    SELECT decision_id, item, list("at") AS moments FROM events
    WHERE type = $outcome AND decision_id IS NOT NULL GROUP BY ALL
), joined AS (
    SELECT slot.*, coalesce(seen."at", slot."at") AS shown_at, outcome.moments
    FROM slot
    LEFT JOIN seen ON seen.decision_id = slot.decision_id AND seen.item = slot.item
    LEFT JOIN outcome ON outcome.decision_id = slot.decision_id AND outcome.item = slot.item
    WHERE seen."at" IS NOT NULL OR slot.assume_impression
), shown AS (
    SELECT decision_id, "at", shown_at, surface, coalesce(campaign, '') AS campaign, coalesce(policy, '') AS policy,
        context, user_vector, user_events, propensity_kind, origin, item, slot,
        coalesce(positions[slot], slot) AS position,
        propensity[slot] AS propensity,
        len(list_filter(coalesce(moments, []), lambda moment:
            moment >= shown_at AND moment <= shown_at + join_window)) > 0 AS clicked
    FROM joined
    WHERE origin = 'imported' OR shown_at + join_window + $settle <= $now
)
"""
"""Impressions (reported ones, assumed ones where the policy says so) with their outcome, counted once per decision and
item, if it came within the join window. A live slot enters when its window has closed; imported rows are closed by
nature. The relation ``shown`` is what a query goes on from."""


def parameters(
    *,
    now: int,
    origins: Sequence[str],
    start: int = -(2**62),
    end: int = 2**62,
    campaign: str | None = None,
    policy: str | None = None,
    outcome: str = "click",
) -> dict[str, object]:
    """Return what ``SHOWN`` asks for."""
    return {
        "now": now,
        "settle": SETTLE_US,
        "origins": list(origins),
        "start": start,
        "end": end,
        "campaign": campaign,
        "policy": policy,
        "outcome": outcome,
    }
