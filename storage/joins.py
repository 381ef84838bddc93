"""Which cells a decision or an event touches, and their counts, in DuckDB over the lake's views.

What counts as shown and as clicked is ``storage.impressions``. Whatever is later, early or unmatched is kept as
``unjoined``, never mixed into a rate.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from storage.impressions import IMPRESSION_US, TABLES
from storage.sketches import KEPT

CELL_US = 900_000_000
"""Fifteen minutes, so that zones with odd offsets rebuild their hours."""
SEGMENTS_PER_ATTRIBUTE = 50

Touched = set[tuple[str, int]]

_MACROS = f"""
CREATE OR REPLACE TEMP MACRO cell_of(moment) AS moment // {CELL_US} * {CELL_US};
CREATE OR REPLACE TEMP MACRO impression_limit() AS {IMPRESSION_US};
CREATE OR REPLACE TEMP MACRO most_segments() AS {SEGMENTS_PER_ATTRIBUTE};
CREATE OR REPLACE TEMP MACRO kept() AS {KEPT};
"""

_ASKED = """
CREATE OR REPLACE TEMP TABLE told AS
SELECT replica, log, seq, event_id, type, "at", item, decision_id, coalesce(campaign, '') AS campaign, stored, origin
FROM events WHERE decision_id IN (SELECT decision_id FROM wanted)
   OR (decision_id IS NULL AND cell_of("at") IN (SELECT start FROM touched));

CREATE OR REPLACE TEMP TABLE made AS
SELECT replica, log, seq, decision_id, "at", campaign, subject, served_by, items, positions, context, origin,
       join_window_s, assume_impression
FROM decisions WHERE decision_id IN (SELECT decision_id FROM wanted) AND slots > 0;
"""

_SEEN = """
CREATE OR REPLACE TEMP TABLE impressions AS
SELECT j.decision_id, j.item, j.position, j.at, j.campaign, j.origin, cell_of(j.at) AS start,
       CASE WHEN j.subject IS NOT NULL THEN ('0x' || md5(j.subject)[1:16])::UBIGINT END AS person,
       count(o.type) FILTER (o.type = 'click') AS clicks,
       count(o.type) FILTER (o.type = coalesce(g.goal, 'click')) AS conversions,
       max(greatest(j.at, coalesce(o.at, j.at))) AS last_at
FROM joined j LEFT JOIN outcomes o ON o.decision_id = j.decision_id AND o.item = j.item
LEFT JOIN goals g ON g.campaign = j.campaign
GROUP BY ALL;
"""

_COUNTED = """
CREATE OR REPLACE TEMP TABLE counted AS
SELECT decision_id, campaign, cell_of("at") AS start, origin, NULL::UBIGINT AS person, 1 AS decisions,
       (served_by = 'model')::INTEGER AS model_decisions, 0 AS impressions, 0 AS clicks, 0 AS conversions,
       0 AS shown_decisions, 0 AS hit_decisions, "at" AS last_at, NULL::BIGINT AS position, NULL::VARCHAR AS item
FROM d
UNION ALL
SELECT decision_id, campaign, min(start), origin, NULL, 0, 0, 0, 0, 0, 1, max(clicks), 0, NULL, NULL
FROM impressions GROUP BY decision_id, campaign, origin
UNION ALL
SELECT decision_id, campaign, start, origin, person, 0, 0, 1, clicks, conversions, 0, 0, last_at, position, item
FROM impressions;

