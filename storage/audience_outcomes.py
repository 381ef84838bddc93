"""Whose items are clicked by whom, and who comes back: counted over the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from storage.database import Read
from storage.impressions import JOINED
from storage.lake import Lake
from storage.records.clock import DAY

WEEK = 7 * DAY
MONDAY = 4 * DAY
"""The first Monday of 1970: weeks begin there."""
MOST_VALUES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCount:
    """Impressions of one creator's items, of rows of one origin: all of them (``kind`` empty), by ``item``, by
    ``segment`` of people, or by ``context`` (``attribute=value``). ``people`` are the known ones; ``strangers`` counts
    impressions of whom nothing is known. The squares are sums over people (or decisions of strangers)."""

    creator: str
    kind: str
    value: str
    origin: str
    people: int
    strangers: int
    units: int
    impressions: int
    clicks: int
    impressions_squared: float
    clicks_squared: float
    clicks_by_impressions: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """Of the ``people`` first seen in the week that begins at ``cohort`` (microseconds UTC), how many came ``back``
    ``weeks`` later."""

    origin: str
    cohort: int
    weeks: int
    people: int
    back: int


_AUDIENCE = f"""
WITH made AS (SELECT * FROM decisions WHERE ("at" >= $start OR origin = 'imported') AND "at" < $end AND slots > 0),
told AS (SELECT * FROM events WHERE decision_id IN (SELECT decision_id FROM made)),
{JOINED},
clicked AS (SELECT DISTINCT n, item FROM outcomes WHERE type = 'click'),
seen AS (
  SELECT j.n, j.item, w.creator, d.subject, coalesce(d.subject, d.decision_id) AS person, d.origin,
         (c.item IS NOT NULL)::INTEGER AS click
  FROM joined j JOIN makers w ON w.item = j.item JOIN d ON d.n = j.n
  LEFT JOIN clicked c ON c.n = j.n AND c.item = j.item
), keyed AS (
  SELECT n, context, unnest(json_keys(context)) AS name FROM d WHERE context IS NOT NULL
), told_of AS (
  SELECT n, name || '=' || json_extract_string(context, '$."' || replace(name, '"', '\\"') || '"') AS value
  FROM keyed WHERE list_contains($attributes, name)
), placed AS (
  SELECT *, '' AS kind, '' AS value FROM seen
  UNION ALL SELECT *, 'item', item FROM seen
  UNION ALL SELECT seen.*, 'segment', m.segment FROM seen JOIN members m ON m.subject = seen.subject
  UNION ALL SELECT seen.*, 'context', t.value FROM seen JOIN told_of t ON t.n = seen.n WHERE t.value IS NOT NULL
), people AS (
  SELECT creator, kind, value, origin, person, subject, count(*) AS i, sum(click) AS c FROM placed GROUP BY ALL
)
SELECT creator, kind, value, origin, count(subject)::BIGINT, coalesce(sum(i) FILTER (subject IS NULL), 0)::BIGINT,
       count(*)::BIGINT, sum(i)::BIGINT, sum(c)::BIGINT, sum(i * i)::DOUBLE, sum(c * c)::DOUBLE, sum(c * i)::DOUBLE
FROM people GROUP BY creator, kind, value, origin
QUALIFY row_number() OVER (PARTITION BY creator, kind, origin ORDER BY sum(i) DESC, value) <= {MOST_VALUES}
ORDER BY ALL
"""  # noqa: S608  # own constants, bound values

_RETURNED = f"""
WITH acts AS (
  SELECT subject, origin, "at" FROM events WHERE stored = 'full' AND subject IS NOT NULL
  UNION ALL SELECT subject, origin, "at" FROM decisions WHERE subject IS NOT NULL
), placed AS (
  SELECT subject, origin, ("at" - {MONDAY}) // {WEEK} AS week FROM acts WHERE "at" >= $start AND "at" < $end
), first AS (SELECT subject, origin, min(week) AS cohort FROM placed GROUP BY ALL),
sized AS (SELECT origin, cohort, count(*) AS people FROM first GROUP BY ALL),
later AS (
  SELECT origin, cohort, week - cohort AS weeks, count(DISTINCT subject) AS back
  FROM placed JOIN first USING (subject, origin) GROUP BY ALL
), every AS (
  SELECT origin, cohort, people, unnest(range(0, (($end - 1 - {MONDAY}) // {WEEK} - cohort + 1)::BIGINT)) AS weeks
  FROM sized
)
SELECT origin, cohort * {WEEK} + {MONDAY}, weeks, people::BIGINT, coalesce(back, 0)::BIGINT
FROM every LEFT JOIN later USING (origin, cohort, weeks) ORDER BY ALL
"""  # noqa: S608  # own constants, bound values


def audiences(
    lake: Lake,
    read: Read,
    *,
    start: int,
    end: int,
    makers: Mapping[str, str],
    members: Sequence[tuple[str, str]],
    attributes: Sequence[str],
) -> tuple[AudienceCount, ...]:
    """Count impressions and clicks of decisions made from ``start`` to ``end`` (microseconds UTC), and of imported ones
    however old, by creator.

    Parameters
    ----------
    makers
        Item id → its creator.
    members
        Who is in which segment, by pseudonym.
    attributes
        The attributes of the context that may be told by; sensitive ones are none of them.
    """
    made_by = pa.table({"item": pa.array(list(makers), pa.string()), "creator": pa.array(makers.values(), pa.string())})
    belongs = pa.table(
        {
            "subject": pa.array([subject for subject, _ in members], pa.string()),
            "segment": pa.array([segment for _, segment in members], pa.string()),
        }
    )
    with lake.connect(read) as connection:
        connection.register("makers", made_by)
        connection.register("members", belongs)
        asked = {"start": start, "end": end, "attributes": list(attributes)}
        rows = connection.execute(_AUDIENCE, asked).fetchall()
    names = list(AudienceCount.__dataclass_fields__)
    return tuple(AudienceCount(**dict(zip(names, row, strict=True))) for row in rows)


def returned(lake: Lake, read: Read, *, start: int, end: int) -> tuple[Returned, ...]:
    """Count who was active again, by the week in which they were first seen from ``start`` on; weeks that ``end`` cuts
    are counted as far as they went."""
    with lake.connect(read, start=start, end=end) as connection:
        rows = connection.execute(_RETURNED, {"start": start, "end": end}).fetchall()
    names = list(Returned.__dataclass_fields__)
    return tuple(Returned(**dict(zip(names, row, strict=True))) for row in rows)
