"""Which of many conditions hold, found without asking each: comparisons of one attribute are looked up together."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from math import isnan
from operator import or_
from typing import Any

from scoring_core.conditions import compile_condition

Predicate = Callable[[Any], bool]

HUGE = 1e300
COMPARING = frozenset({"$gt", "$gte", "$lt", "$lte"})


class Matcher:
    """Conditions as bits, the first the lowest. ``holding`` gives what asking each would give.

    A condition is taken apart where all of it must hold: comparisons with a number are found by bisection in the sorted
    thresholds of their attribute and operator, equality with a text in a table; whatever else a condition asks is asked
    of those alone that hold so far. What is looked up together is a conjunction of bit sets, as in content-based
    publish/subscribe.

    References
    ----------
    Fabret et al., Filtering Algorithms and Implementation for Very Fast Publish/Subscribe Systems, SIGMOD 2001.

    Examples
    --------
    >>> adults, berlin = {"age": {"$gte": 18}}, {"town": "Berlin", "age": {"$gt": 30}}
    >>> [bin(Matcher([adults, berlin]).holding({"age": age, "town": "Berlin"})) for age in (17, 18, 31)]
    ['0b0', '0b1', '0b11']
    """

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.everything = (1 << len(documents)) - 1
        thresholds: dict[tuple[str, str], list[tuple[float, int]]] = {}
        texts: dict[str, list[tuple[str, int]]] = {}
        self._rest: dict[int, Predicate] = {}
        for place, document in enumerate(documents):
            rest: dict[str, Any] = {}
            for name, operand in document.items() if isinstance(document, Mapping) else ():
                if name.startswith("$"):
                    rest[name] = operand
                elif isinstance(operand, str):
                    texts.setdefault(name, []).append((operand, 1 << place))
                elif _compares(operand):
                    for operator, bound in operand.items():
                        thresholds.setdefault((name, operator), []).append((float(bound), 1 << place))
                else:
                    rest[name] = operand
            if rest or not isinstance(document, Mapping):
                self._rest[1 << place] = compile_condition(rest if isinstance(document, Mapping) else document)
        self._looked_up: tuple[_Thresholds | _Texts, ...] = (
            *(_Thresholds(name, operator, bounds) for (name, operator), bounds in thresholds.items()),
            *(_Texts(name, values) for name, values in texts.items()),
        )
        self._asked = sum(self._rest)

    def holding(self, attributes: Mapping[str, Any]) -> int:
        """Return the bits of the conditions that hold."""
        found = self.everything
        for each in self._looked_up:
            found &= each.among(attributes)
        left = found & self._asked
        while left:
            bit = left & -left
            left ^= bit
            if not self._rest[bit](attributes):
                found ^= bit
        return found


def _compares(operand: Any) -> bool:
    return (
        isinstance(operand, Mapping)
        and bool(operand)
        and all(
            operator in COMPARING
            and isinstance(bound, int | float)
            and not isinstance(bound, bool)
            and -HUGE < bound < HUGE
            for operator, bound in operand.items()
        )
    )


def _reached(attributes: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        if not isinstance(attributes, dict | Mapping):
            return None
        attributes = attributes.get(step)
    return attributes


class _Thresholds:
    """Every comparison of one attribute by one operator."""

    def __init__(self, name: str, operator: str, bounds: Sequence[tuple[float, int]]) -> None:
        ordered = sorted(bounds)
        self._steps = name.split(".")
        self._bounds = [bound for bound, _ in ordered]
        self._below = list(accumulate((bit for _, bit in ordered), or_, initial=0))
        self._own = self._below[-1]
        self._others = ~self._own
        self._find = bisect_left if operator in ("$gt", "$lte") else bisect_right
        self._rising = operator in ("$gt", "$gte")

    def among(self, attributes: Mapping[str, Any]) -> int:
        """Return the bits of the comparisons that hold, and all others."""
        value = _reached(attributes, self._steps)
        if type(value) is not float:
            if value is None:
                value = 0.0  # as GrowthBook compares what is absent
            else:
                try:
                    value = float(value)
                except (TypeError, ValueError, OverflowError):
                    return self._others
        if isnan(value):
            return self._others
        below = self._below[self._find(self._bounds, value)]
        return self._others | (below if self._rising else self._own ^ below)


class _Texts:
    """Every equality of one attribute with a text."""

    def __init__(self, name: str, values: Sequence[tuple[str, int]]) -> None:
        self._steps = name.split(".")
        self._bits: dict[str, int] = {}
        for value, bit in values:
            self._bits[value] = self._bits.get(value, 0) | bit
        self._others = ~sum(self._bits.values())

    def among(self, attributes: Mapping[str, Any]) -> int:
        """Return the bits of the equalities that hold, and all others."""
        value = _reached(attributes, self._steps)
        return self._others | (self._bits.get(value, 0) if isinstance(value, str) else 0)
