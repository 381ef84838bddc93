"""Whether a campaign runs and is allowed to: what it may serve, to whom, and what held it back."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.queries import experiments
from dashboard.queries.experiments import Readout
from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from governance import cap_effects
from scoring_core.gate import REFUSALS
from storage import revisions, series
from storage.database import Read
from storage.records.campaigns import Campaign
from storage.records.policies import PolicyState, Snapshot

REQUESTS = "fairlead_decision_requests_total"
REFUSED = REFUSALS - {"kill_switch"}
"""The reasons of decisions that read nothing of a person for want of their consent, or of knowing it."""
SERVED = ("model", "fallback")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStrip:
    """``policies`` says what serves each surface of the campaign; ``admitted`` are decisions for people who may be
    profiled of all that said it (None: nothing was observed); ``capped`` are looks at a cap that held something back,
    of all looks at the caps that hold here; ``killed`` tells whether the kill switch is on; ``fallen`` are decisions
    that a policy's fallback served, of those that a policy served."""

    policies: tuple[str, ...]
    admitted: Rate | None
    capped: Rate | None
    holdout: float
    killed: bool
    fallen: Rate | None = None


def served(state: PolicyState) -> str:
    """Return what a policy serves, in words.

    >>> served(PolicyState(key="home", surface="home", stable=3))
    'home v3'
    """
    if state.stable is None and state.rollout is None:
        return f"{state.key} serves nobody"
    stable = f"{state.key} v{state.stable}" if state.stable is not None else state.key
    return stable + (f", v{state.rollout.version} at {state.rollout.percent:g} %" if state.rollout else "")


def _holding(snapshot: Snapshot, campaign: Campaign) -> frozenset[str]:
    """Return the names of the caps that hold for a campaign."""
    own = {
        cap.key
        for cap in snapshot.caps.values()
        if (not cap.campaigns or campaign.key in cap.campaigns)
        and (not cap.surfaces or set(cap.surfaces) & set(campaign.surfaces))
    }
    return frozenset(own | {f"campaign/{campaign.key}/{cap.key}" for cap in campaign.caps})


def _admitted(read: Read, campaign: str, span: Span) -> Rate | None:
    found = series.total(read, REQUESTS, start=span.start, end=span.end, labels={"campaign": campaign}, by=("reason",))
    by_reason: Mapping[str, float] = {step.labels["reason"]: step.value for step in found if step.value is not None}
    n = int(sum(by_reason.values()))
    return rate(n - int(sum(by_reason.get(reason, 0.0) for reason in REFUSED)), n) if n else None


def _fallen(read: Read, campaign: str, span: Span) -> Rate | None:
    found = series.total(read, REQUESTS, start=span.start, end=span.end, labels={"campaign": campaign}, by=("outcome",))
    served = {step.labels["outcome"]: step.value for step in found if step.value is not None}
    n = int(sum(served.get(outcome, 0.0) for outcome in SERVED))
    return rate(int(served.get("fallback", 0.0)), n) if n else None


def over_nothing(read: Read, *, campaign: str, simulated: bool) -> Readout | None:
    """Return the newest comparison of a campaign with the people held out of it; None where there is none yet."""
    key, origin = f"holdout/{campaign}", "simulated" if simulated else "real"
    told = experiments.readouts(read).experiments
    return next((one for one in told if one["key"] == key and one["origin"] == origin), None)


def strip(read: Read, *, campaign: Campaign, span: Span) -> CampaignStrip:
    """Return what stands above the heatmaps of one campaign."""
    snapshot = revisions.load(read)
    holding = _holding(snapshot, campaign) if snapshot else frozenset()
    looks = [one for one in cap_effects.effects(read, start=span.start, end=span.end) if one.name in holding]
    checked = sum(one.checked for one in looks)
    return CampaignStrip(
        policies=tuple(
            served(state)
            for _, state in sorted(snapshot.policies.items() if snapshot else ())
            if state.surface in campaign.surfaces
        ),
        admitted=_admitted(read, campaign.key, span),
        capped=rate(sum(one.held_back for one in looks), checked) if checked else None,
        holdout=campaign.holdout,
        killed=snapshot.kill_switch.on if snapshot else False,
        fallen=_fallen(read, campaign.key, span),
    )
