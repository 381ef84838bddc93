"""The off-policy estimate of a table of one's own: rows checked one by one, the rest estimated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from governance.offpolicy import DRAWS, LEVEL, estimate
from storage.errors import Invalid
from storage.own_table import own_table
from storage.records.document import document

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

SHOWN = 1_000
"""How many refused rows are listed; all are counted."""


@document
class OwnLog:
    """Which columns hold what, and how the estimate is to be made; ``unit`` names rows that belong together."""

    reward: str
    logged: str
    target: str
    features: tuple[str, ...] = ()
    unit: str | None = None
    clip: Annotated[float, Field(gt=0.0)] | None = None
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = LEVEL
    draws: Annotated[int, Field(ge=100, le=100_000)] = DRAWS
    seed: Annotated[int, Field(ge=0)] = 1


def estimate_own(path: Path, asked: OwnLog) -> dict[str, Any]:
    """Return the estimate of a CSV or Parquet file as a document, refused rows with their lines.

    A line is the file's: a CSV's header is line 1. Rows of a Parquet file count from 1.

    Raises
    ------
    NotFound, Invalid
        If the file cannot be read, lacks a column, or no row is left.
    """
    named = [asked.reward, asked.logged, asked.target, *asked.features, *([asked.unit] if asked.unit else [])]
    table = own_table(path, named)
    first = 1 if path.suffix.lower() in {".parquet", ".pq"} else 2
    reward, logged, target = (numbers(table[name]) for name in named[:3])
    refused: list[dict[str, Any]] = []
    good = np.ones(len(table), dtype=bool)
    for field, fails, message in (
        (asked.reward, ~np.isfinite(reward), "is no number"),
        (asked.logged, ~(logged <= 1.0), "is no probability from 0 to 1"),
        (asked.logged, logged <= 0.0, "is not above 0: what was done had no probability, so no weight can be told"),
        (asked.target, ~((target >= 0.0) & (target <= 1.0)), "is no probability from 0 to 1"),
    ):
        new = fails & good
        refused += [{"line": int(row) + first, "field": field, "message": message} for row in np.flatnonzero(new)]
        good &= ~fails
    unsupported = np.isfinite(reward) & (logged <= 0.0) & (target >= 0.0) & (target <= 1.0)
    kept = good | unsupported
    if not good.any():
        raise Invalid("no row of the table can be used; each needs a reward, and probabilities between 0 and 1")
    unit = None if asked.unit is None else codes(table[asked.unit])[kept].astype(np.int64)
    found = estimate(
        reward[kept],
        np.maximum(logged[kept], 0.0),
        target[kept],
        features=_features(table, asked.features, kept),
        units=unit,
        seed=asked.seed,
        clip=asked.clip,
        level=asked.level,
        draws=asked.draws,
    )
    refused.sort(key=lambda each: each["line"])
    return {**found.document(), "rows": len(table), "refused_rows": len(refused), "refused": refused[:SHOWN]}


def numbers(column: pa.ChunkedArray) -> Floats:
    """Return a column as numbers; what is none is NaN."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    try:
        found: Floats = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # texts, or several kinds; some cells may be numbers
        found = np.array([_number(each) for each in column.to_pylist()], dtype=np.float64)
    return found


def codes(column: pa.ChunkedArray) -> Floats:
    """Return a column of any kind as numbers: one per distinct value, NaN where there is none."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return numbers(column)
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    found: Floats = pc.fill_null(encoded.indices.cast(pa.float64()), float("nan")).to_numpy(zero_copy_only=False)
    return found


def _features(table: pa.Table, names: Sequence[str], kept: Truths) -> Floats | None:
    return np.stack([codes(table[name])[kept] for name in names], axis=1) if names else None


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return float("nan")
