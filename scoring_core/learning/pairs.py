"""The table of viewers and creators: what was known at a moment of each pair in which one looked at the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from scoring_core.learning.acts import Acts, Whole
from scoring_core.learning.people import FEATURES as PERSON
from scoring_core.learning.people import features_at
from scoring_core.scorers.protocol import Floats
from storage.records.clock import DAY

LOOKED_BACK = 90
"""A viewer is who touched something of a creator within so many days."""
MOST_PAIRS = 200_000
"""Of a moment with more pairs, an even sample is taken."""
PRIOR_VIEWERS = 20.0
OF_PERSON = ("recency_days", "visits_30", "commitments", "commitments_90", "spend_per_purchase", "items")
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "touches_of_creator": "{:.0f} acts with this creator's items",
        "items_of_creator": "{:.0f} different items of this creator",
        "recency_of_creator_days": "looked at this creator {:.0f} days ago",
        "purchases_of_creator": "{:.0f} purchases from this creator",
        "purchase_of_creator_recency_days": "last bought from this creator {:.0f} days ago",
        "share_of_creator": "{:.0%} of what they do is with this creator",
        "audience_of_creator": "this creator has {:.0f} viewers",
        "rate_of_creator": "{:.0%} of this creator's viewers buy",
    }
)
"""What is known of a pair beside the viewer, and how it is said: what the viewer did with the creator's items, the
creator's audience, and what share of it are customers (drawn to everyone's share by twenty viewers)."""
FEATURES = (*WORDS, *OF_PERSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One row per viewer and creator at one or several moments, and whether the viewer became a customer."""

    person: Whole
    maker: Whole
    features: Floats
    outcome: Floats

    def column(self, name: str) -> Floats:
        """Return one feature, 0 where it does not exist."""
        return np.nan_to_num(self.features[:, FEATURES.index(name)], nan=0.0)


def pairs_at(acts: Acts, at: int, until: int, *, people: Whole | None = None) -> Pairs:
    """Return every pair as of ``at``, of ``people`` only where they are named, with what came of it until ``until``."""
    width = len(acts.makers)
    past = acts.between(at - LOOKED_BACK * DAY, at)
    maker = acts.maker[past.item]
    known = (past.item >= 0) & (maker >= 0)
    key = past.person * width + maker
    pair, place = np.unique(key[known], return_inverse=True)
    touched, bought, count = past.at[known], past.committed[known], len(pair)
    person, who = pair // max(width, 1), pair % max(width, 1)
    touches = np.bincount(place, minlength=count).astype(np.float64)
    purchases = np.bincount(place, weights=bought, minlength=count).astype(np.float64)
    different = np.unique(np.stack([place, past.item[known]]), axis=1)[0]
    audience = np.bincount(who, minlength=width).astype(np.float64)
    customers = np.bincount(who, weights=purchases > 0, minlength=width).astype(np.float64)
    overall = customers.sum() / max(audience.sum(), 1.0)
    rate = (customers + PRIOR_VIEWERS * overall) / (audience + PRIOR_VIEWERS)
    everything = np.bincount(person, weights=touches, minlength=acts.people)
    later = acts.between(at, until)
    made = acts.maker[later.item]
    became = (later.person * width + made)[later.committed & (later.item >= 0) & (made >= 0)]
    chosen = np.arange(count) if people is None else np.flatnonzero(np.isin(person, people))
    if len(chosen) > MOST_PAIRS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_PAIRS).astype(np.int64)]
    own = features_at(acts, at, np.arange(acts.people))[:, [PERSON.index(name) for name in OF_PERSON]]
    of_pair = np.stack(
        [
            touches,
            np.bincount(different, minlength=count).astype(np.float64),
            (at - _last(place, touched, count)) / DAY,
            purchases,
            (at - _last(place[bought], touched[bought], count)) / DAY,
            touches / everything[person],
            audience[who],
            rate[who],
        ],
        axis=1,
    )
    return Pairs(
        person=person[chosen],
        maker=who[chosen],
        features=np.concatenate([of_pair, own[person]], axis=1)[chosen],
        outcome=np.isin(pair, became).astype(np.float64)[chosen],
    )


def joined(parts: list[Pairs]) -> Pairs:
    """Return the pairs of several moments, one below the other."""
    return Pairs(
        person=np.concatenate([each.person for each in parts]),
        maker=np.concatenate([each.maker for each in parts]),
        features=np.concatenate([each.features for each in parts]),
        outcome=np.concatenate([each.outcome for each in parts]),
    )


def _last(place: Whole, when: Whole, count: int) -> Floats:
    found = np.full(count, -np.inf)
    np.maximum.at(found, place, when)
    return np.where(np.isinf(found), np.nan, found)
