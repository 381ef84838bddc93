"""Who gets what: campaign, holdout, and the policy version by rollout bucket."""

from collections.abc import Mapping
from typing import Any

import msgspec

from scoring_core.experiments.hashing import bucket
from scoring_core.plan import Plan, PlannedCampaign, PlannedPolicy
from storage.records.campaigns import Campaign


class Allotment(msgspec.Struct, frozen=True):
    """The policy version that serves a subject, or None and the ``reason`` why the default experience does."""

    policy: PlannedPolicy | None
    reason: str = ""
    bucket: float | None = None
    arms: Mapping[str, str] = {}


def allot(
    plan: Plan, *, subject: str, surface: str, campaign: str | None, asking: Mapping[str, Any], now: int
) -> Allotment:
    """Allot a policy version: the campaign must run and want the subject, then the rollout's bucket decides.

    A rollout keeps its seed while its share grows, so subjects only join; who is not in it has the stable version. Only
    whom it concerns has a bucket: those who do not join although they might are whom it is compared with.
    """
    arms: dict[str, str] = {}
    if campaign is not None:
        planned = plan.campaigns.get(campaign)
        refused = _refused(planned, surface, asking, now)
        if refused or planned is None:
            return Allotment(None, refused or "campaign_unknown")
        share = planned.campaign.holdout
        if share > 0.0:
            held = held_out(planned.campaign, subject)
            arms = {"holdout": "held_out" if held else "treated"}
            if held:
                return Allotment(None, "holdout", arms=arms)
    place = plan.surfaces.get(surface)
    if place is None:
        return Allotment(None, "no_policy", arms=arms)
    chosen, point = place.stable, None
    if place.rollout is not None and place.rolling is not None and place.segment(asking):
        point = bucket(place.rollout.seed, subject, place.rollout.hash_version)
        if point is not None and point < place.rollout.percent / 100.0:
            chosen = place.rolling
    return Allotment(chosen, "" if chosen else "no_policy", bucket=point, arms=arms)


def held_out(campaign: Campaign, subject: str) -> bool:
    """Tell whether a subject is in the campaign's holdout; the campaign's key is the seed, so it stays there."""
    point = bucket(f"holdout/{campaign.key}", subject)
    return point is not None and point < campaign.holdout


def _refused(planned: PlannedCampaign | None, surface: str, asking: Mapping[str, Any], now: int) -> str:
    if planned is None:
        return "campaign_unknown"
    campaign = planned.campaign
    if campaign.status != "running":
        return f"campaign_{campaign.status}"
    if campaign.starts_at is not None and now < campaign.starts_at:
        return "campaign_not_started"
    if campaign.ends_at is not None and now >= campaign.ends_at:
        return "campaign_ended"
    if surface not in campaign.surfaces:
        return "campaign_elsewhere"
    return "" if planned.eligible(asking) else "ineligible"
