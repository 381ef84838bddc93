"""An indicator by what it can be divided by: where the bad ones are."""

from dataclasses import dataclass

from dashboard.queries.rates import Rate, rate
from governance.alerts.indicators import INDICATORS
from storage import series
from storage.database import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One value of one dimension: the share of good ones, and how many were not."""

    dimension: str
    value: str
    good: Rate
    bad: int


def divided(read: Read, *, indicator: str, start: int, end: int) -> tuple[Part, ...]:
    """Return the parts of an indicator in a range, those with most bad ones first; all parts of one dimension together
    are all that was counted."""
    one = INDICATORS[indicator]
    parts = []
    for dimension in one.dimensions:
        sums: dict[str, tuple[int, int]] = {}
        names = tuple(dict.fromkeys((*one.by, dimension)))
        for step in series.total(read, one.metric, start=start, end=end, by=names):
            good, valid = one.tally(step) if step.value is not None else (0, 0)
            before = sums.get(step.labels.get(dimension, ""), (0, 0))
            sums[step.labels.get(dimension, "")] = (before[0] + good, before[1] + valid)
        parts += [
            Part(dimension=dimension, value=value, good=rate(good, valid), bad=valid - good)
            for value, (good, valid) in sums.items()
            if valid
        ]
    return tuple(sorted(parts, key=lambda part: (-part.bad, part.dimension, part.value)))
