"""The operators of the condition language: each takes its argument and gives a test of one value."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Any], bool]

LONGEST_TEXT = 1_000
_TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (list, "array"),
    (Mapping, "object"),
)


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal; unlike Python, true is not 1.

    >>> same(1, 1.0), same(True, 1), same([1, {"a": None}], [1, {"a": None}])
    (True, False, True)
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def version_key(value: Any) -> str:
    """Return a version so that text order is version order: build cut, numbers padded, releases after pre-releases.

    >>> version_key("1.9.0") < version_key("v1.10.0"), version_key("1.0.0-rc.1") < version_key("1.0.0")
    (True, True)
    """
    text = value if isinstance(value, str) else ("0" if value is None else str(value))
    parts = re.split(r"[-.]", re.sub(r"(^v|\+.*$)", "", text or "0"))
    if len(parts) == 3:
        parts.append("~")
    return "-".join(part.rjust(5) if re.fullmatch(r"[0-9]+", part) else part for part in parts)


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return [_folded(each) for each in value] if isinstance(value, list) else value


def _contains(values: list[Any], value: Any) -> bool:
    wanted = value if isinstance(value, list) else [value]
    return any(same(each, one) for each in wanted for one in values)


def _number(value: Any) -> float | None:
    """Return a value as GrowthBook compares it with a number: absent is zero, text is read."""
    if value is None:
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def with_argument(argument: Any) -> Test:
        def test(value: Any) -> bool:
            if isinstance(value, str) and isinstance(argument, str):
                return compare(value, argument)
            left, right = _number(value), _number(argument)
            return left is not None and right is not None and compare(left, right)

        return test

    return with_argument


def _versions(compare: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    def with_argument(argument: Any) -> Test:
        key = version_key(argument)
        return lambda value: compare(version_key(value), key)

    return with_argument


def _listed(*, fold: bool, negate: bool) -> Callable[[Any], Test]:
    def with_argument(argument: Any) -> Test:
        if not isinstance(argument, list):
            return lambda _: False
        values = _folded(argument) if fold else argument
        return lambda value: _contains(values, _folded(value) if fold else value) is not negate

    return with_argument


def _matching(*, flags: int, negate: bool) -> Callable[[Any], Test]:
    def with_argument(argument: Any) -> Test:
        try:
            search = re.compile(argument, flags).search
        except (re.error, TypeError, OverflowError, RecursionError):
            return lambda _: False
        return lambda value: (isinstance(value, str) and search(value[:LONGEST_TEXT]) is not None) is not negate

    return with_argument


def _typed(argument: Any) -> Test:
    return lambda value: next((name for kinds, name in _TYPES if isinstance(value, kinds)), "unknown") == argument


def _all_folded(argument: Any) -> Test:
    if not isinstance(argument, list):
        return lambda _: False
    wanted = _folded(argument)
    return lambda value: isinstance(value, list) and all(_contains(_folded(value), each) for each in wanted)


OPERATORS: Mapping[str, Callable[[Any], Test]] = {
    "$eq": lambda argument: lambda value: same(value, argument),
    "$ne": lambda argument: lambda value: not same(value, argument),
    "$gt": _compared(operator.gt),
    "$gte": _compared(operator.ge),
    "$lt": _compared(operator.lt),
    "$lte": _compared(operator.le),
    "$veq": _versions(operator.eq),
    "$vne": _versions(operator.ne),
    "$vgt": _versions(operator.gt),
    "$vgte": _versions(operator.ge),
    "$vlt": _versions(operator.lt),
    "$vlte": _versions(operator.le),
    "$in": _listed(fold=False, negate=False),
    "$nin": _listed(fold=False, negate=True),
    "$ini": _listed(fold=True, negate=False),
    "$nini": _listed(fold=True, negate=True),
    "$alli": _all_folded,
    "$regex": _matching(flags=0, negate=False),
    "$regexi": _matching(flags=re.IGNORECASE, negate=False),
    "$notRegex": _matching(flags=0, negate=True),
    "$notRegexi": _matching(flags=re.IGNORECASE, negate=True),
    "$exists": lambda argument: lambda value: (value is not None) is bool(argument),
    "$type": _typed,
}

SCALAR_OPERATORS: Mapping[str, tuple[type, ...]] = {
    "$gt": (str, int, float),
    "$gte": (str, int, float),
    "$lt": (str, int, float),
    "$lte": (str, int, float),
    "$veq": (str,),
    "$vne": (str,),
    "$vgt": (str,),
    "$vgte": (str,),
    "$vlt": (str,),
    "$vlte": (str,),
    "$regex": (str,),
    "$regexi": (str,),
    "$notRegex": (str,),
    "$notRegexi": (str,),
    "$exists": (bool,),
    "$type": (str,),
}
