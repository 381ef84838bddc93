"""What columns of a table say: yes or no, how likely, which group."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from governance.checks.population import Grouping, grouping
from storage.errors import Invalid, Problem

MOST_LEVELS = 12
"""A column of numbers with more distinct values is cut at its quartiles."""
BANDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A column as 0, 1 and −1 for unknown; ``positive`` is what counted as 1; ``chances`` are the numbers themselves
    where they are probabilities."""

    values: NDArray[np.int8]
    positive: str
    chances: NDArray[np.float64] | None = None


def answer(name: str, column: pa.ChunkedArray, *, positive: str | None = None, threshold: float = 0.5) -> Answer:
    """Read a column of yes or no, or of probabilities cut at ``threshold``.

    Without ``positive`` it is the larger of two values that counts as yes: scikit-learn's and Fairlearn's rule.

    Raises
    ------
    Invalid
        If the column holds neither.
    """
    if column.null_count == len(column):
        _refuse(name, "holds no value")
    kind = column.type
    if pa.types.is_boolean(kind):
        column, kind = column.cast(pa.int8()), pa.int8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number(name, column, positive, threshold)
    text = column.cast(pa.string())
    levels = sorted(pc.unique(text.drop_null()).to_pylist())
    if positive is None and len(levels) > 2:
        _refuse(name, f"holds {len(levels)} values; name the one that counts as yes with --positive")
    yes = levels[-1] if positive is None else positive
    if yes not in levels:
        _refuse(name, "never holds the value that --positive names")
    said = pc.fill_null(pc.equal(text, yes).cast(pa.int8()), -1)
    return Answer(values=np.asarray(said, dtype=np.int8), positive=yes)


def _number(name: str, column: pa.ChunkedArray, positive: str | None, threshold: float) -> Answer:
    numbers = np.asarray(column.cast(pa.float64()), dtype=np.float64)
    known = ~np.isnan(numbers)
    levels = np.unique(numbers[known])
    if positive is not None:
        yes = float(positive) if positive.lstrip("-").replace(".", "", 1).isdigit() else float("nan")
        if yes not in levels:
            _refuse(name, "never holds the number that --positive must name")
        return Answer(values=np.where(known, numbers == yes, -1).astype(np.int8), positive=f"{yes:g}")
    if set(levels.tolist()) <= {0.0, 1.0} or set(levels.tolist()) <= {-1.0, 1.0}:
        return Answer(values=np.where(known, numbers > 0, -1).astype(np.int8), positive="1")
    if levels[0] >= 0.0 and levels[-1] <= 1.0:
        cut = np.where(known, numbers >= threshold, -1).astype(np.int8)
        return Answer(values=cut, positive=f"≥ {threshold:g}", chances=numbers)
    if len(levels) == 2:
        return Answer(values=np.where(known, numbers == levels[1], -1).astype(np.int8), positive=f"{levels[1]:g}")
    return _refuse(name, "must hold yes and no (0 and 1), or probabilities; name what counts with --positive")


def groups_of(name: str, column: pa.ChunkedArray) -> Grouping:
    """Read a column of groups; numbers of many values are cut at their quartiles."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = np.asarray(column.cast(pa.float64()), dtype=np.float64)
        known = ~np.isnan(numbers)
        levels = np.unique(numbers[known])
        if len(levels) > MOST_LEVELS:
            return _bands(name, numbers, known)
        codes = np.where(known, np.searchsorted(levels, np.nan_to_num(numbers)), -1)
        return grouping(name, codes, [f"{level:g}" for level in levels])
    return coded(name, column)


def coded(name: str, column: pa.ChunkedArray) -> Grouping:
    """Read a column of names."""
    text = column.cast(pa.string()).combine_chunks().dictionary_encode()
    names = [str(each) for each in text.dictionary.to_pylist()]
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.append(np.argsort(order), -1).astype(np.int64)
    codes = places[np.asarray(pc.fill_null(text.indices, -1), dtype=np.int64)]
    return grouping(name, codes, [names[place] for place in order])


def _bands(name: str, numbers: NDArray[np.float64], known: NDArray[np.bool_]) -> Grouping:
    edges = np.unique(np.quantile(numbers[known], np.arange(1, BANDS) / BANDS))
    codes = np.where(known, np.searchsorted(edges, np.nan_to_num(numbers), side="left"), -1)
    names = [f"≤ {edges[0]:g}", *(f"{low:g} – {high:g}" for low, high in pairwise(edges))]
    names.append(f"> {edges[-1]:g}")
    return grouping(name, codes, names)


def _refuse(name: str, message: str) -> NoReturn:
    raise Invalid(f"{name}: {message}", problems=(Problem(field=name, message=message),))
