"""Which tiles differ from the rest of their line beyond chance: exact tests, widened by how alike impressions are, the
rate of false discoveries held at 5 %."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, hypergeom, nbinom, norm

from dashboard.queries.grids import Tile

FALSE_DISCOVERIES = 0.05
PLANNED_LIFT = 1.5
"""What is called worth finding when more clicks are asked for."""
PLANNED_POWER = 0.8

Counts = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """How much clicks come together. ``spread`` is the squared coefficient of variation of the rate between the buckets
    of a tile; ``overall`` how many times wider the truth is than independent clicks, ``tiles`` the same by tile;
    ``steady`` are a tile's counts without its best bucket (none of one bucket): what one odd day made is no habit."""

    spread: float = 0.0
    overall: float = 1.0
    tiles: Mapping[str, float] = field(default_factory=dict)
    steady: Mapping[str, Counts] = field(default_factory=dict)

    def of(self, tile: str) -> float:
        """Return how many times wider the truth of a tile is."""
        return self.tiles.get(tile, self.overall)


def alike(buckets: Mapping[str, Sequence[Counts]]) -> Alike:
    """Return how alike clicks are, of the buckets (impressions, clicks) within each tile.

    Clicks of one person, one page or one odd day come together; a tile whose clicks all come from one of its weeks is
    no habit. Moments of a mixed Poisson: the excess of (observed − expected)² over expected, by expected² (McCullagh
    and Nelder, Generalized Linear Models, 2nd ed., 1989, section 6.2.3); per tile 1 + spread · Σe² ÷ Σe.

    >>> alike({"Thu 18": [(1000, 10), (1000, 30)], "Fri 18": [(1000, 20), (1000, 20)]}).overall > 2
    True
    """
    everything = [pair for held in buckets.values() for pair in held]
    mean = sum(hits for _, hits in everything) / max(1, sum(n for n, _ in everything))
    excess = squares = 0.0
    sizes: dict[str, tuple[float, float]] = {}
    for name, held in buckets.items():
        counts = [(n, min(hits, n)) for n, hits in held if n]
        shown, hit = sum(n for n, _ in counts), sum(hits for _, hits in counts)
        if not shown or not mean:
            continue
        sizes[name] = shown * mean, sum((n * mean) ** 2 for n, _ in counts)
        if len(counts) < 2 or not hit:
            continue
        expected = [hit * n / shown for n, _ in counts]
        freed = len(counts) / (len(counts) - 1)
        excess += sum(freed * (hits - one) ** 2 - one for (_, hits), one in zip(counts, expected, strict=True))
        squares += sizes[name][1]
    spread = max(0.0, excess / squares) if squares else 0.0
    clicks = sum(one for one, _ in sizes.values())
    together = sum(square for _, square in sizes.values())
    return Alike(
        spread=spread,
        overall=1.0 + (spread * together / clicks if clicks else 0.0),
        tiles={name: 1.0 + spread * square / one for name, (one, square) in sizes.items()},
        steady={name: steady(held, mean) for name, held in buckets.items()},
    )


def steady(held: Sequence[Counts], mean: float, *, high: bool = True) -> Counts:
    """Return the counts of some buckets without the one farthest above the mean (not ``high``: below); none of one.

    >>> steady([(100, 2), (100, 9), (100, 1)], 0.02), steady([(100, 9)], 0.02)
    ((200, 3), (0, 0))
    """
    if len(held) < 2:
        return 0, 0
    ranked = sorted(held, key=lambda pair: pair[1] - pair[0] * mean)
    rest = ranked[:-1] if high else ranked[1:]
    return sum(n for n, _ in rest), sum(hits for _, hits in rest)


def chances(tiles: Sequence[Counts], totals: Sequence[Counts], wider: Sequence[float]) -> NDArray[np.float64]:
    """Return for each tile (impressions, clicks) how likely chance alone takes it as far from the rest of its total,
    as twice the smaller tail.

    Given the clicks of the total, those of a tile are hypergeometric when all impressions are clicked alike (Fisher's
    exact test). Where the truth is ``wider`` they are negative binomial with the same mean and a variance so many
    times as large: what a gamma of the rate from bucket to bucket makes of them.
    """
    n, hits = (np.asarray([one[place] for one in tiles], dtype=np.int64) for place in (0, 1))
    shown, clicks = (np.asarray([one[place] for one in totals], dtype=np.int64) for place in (0, 1))
    times = np.maximum(np.asarray(wider, dtype=np.float64), 1.0)
    loose = times > 1.0 + 1e-6
    mean = n * clicks / np.maximum(shown, 1)
    size = np.where(loose, mean / np.where(loose, times - 1.0, 1.0), 1.0)
    mixed = nbinom(np.maximum(size, 1e-12), 1.0 / times)
    exact = hypergeom(shown, clicks, n)
    below = np.where(loose, mixed.cdf(hits), exact.cdf(hits))
    above = np.where(loose, mixed.sf(hits - 1), exact.sf(hits - 1))
    return np.asarray(np.minimum(1.0, 2.0 * np.minimum(below, above)), dtype=np.float64)


def survivors(found: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which chances survive a false discovery rate of 5 % (Benjamini and Hochberg 1995, JRSS B 57, 289–300)."""
    if not len(found):
        return np.zeros(0, dtype=np.bool_)
    return np.asarray(false_discovery_control(found) <= FALSE_DISCOVERIES)


def counts(tile: Tile) -> Counts:
    """Return impressions and clicks of a tile."""
    return tile.impressions, tile.rate.hits


def more_clicks(tiles: Sequence[Tile], mean: float, clicks: int, *, tested: int, alike: float = 1.0) -> int | None:
    """Return about how many more clicks in all would show a tile of the usual size that is clicked half as often
    again, of ``tested`` ones, if traffic keeps its shape; None where there is nothing to go by.

    Two proportions, one of them known well, at the level of the first step of Benjamini and Hochberg, power 80 %
    (Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., 2003, section 4.2).
    """
    shown = sorted(tile.impressions for tile in tiles if tile.impressions)
    if not shown or not 0 < mean < 1 or clicks <= 0:
        return None
    usual, lifted = shown[len(shown) // 2], min(1.0, PLANNED_LIFT * mean)
    level, power = norm.isf(FALSE_DISCOVERIES / (2 * max(1, tested))), norm.isf(1 - PLANNED_POWER)
    wanted = alike * (level * sqrt(mean * (1 - mean)) + power * sqrt(lifted * (1 - lifted))) ** 2 / (lifted - mean) ** 2
    return max(0, ceil(clicks * (float(wanted) / usual - 1)))
