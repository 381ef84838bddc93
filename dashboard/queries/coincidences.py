"""What coincides with a stretch of time: changes of control, models, findings, restarts, gaps. Never what caused it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dashboard.queries import turns
from dashboard.span import Span
from storage import alerts, drift, findings, revisions, series, verdicts
from storage.database import Read
from storage.records.clock import HOUR, MINUTE
from storage.records.findings import Verdict
from storage.records.policies import Snapshot
from storage.windows import boots

Ranges = Sequence[tuple[int, int]]
MOST = 40
PAGES: Mapping[str, str] = {
    **turns.PAGES,
    "fairness": "fairness",
    "drift": "drift",
    "offpolicy": "policies",
    "whatif": "whatif",
    "rules": "rules",
    "check": "checks",
    "alert": "alerts",
    "restart": "system",
    "gap": "system",
}
"""The page that shows each kind."""
TOLD: tuple[Verdict, ...] = ("warn", "fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened between ``at`` and ``until``; ``apart`` is how far it is from what is looked at
    (microseconds; before: negative, within: 0); ``revision`` is that of a change of control."""

    at: int
    kind: str
    text: str
    until: int | None = None
    apart: int = 0
    revision: int | None = None

    @property
    def page(self) -> str:
        """The page that shows it."""
        return PAGES.get(self.kind, "ledger")


def _changes(read: Read, start: int, end: int) -> list[Happening]:
    chain = revisions.between(read, start, end)
    if chain and chain[0].revision == 1:
        chain.insert(0, Snapshot(revision=0, at=0))
    made = [
        Happening(at=one.at, kind=one.kind, text=one.text, revision=one.revision)
        for old, new in pairwise(chain)
        for one in turns.between(old, new)
        if start <= one.at < end
    ]
    return sorted(made, key=lambda one: one.kind == "model")


def _findings(read: Read, start: int, end: int) -> list[Happening]:
    audits = findings.told(read, start, end, verdicts=TOLD)
    looks = drift.reds(read, start, end)
    checks = verdicts.turned(read, start, end, words=TOLD)
    fired = alerts.listed(read, start=start, end=end, audiences=("operation", "models", "campaigns"))
    return [
        *(Happening(at=one.at, kind=one.kind, text=f"audit of {one.kind}: {one.sentence}") for one in audits),
        *(
            Happening(at=one.start, until=one.end, kind="drift", text=f"drift on {one.surface}: {one.sentence}")
            for one in looks
        ),
        *(
            Happening(at=one.since, until=one.seen, kind="check", text=f"check {one.check}: {one.sentence}")
            for one in checks
        ),
        *(
            Happening(at=one.since, until=one.resolved_at, kind="alert", text=f"alert: {one.title}")
            for one in fired
            if not one.test
        ),
    ]


def _machinery(read: Read, start: int, end: int) -> list[Happening]:
    held = [
        Happening(at=one.start, until=one.end, kind="gap", text=f"nobody observed {one.replica}")
        for one in series.gaps(read, start, end)
        if one.kind == "missing"
    ]
    started = [
        Happening(at=one.start, kind="restart", text=f"{one.replica} started") for one in boots(read, start, end)
    ]
    return held + started


def distance(one: Happening, ranges: Ranges) -> int:
    """Return how far something is from the nearest of some ranges: before it negative, within it 0.

    >>> distance(Happening(at=5, kind="gap", text=""), [(10, 20)])
    -5
    >>> distance(Happening(at=5, until=12, kind="gap", text=""), [(10, 20)])
    0
    """
    last = one.at if one.until is None else max(one.at, one.until)
    apart = [last - start if last < start else max(0, one.at - end) for start, end in ranges]
    return min(apart, key=abs, default=0)


def around(read: Read, *, ranges: Ranges, widen: int = 0) -> tuple[Happening, ...]:
    """Return what happened within some ranges or ``widen`` around them, the nearest first; of what is equally near to
    the minute, what people changed before models, those before what was found, and that before the machinery."""
    if not ranges:
        return ()
    start, end = min(first for first, _ in ranges) - widen, max(last for _, last in ranges) + widen
    found = [
        replace(one, apart=distance(one, ranges))
        for place in (_changes, _findings, _machinery)
        for one in place(read, start, end)
    ]
    near = [one for one in found if abs(one.apart) <= widen]
    return tuple(sorted(near, key=lambda one: abs(one.apart) // MINUTE)[:MOST])


def widening(ranges: Ranges) -> int:
    """Return how far around some ranges is looked: as far as the longest is long, at least an hour, at most a day."""
    longest = max((last - first for first, last in ranges), default=0)
    return min(24 * HOUR, max(HOUR, longest))


def nearness(one: Happening) -> str:
    """Return how near something is, in words.

    >>> nearness(Happening(at=0, kind="gap", text="", apart=-5 * MINUTE))
    '5 min before'
    """
    if not one.apart:
        return "within"
    minutes = abs(one.apart) / MINUTE
    told = f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
    return f"{told} {'before' if one.apart < 0 else 'after'}"


def active(read: Read, *, start: int, end: int, surfaces: Sequence[str]) -> tuple[str, ...]:
    """Return what each policy of some surfaces (none: all) served in a range, in order: ``home v1 to everyone``."""
    found: dict[str, None] = {}
    for snapshot in revisions.between(read, start, end):
        for key, state in sorted(snapshot.policies.items()):
            if not surfaces or state.surface in surfaces:
                found[f"{key} {turns.served(state)}"] = None
    return tuple(found)


def by_span(read: Read, *, span: Span) -> tuple[Happening, ...]:
    """Return what happened in a range, in order of time."""
    found = around(read, ranges=((span.start, span.end),))
    return tuple(sorted(found, key=lambda one: one.at))
