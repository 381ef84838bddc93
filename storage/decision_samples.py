"""Samples of decisions behind a heatmap's cell: by campaign, time of week, position, item, attribute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.database import Read
from storage.lake import Lake

Range = tuple[int, int]

_COLUMNS = (
    "decision_id",
    "at",
    "replica",
    "surface",
    "campaign",
    "served_by",
    "reason",
    "items",
    "positions",
    "propensity",
    "policy",
    "version",
    "model",
    "model_version",
    "confidence",
    "revision",
    "origin",
)

_SELECTED = ", ".join(f'"{name}"' for name in _COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSummary:
    """One decision in a list."""

    decision_id: str
    at: int
    replica: str
    surface: str
    campaign: str | None
    served_by: str
    reason: str
    items: tuple[str, ...]
    positions: tuple[int, ...]
    propensity: tuple[float, ...]
    policy: str | None
    version: int | None
    model: str | None
    model_version: str | None
    confidence: float | None
    revision: int
    origin: str


def sample(
    lake: Lake,
    read: Read,
    *,
    ranges: Sequence[Range],
    campaign: str | None = None,
    item: str | None = None,
    position: int | None = None,
    attribute: tuple[str, str] | None = None,
    origin: str | None = None,
    limit: int = 50,
) -> list[DecisionSummary]:
    """Return decisions made within any of ``ranges`` (microseconds UTC, ends excluded), newest first.

    ``position`` is 1-based and, with ``item``, means that very item there; ``attribute`` is a name and a value of the
    context, compared as text.
    """
    if not ranges:
        return []
    clauses = ["(" + " OR ".join('("at" >= ? AND "at" < ?)' for _ in ranges) + ")"]
    values: list[Any] = [bound for pair in ranges for bound in pair]
    spot = "list_position(coalesce(nullif(positions, []), range(1, len(items) + 1)), ?)"
    for clause, given in (
        ("campaign = ?", (campaign,)),
        ("origin = ?", (origin,)),
        ("list_contains(items, ?)", (item,) if position is None else (None,)),
        (f"items[{spot}] IS NOT NULL", (position,) if item is None else (None,)),
        (f"items[{spot}] = ?", (position, item)),
        ("json_extract_string(context, ?) = ?", _pointer(attribute)),
    ):
        if None not in given:
            clauses.append(clause)
            values += given
    start, end = min(first for first, _ in ranges), max(last for _, last in ranges)
    statement = (
        f"SELECT {_SELECTED} FROM decisions WHERE {' AND '.join(clauses)} "  # noqa: S608  # own names, bound values
        'ORDER BY "at" DESC, decision_id LIMIT ?'
    )
    with lake.connect(read, start=start, end=end) as connection:
        rows = connection.execute(statement, [*values, limit]).fetchall()
    return [_summary(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _pointer(attribute: tuple[str, str] | None) -> tuple[str | None, str | None]:
    """Return a JSON pointer (RFC 6901) to a name, and the value."""
    if attribute is None:
        return None, None
    name, value = attribute
    return "/" + name.replace("~", "~0").replace("/", "~1"), value


def _summary(row: dict[str, Any]) -> DecisionSummary:
    lists = {name: tuple(row[name] or ()) for name in ("items", "positions", "propensity")}
    return DecisionSummary(**{**row, **lists})
