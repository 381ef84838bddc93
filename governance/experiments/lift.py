"""How much better one arm does than another: the difference and the relative lift, of one accord."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

from governance.proportions import Tally
from storage.records.document import document
from storage.records.proportions import Z


@document
class Lift:
    """An arm's rate (or mean) minus the reference's with its 95 % interval, the same relative to the reference (1.0:
    twice as much; no interval where the reference may be zero), and the two-sided p-value. It is looked at once."""

    value: float
    low: float
    high: float
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A rate or mean, and the variance of it."""

    value: float
    variance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Trials and hits of an arm and of the reference where both were drawn alike: one day, one place."""

    n: int
    hits: int
    reference_n: int
    reference_hits: int


def stratified(strata: Sequence[Stratum], *, spread: float = 1.0) -> tuple[Mean, Mean] | None:
    """Return both rates over strata, so that a rate that moves between them is never taken for an effect.

    Weights are Mantel and Haenszel's (1959), n₁n₀ / (n₁ + n₀). A stratum's variance is that of its own rate, drawn
    towards the stratum's common one by one trial, so that no arm without a hit is thought certain. ``spread`` is the
    design effect (Kish, 1965, Survey Sampling): one person's trials are alike.

    >>> one, other = stratified([Stratum(n=1000, hits=60, reference_n=1000, reference_hits=40)])
    >>> round(one.value, 3), round(other.value, 3), round(one.variance ** 0.5, 4)
    (0.06, 0.04, 0.0075)
    """
    weighed = [
        (one.n * one.reference_n / (one.n + one.reference_n), one) for one in strata if one.n and one.reference_n
    ]
    whole = sum(weight for weight, _ in weighed)
    if whole <= 0.0:
        return None
    value = reference = variance = reference_variance = 0.0
    for weight, one in weighed:
        part, common = weight / whole, (one.hits + one.reference_hits) / (one.n + one.reference_n)
        value += part * one.hits / one.n
        reference += part * one.reference_hits / one.reference_n
        variance += part * part * _variance(one.hits, one.n, common)
        reference_variance += part * part * _variance(one.reference_hits, one.reference_n, common)
    wider = max(spread, 1.0)
    return Mean(value=value, variance=variance * wider), Mean(value=reference, variance=reference_variance * wider)


def _variance(hits: int, n: int, common: float) -> float:
    rate = (hits + common) / (n + 1.0)
    return rate * (1.0 - rate) / n


def design_effect(*tallies: Tally) -> float:
    """Return how much wider the truth is than independent trials, the widest of these arms; 1 where people are too few
    to tell.

    >>> design_effect(Tally(n=400, hits=40, people=200, nn=800.0, hh=160.0, hn=160.0)) > 1.5
    True
    """
    found = [1.0]
    for one in tallies:
        known = one.by_people
        if known is not None and one.rate is not None and 0.0 < one.rate < 1.0:
            found.append(known / (one.rate * (1.0 - one.rate) / one.n))
    return max(found)


def lift(one: Mean, reference: Mean) -> Lift | None:
    """Compare two independent means; the relative interval is Fieller's (1954, JRSS B 16), which leaves out "no lift"
    exactly where the interval of the difference leaves out zero. None where nothing varies.

    >>> found = lift(Mean(value=0.06, variance=5e-5), Mean(value=0.04, variance=4e-5))
    >>> [round(each, 3) for each in (found.value, found.low, found.high, found.relative, found.relative_low)]
    [0.02, 0.001, 0.039, 0.5, 0.029]
    """
    error = sqrt(one.variance + reference.variance)
    if error <= 0.0:
        return None
    value = one.value - reference.value
    relative, low, high = _fieller(one, reference)
    return Lift(
        value=value,
        low=value - Z * error,
        high=value + Z * error,
        relative=relative,
        relative_low=low,
        relative_high=high,
        p=erfc(abs(value) / error / sqrt(2.0)),
    )


def _fieller(one: Mean, reference: Mean) -> tuple[float | None, float | None, float | None]:
    if reference.value <= 0.0:
        return None, None, None
    ratio = one.value / reference.value
    doubt = Z * Z * reference.variance / (reference.value * reference.value)
    if doubt >= 1.0:
        return ratio - 1.0, None, None
    half = Z / reference.value * sqrt(one.variance * (1.0 - doubt) + ratio * ratio * reference.variance)
    return ratio - 1.0, (ratio - half) / (1.0 - doubt) - 1.0, (ratio + half) / (1.0 - doubt) - 1.0
