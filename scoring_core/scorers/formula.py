"""The shop's scoring formula: a weighted mean of how well an item fits, trends, is in stock, earns, is new, in season.

Every component lies in [0, 1] and depends on its own row alone. A component that is not known of an item takes no part
in that item's mean: its weight goes to the others in proportion. So a shop without margins ranks by the other five, and
nothing unknown passes for bad, for good, or for zero. An item of which nothing is known scores ½.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256

import numpy as np

from scoring_core.scorers.protocol import Floats, Scores

WEIGHTS: Mapping[str, float] = {
    "match": 0.4,
    "trend": 0.2,
    "inventory": 0.1,
    "margin": 0.1,
    "freshness": 0.1,
    "season": 0.1,
}
SEASONS = ("winter", "spring", "summer", "autumn", "fall", "all")
_QUARTER = np.array([0.0, 1.0, 2.0, 3.0, 3.0, np.nan])
_ALL_YEAR = float(SEASONS.index("all"))
AFFINITY = "user.affinity"


def match_of_affinity(cosine: Floats) -> Floats:
    """Return (1 + cosine) / 2 of the person's and the item's vector."""
    return 0.5 * (1.0 + np.clip(cosine, -1.0, 1.0))


def match_of_retriever(affinity: Floats) -> Floats:
    """Return 1 / (1 + e^−a) of a retriever's affinity, which has no scale of its own."""
    return 1.0 / (1.0 + np.exp(-np.clip(affinity, -500.0, 500.0)))


def trend(ratio: Floats, popularity: Floats) -> Floats:
    """Return t / (1 + t) of the rate of the last hour over that of the last day: ½ is steady; an item that nobody
    touched has no trend."""
    ratio = np.where(popularity > 0.0, np.maximum(ratio, 0.0), np.nan)
    return ratio / (1.0 + ratio)


def inventory(stock: Floats, half: float) -> Floats:
    """Return s / (s + half): ½ at ``half`` pieces; without a count, unknown."""
    stock = np.maximum(stock, 0.0)
    return stock / (stock + half)


def margin(share: Floats, full: float) -> Floats:
    """Return the margin as a share of the one that counts as full, at most 1."""
    return np.clip(share / full, 0.0, 1.0)


def freshness(age_days: Floats, half_life_days: float) -> Floats:
    """Return 2^(−age / half-life)."""
    faded: Floats = np.exp2(-np.maximum(age_days, 0.0) / half_life_days)
    return faded


def season(code: Floats, month: Floats, *, southern: bool) -> Floats:
    """Return 1 in the item's season, ½ in the one before and after it, 0 in the opposite; ½ for all-year items.

    Seasons are the meteorological ones: winter is December to February, in the south June to August.
    """
    known = np.isfinite(code) & np.isfinite(month) & (code >= 0) & (code <= _ALL_YEAR)
    codes = np.where(known, code, 0.0)
    now = (np.where(known, month, 1.0) % 12.0) // 3.0 + (2.0 if southern else 0.0)
    apart = np.abs(_QUARTER[codes.astype(np.int64)] - now) % 4.0
    score = np.where(codes == _ALL_YEAR, 0.5, 1.0 - np.minimum(apart, 4.0 - apart) / 2.0)
    return np.where(known, score, np.nan)


class FormulaScorer:
    """Scores by the weighted mean of the known components.

    Parameters
    ----------
    weights
        One per name of ``WEIGHTS``, not negative, some above zero.
    match_by
        The feature that tells how well an item fits: ``user.affinity``, or a retriever's ``model.NAME``.
    stock_half, full_margin, half_life_days
        The scales of ``inventory``, ``margin`` and ``freshness``.
    southern
        Whether seasons are those of the southern hemisphere.
    """

    name = "formula"
    version = "1"
    digest = sha256(b"formula/1").hexdigest()

    def __init__(
        self,
        *,
        weights: Mapping[str, float] = WEIGHTS,
        match_by: str = AFFINITY,
        stock_half: float = 10.0,
        full_margin: float = 1.0,
        half_life_days: float = 30.0,
        southern: bool = False,
    ) -> None:
        self.features: tuple[str, ...] = (
            match_by,
            "stat.trend",
            "stat.popularity",
            "item.stock",
            "item.margin",
            "item.age_days",
            "item.season",
            "time.month",
        )
        self.categories: Mapping[str, tuple[str, ...]] = {"item.season": SEASONS}
        self._weights = np.array([weights[name] for name in WEIGHTS])
        match: Callable[[Floats], Floats] = match_of_affinity if match_by == AFFINITY else match_of_retriever
        self._components: tuple[Callable[[Floats], Floats], ...] = (
            lambda table: match(table[:, 0]),
            lambda table: trend(table[:, 1], table[:, 2]),
            lambda table: inventory(table[:, 3], stock_half),
            lambda table: margin(table[:, 4], full_margin),
            lambda table: freshness(table[:, 5], half_life_days),
            lambda table: season(table[:, 6], table[:, 7], southern=southern),
        )

    def components(self, table: Floats) -> Floats:
        """Return each component of each row in the order of ``WEIGHTS``, NaN where it is not known."""
        return np.stack([component(table) for component in self._components], axis=1)

    def shares(self, table: Floats) -> Floats:
        """Return what each component adds to the weighted mean, NaN where it is not known or has no weight."""
        found = self.components(table)
        weight = np.where(np.isfinite(found), self._weights, 0.0)
        total = weight.sum(axis=1, keepdims=True)
        shares = np.full(found.shape, np.nan)
        np.divide(weight * np.nan_to_num(found), total, out=shares, where=(total > 0.0) & (weight > 0.0))
        return shares

    def score(self, table: Floats) -> Scores:
        """Return the weighted means."""
        found = self.components(table)
        known = np.isfinite(found)
        weight = np.where(known, self._weights, 0.0)
        total = weight.sum(axis=1)
        summed = (weight * np.where(known, found, 0.0)).sum(axis=1)
        values = np.divide(summed, total, out=np.full(len(table), 0.5), where=total > 0.0)
        return Scores(values, np.empty((len(table), 0)))
