"""Every metric of the house, by process."""

from collections.abc import Mapping
from functools import cache

from governance.api.families import FAMILIES
from scoring_core.edges.families import families
from storage.records.metrics import Family

ENGINE, CONTROL = "fairlead-engine", "fairlead-control"
"""What the two kinds of process are called as Prometheus jobs."""

UNITS: Mapping[str, str] = {"seconds": "s", "bytes": "B", "ratio": "0–1", "celsius": "°C"}


@cache
def registry() -> Mapping[str, tuple[Family, ...]]:
    """Return the families that each job shows."""
    return {ENGINE: families(), CONTROL: tuple(FAMILIES.values())}


def unit(family: Family) -> str:
    """Return the unit that a name carries.

    >>> unit(Family(name="fairlead_decision_duration_seconds", kind="histogram", text=""))
    's'
    """
    words = [word for word in family.name.split("_") if word != "total"]
    return UNITS.get(words[-1], "")


def samples(family: Family) -> frozenset[str]:
    """Return the names that the samples of a family carry.

    >>> sorted(samples(Family(name="a_seconds", kind="histogram", text="")))
    ['a_seconds_bucket', 'a_seconds_count', 'a_seconds_sum']
    """
    if family.kind == "histogram":
        return frozenset(f"{family.name}_{part}" for part in ("bucket", "count", "sum"))
    return frozenset({family.name})
