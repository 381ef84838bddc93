"""Differences of rates with one-sided bounds that hold at every look at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

_SHARES = ((1.0, 0.8), (32.0, 0.1), (1_024.0, 0.1))
"""How much sooner than announced each mixture of ``harm_width`` is narrowest, and its part of the level."""
FEWEST_HITS = 5.0
"""With fewer hits expected among the treated, a normal bound says too little: nothing is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Trials and hits of both arms while the split between them stood still."""

    treated: int
    treated_hits: int
    control: int
    control_hits: int

    @property
    def weight(self) -> float:
        """The Mantel–Haenszel weight: n₁·n₀ / (n₁ + n₀)."""
        both = self.treated + self.control
        return self.treated * self.control / both if both else 0.0

    @property
    def rate(self) -> float:
        """The pooled rate, half a hit added to hits and misses, so that it is never 0 or 1."""
        return (self.treated_hits + self.control_hits + 0.5) / (self.treated + self.control + 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The treated rate minus (1 − ``margin``) times the control's, its standard error, and both rates."""

    value: float
    error: float
    margin: float
    treated: float
    control: float
    expected: float
    """Hits that the treated would have had at the pooled rate."""

    @property
    def information(self) -> float:
        """The inverse of the variance: the clock by which looks are counted."""
        return 1.0 / (self.error * self.error)


def contrast(strata: Sequence[Stratum], *, margin: float = 0.0, spread: float = 1.0) -> Contrast | None:
    """Compare two arms over strata, so that a rate that moves between them is never taken for an effect.

    Parameters
    ----------
    strata
        One per split of the traffic; those without trials in both arms say nothing.
    margin
        The relative harm that is compared with: at 0.1, whether the treated have at least nine tenths of the control's
        rate.
    spread
        The design effect (Kish, 1965, Survey Sampling): how much wider the truth is than independent trials, because
        one person's are alike.

    Notes
    -----
    Mantel and Haenszel (1959): Σ w·(p₁ − (1 − m)·p₀) / Σ w with w = n₁n₀ / (n₁ + n₀); each stratum's variance is the
    pooled one, so that an arm without a hit is not thought to be certain.

    >>> found = contrast([Stratum(treated=1000, treated_hits=40, control=9000, control_hits=450)])
    >>> round(found.value, 4), round(found.error, 4)
    (-0.01, 0.0072)
    """
    used = [each for each in strata if each.weight > 0.0]
    total = sum(each.weight for each in used)
    if total <= 0.0:
        return None
    kept = 1.0 - margin
    treated = sum(each.weight * each.treated_hits / each.treated for each in used) / total
    control = sum(each.weight * each.control_hits / each.control for each in used) / total
    variance = sum(
        each.weight**2 * each.rate * (1.0 - each.rate) * (1.0 / each.treated + kept * kept / each.control)
        for each in used
    ) / (total * total)
    return Contrast(
        value=treated - kept * control,
        error=sqrt(variance * max(spread, 1.0)),
        margin=margin,
        treated=treated,
        control=control,
        expected=sum(each.treated * each.rate for each in used),
    )


def tuning(information: float, level: float) -> float:
    """Return the mixture's parameter for which the bound is about as narrow as it can be at an ``information`` that was
    named before the first look (Waudby-Smith et al., 2021, arXiv 2103.06476, appendix B.2, one-sided)."""
    odds = -2.0 * log(2.0 * level)
    return information / (odds + log(odds + 1.0))


def half_width(found: Contrast, *, level: float, tuned: float) -> float:
    """Return how far from its value a one-sided bound lies that holds at all looks together with 1 − ``level``.

    The one-sided normal mixture (Howard et al., 2021, Annals of Statistics 49; Robbins, 1970), on the clock of the
    information V: √(2·(V + ρ)·ln(1 + √((V + ρ)/ρ) / 2α)) / V.

    >>> found = contrast([Stratum(treated=1000, treated_hits=50, control=9000, control_hits=450)])
    >>> round(half_width(found, level=0.025, tuned=tuning(found.information, 0.025)) / found.error, 2)
    3.04
    """
    clock = found.information
    whole = clock + tuned
    return sqrt(2.0 * whole * log(1.0 + sqrt(whole / tuned) / (2.0 * level))) / clock


def harm_width(found: Contrast, *, level: float, tuned: float) -> float:
    """Return the same half width, the narrowest of three mixtures that share the level (a union bound): eight tenths
    for ``tuned``, the rest for 32 and for 1,024 times less information, so that great harm is shown at once.

    >>> early = contrast([Stratum(treated=1000, treated_hits=50, control=1000, control_hits=150)])
    >>> rho = tuning(1_000.0 * early.information, 0.01)
    >>> half_width(early, level=0.01, tuned=rho) > 0.2, harm_width(early, level=0.01, tuned=rho) < 0.1
    (True, True)
    """
    return min(half_width(found, level=part * level, tuned=tuned / sooner) for sooner, part in _SHARES)


def lower(found: Contrast, *, level: float, tuned: float) -> float:
    """Return the bound below which the contrast is not, at any look."""
    return found.value - half_width(found, level=level, tuned=tuned)


def upper(found: Contrast, *, level: float, tuned: float) -> float:
    """Return the bound above which the contrast is not, at any look."""
    return found.value + half_width(found, level=level, tuned=tuned)
