"""How single values become cells of the feature table; what is missing is NaN."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from storage.records.events import Scalar

MISSING = float("nan")
Codes = Mapping[str, float] | None


def number(value: Scalar | None, codes: Codes) -> float:
    """Return a value as a number: one of several strings by its code; missing where it is none or not listed.

    >>> number("b", {"a": 0.0, "b": 1.0}), number(True, None)
    (1.0, 1.0)
    """
    if value is None:
        return MISSING
    if codes is not None:
        return codes.get(value, MISSING) if isinstance(value, str) else codes.get(str(value), MISSING)
    return MISSING if isinstance(value, str) else float(value)


def side_by_side(at: list[int]) -> NDArray[np.int64] | slice | None:
    """Return the places as an index, None for none; a slice where they lie side by side, which is twice as fast."""
    if not at:
        return None
    if at == list(range(at[0], at[0] + len(at))):
        return slice(at[0], at[0] + len(at))
    return np.array(at, dtype=np.int64)
