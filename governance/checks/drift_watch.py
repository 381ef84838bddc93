"""Drift window by window: what came is counted once, kept without rows, and held against the surface's reference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from governance.checks.columns import Rows, kind_of, load_shown
from governance.checks.compared import Compared, of_kept
from governance.checks.decided import load_decided
from governance.checks.drift_verdicts import WINDOWS, feature_rows, whole
from governance.checks.importance import importance_of
from governance.checks.judged import measure_all
from governance.checks.shift import MIN_ROWS
from governance.drifting import SETTLED
from scoring_core.learning.outcomes import SETTLE_US, parameters
from storage import drift
from storage.database import Database, Read
from storage.distributions import Distribution
from storage.lake import Lake
from storage.records.clock import DAY, HOUR
from storage.records.drift import FAMILIES, Family, Look, Reference

ORIGINS = ("live", "simulated")
LAG: Mapping[Family, int] = {"decided": SETTLED, "shown": DAY + HOUR + SETTLE_US}
"""How long after its end a window is taken for complete: when the journal is in, when outcomes are."""
FIRST_LOOK_BACK, LATE = 7 * DAY, 6 * HOUR
"""How far the first run reads back; how late rows may come and have their window counted again."""
MOST_WINDOWS = 200
LONGEST = 7 * DAY
"""So long windows with too few rows are put together before it is said that they are too few."""
OUTCOMES = {"click": "rate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a run works with; ``secret`` keys the hashes of texts, ``window`` is in microseconds."""

    database: Database
    lake: Lake
    home: Path
    secret: bytes
    now: int
    window: int = HOUR


def watch(over: Watched) -> dict[str, Any]:
    """Count references and windows that wait for it, and look at every surface that has a reference; return what was
    done, with the gravest sentence."""
    with over.database.read() as read:
        held = newest(drift.references(read))
    counted = sum(count_reference(over, each) for each in held if each.counted_at is None)
    windows = sum(
        count_windows(over, family, {each.plan.surface: each.plan.end for each in held}) for family in FAMILIES
    )
    looks = [look for reference in held for look in look_at(over, reference)]
    with over.database.write() as write:
        drift.forget(write, now=over.now)
    gravest = min(looks, key=lambda look: ("fail", "warn", "unknown", "pass").index(look.verdict), default=None)
    return {
        "references": counted,
        "windows": windows,
        "looks": len(looks),
        "verdict": gravest.verdict if gravest else "unknown",
        "sentence": gravest.sentence if gravest else "No window was complete that a reference waits for.",
    }


def newest(found: Sequence[Reference]) -> list[Reference]:
    """Return the newest reference of each surface."""
    by = {each.plan.surface: each for each in sorted(found, key=lambda each: each.version)}
    return list(by.values())


def load(over: Watched, family: Family, *, start: int, end: int, surface: str, origins: Sequence[str]) -> Rows:
    """Read the features of a family of decisions made in [start, end)."""
    if family == "decided":
        return load_decided(over.database, over.lake, start=start, end=end, origins=origins, surface=surface)
    bound = parameters(now=over.now, origins=origins, start=start, end=end)
    return load_shown(over.database, over.lake, bound=bound, surface=surface, start=start - HOUR)


def count_reference(over: Watched, reference: Reference) -> int:
    """Read the rows of a reference, day by day, and keep what they look like: features of decisions at once, those of
    what was seen when outcomes are in. Return how many families were counted now."""
    plan = reference.plan
    with over.database.read() as read:
        known = drift.profile(read, plan.surface, reference.version)
    counted = 0
    for family in FAMILIES:
        if family in known or over.now < plan.end + LAG[family]:
            continue
        found: drift.Profile = {}
        for start in range(plan.start, plan.end, DAY):
            end = min(plan.end, start + DAY)
            rows = load(over, family, start=start, end=end, surface=plan.surface, origins=plan.origins)
            found = drift.combined([found, _profile(over, rows)])
        with over.database.write() as write:
            counted += drift.save_profile(write, plan.surface, reference.version, family, found, now=over.now)
    return counted


def _profile(over: Watched, rows: Rows) -> dict[str, Distribution]:
    return {column.feature: column.distribution(over.secret) for column in rows.columns if len(rows.at)}


def count_windows(over: Watched, family: Family, since: Mapping[str, int]) -> int:
    """Count the windows of a family that are complete and were not counted, or whose rows came late, of each surface
    ``since`` its reference ended; return how many."""
    due = [each for each in _due(over, family) if each[2] >= since.get(each[0], over.now)][:MOST_WINDOWS]
    for surface, origin, start in due:
        end = start + over.window
        rows = load(over, family, start=start, end=end, surface=surface, origins=(origin,))
        with over.database.write() as write:
            drift.save_window(
                write,
                surface=surface,
                origin=origin,
                family=family,
                start=start,
                end=end,
                at=over.now,
                rows=len(rows.at),
                found=_profile(over, rows),
            )
    return len(due)


