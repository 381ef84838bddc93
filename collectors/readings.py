"""What a cell of a foreign row says: numbers, texts, times, flags, lists and vectors."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

from storage.records.clock import instant

FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|[+-]?\.\d+")
"""What is read as a number by itself: a leading zero marks a text, such as an article number."""
_SECONDS, _MILLISECONDS = 1e11, 1e14
"""A time below the first is in seconds since 1970, below the second in milliseconds, else in microseconds."""


class Unreadable(ValueError):
    """What a cell should hold instead, fit for a report."""


def empty(value: object) -> bool:
    """Tell whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value  # noqa: PLR0124  # NaN alone


def text(value: object) -> str:
    """Return a cell as text; a whole number has no fraction.

    >>> text(" a "), text(42.0), text(True)
    ('a', '42', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def number(value: object) -> float | int:
    """Return a cell as a number; ``1,234.5`` and ``3 EUR`` are none."""
    if isinstance(value, bool):
        raise Unreadable("must be a number")
    if isinstance(value, int):
        return value
    try:
        found = float(value.strip() if isinstance(value, str) else value)  # type: ignore[arg-type]  # else it raises
    except (TypeError, ValueError, OverflowError):
        raise Unreadable("must be a number, with a point before the fraction and nothing else") from None
    if not isfinite(found):
        raise Unreadable("must be a finite number")
    return found


def count(value: object) -> int:
    """Return a cell as a whole number."""
    found = number(value)
    if found != int(found):
        raise Unreadable("must be a whole number")
    return int(found)


def flag(value: object) -> bool:
    """Return a cell as yes or no."""
    found = FLAGS.get(text(value).lower())
    if found is None:
        raise Unreadable("must be true or false")
    return found


def moment(value: object) -> int:
    """Return a cell as microseconds UTC; a time without a zone is UTC.

    >>> moment("2026-01-01"), moment(1767225600), moment("2026-01-01T01:00:00+01:00")
    (1767225600000000, 1767225600000000, 1767225600000000)
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    try:
        if isinstance(value, str) and not NUMBER.fullmatch(value.strip()):
            value = datetime.fromisoformat(value.strip())
        if isinstance(value, datetime):
            return instant(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise Unreadable("must be a time such as 2026-01-31T12:00:00Z, or seconds since 1970") from None
    found = number(value)
    return int(found * (1e6 if abs(found) < _SECONDS else 1e3 if abs(found) < _MILLISECONDS else 1))


def listed(value: object, separator: str) -> tuple[str, ...]:
    """Return a cell as texts, each once."""
    parts = value if isinstance(value, list | tuple) else text(value).split(separator)
    return tuple(dict.fromkeys(text(part) for part in parts if not empty(part)))


def vector(value: object) -> tuple[float, ...]:
    """Return a cell as numbers: a list, or numbers between spaces or commas, in brackets or not."""
    if isinstance(value, str):
        plain = value.strip()
        try:
            value = orjson.loads(plain) if plain.startswith("[") else re.split(r"[\s,;]+", plain)
        except orjson.JSONDecodeError:
            value = None
    if not isinstance(value, Sequence):
        raise Unreadable("must be a list of numbers")
    return tuple(float(number(each)) for each in value)


def scalar(value: object) -> str | float | int | bool:
    """Return a cell of a typed source as it is: numbers, flags and texts."""
    if isinstance(value, bool | int | str | float):
        return value.strip() if isinstance(value, str) else value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple | dict | bytes):
        raise Unreadable("must be one value, not a list or an object; map it to tags, or leave it out")
    return text(value)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "hidden": flag,
    "stock": count,
    "created_at": moment,
    "expires_at": moment,
}
"""How the fields of an item that are no text are read."""
