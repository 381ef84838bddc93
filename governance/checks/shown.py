"""The impressions that an audit looks at, read once from the lake into columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from governance.checks.answers import coded
from governance.checks.permutation import Floats
from governance.checks.population import Grouping
from scoring_core.learning.outcomes import SHOWN, parameters
from storage.database import Read
from storage.lake import Lake
from storage.records.decisions import RANK_DTYPE, SCORE_DTYPE
from storage.records.fairness import ITEM, PERSON, SENSITIVE

BATCH = 100_000
FIXED = ("campaign", "surface", "policy")
"""Columns that rows may be made alike in, beside attributes."""

_ROWS = """
SELECT shown."at", shown.position, shown.slot, clicked, shown.item, shown.subject, shown.campaign, shown.surface,
  shown.policy, shown.policy || CASE WHEN d.version IS NULL THEN '' ELSE ' ' || d.version END AS served,
  d.served_by = 'model' AS model, coalesce(d.scorer, '') || ' ' ||
  coalesce(d.model_version, '') AS scorer, d.scores, d.ranking, goals.goal IS NOT NULL AS aims,
  reached.type IS NOT NULL AS reached {attributes}
FROM shown JOIN d USING (n)
LEFT JOIN goals ON goals.campaign = shown.campaign
LEFT JOIN outcomes AS reached ON reached.n = shown.n AND reached.item = shown.item AND reached.type = goals.goal
"""
_PATHS = {PERSON: "d.user_attributes", "": "shown.context"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Impressions:
    """Impressions in columns. ``columns`` holds names by attribute as Arrow arrays; ``score`` is the ranker's, NaN
    where it gave none."""

    rows: int
    at: NDArray[np.int64]
    position: NDArray[np.int64]
    clicked: NDArray[np.int8]
    reached: NDArray[np.int8]
    model: NDArray[np.int8]
    score: Floats
    columns: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)

    def groups(self, name: str) -> Grouping:
        """Return who is who by one column."""
        return coded(name, self.columns[name])

    def named(self, name: str, told: pa.ChunkedArray, *, owners: str = "") -> Grouping:
        """Return who is who by a column of names; rows belong to who is in the column ``owners``, if that says."""
        found = coded(name, told)
        column = self.columns[owners] if owners else None
        if column is None or column.null_count == len(column):
            return found
        indices = column.combine_chunks().dictionary_encode().indices
        return replace(found, owners=np.asarray(indices.fill_null(-1), dtype=np.int64))


def impressions(
    lake: Lake,
    read: Read,
    *,
    now: int,
    origins: Sequence[str],
    bounds: Mapping[str, Any],
    goals: Mapping[str, str],
    attributes: Sequence[str],
) -> Impressions:
    """Read the impressions whose window has closed.

    Parameters
    ----------
    bounds
        ``start``, ``end``, ``campaign``, ``policy`` and ``outcome``, as ``outcomes.parameters`` takes them.
    goals
        The event type that a campaign counts as its goal, where it is not the outcome itself.
    attributes
        Names in the context, or, after ``person.``, of what people stated.
    """
    asked = [name for name in attributes if not name.startswith((ITEM, SENSITIVE)) and name not in FIXED]
    selected, paths = "", {}
    for place, name in enumerate(asked):
        prefix = PERSON if name.startswith(PERSON) else ""
        selected += f", json_extract_string({_PATHS[prefix]}, $path_{place}) AS by_{place}"
        paths[f"path_{place}"] = f'$."{name.removeprefix(prefix)}"'
    named = pa.table({"campaign": pa.array(list(goals), pa.string()), "goal": pa.array(goals.values(), pa.string())})
    question = SHOWN + _ROWS.format(attributes=selected)
    with lake.connect(read) as duck:
        duck.register("goals", named)
        asked_for = parameters(now=now, origins=origins, **bounds) | paths
        reader = duck.sql(question, params=asked_for).to_arrow_reader(BATCH)
        batches = [_lean(batch) for batch in reader]
        schema = reader.schema
    if not batches:
        batches = [_lean(pa.RecordBatch.from_pylist([], schema=schema))]
    table = pa.Table.from_batches(batches)
    renamed = {f"by_{place}": name for place, name in enumerate(asked)}
    names = {"item": "item", "subject": "subject", "scorer": "scorer", "served": "served"}
    kept = {**{each: each for each in FIXED}, **names, **renamed}
    return Impressions(
        rows=table.num_rows,
        at=np.asarray(table["at"], dtype=np.int64),
        position=np.asarray(table["position"], dtype=np.int64),
        clicked=np.asarray(table["clicked"].cast(pa.int8())),
        reached=np.where(table["aims"], table["reached"], -1).astype(np.int8),
        model=np.asarray(table["model"].cast(pa.int8())),
        score=np.asarray(table["score"], dtype=np.float64),
        columns={name: table[column] for column, name in kept.items()},
    )


def _lean(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Put the score of the item shown in the place of all scores."""
    score = _scores(batch["scores"], batch["ranking"], np.asarray(batch["slot"], dtype=np.int64))
    slim = batch.select([name for name in batch.schema.names if name not in {"scores", "ranking", "slot"}])
    return slim.append_column("score", pa.array(score))


def _scores(scores: pa.Array, ranking: pa.Array, slot: NDArray[np.int64]) -> Floats:
    """Return the score of the candidate that stands at each row's slot; NaN where none is recorded."""
    values, first, many = _flat(scores, SCORE_DTYPE)
    places, begin, ranked = _flat(ranking, RANK_DTYPE)
    found = np.full(len(slot), np.nan)
    known = (ranked >= slot) & (slot >= 1) & (many > 0)
    place = places[begin[known] + slot[known] - 1].astype(np.int64)
    inside = place < many[known]
    rows = np.flatnonzero(known)[inside]
    found[rows] = values[first[rows] + place[inside]]
    return found


def _flat(column: pa.Array, dtype: str) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Return what a column of little-endian arrays holds, and where each row's begins and how long it is."""
    large = column.cast(pa.large_binary()).fill_null(b"")
    _, offsets, data = large.buffers()
    size = np.dtype(dtype).itemsize
    ends = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    raw = b"" if data is None else data
    values = np.frombuffer(raw, dtype, count=int(ends[-1]) // size if len(ends) else 0)
    return values, ends[:-1] // size, np.diff(ends) // size