CREATE OR REPLACE TEMP TABLE segments AS
WITH keyed AS (
  SELECT decision_id, context, unnest(json_keys(context)) AS name FROM d WHERE context IS NOT NULL
), valued AS (
  SELECT decision_id, name, json_extract(context, '$."' || replace(name, '"', '\\"') || '"') AS value FROM keyed
), named AS (
  SELECT decision_id, name, name || '=' || (value ->> '$') AS segment
  FROM valued WHERE json_type(value) IN ('VARCHAR', 'BOOLEAN')
), sized AS (
  SELECT campaign, start, name, segment, sum(impressions) AS size
  FROM counted JOIN named USING (decision_id) GROUP BY ALL
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY campaign, start, name ORDER BY size DESC, segment) AS rank FROM sized
)
SELECT decision_id, campaign, start, CASE WHEN rank > most_segments() THEN name || '=other' ELSE segment END AS segment
FROM named JOIN (SELECT DISTINCT decision_id, campaign, start FROM counted) USING (decision_id)
JOIN ranked USING (campaign, start, name, segment);
"""

_CELLS = """
WITH placed AS (
  SELECT 'time' AS cube, '' AS a, '' AS b, * FROM counted
  UNION ALL
  SELECT 'position_item', position::VARCHAR, item, * FROM counted WHERE item IS NOT NULL
  UNION ALL
  SELECT 'segment', segment, campaign, counted.* FROM counted JOIN segments USING (decision_id, campaign, start)
), cells AS (
  SELECT campaign, start, cube, a, b, origin, sum(decisions)::BIGINT AS decisions,
         sum(impressions)::BIGINT AS impressions, sum(clicks)::BIGINT AS clicks,
         sum(conversions)::BIGINT AS conversions, sum(hit_decisions)::BIGINT AS hit_decisions,
         sum(shown_decisions)::BIGINT AS shown_decisions, sum(model_decisions)::BIGINT AS model_decisions,
         list_slice(list_sort(list_distinct(list(person))), 1, kept()) AS people, max(last_at) AS last_at
  FROM placed GROUP BY ALL
  UNION ALL
  SELECT coalesce(d.campaign, e.campaign), cell_of(e.at), 'unjoined', e.type,
         CASE WHEN e.decision_id IS NULL AND e.stored = 'aggregate' THEN 'aggregate'
              WHEN e.type = 'impression' AND e.at > d.at + impression_limit() THEN 'late'
              WHEN e.at > j.at + j.join_us THEN 'late' ELSE 'unmatched' END,
         e.origin, 0, count(*), 0, 0, 0, 0, 0, [], max(e.at)
  FROM e LEFT JOIN d USING (decision_id)
  LEFT JOIN joined j ON j.decision_id = e.decision_id AND j.item = e.item
  WHERE NOT coalesce(CASE WHEN e.type = 'impression' THEN j.at IS NOT NULL AND e.at <= d.at + impression_limit()
                          ELSE e.at BETWEEN j.at AND j.at + j.join_us END, FALSE)
  GROUP BY ALL
)
SELECT cells.* FROM cells SEMI JOIN touched USING (campaign, start) ORDER BY ALL
"""


def touch(connection: duckdb.DuckDBPyConnection, decision_ids: Iterable[str], loose: Touched) -> Touched:
    """Return the (campaign, 15 minutes) whose cells may change with these decisions and their events."""
    connection.register("asked", pa.table({"decision_id": pa.array(sorted(set(decision_ids)), pa.string())}))
    connection.execute(_MACROS)
    rows = connection.execute(
        """
        WITH d AS (SELECT decision_id, "at", coalesce(campaign, '') AS campaign
                   FROM decisions SEMI JOIN asked USING (decision_id)),
             e AS (SELECT decision_id, "at", campaign FROM events SEMI JOIN asked USING (decision_id))
        SELECT DISTINCT campaign, cell_of("at") FROM (
          SELECT campaign, "at" FROM d
          UNION ALL SELECT d.campaign, e.at FROM e JOIN d USING (decision_id)
          UNION ALL SELECT coalesce(campaign, ''), "at" FROM e)
        """
    ).fetchall()
    return loose | {(campaign, start) for campaign, start in rows}


def want(connection: duckdb.DuckDBPyConnection, touched: Touched) -> list[str]:
    """Return the ids of all decisions that count in these cells, by their own time or their events'."""
    _tell(connection, touched)
    rows = connection.execute(
        """
        SELECT decision_id FROM decisions
        WHERE (coalesce(campaign, ''), cell_of("at")) IN (SELECT (campaign, start) FROM touched)
        UNION
        SELECT decision_id FROM events
        WHERE decision_id IS NOT NULL AND cell_of("at") IN (SELECT start FROM touched)
        """
    ).fetchall()
    return [decision_id for (decision_id,) in rows]


def _tell(connection: duckdb.DuckDBPyConnection, touched: Touched) -> None:
    connection.execute(_MACROS)
    pairs = sorted(touched)
    columns = {
        "campaign": pa.array([campaign for campaign, _ in pairs], pa.string()),
        "start": pa.array([start for _, start in pairs], pa.int64()),
    }
    connection.register("touched", pa.table(columns))


def count(
    connection: duckdb.DuckDBPyConnection, *, touched: Touched, wanted: Iterable[str], goals: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return every cell of the touched (campaign, 15 minutes), counted anew from the lake.

    Parameters
    ----------
    connection
        With the lake's views, reaching back to the oldest wanted decision.
    touched
        The cells to count.
    wanted
        What ``want`` gave for them.
    goals
        The event type that counts as conversion, by campaign; a click where none is named.
    """
    _tell(connection, touched)
    connection.register("wanted", pa.table({"decision_id": pa.array(list(wanted), pa.string())}))
    named = {
        "campaign": pa.array(list(goals), pa.string()),
        "goal": pa.array(list(goals.values()), pa.string()),
    }
    connection.register("goals", pa.table(named))
    for statements in (_ASKED, TABLES, _SEEN):
        connection.execute(statements)
    connection.execute(_COUNTED)
    result = connection.execute(_CELLS)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
