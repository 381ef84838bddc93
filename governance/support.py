"""Whether a log can tell a target policy's value at all; where it cannot, what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Support = Literal["supported", "thin", "worthless"]

LEAST_ESS = 100.0
LEAST_SHARE = 0.01
FEWEST = 10.0
"""An effective sample below this is carried by a handful of rows: no estimate at all."""

ERRORS = 3.0
MOST_UNSUPPORTED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weights of ``n`` rows: effective sample size, mean with its standard error, rows without a probability."""

    n: int
    ess: float
    mean: float
    error: float
    unsupported: float = 0.0
    clipped: bool = False

    @property
    def off(self) -> bool:
        """Whether they do not average 1, as weights of the same log must."""
        return abs(self.mean - 1.0) > ERRORS * self.error + 1e-9

    @property
    def wanted(self) -> float:
        """The effective sample size that is enough."""
        return max(LEAST_ESS, LEAST_SHARE * self.n)


def judged(weights: Weights) -> tuple[Support, str]:
    """Return whether an estimate may be used, and in words why or what to do."""
    for holds, verdict, words in LIMITS:
        if holds(weights):
            return verdict, words(weights)
    return "supported", f"The log supports the target: {weights.n:,} rows are worth {weights.ess:,.0f}."


def _thin(found: Weights) -> str:
    more = "" if found.ess < LEAST_SHARE * found.n else f", about {found.n * (found.wanted / found.ess - 1):,.0f} more"
    more = f"{more} rows like these" if more else ""
    return (
        f"Too little of the log resembles the target: {found.n:,} rows are worth {found.ess:,.0f}, "
        f"{found.wanted:,.0f} are needed{more}. Explore more, choose a target nearer to what is served, or clip and "
        "read the bias."
    )


def _never(found: Weights) -> str:
    return (
        f"Weights average {found.mean:.3g}, not 1: about {1.0 - found.mean:.0%} of the time the target does what the "
        "log never did. Let the policy in service explore these items, then ask again."
    )


def _clipped(found: Weights) -> str:
    return (
        f"Weights average {found.mean:.3g}, not 1: clipping took so much that the rest stands for another policy. "
        "Raise the clip, or leave it out."
    )


def _wrong(found: Weights) -> str:
    return (
        f"Weights average {found.mean:.3g}, not 1: the logged probabilities cannot be those that the log was made "
        "with. Check how they were recorded."
    )


def _few(found: Weights) -> str:
    return (
        f"The estimate hangs on about {found.ess:.0f} of {found.n:,} rows: the log hardly ever did what the target "
        "does. Explore more, or try it on a small share of traffic."
    )


LIMITS: tuple[tuple[Callable[[Weights], bool], Support, Callable[[Weights], str]], ...] = (
    (
        lambda it: not it.n or not it.ess,
        "worthless",
        lambda _: (
            "No row of the log could have come from the target: it does nothing that was logged. Serve some "
            "traffic at random (exploration) and ask again."
        ),
    ),
    (
        lambda it: it.n < LEAST_ESS,
        "thin",
        lambda it: f"Nothing can be said of {it.n:,} rows: at least {LEAST_ESS:.0f} are needed, better thousands.",
    ),
    (lambda it: it.off and it.clipped, "worthless", _clipped),
    (lambda it: it.off and it.mean < 1.0, "worthless", _never),
    (lambda it: it.off, "worthless", _wrong),
    (lambda it: it.ess < FEWEST, "worthless", _few),
    (lambda it: it.ess < it.wanted, "thin", _thin),
    (
        lambda it: it.unsupported > MOST_UNSUPPORTED,
        "thin",
        lambda it: (
            f"For {it.unsupported:.0%} of the rows the log holds no probability of what was done, and the "
            "others may not be like them. Log the probability of every choice, then ask again."
        ),
    ),
)
"""The first that holds decides."""
