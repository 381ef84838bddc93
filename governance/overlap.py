"""Whether two conditions can hold at once: only what is certain is said; where it cannot be told, they may."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from storage.records.policies import Attribute

NATURAL: Mapping[str, tuple[float, float]] = {"time.hour": (0.0, 23.0), "time.weekday": (0.0, 6.0)}
"""Values that cannot be left."""

Value = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What one attribute may be: one of ``values`` (None: any), and a number within bounds."""

    values: frozenset[Value] | None = None
    low: float = -inf
    high: float = inf
    low_open: bool = False
    high_open: bool = False

    @property
    def possible(self) -> bool:
        """Whether anything is allowed at all."""
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            return False
        return self.values is None or any(self._holds(kind, value) for kind, value in self.values)

    def also(self, other: "Allowed") -> "Allowed":
        """Return what both allow."""
        both = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            both = self.values & other.values
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Allowed(both, low, high, low_open, not high_closed)

    def _holds(self, kind: str, value: Any) -> bool:
        if kind != "number":
            return True
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))


def allowed(condition: Mapping[str, Any], declared: Mapping[str, Attribute]) -> dict[str, Allowed]:
    """Return, by attribute, what a condition certainly demands. What is said by ``$or``, ``$not`` or of lists is left
    out: it could be met in more ways than one."""
    found: dict[str, Allowed] = {}
    for name, demand in _demands(condition):
        kind = declared[name].type if name in declared else "any"
        if kind in ("list", "any"):
            continue
        for each in _of(demand):
            found[name] = found.get(name, _natural(name)).also(each)
    return found


def possible(condition: Mapping[str, Any], declared: Mapping[str, Attribute]) -> bool:
    """Tell whether a condition can hold for anybody.

    >>> age = {"age": Attribute(type="number")}
    >>> possible({"age": {"$gt": 5, "$lt": 3}}, age), possible({"age": {"$gt": 5}}, age)
    (False, True)
    """
    return all(each.possible for each in allowed(condition, declared).values())


def overlapping(one: Mapping[str, Any], other: Mapping[str, Any], declared: Mapping[str, Attribute]) -> bool:
    """Tell whether two conditions may hold at once.

    >>> mood = {"mood": Attribute(type="string")}
    >>> overlapping({"mood": "calm"}, {"mood": {"$in": ["wild", "loud"]}}, mood)
    False
    """
    first, second = allowed(one, declared), allowed(other, declared)
    return all(
        first.get(name, _natural(name)).also(second.get(name, _natural(name))).possible
        for name in first.keys() | second.keys()
    )


def implies(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether ``other`` certainly holds wherever ``one`` does: it asks for nothing more.

    >>> implies({"mood": "calm", "age": 3}, {"age": 3}), implies({"age": 3}, {"age": 4})
    (True, False)
    """
    return all(name in one and one[name] == demand for name, demand in other.items())


def _natural(name: str) -> Allowed:
    low, high = NATURAL.get(name, (-inf, inf))
    return Allowed(low=low, high=high)


def _demands(condition: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(condition, Mapping):
        return
    for name, demand in condition.items():
        if name == "$and" and isinstance(demand, list):
            for each in demand:
                yield from _demands(each)
        elif not name.startswith("$"):
            yield name, demand


def _of(demand: Any) -> Iterator[Allowed]:
    if not isinstance(demand, Mapping) or not all(name.startswith("$") for name in demand):
        if not isinstance(demand, Mapping | list):
            yield Allowed(frozenset({_value(demand)}))
        return
    for name, argument in demand.items():
        if name == "$eq" and not isinstance(argument, Mapping | list):
            yield Allowed(frozenset({_value(argument)}))
        elif name == "$in" and isinstance(argument, list):
            plain = [each for each in argument if not isinstance(each, Mapping | list)]
            yield Allowed(frozenset(map(_value, plain)))
        elif name in _BOUNDS and isinstance(argument, int | float) and not isinstance(argument, bool):
            yield _BOUNDS[name](float(argument))


_BOUNDS: Mapping[str, Callable[[float], Allowed]] = {
    "$gt": lambda bound: Allowed(low=bound, low_open=True),
    "$gte": lambda bound: Allowed(low=bound),
    "$lt": lambda bound: Allowed(high=bound, high_open=True),
    "$lte": lambda bound: Allowed(high=bound),
}


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        return "number", float(value)
    return "text", value
