"""Creators and their audiences: how their items do beside everyone else's, and what each audience prefers."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Literal

from governance.audience import SHOWN_FROM
from governance.proportions import Difference, Tally, difference, discoveries, remainder, tallied
from scoring_core.learning.acts import MAKERS
from storage.audience_outcomes import AudienceCount, Returned
from storage.records.document import document
from storage.records.findings import Verdict
from storage.records.items import Item
from storage.records.proportions import wilson

Rows = Literal["live", "imported", "simulated"]
"""Rows of one origin are held against rows of the same only: the clicks of another shop say nothing of this one."""
ROWS: tuple[Rows, ...] = ("live", "imported", "simulated")


@document
class Apart:
    """A click rate minus that of the rest with its 95 % interval; ``stands`` among all that were compared."""

    value: float
    low: float
    high: float
    p: float
    unit: str
    stands: bool = False


@document
class Preference:
    """How a part of an audience takes to a creator's items beside what it makes of everyone else's; of an ``item``, how
    it does beside the creator's others. ``masked`` parts are too small to be shown: all figures are None."""

    kind: Literal["segment", "context", "item"]
    value: str
    masked: bool = False
    people: int | None = None
    impressions: int | None = None
    clicks: int | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    apart: Apart | None = None


@document
class CreatorView:
    """One creator, rows of one kind. ``people`` are the known ones (None: fewer than 50, or nobody known)."""

    creator: str
    rows: Rows
    items: int
    people: int | None
    impressions: int | None = None
    clicks: int | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    apart: Apart | None = None
    verdict: Verdict = "unknown"
    sentence: str = ""
    prefers: tuple[Preference, ...] = ()


@document
class CohortWeek:
    """Of those first seen in a week, how many came back so many ``weeks`` later (None: too few people to be shown)."""

    rows: Rows
    cohort: int
    weeks: int
    people: int | None = None
    back: int | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None


def attribute_of(items: Sequence[Item], named: str) -> str:
    """Return the item attribute that names creators: the one that the settings name, else the first that any item
    has of those that often do; empty where there is none.

    >>> attribute_of([Item(item_id="a", attributes={"brand": "x"})], "")
    'brand'
    """
    if named:
        return named
    held = {name for item in items for name in item.attributes}
    return next((name for name in MAKERS if name in held), "")


def creator_views(counts: Sequence[AudienceCount], shelf: Mapping[str, int]) -> tuple[CreatorView, ...]:
    """Return every creator, live rows first, most impressions first.

    Parameters
    ----------
    counts
        What was counted.
    shelf
        How many items each creator has in the catalogue.
    """
    views = [view for rows in ROWS for view in _views([one for one in counts if one.origin == rows], rows, shelf)]
    return tuple(_standing(views))


def _views(counts: Sequence[AudienceCount], rows: Rows, shelf: Mapping[str, int]) -> list[CreatorView]:
    by_creator: dict[str, list[AudienceCount]] = defaultdict(list)
    by_part: dict[tuple[str, str], list[AudienceCount]] = defaultdict(list)
    for one in counts:
        by_creator[one.creator].append(one)
        by_part[one.kind, one.value].append(one)
    whole = {part: _tally(held) for part, held in by_part.items()}
    made = [_view(creator, held, rows, whole, shelf.get(creator, 0)) for creator, held in by_creator.items()]
    return sorted(made, key=lambda view: (-(view.impressions or 0), view.creator))


def _view(
    creator: str, held: Sequence[AudienceCount], rows: Rows, whole: Mapping[tuple[str, str], Tally], items: int
) -> CreatorView:
    every = [one for one in held if not one.kind]
    own = _tally(every)
    view = CreatorView(creator=creator, rows=rows, items=items, people=_people(every))
    if _masked(every):
        return view
    low, high = wilson(own.hits, own.n)
    return replace(
        view,
        impressions=own.n,
        clicks=own.hits,
        rate=own.rate,
        low=low,
        high=high,
        apart=_apart(difference(own, remainder(whole["", ""], own))),
        prefers=_preferences(held, own, whole),
    )


def _preferences(
    held: Sequence[AudienceCount], own: Tally, whole: Mapping[tuple[str, str], Tally]
) -> tuple[Preference, ...]:
    parts: dict[tuple[str, str], list[AudienceCount]] = defaultdict(list)
    for one in held:
        if one.kind:
            parts[one.kind, one.value].append(one)
    hidden = _hidden({part: _masked(rows) for part, rows in parts.items()}, lambda part: _tally(parts[part]).n)
    made = [
        _preference(part, rows, own if part[0] == "item" else whole[part], masked=part in hidden)
        for part, rows in parts.items()
    ]
    return tuple(sorted(made, key=lambda one: (one.kind, -(one.impressions or 0), one.value)))


