"""Training data larger than memory: read from the lake one span of time after the other, kept as Parquet, binned by
LightGBM in batches."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scoring_core.features.person import person_features
from scoring_core.learning.datasets import Kept, feature_table, load_examples
from scoring_core.learning.evaluate import Popularity
from scoring_core.learning.pasts import past_states
from scoring_core.learning.unfolding import Unfolding
from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import MINUTE

SPAN_ROWS = 500_000
"""About how many impressions are in memory at once."""
FEWEST_SPANS = 20
STREAM_ABOVE = 8_000_000
"""From how many shown slots on a training reads span by span."""
MOST_HELD_OUT = 1_500_000
MOST_CATEGORIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of decision times and about how many slots were decided in it."""

    start: int
    end: int
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """The past on the disk: labels and weights of every row in order, its features in ``files``."""

    clicked: NDArray[np.bool_]
    weight: Floats
    decision: NDArray[np.int64]
    files: tuple[Path, ...]
    features: tuple[str, ...]
    popularity: Popularity
    first: int | None
    last: int | None
    dropped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.clicked)

    @property
    def clicks(self) -> int:
        """How many rows were clicked."""
        return int(self.clicked.sum())

    def sequences(self) -> list[Any]:
        """Return the features as LightGBM reads them, one file in memory at a time."""
        shelf = _OneAtATime()
        return [_sequence(path, shelf) for path in self.files]


def spans(
    database: Database, lake: Lake, *, origins: Sequence[str], end: int = 2**62, rows: int = SPAN_ROWS
) -> tuple[Span, ...]:
    """Cut the log into spans of whole minutes of about ``rows`` slots each, and into twenty at least."""
    with database.read() as read, lake.connect(read) as duck:
        minutes = duck.execute(
            'SELECT "at" // $minute, sum(slots) FROM decisions '
            'WHERE list_contains($origins, origin) AND "at" < $end GROUP BY 1 ORDER BY 1',
            {"minute": MINUTE, "origins": list(origins), "end": end},
        ).fetchall()
    rows = min(rows, ceil(sum(int(count) for _, count in minutes) / FEWEST_SPANS))
    found: list[Span] = []
    start, slots = 0, 0
    for minute, count in minutes:
        start = start if slots else minute * MINUTE
        slots += int(count)
        if slots >= rows:
            found.append(Span(start=start, end=(minute + 1) * MINUTE, slots=slots))
            slots = 0
    if slots:
        found.append(Span(start=start, end=(minutes[-1][0] + 1) * MINUTE, slots=slots))
    return tuple(found)


def held_out_from(cut: Sequence[Span], share: float) -> int:
    """Return where held-out time begins: whole spans of about the last ``share`` of the slots, and not so many that
    they would not fit into memory."""
    wanted = min(share * sum(span.slots for span in cut), MOST_HELD_OUT)
    begin, slots = cut[-1].start, 0
    for span in reversed(cut):
        if slots + span.slots > max(wanted, span.slots):
            break
        begin, slots = span.start, slots + span.slots
    return begin


_STRINGS = """
WITH told AS (
    SELECT DISTINCT {column} AS document FROM decisions WHERE list_contains($origins, origin) AND "at" < $end
), keyed AS (SELECT document, unnest(json_keys(document)) AS name FROM told WHERE document IS NOT NULL),
valued AS (SELECT name, json_extract(document, '$."' || replace(name, '"', '\\"') || '"') AS value FROM keyed)
SELECT name, coalesce(list(DISTINCT value ->> '$') FILTER (json_type(value) = 'VARCHAR'), [])
FROM valued GROUP BY name ORDER BY name
"""


