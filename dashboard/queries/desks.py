"""What the landing page puts first for each role: campaigns and what limits them, open questions, the fleet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.queries import alerts, campaign_strip, experiments, marks, overview
from dashboard.queries.alerts import Told, gravity
from dashboard.queries.campaign_strip import CampaignStrip
from dashboard.queries.marks import Mark
from dashboard.queries.overview import CampaignLine
from dashboard.queries.rates import Rate
from dashboard.span import Span
from dashboard.text import percent
from storage import cells as kept
from storage import changes, drift, findings, heartbeats, policies
from storage.database import Read
from storage.findings import PlannedFinding
from storage.heartbeats import Heartbeat
from storage.records.changes import Change
from storage.records.clock import MINUTE

CONSENT_LIMITS, CAPS_LIMIT, FALLS_BACK = 0.9, 0.05, 0.2
"""A campaign is said to be limited where fewer than nine decisions in ten may be personal, where more than one look at
a cap in twenty held something back, or where its policy falls back in more than one decision of five."""
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


def campaigns(read: Read, *, span: Span, minute: int) -> tuple[CampaignDesk, ...]:
    """Return every campaign that control knows or rows name, what is most at stake first; ``minute`` counts those to
    now."""
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
                limited=_limits(line, strip, now=minute * MINUTE),
            )
        )
    return tuple(sorted(desks, key=lambda desk: _stakes(desk.line)))


def _stakes(line: CampaignLine) -> tuple[bool, int, int, int, str]:
    """What runs comes first, then what has most conversions, clicks, and simulated clicks in the range."""
    idle = line.campaign is None or line.campaign.status != "running"
    return idle, -line.conversions, -line.clicks.hits, -line.simulated.hits, line.key


def _limits(line: CampaignLine, strip: CampaignStrip | None, *, now: int) -> tuple[str, ...]:
    if strip is None or line.campaign is None:
        return ()
    campaign = line.campaign
    refused = 1.0 - (1.0 if strip.admitted is None or strip.admitted.value is None else strip.admitted.value)
    capped, fallen = (0.0 if one is None else one.value or 0.0 for one in (strip.capped, strip.fallen))
    met = {
        "kill switch": strip.killed,
        f"status: {campaign.status}": campaign.status != "running",
        "dates: not begun": campaign.starts_at is not None and now < campaign.starts_at,
        "dates: over": campaign.ends_at is not None and now >= campaign.ends_at,
        "policy: none serves": not strip.policies,
        f"policy: {percent(fallen)} fall back": fallen > FALLS_BACK,
        f"consent: {percent(refused)} said no": refused > 1.0 - CONSENT_LIMITS,
        f"caps: {percent(capped)} held back": capped > CAPS_LIMIT,
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
    """What ops look at first: what fires (who looks after it or not), what flipped lately (newest first), and which of
    control's tasks are late or failed."""

    firing: tuple[Told, ...]
    flips: tuple[Mark, ...]
    late: tuple[Heartbeat, ...]
    tasks: int


def fleet(read: Read, *, span: Span, now: int, audiences: Collection[str]) -> Fleet:
    """Return how the machinery stands."""
    beats = heartbeats.heartbeats(read)
    late = [one for one in beats if one.error or one.late(now)]
    found = sorted(marks.flips(read, span=span), key=lambda mark: -mark.at)
    board = alerts.board(read, now=now, audiences=list(audiences), start=now, end=now)
    return Fleet(
        firing=tuple(sorted(board.open, key=gravity)),
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