def _preference(part: tuple[str, str], rows: Sequence[AudienceCount], beside: Tally, *, masked: bool) -> Preference:
    kind, value = part
    if masked:
        return Preference(kind=kind, value=value, masked=True)  # type: ignore[arg-type]  # a kind that storage counts
    mine = _tally(rows)
    low, high = wilson(mine.hits, mine.n)
    return Preference(
        kind=kind,  # type: ignore[arg-type]  # a kind that storage counts
        value=value,
        people=_people(rows),
        impressions=mine.n,
        clicks=mine.hits,
        rate=mine.rate,
        low=low,
        high=high,
        apart=_apart(difference(mine, remainder(beside, mine))),
    )


def _standing(views: Sequence[CreatorView]) -> list[CreatorView]:
    """Say which differences stand when all creators are compared at once, and apart from them all parts of all
    audiences: at most 5 % of those that stand shall be wrong (Benjamini and Hochberg)."""
    of_views = iter(discoveries([view.apart.p for view in views if view.apart]))
    parts = iter(discoveries([one.apart.p for view in views for one in view.prefers if one.apart]))
    made = []
    for view in views:
        apart = replace(view.apart, stands=next(of_views)) if view.apart else None
        prefers = tuple(
            replace(one, apart=replace(one.apart, stands=next(parts))) if one.apart else one for one in view.prefers
        )
        verdict, sentence = _said(view, apart)
        made.append(replace(view, apart=apart, prefers=prefers, verdict=verdict, sentence=sentence))
    return made


def _said(view: CreatorView, apart: Apart | None) -> tuple[Verdict, str]:
    if view.impressions is None:
        return "unknown", f"Fewer than {SHOWN_FROM} known people saw these items."
    if apart is None:
        return "unknown", "Nothing of anyone else was shown, so nothing can be compared."
    far = f"apart by {100 * apart.low:+.2f} to {100 * apart.high:+.2f} percentage points"
    if apart.stands and apart.low > 0.0:
        return "pass", f"Clicked more than everyone else's items: {far}."
    if apart.stands and apart.high < 0.0:
        return "warn", f"Clicked less than everyone else's items: {far}."
    return "unknown", f"Not shown to be clicked differently: {far}."


def _apart(found: Difference | None) -> Apart | None:
    if found is None:
        return None
    return Apart(value=found.value, low=found.low, high=found.high, p=found.p, unit=found.unit)


def _people(rows: Iterable[AudienceCount]) -> int | None:
    known = sum(one.people for one in rows)
    return known if known >= SHOWN_FROM else None


def _masked(rows: Sequence[AudienceCount]) -> bool:
    """Tell whether these are rows of few known people; imported ones tell of nobody."""
    own = [one for one in rows if one.origin != "imported"]
    return bool(own) and sum(one.people for one in own) < SHOWN_FROM


def _hidden(masked: Mapping[tuple[str, str], bool], size: Callable[[tuple[str, str]], int]) -> set[tuple[str, str]]:
    """Return what is not shown: small parts, and where a whole would give a single one away, the next smallest."""
    hidden = {part for part, small in masked.items() if small}
    wholes: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for part in masked:
        if part[0] != "segment":  # one person may be in several
            wholes[part[0], part[1].partition("=")[0] if part[0] == "context" else ""].append(part)
    for parts in wholes.values():
        rest = [part for part in parts if part not in hidden]
        if len(parts) - len(rest) == 1 and rest:
            hidden.add(min(rest, key=size))
    return hidden


def _tally(rows: Iterable[AudienceCount]) -> Tally:
    return tallied(rows, people=attrgetter("units"))


def cohorts(found: Sequence[Returned]) -> tuple[CohortWeek, ...]:
    """Return who came back; cohorts of fewer than fifty people are not counted out."""
    return tuple(_cohort(one) for one in found)


def _cohort(one: Returned) -> CohortWeek:
    place = CohortWeek(rows=one.origin, cohort=one.cohort, weeks=one.weeks)  # type: ignore[arg-type]  # one of three origins
    if one.people < SHOWN_FROM:
        return place
    low, high = wilson(one.back, one.people)
    return replace(place, people=one.people, back=one.back, rate=one.back / one.people, low=low, high=high)
