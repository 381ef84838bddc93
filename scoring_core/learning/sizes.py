"""Who of everyone belongs to which segment, how many that are, and whether they click more or less than the others."""

from collections import defaultdict
from collections.abc import Mapping
from math import sqrt
from pathlib import Path

import numpy as np

from scoring_core.clusters import ClusterModel
from scoring_core.features.segments import COUNTED, Segmentation, cohorts, confidences, segmentation, told
from scoring_core.learning.acts import Flags
from scoring_core.learning.census import People, people_of
from scoring_core.models import load_model
from scoring_core.scorers.protocol import Floats
from storage import registry
from storage.database import Database
from storage.lake import Lake
from storage.records.segments import Census, SegmentCount

Memberships = Mapping[str, Floats]
"""By segment, how sure it is that each person belongs; 0 for who does not."""


def memberships(people: People, rules: Segmentation) -> Memberships:
    """Return every segment that anyone belongs to, and those of ``rules`` that nobody does: the
    same as ``features.segments.segments`` of each person."""
    sure = confidences(people.counted, people.age_days, rules)
    found: dict[str, Floats] = {
        name: np.where(sure[:, place] >= rules.least[place], sure[:, place], 0.0)
        for place, name in enumerate(rules.names)
    }
    by_name: dict[str, list[int]] = defaultdict(list)
    for row, first_at in enumerate(people.first_at.tolist()):
        for name in cohorts(first_at):
            by_name[name].append(row)
    own = {name: [] for name in rules.own}  # type: dict[str, list[int]]
    if own:
        for row, subject in enumerate(people.subjects):
            names = [name for name, column in found.items() if column[row] > 0.0]
            person = told(
                people.counted[row],
                age_days=float(people.age_days[row]),
                recency_days=float(people.recency_days[row]),
                events=int(people.events[row]),
                attributes=people.stated.get(subject, {}),
                found=[*names, *cohorts(int(people.first_at[row]))],
            )
            for name, holds in rules.own.items():
                if holds({"user": person}):
                    own[name].append(row)
    for name, rows in {**by_name, **own}.items():
        column = np.zeros(len(people))
        column[rows] = 1.0
        found[name] = column
    return found


def counts(people: People, found: Memberships) -> tuple[SegmentCount, ...]:
    """Return each segment's size, and how its click rate compares with everyone else's; the intervals hold together for
    all segments (Bonferroni), people being the unit."""
    from scipy.stats import norm

    reach = float(norm.ppf(1.0 - 0.025 / max(len(found), 1)))
    return tuple(_count(people, name, sure, reach) for name, sure in sorted(found.items()))


def _count(people: People, name: str, sure: Floats, reach: float) -> SegmentCount:
    inside = sure > 0.0
    rate, spread = _rate(people, inside)
    others, other_spread = _rate(people, ~inside)
    known = not np.isnan(rate + others + spread + other_spread)
    half = reach * sqrt(spread + other_spread) if known else np.nan
    return SegmentCount(
        segment=name,
        people=int(inside.sum()),
        confidence=float(sure[inside].mean()) if inside.any() else None,
        impressions=int(people.shown[inside].sum()),
        clicks=int(people.clicked[inside].sum()),
        rate=None if np.isnan(rate) else rate,
        others=None if np.isnan(others) else others,
        low=rate - others - half if known else None,
        high=rate - others + half if known else None,
    )


def _rate(people: People, chosen: Flags) -> tuple[float, float]:
    """Return clicks per impression of the chosen and its variance, people being independent and impressions of one
    person not; NaN where fewer than two were shown anything, or nobody clicked.

    References
    ----------
    Cochran, Sampling Techniques (3rd ed.), 6.3: the ratio estimator.
    """
    shown, clicked = people.shown[chosen], people.clicked[chosen]
    seen = shown > 0.0
    count, total = int(seen.sum()), float(shown.sum())
    if count < 2 or not clicked.sum():
        return float(clicked.sum() / total) if total else np.nan, np.nan
    rate = float(clicked.sum()) / total
    left = clicked[seen] - rate * shown[seen]
    return rate, float((left**2).sum()) * count / (count - 1) / total**2


def clustered(database: Database, home: Path, people: People) -> Memberships:
    """Return the clustered segments of the model in service; none where there is none."""
    with database.read() as read:
        version = registry.in_service(read).get("clusters")
    if version is None or not len(people):
        return {}
    model: ClusterModel = load_model(version, home)
    return model.memberships(people.counted[:, [COUNTED.index(name) for name in model.features]])


def take_census(database: Database, lake: Lake, home: Path, *, now: int) -> Census:
    """Count everyone's segments as of now."""
    people, settings = people_of(database, lake, now=now)
    found = {**memberships(people, segmentation(settings.segments)), **clustered(database, home, people)}
    return Census(at=now, people=len(people), segments=counts(people, found), origins=people.origins)
