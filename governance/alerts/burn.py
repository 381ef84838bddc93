"""How fast a budget burns, pure: rates over two windows, counts where requests are few, what is left, until when.

Source: Google, The Site Reliability Workbook, chapter 5 (Alerting on SLOs), multiwindow, multi-burn-rate alerts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from storage.records.alerts import BurnWindow
from storage.records.clock import DAY
from storage.records.proportions import wilson

LEAST = 1_000
"""With fewer in the long window rates tell nothing; counts do."""
FEW = 5
"""So many bad ones are the least that counts alert on."""
SLOW = 6.0
"""At this factor and above a burn wakes somebody; below it waits for the working day."""
CALM = 0.1
"""Below this burn rate a budget is not burning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Good ones of the valid ones."""

    good: int
    valid: int

    @property
    def bad(self) -> int:
        """Those that were not good."""
        return self.valid - self.good

    def rate(self, objective: float) -> float | None:
        """Return the burn rate: the share of bad ones over the share that the objective bears; None of nothing.

        >>> round(Counted(good=990, valid=1000).rate(0.999), 9)
        10.0
        """
        return self.bad / self.valid / (1.0 - objective) if self.valid else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """What one pair of windows says. ``by`` is ``rate``, or ``count`` where the long window holds too few."""

    window: BurnWindow
    long: Counted
    short: Counted
    long_rate: float | None
    short_rate: float | None
    by: str
    fires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of a budget: 1 is untouched, below 0 is overspent and said so; None of nothing.

    ``exhausted_in_us`` is None while it is not burning, and 0 once it is spent.
    """

    counted: Counted
    current: float | None
    left: float | None
    exhausted_in_us: int | None


def _reaches(rate: float | None, factor: float) -> bool:
    """Tell whether a rate is as high as a factor, but for the rounding of ``1 - objective``."""
    return rate is not None and rate >= factor * (1.0 - 1e-9)


def judge(window: BurnWindow, long: Counted, short: Counted, objective: float) -> Burn:
    """Hold two windows against a factor.

    With at least a thousand in the long window both rates must reach the factor. With fewer, the long window must hold
    at least five bad ones, more than the budget bears beyond chance (95 % Wilson), and the short one still some.
    """
    long_rate, short_rate = long.rate(objective), short.rate(objective)
    if long.valid >= LEAST:
        fires = _reaches(long_rate, window.factor) and _reaches(short_rate, window.factor)
        by = "rate"
    else:
        borne = min(1.0, window.factor * (1.0 - objective))
        fires = long.bad >= FEW and short.bad > 0 and wilson(long.bad, long.valid)[0] > borne
        by = "count"
    return Burn(window=window, long=long, short=short, long_rate=long_rate, short_rate=short_rate, by=by, fires=fires)


def budget(counted: Counted, objective: float, *, period_days: int, rate: float | None) -> Budget:
    """Return what is left over the period, and how long it lasts at the burn ``rate`` of the moment.

    Time to exhaustion = what is left × period ÷ burn rate.

    >>> found = budget(Counted(good=9980, valid=10000), 0.999, period_days=30, rate=2.0)
    >>> round(found.left, 6), found.exhausted_in_us
    (-1.0, 0)
    """
    spent = counted.rate(objective)
    left = None if spent is None else 1.0 - spent
    lasts: int | None = None
    if left is not None and left <= 0.0:
        lasts = 0
    elif left is not None and rate is not None and rate >= CALM:
        lasts = int(left * period_days * DAY / rate)
    current = counted.good / counted.valid if counted.valid else None
    return Budget(counted=counted, current=current, left=left, exhausted_in_us=lasts)


def worst(burns: Sequence[Burn]) -> Burn | None:
    """Return the burn that fires at the greatest factor, None where none does."""
    return max((one for one in burns if one.fires), key=lambda one: one.window.factor, default=None)
