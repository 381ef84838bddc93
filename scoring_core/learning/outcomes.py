"""The one question to the lake that learning and audits share: which slot was shown, and was it clicked in time."""

from collections.abc import Sequence

from storage.impressions import JOINED

SETTLE_US = 600_000_000
"""How long after the join window an outcome may still arrive: ten minutes."""

SHOWN = f"""
WITH made AS (
    SELECT * FROM decisions
    WHERE "at" >= $start AND "at" < $end
      AND (list_contains($origins, origin) OR list_contains($origins, 'simulated'))
      AND ($campaign IS NULL OR campaign = $campaign)
      AND ($policy IS NULL OR policy = $policy)
), told AS (
    SELECT * FROM events SEMI JOIN made USING (decision_id)
), {JOINED}, shown AS (
    SELECT n, d.decision_id, d."at", joined."at" AS shown_at, surface, d.campaign, coalesce(policy, '') AS policy,
        context, user_vector, user_events, d.subject, propensity_kind, d.origin, item, slot, position,
        propensity[slot] AS propensity, outcomes.type IS NOT NULL AS clicked
    FROM joined JOIN d USING (n)
    LEFT JOIN (SELECT * FROM outcomes WHERE type = $outcome) AS outcomes USING (n, item)
    WHERE list_contains($origins, d.origin)
      AND (d.origin = 'imported' OR joined."at" + d.join_us + $settle <= $now)
)
"""  # noqa: S608  # the rule is a constant
"""Impressions with their outcome, by the rule of ``storage.impressions``. A slot enters when its window has closed;
imported rows are closed by nature. A decision with a simulated event is simulated. The relation ``shown`` is what a
query goes on from."""


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