def describe_stream(
    database: Database, lake: Lake, *, shelf: Shelf, origins: Sequence[str], end: int
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return what ``datasets.describe_features`` would say of all decisions before ``end``, asked of the lake without
    reading them into memory; a string of more than 10,000 values is left out."""
    asked = {"origins": list(origins), "end": end}
    seen: dict[str, list[str]] = {}
    with database.read() as read, lake.connect(read) as duck:
        for source, column in (("context", "context"), ("plugin", "plugins"), ("profile", "user_attributes")):
            for name, values in duck.execute(_STRINGS.format(column=column), asked).fetchall():
                seen[f"{source}.{name}"] = values
        retrievers = duck.execute(
            "SELECT DISTINCT unnest(json_keys(retrievers)) FROM decisions WHERE retrievers IS NOT NULL AND "
            'list_contains($origins, origin) AND "at" < $end ORDER BY 1',
            asked,
        ).fetchall()
        known, counted = duck.execute(
            "SELECT coalesce(bool_or(user_vector IS NOT NULL), false), "
            "coalesce(bool_or(user_vector IS NOT NULL AND octet_length(user_counts) > 0), false) "
            'FROM decisions WHERE list_contains($origins, origin) AND "at" < $end',
            asked,
        ).fetchall()[0]
    for _, state in past_states(database, lake, shelf=shelf, end=end) if known else ():
        counted = counted or (state is not None and bool(state.counts))
        for name, value in state.attributes.items() if state is not None else ():
            stated = seen.setdefault(f"profile.{name}", [])
            if isinstance(value, str) and value not in stated[-1:]:
                stated.append(value)
    for item in shelf.catalogue.items:
        for name, value in item.attributes.items():
            values = seen.setdefault(f"item.{name}", [])
            if isinstance(value, str):
                values.append(value)
    kept = {name: sorted(set(values)) for name, values in seen.items() if len(set(values)) <= MOST_CATEGORIES}
    features = [*sorted(kept), *(f"model.{name}" for (name,) in retrievers)]
    features += person_features(known=known, counted=counted)
    return tuple(features), {name: tuple(values) for name, values in sorted(kept.items()) if values}


@contextmanager
def spooled(
    database: Database,
    lake: Lake,
    *,
    shelf: Shelf,
    cut: Sequence[Span],
    end: int,
    now: int,
    origins: Sequence[str],
    features: tuple[str, ...],
    categories: Mapping[str, tuple[str, ...]],
    trust: Mapping[str, float],
    pasts: Unfolding,
    kept: Kept | None = None,
) -> Iterator[Spooled]:
    """Write the features of every impression decided before ``end`` below the lake's folder, span by span; they are
    gone when the block ends."""
    clicked, weight, decision, files = [], [], [], []
    popularity = Popularity(len(shelf.catalogue.items))
    first = last = None
    dropped: dict[str, int] = {}
    count = 0
    lake.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=lake.root) as folder:
        for place, span in enumerate(each for each in cut if each.start < end):
            close = min(span.end, end)
            found = load_examples(
                database, lake, shelf=shelf, now=now, origins=origins, start=span.start, end=close,
                pasts=pasts.until(close),
            ).trusted(trust)  # fmt: skip
            for reason, rows in found.dropped.items():
                dropped[reason] = dropped.get(reason, 0) + rows
            if not len(found):
                continue
            table = feature_table(found, features, categories=categories, shelf=shelf, kept=kept)
            files.append(_write(Path(folder) / f"{place:06d}.parquet", table, features))
            clicked.append(found.clicked)
            weight.append(found.weight)
            decision.append(found.decision + count)
            count += int(found.decision.max()) + 1
            popularity.add(found)
            first = int(found.at[0]) if first is None else first
            last = int(found.at[-1])
        yield Spooled(
            clicked=np.concatenate(clicked or [np.empty(0, dtype=np.bool_)]),
            weight=np.concatenate(weight or [np.empty(0)]),
            decision=np.concatenate(decision or [np.empty(0, dtype=np.int64)]),
            files=tuple(files),
            features=features,
            popularity=popularity,
            first=first,
            last=last,
            dropped=dropped,
        )


def _write(path: Path, table: Floats, features: tuple[str, ...]) -> Path:
    columns = [pa.array(column) for column in np.ascontiguousarray(table.T)]
    pq.write_table(pa.table(columns, names=list(features)), path, compression="zstd")
    return path


class _OneAtATime:
    """Holds the matrix of the file that was asked for last."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._matrix: Floats = np.empty((0, 0))

    def matrix(self, path: Path) -> Floats:
        """Return the matrix of a file."""
        if path != self._path:
            table = pq.read_table(path, memory_map=True)
            self._matrix = np.empty((table.num_rows, table.num_columns))
            for at, column in enumerate(table.columns):
                self._matrix[:, at] = column.to_numpy()
            self._path = path
        return self._matrix


def _sequence(path: Path, shelf: _OneAtATime) -> Any:
    import lightgbm

    rows: int = pq.read_metadata(path).num_rows

    class Rows(lightgbm.Sequence):
        """One file's rows."""

        batch_size = 65_536

        def __getitem__(self, place: Any) -> Floats:
            found: Floats = shelf.matrix(path)[place]
            return found

        def __len__(self) -> int:
            return rows

    return Rows()
