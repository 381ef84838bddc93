"""What the landing page shows: campaigns with their rates, and who is alive."""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors import kpis
from dashboard.queries.rates import Rate, rate
from dashboard.span import Span
from storage import campaigns, cells, receipts, revisions
from storage.cells import Cell
from storage.database import Read
from storage.records.campaigns import Campaign
from storage.records.changes import Receipt
from storage.records.clock import DAY, HOUR, SECOND
from storage.records.policies import KillSwitch, Snapshot

ALIVE_US = 10 * SECOND
REAL = ("imported", "live")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLine:
    """One campaign in a range, real rows and simulated ones apart; ``hits`` is of real rows; ``scorer_share`` is of
    our decisions those that the policy's own scorer served, whether it is a model or a popularity list; ``conversions``
    are those of real rows.

    ``campaign`` is None for rows of a campaign that control does not know.
    """

    key: str
    campaign: Campaign | None
    clicks: Rate
    simulated: Rate
    decisions: int
    scorer_share: Rate
    hits: Rate
    last_at: int
    conversions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """Which replicas decide with the newest revision and consent epoch; ``n`` are those heard of within 10 s."""

    revision: int
    live: int
    n: int
    replicas: tuple[Receipt, ...]

    @property
    def sentence(self) -> str:
        """``live on k of n``, in words."""
        return f"revision {self.revision} live on {self.live} of {self.n}" if self.n else "no engine reports"


STEPS = (*(hours * HOUR // 4 for hours in (1, 2, 4, 8, 12, 24)), DAY)
"""The steps of what is shown over time: none between six hours and a day, which would beat with day and night."""


def data_span(read: Read) -> tuple[int, int] | None:
    """Return the first and last instant that cells hold."""
    return cells.campaign_span(read, None)


def _sum(found: Sequence[Cell], field: str) -> int:
    return sum(getattr(cell, field) for cell in found)


def _hits(read: Read, campaign: str, *, span: Span) -> Rate:
    found = kpis.hit_rate(read, start=span.start, end=span.end, campaign=campaign, origins=REAL)
    return rate(int(found.hits), int(found.n))


def campaign_lines(read: Read, *, span: Span) -> tuple[CampaignLine, ...]:
    """Return every campaign, most impressions first; campaigns without rows too."""
    known = {stored.campaign.key: stored.campaign for stored in campaigns.listed(read)}
    found: dict[str, list[Cell]] = {key: [] for key in known}
    for cell in cells.totals(read, start=span.start, end=span.end, by=("campaign", "origin")):
        found.setdefault(cell.a, []).append(cell)
    lines = []
    for key, held in found.items():
        real = [cell for cell in held if cell.b != "simulated"]
        made = [cell for cell in held if cell.b == "simulated"]
        ours = [cell for cell in held if cell.b != "imported"]
        lines.append(
            CampaignLine(
                key=key,
                campaign=known.get(key),
                clicks=rate(_sum(real, "clicks"), _sum(real, "impressions")),
                simulated=rate(_sum(made, "clicks"), _sum(made, "impressions")),
                decisions=_sum(held, "decisions"),
                scorer_share=rate(_sum(ours, "model_decisions"), _sum(ours, "decisions")),
                hits=_hits(read, key, span=span),
                last_at=max((cell.last_at for cell in held), default=0),
                conversions=_sum(real, "conversions"),
            )
        )
    return tuple(sorted(lines, key=lambda line: (-line.clicks.n - line.simulated.n, line.key)))


def by_origin(read: Read, *, span: Span) -> dict[str, Cell]:
    """Return the sums of a range by origin."""
    return {cell.a: cell for cell in cells.totals(read, start=span.start, end=span.end, by=("origin",))}


def over_time(read: Read, *, span: Span, points: int = 60) -> dict[str, tuple[tuple[int, int, int], ...]]:
    """Return impressions and clicks over time by origin: (start, impressions, clicks) in about ``points`` steps.

    Each origin has steps of its own, over its own part of the range: years may lie between imported and live rows.
    """
    found: dict[str, list[tuple[int, Cell]]] = {}
    for cell in cells.totals(read, start=span.start, end=span.end, by=("origin", "start")):
        found.setdefault(cell.a, []).append((int(cell.b), cell))
    lines = {}
    for origin, held in found.items():
        first, last = min(at for at, _ in held), max(at for at, _ in held) + cells.CELL_US
        step = next((one for one in STEPS if last - first <= points * one), -(-(last - first) // points // DAY) * DAY)
        sums = {at: [0, 0] for at in range(first // step * step, last, step)}
        for at, cell in held:
            place = sums[at // step * step]
            place[0] += cell.impressions
            place[1] += cell.clicks
        lines[origin] = tuple((at, n, hits) for at, (n, hits) in sorted(sums.items()))
    return lines


def liveness(read: Read, *, now: int) -> Liveness:
    """Return which of the replicas heard of lately decide with the newest revision."""
    newest = revisions.number(read)
    found = tuple(receipts.registered(read, now, ALIVE_US))
    return Liveness(
        revision=newest,
        live=sum(one.revision >= newest and one.ready for one in found),
        n=len(found),
        replicas=tuple(sorted(found, key=lambda one: one.replica)),
    )


def snapshot(read: Read) -> Snapshot | None:
    """Return the state that engines decide with, or None before the first revision."""
    return revisions.load(read)


def kill_switch(read: Read) -> KillSwitch:
    """Return whether everyone gets the default experience."""
    current = revisions.load(read)
    return current.kill_switch if current else KillSwitch()
