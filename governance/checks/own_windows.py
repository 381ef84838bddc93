"""The drift audit of two tables of one's own: every column of the reference against the current one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from governance.checks.compared import Compared, of_levels, of_numbers
from governance.checks.judged import judge_all, measure_all
from governance.checks.shift import FAMILY_LEVEL, MIN_ROWS
from storage.errors import Invalid, Problem
from storage.own_columns import OwnColumns


def audit_windows(
    reference: OwnColumns,
    current: OwnColumns,
    *,
    methods: Mapping[str, str] | None = None,
    features: Sequence[str] = (),
) -> dict[str, Any]:
    """Return both lights of every column, or of the named ones, and whether any is red.

    A column that one table lacks is missing in all of its rows. ``methods`` pins a measure by column, or by kind
    (``number``, ``category``).

    Raises
    ------
    Invalid
        If no column is left, a named one is in neither table, or a measure does not fit its column.
    """
    methods = methods or {}
    known = list(dict.fromkeys((*reference.names, *current.names)))
    _require(known, features, "features")
    _require((*known, "number", "category"), tuple(methods), "methods")
    chosen = [name for name in known if not features or name in features]
    if not chosen:
        raise Invalid("the tables have no column")
    measured = measure_all((_compared(name, reference, current) for name in chosen), methods)
    rows = [
        {
            **asdict(judged),
            "rows": list(each.rows),
            "missing": list(each.missing),
            "new": list(each.binned.new),
            "bins": list(each.binned.bins),
            "reference": each.binned.reference.tolist(),
            "current": each.binned.current.tolist(),
        }
        for judged, each in zip(judge_all(measured), measured, strict=True)
    ]
    rows.sort(key=lambda row: (not row["red"], -row["effect"] / row["threshold"]))
    return {
        "features": rows,
        "red": any(row["red"] for row in rows),
        "sentence": _sentence(rows),
        "rows": {"reference": reference.rows, "current": current.rows},
        "minimum_rows": MIN_ROWS,
        "family": {"features": len(rows), "method": "Benjamini–Hochberg", "level": FAMILY_LEVEL},
    }


def _require(known: Sequence[str], named: Sequence[str], field: str) -> None:
    strange = [name for name in named if name not in known]
    if strange:
        message = f"neither table has such a column; there are {', '.join(known)}"
        raise Invalid(f"{field}: {message}", problems=(Problem(field=field, message=message),))


def _sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    red = [row["feature"] for row in rows if row["red"]]
    judged = sum(row["statistical"] is not None for row in rows)
    if red:
        more = f" and {len(red) - 3} more" if len(red) > 3 else ""
        return f"Changed, beyond chance and large enough to matter: {', '.join(red[:3])}{more}."
    if not judged:
        return f"Too few rows to judge: each table needs {MIN_ROWS:,} with a value."
    return f"No drift shown in {judged} of {len(rows)} features."


def _compared(name: str, reference: OwnColumns, current: OwnColumns) -> Compared:
    sides = [side.column(name) if name in side.names else pa.nulls(side.rows) for side in (reference, current)]
    there = [side.type for side in sides if not pa.types.is_null(side.type)]
    if there and all(_is_number(kind) for kind in there):
        return of_numbers(name, *(_numbers(side) for side in sides))
    counts = [_counted(name, side) for side in sides]
    levels = sorted(level for level in {*counts[0], *counts[1]} if level is not None)
    return of_levels(
        name, (*levels, None), *(np.array([part.get(level, 0) for level in (*levels, None)]) for part in counts)
    )


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def _numbers(side: Any) -> Any:
    """Return numbers, NaN where there is none; moments, dates and times of day as microseconds."""
    if pa.types.is_timestamp(side.type) or pa.types.is_date(side.type):
        side = side.cast(pa.timestamp("us", tz=getattr(side.type, "tz", None))).cast(pa.int64())
    elif pa.types.is_time(side.type):
        side = side.cast(pa.time64("us")).cast(pa.int64())
    elif pa.types.is_duration(side.type):
        side = side.cast(pa.duration("us")).cast(pa.int64())
    if pa.types.is_integer(side.type) and side.null_count == 0:
        return side.to_numpy(zero_copy_only=False)
    return side.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _counted(name: str, side: Any) -> dict[str | None, int]:
    try:
        counted = pc.value_counts(side.cast(pa.string()))
    except pa.ArrowException:
        message = "holds values that are neither numbers, moments, truth values nor text; leave it out by --features"
        raise Invalid(f"{name}: {message}", problems=(Problem(field=name, message=message),)) from None
    return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
