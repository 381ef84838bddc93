"""Rows of the lake that are made in columns, without a record each: one-slot decisions and their events."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from storage.parquet import SCHEMAS, Kind

_ABSENT: Mapping[str, Any] = {
    "slots": 1,
    "join_window_s": 86_400,
    "runtime": "",
    "caller_candidates": False,
    "assume_impression": False,
    **dict.fromkeys(("arms", "plugins", "cap_counts", "stage_us"), "{}"),
    **dict.fromkeys(("sequence", "revision", "consent_epoch", "catalogue", "item_feature_epoch", "rng_seed"), 0),
    **dict.fromkeys(("candidates", "input_digest", "scores", "ranking"), b""),
    **{name: [] for name in ("rules", "caps", "reasons")},
}


def filled(kind: Kind, count: int, columns: Mapping[str, Any]) -> pa.Table:
    """Return a table of the kind's schema: given columns as they are, one value for all rows, or null."""
    arrays = []
    for column in SCHEMAS[kind]:
        value = columns.get(column.name)
        if isinstance(value, pa.Array | pa.ChunkedArray):
            arrays.append(value.cast(column.type))
        else:
            arrays.append(pa.repeat(pa.scalar(value, column.type), count))
    return pa.table(arrays, schema=SCHEMAS[kind])


def one_slot(count: int, columns: Mapping[str, Any]) -> pa.Table:
    """Return decisions of one slot; what was not written down of them is empty, and of its own type."""
    return filled("decisions", count, {**_ABSENT, **columns})


def lists(values: pa.Array) -> pa.Array:
    """Return each value as a list of its own."""
    return pa.ListArray.from_arrays(pa.array(np.arange(len(values) + 1, dtype=np.int32)), values)


def uuids(at: NDArray[np.int64], octets: NDArray[np.uint8]) -> list[str]:
    """Return UUIDv7 (RFC 9562) of the given instants (microseconds UTC).

    ``octets``, sixteen of each, fill what is not time; they are written over.
    """
    octets[:, :6] = (at // 1_000).astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    octets[:, 6] = 0x70 | (octets[:, 6] & 0x0F)
    octets[:, 8] = 0x80 | (octets[:, 8] & 0x3F)
    text = octets.tobytes().hex()
    cuts = (0, 8, 12, 16, 20, 32)
    return [
        "-".join(text[start + low : start + high] for low, high in pairwise(cuts)) for start in range(0, len(text), 32)
    ]
