"""A ranker that orders anew what ALS found first: its lists, its features, its training by LambdaRank."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Ordinals, Retriever
from scoring_core.features.table import FeatureTable
from scoring_core.learning.boosting import fit
from scoring_core.learning.retail import Retail
from scoring_core.learning.retrieval import Next
from scoring_core.live import ItemFeatures, Shelf
from scoring_core.scorers.gbdt import GbdtScorer, scorer_of
from scoring_core.scorers.protocol import Floats
from storage.records.clock import DAY
from storage.records.events import Scalar
from storage.records.models import ModelVersion

TOP, SHOWN = 100, 10
FEATURES = (
    "model.als",
    "model.hybrid",
    "model.links",
    "stat.popularity",
    "stat.trend",
    "item.price",
    "item.age_days",
    "context.items",
    "context.visits",
    "context.days_since_last",
    "context.price",
)
"""What the ranker sees: three affinities, two statistics, price and age of the item; of the customer, how many items
and visits, how long ago the last one was, and the mean price."""
MEMBERS, TREES = 5, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """One list per person, side by side: what the first retriever found, best first, which of it was wanted
    (``clicked``), and the feature table."""

    ordinals: Ordinals
    clicked: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    table: Floats = field(repr=False)

    @property
    def decision(self) -> NDArray[np.int64]:
        """The list of each row."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def weight(self) -> Floats:
        """How much each row weighs: one."""
        return np.ones(len(self.table))

    def teaching(self) -> "Lists":
        """Return the lists with anything wanted: no others teach an order."""
        some = np.bincount(self.decision, weights=self.clicked, minlength=len(self.lengths)) > 0
        rows = some[self.decision]
        return Lists(
            ordinals=self.ordinals[rows],
            clicked=self.clicked[rows],
            lengths=self.lengths[some],
            table=self.table[rows],
        )

    def ranked(self, scores: Floats) -> list[Ordinals]:
        """Return each list in the order of scores, equals as they were."""
        bounds = np.cumsum(self.lengths)[:-1]
        return [
            ordinals[np.argsort(-values, kind="stable")]
            for ordinals, values in zip(np.split(self.ordinals, bounds), np.split(scores, bounds), strict=True)
        ]


def lists_of(
    coming: Next,
    retail: Retail,
    *,
    shelf: Shelf,
    items: ItemFeatures,
    first: Retriever,
    retrievers: Mapping[str, Retriever],
) -> Lists:
    """Return the top ``TOP`` of ``first`` for everyone, with the features that a decision would build."""
    builder = FeatureTable(FEATURES, shelf)
    contexts = _contexts(retail, coming)
    ordinals, labels, tables = [], [], []
    for person in coming.people:
        state = coming.states[person]
        found = first.nearest(state, coming.allowed(person), TOP)
        near = {name: each.affinity(state, found) for name, each in retrievers.items()}
        tables.append(builder.rows(found, contexts[person], state, items, near=near, now=coming.at))
        ordinals.append(found)
        labels.append(np.isin(found, coming.wanted[person]))
    return Lists(
        ordinals=np.concatenate(ordinals),
        clicked=np.concatenate(labels),
        lengths=np.array([len(each) for each in ordinals], dtype=np.int64),
        table=np.concatenate(tables),
    )


def fit_ranker(lists: Lists, *, seed: int) -> GbdtScorer:
    """Return the ranker, fitted and compiled as those of the registry are."""
    taught = lists.teaching()
    texts = fit(taught, taught.table, names=FEATURES, members=MEMBERS, trees=TREES, seed=seed, objective="lambdarank")
    return scorer_of(
        ModelVersion(name="ranker", version="1", created_at=0, path="", digest="", features=FEATURES), texts
    )


def ndcg_of(found: list[Ordinals], coming: Next, *, slots: int = SHOWN) -> Floats:
    """Return each person's NDCG at ``slots``: all that the person wanted counts, found or not.

    References
    ----------
    Järvelin, Kekäläinen, Cumulated gain-based evaluation of IR techniques, TOIS 2002.
    """
    worth = 1.0 / np.log2(np.arange(slots) + 2.0)
    gains = np.zeros(len(found))
    for place, (person, ordinals) in enumerate(zip(coming.people, found, strict=True)):
        hits = np.isin(ordinals[:slots], coming.wanted[person])
        gains[place] = worth[: len(hits)][hits].sum() / worth[: min(slots, len(coming.wanted[person]))].sum()
    return gains


def _contexts(retail: Retail, coming: Next) -> dict[int, Mapping[str, Scalar]]:
    """Return what a shop's own page would tell of each customer at the cut."""
    end = int(np.searchsorted(retail.known.at, coming.at))
    person, at, price = retail.known.person[:end], retail.known.at[:end], retail.price[:end]
    order = np.argsort(person, kind="stable")
    bounds = np.searchsorted(person[order], np.arange(retail.known.people + 1))
    found: dict[int, Mapping[str, Scalar]] = {}
    for each in coming.people:
        rows = order[bounds[each] : bounds[each + 1]]
        found[each] = {
            "items": len(coming.touched[each]),
            "visits": len(np.unique(at[rows])),
            "days_since_last": (coming.at - int(at[rows[-1]])) / DAY,
            "price": float(np.mean(price[rows])),
        }
    return found
