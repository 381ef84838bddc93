"""What the landing page puts first for each role: campaigns and what limits them, open questions, the fleet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.queries import campaign_strip, experiments, marks, overview
from dashboard.queries.campaign_strip import CampaignStrip
from dashboard.queries.marks import Mark
from dashboard.queries.overview import CampaignLine
from dashboard.queries.rates import Rate
from dashboard.span import Span
from storage import alerts, changes, drift, findings, heartbeats, policies
from storage import cells as kept
from storage.database import Read
from storage.findings import PlannedFinding
from storage.heartbeats import Heartbeat
from storage.records.changes import Change

CONSENT_LIMITS, CAPS_LIMIT = 0.9, 0.05
"""A campaign is said to be limited where fewer than nine decisions in ten may be personal, or where more than one look
at a cap in twenty held something back."""
WAITING = ("in_review", "approved", "scheduled")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDesk:
    """One campaign as a marketer looks at it. ``reach`` are decisions for people who may be profiled; ``experiment`` is
    its comparison with its holdout (None: there is none, or nothing was counted yet)."""

    line: CampaignLine
    reach: Rate | None
    holdout: float
    experiment: Mapping[str, Any] | None
    limited: tuple[str, ...]


def campaigns(read: Read, *, span: Span) -> tuple[CampaignDesk, ...]:
    """Return every campaign that control knows or rows name, most impressions first: where most is at stake."""
    told = {one["key"]: one for one in experiments.readouts(read).experiments if one["origin"] == "real"}
    desks = []
    for line in overview.campaign_lines(read, span=span):
        strip = campaign_strip.strip(read, campaign=line.campaign, span=span) if line.campaign else None
        desks.append(
            CampaignDesk(
                line=line,
                reach=strip.admitted if strip else None,
                holdout=strip.holdout if strip else 0.0,
                experiment=told.get(f"holdout/{line.key}"),
                limited=_limits(line, strip),
            )
        )
    return tuple(desks)


def _limits(line: CampaignLine, strip: CampaignStrip | None) -> tuple[str, ...]:
    if strip is None or line.campaign is None:
        return ()
    reach, capped = strip.admitted, strip.capped
    met = {
        "kill switch": strip.killed,
        f"status: {line.campaign.status}": line.campaign.status != "running",
        "no policy": not strip.policies,
        "consent": reach is not None and reach.value is not None and reach.value < CONSENT_LIMITS,
        "caps": capped is not None and capped.value is not None and capped.value > CAPS_LIMIT,
    }
    return tuple(name for name, holds in met.items() if holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What waits for a data scientist: experiments of the newest readout, the newest word on fairness of each plan,
    features that drift by surface, and changes that wait for somebody."""

    read_out_at: int | None
    experiments: tuple[Mapping[str, Any], ...]
    fairness: tuple[PlannedFinding, ...]
    drifted: tuple[tuple[str, str, int], ...]
    watched: bool
    waiting: tuple[Change, ...]


def questions(read: Read) -> Questions:
    """Return what is open."""
    told = experiments.readouts(read)
    looks = drift.newest_looks(read)
    red = {(look.surface, str(row["feature"]), look.start) for look in looks for row in look.features if row.get("red")}
    return Questions(
        read_out_at=told.at,
        experiments=told.experiments,
        fairness=tuple(findings.latest_by_plan(read)),
        drifted=tuple(sorted(red)),
        watched=bool(looks),
        waiting=tuple(changes.listed(read, states=WAITING, limit=20)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What ops look at first: how many alerts wait for somebody, what flipped lately (newest first), and which of
    control's tasks are late or failed."""

    firing: int
    flips: tuple[Mark, ...]
    late: tuple[Heartbeat, ...]
    tasks: int


def fleet(read: Read, *, span: Span, now: int, audiences: Collection[str]) -> Fleet:
    """Return how the machinery stands."""
    beats = heartbeats.heartbeats(read)
    late = [one for one in beats if one.error or one.late(now)]
    found = sorted(marks.flips(read, span=span), key=lambda mark: -mark.at)
    return Fleet(
        firing=alerts.awaiting(read, now=now, audiences=list(audiences)),
        flips=tuple(mark for mark in found if span.start <= mark.at < span.end)[:5],
        late=tuple(late),
        tasks=len(beats),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The first steps of an installation, each told by a fact: rows came in, a policy serves, somebody agreed to a
    change, an audit ran."""

    events: bool
    policy: bool
    approval: bool
    audit: bool

    @property
    def done(self) -> int:
        """How many are done."""
        return sum((self.events, self.policy, self.approval, self.audit))


def steps(read: Read) -> Steps:
    """Return how far the installation is."""
    return Steps(
        events=kept.campaign_span(read) is not None,
        policy=any(head.stable is not None for head in policies.heads(read)),
        approval=any(change.approvals for change in changes.listed(read)),
        audit=any(findings.audits(read, kind, limit=1) for kind in ("fairness", "drift")),
    )
