"""The table of people: what was known of each at a moment, from what they did before it and nothing after."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from scoring_core.learning.acts import Acts, Whole
from scoring_core.scorers.protocol import Floats
from storage.records.clock import DAY, MINUTE

PAUSE = 30 * MINUTE
"""Acts of a person that lie closer together belong to one visit."""
KNOWN_FOR_DAYS = 365
"""Who did nothing for longer is not asked about."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "recency_days": "last seen {:.0f} days ago",
        "tenure_days": "known for {:.0f} days",
        "visits": "{:.0f} visits so far",
        "visits_7": "{:.0f} visits in the last 7 days",
        "visits_30": "{:.0f} visits in the last 30 days",
        "visits_90": "{:.0f} visits in the last 90 days",
        "active_days": "active on {:.0f} days",
        "gap_days": "comes every {:.1f} days on average",
        "gap_sd_days": "pauses vary by {:.1f} days",
        "last_gap_days": "last pause between visits {:.0f} days",
        "overdue": "away for {:.1f} of their usual pauses",
        "commitments": "{:.0f} purchases so far",
        "commitments_30": "{:.0f} purchases in the last 30 days",
        "commitments_90": "{:.0f} purchases in the last 90 days",
        "commitment_recency_days": "last purchase {:.0f} days ago",
        "spend": "spent {:.0f} so far",
        "spend_30": "spent {:.0f} in the last 30 days",
        "spend_90": "spent {:.0f} in the last 90 days",
        "spend_per_purchase": "spends {:.0f} per purchase",
        "items": "{:.0f} different items",
        "acts_per_visit": "{:.1f} acts per visit",
        "trend": "{:.2f} of the last 90 days' visits fell into the last 30",
    }
)
"""Each feature, and how it is said of a person."""
FEATURES = tuple(WORDS)


def known_at(acts: Acts, at: int) -> Whole:
    """Return who did something in the year before a moment, in ascending order."""
    return np.unique(acts.between(at - KNOWN_FOR_DAYS * DAY, at).person)


def features_at(acts: Acts, at: int, people: Whole) -> Floats:
    """Return ``FEATURES`` of each of ``people`` as of ``at``, NaN where one does not exist: people × features.

    Only acts before ``at`` are looked at, so that what is computed for the past is what would have been computed then.
    """
    past = acts.between(0, at)
    count = acts.people
    order = np.lexsort((past.at, past.person))
    person, when = past.person[order], past.at[order]
    first, last = _ends(person, when, count)
    arrival = (np.diff(person, prepend=-1) != 0) | (np.diff(when, prepend=0) > PAUSE)
    visitor, visited = person[arrival], when[arrival]
    days = np.unique(person * 1_000_000 + when // DAY)
    dweller, day = days // 1_000_000, days % 1_000_000
    follows = np.diff(dweller, prepend=-1) == 0
    pauser, pause = dweller[follows], np.diff(day, prepend=0)[follows].astype(np.float64)
    bought = past.committed
    buyer, paid, bought_at = past.person[bought], past.value[bought], past.at[bought]
    _, bought_last = _ends(buyer, bought_at, count)
    touched = np.unique(np.stack([past.person, past.item])[:, past.item >= 0], axis=1)[0]
    purchases = np.unique(np.stack([buyer, bought_at // PAUSE]), axis=1)

    def within(who: Whole, moments: Whole, length: int, weights: Floats | None = None) -> Floats:
        chosen = moments >= at - length * DAY
        return _sum(who[chosen], count, None if weights is None else weights[chosen])

    with np.errstate(divide="ignore", invalid="ignore"):
        active, visits = _sum(dweller, count), _sum(visitor, count)
        pauses = _sum(pauser, count)
        mean = _sum(pauser, count, pause) / pauses
        spread = np.sqrt(np.maximum(_sum(pauser, count, pause**2) / pauses - mean**2, 0.0))
        recency = (at - last) / DAY
        visits_30, visits_90 = within(visitor, visited, 30), within(visitor, visited, 90)
        spend, purchased = _sum(buyer, count, paid), _sum(purchases[0], count)
        latest = np.full(count, np.nan)
        latest[pauser] = pause
        columns = {
            "recency_days": recency,
            "tenure_days": (at - first) / DAY,
            "visits": visits,
            "visits_7": within(visitor, visited, 7),
            "visits_30": visits_30,
            "visits_90": visits_90,
            "active_days": active,
            "gap_days": mean,
            "gap_sd_days": np.where(pauses > 1, spread, np.nan),
            "last_gap_days": latest,
            "overdue": recency / mean,
            "commitments": purchased,
            "commitments_30": within(purchases[0], purchases[1] * PAUSE, 30),
            "commitments_90": within(purchases[0], purchases[1] * PAUSE, 90),
            "commitment_recency_days": (at - bought_last) / DAY,
            "spend": spend,
            "spend_30": within(buyer, bought_at, 30, paid),
            "spend_90": within(buyer, bought_at, 90, paid),
            "spend_per_purchase": spend / purchased,
            "items": _sum(touched, count),
            "acts_per_visit": _sum(person, count) / visits,
            "trend": visits_30 / visits_90,
        }
    table: Floats = np.stack([columns[name] for name in FEATURES], axis=1)[people]
    table[np.isinf(table)] = np.nan
    return table


def _sum(who: Whole, count: int, weights: Floats | None = None) -> Floats:
    return np.bincount(who, weights=weights, minlength=count).astype(np.float64)


def _ends(who: Whole, when: Whole, count: int) -> tuple[Floats, Floats]:
    """Return each person's first and last moment, NaN for who has none."""
    first, last = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(first, who, when)
    np.maximum.at(last, who, when)
    return np.where(np.isinf(first), np.nan, first), np.where(np.isinf(last), np.nan, last)
