"""How often each person was shown each thing, counted over the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from storage.database import Read
from storage.impressions import IMPRESSION_US, JOINED
from storage.lake import Lake

PER: Mapping[str, str] = {"item": "item", "campaign": "campaign", "any": "''", "attribute": "thing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposures:
    """``times`` maps how often somebody was shown one thing to how many pairs of a person and a thing there are of
    that; ``people`` are distinct, ``origins`` those of the rows."""

    times: Mapping[int, int]
    people: int
    origins: tuple[str, ...]


_COUNTED = f"""
WITH made AS (SELECT * FROM decisions WHERE "at" >= ? AND "at" < ? AND slots > 0 AND subject IS NOT NULL
  AND origin <> 'imported' AND (len(?) = 0 OR list_contains(?, surface))
  AND (len(?) = 0 OR list_contains(?, campaign))),
told AS (SELECT * FROM events WHERE decision_id IN (SELECT decision_id FROM made)),
{JOINED},
each AS (
  SELECT subject, %s AS what, origin, count(*) AS n
  FROM joined %s WHERE joined."at" >= ? AND joined."at" < ? AND %s <> '%s'
  GROUP BY ALL
)
SELECT n::BIGINT, count(*)::BIGINT, list(DISTINCT origin) FROM each GROUP BY n
UNION ALL
SELECT 0, count(DISTINCT subject)::BIGINT, [] FROM each
ORDER BY 1
"""  # noqa: S608  # own constants, bound values


def counted(
    lake: Lake,
    read: Read,
    *,
    start: int,
    end: int,
    per: Literal["item", "campaign", "attribute", "any"],
    surfaces: Sequence[str] = (),
    campaigns: Sequence[str] = (),
    things: Mapping[str, str] | None = None,
) -> Exposures:
    """Count the impressions from ``start`` to ``end`` (microseconds UTC) of people who are known, as
    ``storage.impressions`` says what one is; ``things`` says of which value each item is, for ``attribute``. Imported
    rows name nobody."""
    import pyarrow as pa

    named = things or {}
    table = pa.table({"item": pa.array(list(named), pa.string()), "thing": pa.array(named.values(), pa.string())})
    joins = "JOIN things USING (item)" if per == "attribute" else ""
    nothing = "none" if per == "any" else ""
    statement = _COUNTED % (PER[per], joins, PER[per], nothing)
    where = [list(surfaces), list(surfaces), list(campaigns), list(campaigns)]
    with lake.connect(read, start=start - IMPRESSION_US) as connection:
        connection.register("things", table)
        rows = connection.execute(statement, [start - IMPRESSION_US, end, *where, start, end]).fetchall()
    people = next((n for times, n, _ in rows if times == 0), 0)
    times = {int(times): int(n) for times, n, _ in rows if times}
    return Exposures(times=times, people=int(people), origins=tuple(sorted({one for row in rows for one in row[2]})))