_HELD = """
SELECT surface, origin, "at" // $window * $window AS start, count(*) FROM decisions
WHERE list_contains($origins, origin) GROUP BY ALL ORDER BY start, surface, origin
"""


def _due(over: Watched, family: Family) -> list[tuple[str, str, int]]:
    end = (over.now - LAG[family]) // over.window * over.window
    with over.database.read() as read:
        last = drift.last_window(read, family)
        since = (over.now - FIRST_LOOK_BACK if last is None else last - LATE) // over.window * over.window
        known = drift.counted(read, family, since=since)
        with over.lake.connect(read, start=since, end=end) as duck:
            held = duck.execute(_HELD, {"window": over.window, "origins": list(ORIGINS)}).fetchall()
    return [
        (surface, origin, start)
        for surface, origin, start, rows in held
        if (seen := known.get((surface, origin, start))) is None or (family == "decided" and seen != rows)
    ]


def look_at(over: Watched, reference: Reference) -> list[Look]:
    """Hold every window since the last look against a reference; return what each showed."""
    with over.database.read() as read:
        normal = drift.profile(read, reference.plan.surface, reference.version)
        importance = importance_of(read, over.home)
    found = []
    for family in normal:
        for origin in ORIGINS:
            for span in _spans(over, reference, family, origin):
                look = _look(over, reference, normal[family], span, importance)
                with over.database.write() as write:
                    drift.save_look(write, look)
                found.append(look)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    family: Family
    origin: str
    start: int
    end: int
    profile: drift.Profile


def _spans(over: Watched, reference: Reference, family: Family, origin: str) -> Iterator[_Span]:
    """Yield what follows the last look: window by window, and where one has too few rows, put together with the next
    ones until there are enough."""
    surface = reference.plan.surface
    with over.database.read() as read:
        last = drift.looks(read, surface, origin=origin, family=family, limit=1)
        known = drift.counted(read, family, since=max(reference.plan.end, last[0].end if last else 0))
        starts = sorted(start for held, whose, start in known if (held, whose) == (surface, origin))
        parts: list[tuple[int, drift.Profile]] = []
        for start in starts:
            profile = drift.window(read, surface=surface, origin=origin, family=family, start=start)
            parts.append((start, profile))
            together = drift.combined([part for _, part in parts])
            span = _Span(family=family, origin=origin, start=parts[0][0], end=start + over.window, profile=together)
            if _rows(together) >= MIN_ROWS or span.end - span.start >= LONGEST:
                parts = []
                yield span


def _look(
    over: Watched, reference: Reference, normal: drift.Profile, span: _Span, importance: Mapping[str, float]
) -> Look:
    surface = reference.plan.surface
    with over.database.read() as read:
        earlier = _earlier(read, reference, span)
        accepted = drift.in_force(drift.accepted(read, surface), reference=reference.version, now=over.now)
    methods = OUTCOMES | dict(reference.plan.methods)
    rows = feature_rows(
        measure_all(_pairs(normal, span.profile), methods),
        kinds={name: kind_of(name) for name in {*normal, *span.profile}},
        earlier=earlier,
        accepted=accepted,
        importance=importance,
    )
    verdict, sentence = whole(rows, against=f"reference {reference.version}")
    return Look(
        surface=surface,
        origin=span.origin,
        family=span.family,
        start=span.start,
        end=span.end,
        at=over.now,
        reference=reference.version,
        verdict=verdict,
        sentence=sentence,
        features=tuple(rows),
    )


def _earlier(read: Read, reference: Reference, span: _Span) -> list[set[str]]:
    """Return the features that were red in the two windows before, against the same reference."""
    before = drift.looks(
        read, reference.plan.surface, origin=span.origin, family=span.family, before=span.start, limit=WINDOWS - 1
    )
    same = [look for look in before if look.reference == reference.version]
    return [{row["feature"] for row in look.features if row["red"]} for look in same]


def _rows(profile: drift.Profile) -> int:
    return max((each.rows for each in profile.values()), default=0)


def _pairs(normal: drift.Profile, now: drift.Profile) -> Iterator[Compared]:
    """Yield every feature of either side; what one side does not know is missing in all of its rows."""
    rows = _rows(normal), _rows(now)
    known = {**now, **normal}
    for name in sorted(known):
        sides = (side.get(name) or _missing(known[name], held) for side, held in zip((normal, now), rows, strict=True))
        yield of_kept(name, *sides)


def _missing(known: Distribution, rows: int) -> Distribution:
    none = np.empty(0, dtype=np.int64)
    return replace(known, keys=none, counts=none, missing=rows, names={})
