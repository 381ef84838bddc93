"""What is different within a window: the shares of every value of every dimension, against the rest of a range."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from dashboard.queries import standouts
from dashboard.queries.rates import Rate, rate
from storage import cell_sums, series
from storage.cells import CELL_US
from storage.database import Read

REQUESTS = "fairlead_decision_requests_total"
COUNTED = ("campaign", "outcome", "reason", "replica")
"""What engines count decisions by."""
Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One value of one dimension: its share within the window and in the rest, and the difference of both with its 95 %
    interval; ``sure`` if it survives a 5 % false discovery rate over all values. ``unit`` is what is counted."""

    dimension: str
    value: str
    unit: str
    here: Rate
    rest: Rate
    low: float
    high: float
    sure: bool

    @property
    def difference(self) -> float:
        """Share within the window minus share in the rest."""
        return (self.here.value or 0.0) - (self.rest.value or 0.0)


def newcombe(here: Rate, rest: Rate) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares (Newcombe, Statistics in Medicine 17, 1998, 873–890,
    method 10).

    >>> tuple(round(end, 4) for end in newcombe(rate(56, 70), rate(48, 80)))
    (0.0524, 0.3339)
    """
    one, other = here.value or 0.0, rest.value or 0.0
    low = sqrt((one - here.low) ** 2 + (rest.high - other) ** 2)
    high = sqrt((here.high - one) ** 2 + (other - rest.low) ** 2)
    return one - other - low, one - other + high


Shares = Mapping[tuple[str, str], Mapping[str, tuple[int, int]]]
"""By dimension and unit: counts of each value, within the window and in the rest."""


def contrasts(shares: Shares) -> tuple[Contrast, ...]:
    """Return the values whose share differs, those beyond chance first, then by how much (points of share).

    Each value is tested by Fisher's exact test against all others of its dimension; Benjamini and Hochberg over all of
    them. Counts of decisions are of people who ask again and again: what is barely sure may be one of them.
    """
    rows: list[tuple[str, str, str, Rate, Rate]] = []
    for (dimension, unit), values in shares.items():
        n, m = sum(here for here, _ in values.values()), sum(rest for _, rest in values.values())
        if n and m:
            rows += [
                (dimension, value, unit, rate(here, n), rate(rest, m))
                for value, (here, rest) in sorted(values.items())
                if here or rest
            ]
    chances = standouts.chances(
        [(here.n, here.hits) for *_, here, _ in rows],
        [(here.n + rest.n, here.hits + rest.hits) for *_, here, rest in rows],
        [1.0] * len(rows),
    )
    found = []
    for (dimension, value, unit, here, rest), sure in zip(rows, standouts.survivors(chances), strict=True):
        low, high = newcombe(here, rest)
        found.append(
            Contrast(
                dimension=dimension,
                value=value,
                unit=unit,
                here=here,
                rest=rest,
                low=low,
                high=high,
                sure=bool(sure),
            )
        )
    return tuple(sorted(found, key=lambda one: (not one.sure, -abs(one.difference), one.dimension, one.value)))


def outside(window: tuple[int, int], span: tuple[int, int]) -> Ranges:
    """Return what of a range lies outside a window.

    >>> outside((10, 20), (0, 30)), outside((0, 20), (0, 30))
    ([(0, 10), (20, 30)], [(20, 30)])
    """
    parts = [(span[0], window[0]), (window[1], span[1])]
    return [(first, last) for first, last in parts if first < last]


def _counted(read: Read, dimension: str, ranges: Ranges) -> dict[str, int]:
    sums: dict[str, int] = {}
    for start, end in ranges:
        for step in series.total(read, REQUESTS, start=start, end=end, by=(dimension,)):
            if step.value:
                value = step.labels.get(dimension, "")
                sums[value] = sums.get(value, 0) + int(step.value)
    return sums


def _shown(read: Read, ranges: Ranges, hidden: Collection[str]) -> dict[str, dict[str, int]]:
    """Return impressions by attribute of the context and value, of the cells that lie within some ranges."""
    found: dict[str, dict[str, int]] = {}
    inside = [(-(-start // CELL_US) * CELL_US, end // CELL_US * CELL_US) for start, end in ranges]
    inside = [(start, end) for start, end in inside if start < end]
    if not inside:
        return found
    start, end = inside[0][0], inside[-1][1]
    for one in cell_sums.sums(read, cube="segment", by="a", within=inside, start=start, end=end):
        name, _, value = one.key.partition("=")
        if name not in hidden and one.impressions:
            found.setdefault(name, {})[value or "(empty)"] = one.impressions
    return found


def compare(read: Read, *, here: Ranges, rest: Ranges, hidden: Collection[str] = ()) -> tuple[Contrast, ...]:
    """Return what differs within some ranges from others: of decisions as engines count them, of impressions by every
    attribute of the context but the ``hidden``; the cost grows with the ranges, not with traffic."""
    shares: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for dimension in COUNTED:
        one, other = _counted(read, dimension, here), _counted(read, dimension, rest)
        shares[dimension, "decisions"] = _paired(one, other)
    seen, usual = _shown(read, here, hidden), _shown(read, rest, hidden)
    for name in sorted(seen.keys() & usual.keys()):
        shares[name, "impressions"] = _paired(seen[name], usual[name])
    return contrasts(shares)


def _paired(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {value: (one.get(value, 0), other.get(value, 0)) for value in one.keys() | other.keys()}
