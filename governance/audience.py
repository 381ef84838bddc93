"""The segments as people read them: what each means, how large it is, whether it clicks more or less than the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from governance.installation import installation
from storage import registry, segments
from storage.database import Read
from storage.records.document import document
from storage.records.segments import STANDARD_SEGMENTS, SegmentCount, SegmentRule

SHOWN_FROM = 50
"""Smaller groups are shown to those who may read consent by person only."""
FEW = f"Fewer than {SHOWN_FROM} people, or beside such a group."

SegmentKind = Literal["standard", "own", "cohort", "cluster"]


@document
class SegmentView:
    """One segment: its meaning in plain words, its size (None: not counted yet, or too small to be shown) and mean
    confidence, its click rate beside everyone else's, and what that shows (``verdict`` as checks say it)."""

    key: str
    kind: SegmentKind
    title: str
    enabled: bool = True
    people: int | None = None
    confidence: float | None = None
    impressions: int | None = None
    clicks: int | None = None
    rate: float | None = None
    others: float | None = None
    verdict: Literal["pass", "warn", "unknown"] = "unknown"
    sentence: str = "Not counted yet."


@document
class Audience:
    """Everyone by segment as of the last census (``at`` None: before the first)."""

    at: int | None
    people: int | None
    origins: tuple[str, ...]
    segments: tuple[SegmentView, ...]


def audience(read: Read, *, exact: bool) -> Audience:
    """Return every segment, standard ones first; without ``exact`` groups of fewer than fifty are not counted out."""
    census = segments.latest(read)
    counted = {} if census is None else {one.segment: one for one in census.segments}
    own = installation(read).segments
    rules = {**STANDARD_SEGMENTS, **own}
    hidden = frozenset() if exact else _hidden(counted)
    clusters = cluster_titles(read)
    views = [
        _view(key, counted.get(key), rules.get(key), clusters, hidden=key in hidden)
        for key in [*rules, *sorted(counted.keys() - rules.keys(), reverse=True)]
    ]
    order: Sequence[SegmentKind] = ("standard", "own", "cluster", "cohort")
    people = None if census is None or (not exact and census.people < SHOWN_FROM) else census.people
    return Audience(
        at=census.at if census else None,
        people=people,
        origins=census.origins if census else (),
        segments=tuple(sorted(views, key=lambda view: order.index(view.kind))),
    )


def cluster_titles(read: Read) -> Mapping[str, str]:
    """Say what the clusters of the model in service are like."""
    model = registry.in_service(read).get("clusters")
    titles = model.parameters["titles"] if model else ()
    return {f"cluster.{place}": str(title) for place, title in enumerate(titles, start=1)}


def kind_of(key: str) -> SegmentKind:
    """Return what kind of segment a key names.

    >>> kind_of("new"), kind_of("cohort.2026-06"), kind_of("cluster.2"), kind_of("fans")
    ('standard', 'cohort', 'cluster', 'own')
    """
    if key in STANDARD_SEGMENTS:
        return "standard"
    root = key.partition(".")[0]
    return "cohort" if root == "cohort" else "cluster" if root == "cluster" else "own"


def cohort_title(key: str) -> str:
    """Say when a cohort's people were first seen.

    >>> cohort_title("cohort.2023-11"), cohort_title("cohort.2023-W46")
    ('First seen in November 2023.', 'First seen in the week of 2023-11-13.')
    """
    year, _, part = key.removeprefix("cohort.").partition("-")
    if part.startswith("W"):
        return f"First seen in the week of {date.fromisocalendar(int(year), int(part[1:]), 1).isoformat()}."
    return f"First seen in {date(int(year), int(part), 1):%B %Y}."


def compared(counted: SegmentCount) -> tuple[Literal["pass", "warn", "unknown"], str]:
    """Say whether a segment clicks more or less than everyone else, with its evidence.

    >>> compared(SegmentCount(segment="a", people=90, rate=0.02, others=0.05, low=-0.04, high=-0.01))
    ('warn', 'Clicks less than everyone else: 2.00 % against 5.00 %, apart by -4.00 to -1.00 points.')
    """
    if counted.low is None or counted.high is None or counted.rate is None or counted.others is None:
        return "unknown", "Too little was shown and clicked in closed windows of the last week to compare."
    figures = (
        f"{100 * counted.rate:.2f} % against {100 * counted.others:.2f} %, apart by {100 * counted.low:+.2f} to "
        f"{100 * counted.high:+.2f} points."
    )
    if counted.high < 0.0:
        return "warn", f"Clicks less than everyone else: {figures}"
    if counted.low > 0.0:
        return "pass", f"Clicks more than everyone else: {figures}"
    return "unknown", f"Not shown to click differently: {figures}"


def _view(
    key: str, counted: SegmentCount | None, rule: SegmentRule | None, clusters: Mapping[str, str], *, hidden: bool
) -> SegmentView:
    kind = kind_of(key)
    view = SegmentView(
        key=key,
        kind=kind,
        title=rule.title if rule and rule.title else _title(key, kind, clusters),
        enabled=rule.enabled if rule else True,
    )
    if not view.enabled:
        return replace(view, sentence="Turned off.")
    if counted is None:
        return view
    if hidden:
        return replace(view, sentence=FEW)
    verdict, sentence = compared(counted)
    return replace(
        view,
        people=counted.people,
        confidence=counted.confidence,
        impressions=counted.impressions,
        clicks=counted.clicks,
        rate=counted.rate,
        others=counted.others,
        verdict=verdict,
        sentence=sentence,
    )


def _title(key: str, kind: SegmentKind, clusters: Mapping[str, str]) -> str:
    if kind == "cohort":
        return cohort_title(key)
    return clusters.get(key, "People alike in what they do.") if kind == "cluster" else key


def _hidden(counted: Mapping[str, SegmentCount]) -> frozenset[str]:
    """Return what is too small to be shown; where the parts of a whole would give a single one away, the next, too."""
    hidden = {key for key, one in counted.items() if one.people < SHOWN_FROM}
    wholes: dict[str, list[str]] = {}
    for key in counted:
        if kind_of(key) in ("cohort", "cluster"):
            wholes.setdefault(f"{kind_of(key)}{'-W' in key}", []).append(key)
    for parts in wholes.values():
        if len(hidden.intersection(parts)) == 1 and len(parts) > 1:
            hidden.add(min((key for key in parts if key not in hidden), key=lambda key: counted[key].people))
    return frozenset(hidden)
