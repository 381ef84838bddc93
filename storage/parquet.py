"""The lake's Parquet schemas, and records ⇄ columns: one column per field, maps as JSON, arrays as bytes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
import pyarrow as pa
from msgspec.structs import fields

from storage.records.decisions import Decision
from storage.records.document import canonical
from storage.records.events import Event, ItemEpoch

Kind = Literal["decisions", "events", "epochs"]

_WHERE = [("log", pa.string()), ("seq", pa.int64())]
_STRINGS = pa.list_(pa.string())

SCHEMAS: Mapping[Kind, pa.Schema] = {
    "decisions": pa.schema(
        [
            ("decision_id", pa.string()),
            ("at", pa.int64()),
            ("replica", pa.string()),
            ("subject", pa.string()),
            ("session", pa.string()),
            ("sequence", pa.int64()),
            ("surface", pa.string()),
            ("campaign", pa.string()),
            ("slots", pa.int32()),
            ("revision", pa.int64()),
            ("consent_epoch", pa.int64()),
            ("policy", pa.string()),
            ("version", pa.int32()),
            ("bucket", pa.float64()),
            ("arms", pa.string()),
            ("model", pa.string()),
            ("model_version", pa.string()),
            ("scorer", pa.string()),
            ("catalogue", pa.int64()),
            ("item_feature_epoch", pa.int64()),
            ("served_by", pa.string()),
            ("reason", pa.string()),
            ("consent", pa.string()),
            ("context", pa.string()),
            ("user_vector", pa.binary()),
            ("user_events", pa.int64()),
            ("user_counts", pa.binary()),
            ("user_recent", pa.binary()),
            ("user_interests", pa.binary()),
            ("user_first_at", pa.int64()),
            ("user_attributes", pa.string()),
            ("query", pa.string()),
            ("filters", pa.string()),
            ("retrievers", pa.string()),
            ("sources", pa.string()),
            ("candidates", pa.binary()),
            ("caller_candidates", pa.bool_()),
            ("plugins", pa.string()),
            ("brought", pa.string()),
            ("cap_counts", pa.string()),
            ("fatigue", pa.binary()),
            ("input_digest", pa.binary()),
            ("scores", pa.binary()),
            ("confidence_raw", pa.float64()),
            ("confidence", pa.float64()),
            ("confidence_reason", pa.string()),
            ("ranking", pa.binary()),
            ("items", _STRINGS),
            ("positions", pa.list_(pa.int32())),
            ("propensity", pa.list_(pa.float64())),
            ("propensity_kind", pa.string()),
            ("propensity_reason", pa.string()),
            ("rng_seed", pa.uint64()),
            ("rules", _STRINGS),
            ("caps", _STRINGS),
            ("withheld", _STRINGS),
            ("rerank_cost", pa.float64()),
            ("reasons", pa.list_(_STRINGS)),
            ("settings", pa.string()),
            ("runtime", pa.string()),
            ("stage_us", pa.string()),
            ("assume_impression", pa.bool_()),
            ("join_window_s", pa.int64()),
            ("origin", pa.string()),
            *_WHERE,
        ]
    ),
    "events": pa.schema(
        [
            ("event_id", pa.string()),
            ("type", pa.string()),
            ("at", pa.int64()),
            ("received_at", pa.int64()),
            ("subject", pa.string()),
            ("session", pa.string()),
            ("item", pa.string()),
            ("surface", pa.string()),
            ("campaign", pa.string()),
            ("decision_id", pa.string()),
            ("value", pa.float64()),
            ("properties", pa.string()),
            ("stored", pa.string()),
            ("origin", pa.string()),
            ("replica", pa.string()),
            *_WHERE,
        ]
    ),
    "epochs": pa.schema(
        [
            ("epoch", pa.int64()),
            ("at", pa.int64()),
            ("keyframe", pa.bool_()),
            ("rows", pa.string()),
            ("replica", pa.string()),
            *_WHERE,
        ]
    ),
}

MAPS: Mapping[Kind, frozenset[str]] = {
    "decisions": frozenset(
        {
            "arms",
            "consent",
            "context",
            "plugins",
            "brought",
            "cap_counts",
            "stage_us",
            "user_attributes",
            "settings",
            "filters",
            "retrievers",
            "sources",
        }
    ),
    "events": frozenset({"properties"}),
    "epochs": frozenset({"rows"}),
}
_RECORDS: Mapping[Kind, type[Any]] = {"decisions": Decision, "events": Event, "epochs": ItemEpoch}
_OPTIONAL: Mapping[Kind, frozenset[str]] = {
    kind: frozenset(field.name for field in fields(record) if not field.required) for kind, record in _RECORDS.items()
}


def _json(value: Any) -> str | None:
    return None if value is None else canonical(value).decode()


def table(kind: Kind, records: Sequence[Any], *, replica: str, log: str, seqs: Sequence[int]) -> pa.Table:
    """Return records as a table of the kind's schema; ``seqs`` are their numbers in the log."""
    schema, maps = SCHEMAS[kind], MAPS[kind]
    placed: dict[str, Sequence[Any]] = {"log": [log] * len(records), "seq": seqs}
    if kind != "decisions":
        placed["replica"] = [replica] * len(records)
    columns = []
    for column in schema:
        values = placed.get(column.name)
        if values is None:
            values = [getattr(record, column.name) for record in records]
        if column.name in maps:
            values = [_json(value) for value in values]
        columns.append(pa.array(values, column.type))
    return pa.table(columns, schema=schema)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def record(kind: Kind, row: Mapping[str, Any]) -> Any:
    """Return the record that a row (plain values by column name) was written from."""
    fields: dict[str, Any] = {}
    for name, value in row.items():
        if value is None and name in _OPTIONAL[kind]:
            continue  # absent, or written before there was such a field
        if name in {"log", "seq"} or (name == "replica" and kind != "decisions"):
            continue
        if name in MAPS[kind] and value is not None:
            parsed = orjson.loads(value)
            if name == "brought":
                parsed = {key: tuple(ids) for key, ids in parsed.items()}
            fields[name] = {int(key): tuple(row) for key, row in parsed.items()} if kind == "epochs" else parsed
        else:
            fields[name] = _tuples(value)
    return _RECORDS[kind](**fields)
