"""Rates and their differences, with intervals; light enough for every process."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import erfc, sqrt
from operator import add
from typing import Protocol, TypeVar

from storage.records.proportions import Z, wilson

LEAST_PEOPLE = 30
"""With fewer people the spread between them says too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Hits out of trials, of how many people, and the sums over people of their squares."""

    n: int
    hits: int
    people: int = 0
    nn: float = 0.0
    hh: float = 0.0
    hn: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        """Add what others had; a person who is in both counts twice, which widens nothing."""
        return Tally(
            n=self.n + other.n,
            hits=self.hits + other.hits,
            people=self.people + other.people,
            nn=self.nn + other.nn,
            hh=self.hh + other.hh,
            hn=self.hn + other.hn,
        )

    @property
    def rate(self) -> float | None:
        """Hits per trial, None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def by_people(self) -> float | None:
        """The variance of the rate where people, not trials, are independent (Deng et al., 2018, Applying the Delta
        Method in Metric Analytics); None where there are too few of them."""
        if self.people < LEAST_PEOPLE or not self.n or not self.hits:
            return None
        rate = self.hits / self.n
        spread = self.hh - 2.0 * rate * self.hn + rate * rate * self.nn
        return max(spread, 0.0) * self.people / (self.people - 1) / (self.n * self.n)


NOTHING = Tally(n=0, hits=0)


class Seen(Protocol):
    """Impressions and clicks, and the sums of their squares over whoever had them."""

    @property
    def impressions(self) -> int:
        """Impressions."""

    @property
    def clicks(self) -> int:
        """Impressions that were clicked."""

    @property
    def impressions_squared(self) -> float:
        """The sum of squared impressions."""

    @property
    def clicks_squared(self) -> float:
        """The sum of squared clicks."""

    @property
    def clicks_by_impressions(self) -> float:
        """The sum of clicks times impressions."""


Row = TypeVar("Row", bound=Seen)


def tallied(rows: Iterable[Row], *, people: Callable[[Row], int]) -> Tally:
    """Add up clicks out of impressions; ``people`` says of how many independent people a row is."""
    parts = (
        Tally(
            n=row.impressions,
            hits=row.clicks,
            people=people(row),
            nn=row.impressions_squared,
            hh=row.clicks_squared,
            hn=row.clicks_by_impressions,
        )
        for row in rows
    )
    return reduce(add, parts, NOTHING)


def remainder(whole: Tally, part: Tally) -> Tally:
    """Return what is left without a part; of whom it is not known, so that its interval goes by impressions."""
    return Tally(n=max(whole.n - part.n, 0), hits=max(whole.hits - part.hits, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A rate minus another one, its 95 % interval, the two-sided p-value, and which unit was taken as independent."""

    value: float
    low: float
    high: float
    p: float
    unit: str


def difference(one: Tally, other: Tally) -> Difference | None:
    """Return the difference of two rates: by people where both have enough of them, else Newcombe's interval (1998,
    Statistics in Medicine 17, method 10) by trials. None where one has no trial.

    >>> found = difference(Tally(n=70, hits=56), Tally(n=80, hits=48))
    >>> [round(each, 4) for each in (found.value, found.low, found.high)]
    [0.2, 0.0524, 0.3339]
    """
    if not one.n or not other.n:
        return None
    first, second = one.hits / one.n, other.hits / other.n
    value = first - second
    here, there = one.by_people, other.by_people
    if here is not None and there is not None and here + there > 0.0:
        half = Z * sqrt(here + there)
        return Difference(
            value=value, low=value - half, high=value + half, p=_p(value / sqrt(here + there)), unit="people"
        )
    (low, high), (floor, ceiling) = wilson(one.hits, one.n), wilson(other.hits, other.n)
    pooled = (one.hits + other.hits) / (one.n + other.n)
    error = sqrt(pooled * (1.0 - pooled) * (1.0 / one.n + 1.0 / other.n))
    return Difference(
        value=value,
        low=value - sqrt((first - low) ** 2 + (ceiling - second) ** 2),
        high=value + sqrt((high - first) ** 2 + (second - floor) ** 2),
        p=_p(value / error) if error > 0.0 else 1.0,
        unit="impressions",
    )


def discoveries(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return which of a family of tests stand when at most ``level`` of what stands shall be wrong (Benjamini and
    Hochberg, 1995, JRSS B 57).

    >>> discoveries([0.01, 0.04, 0.03, 0.5])
    [True, False, False, False]
    """
    if not p_values:
        return []
    from scipy.stats import false_discovery_control

    standing: list[bool] = (false_discovery_control(p_values) <= level).tolist()
    return standing


def needed(rate: float, *, change: float = 0.2) -> int:
    """Return how many trials each of two arms needs to find a relative ``change`` of a rate four times out of five at
    the 5 % level: 2·(z₀.₉₇₅ + z₀.₈)²·p(1 − p) / (p·change)².

    >>> needed(0.02)
    19230
    """
    if not 0.0 < rate < 1.0:
        return 0
    return round(2.0 * (Z + 0.8416212335729143) ** 2 * (1.0 - rate) / (rate * change * change))


def _p(z: float) -> float:
    return erfc(abs(z) / sqrt(2.0))
