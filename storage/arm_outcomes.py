"""What came of decisions and slots that chance put in one arm or another, counted over the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import duckdb
import pyarrow as pa

from storage.database import Read
from storage.impressions import TABLES
from storage.lake import Lake
from storage.records.clock import DAY

T = TypeVar("T")

EXPLORATION, HOLDOUT, LOG, ROLLOUT, RULE = "exploration", "holdout", "log", "rollout", "rule"
"""Where arms come from: the first part of a test's name, before the slash."""
RANKED, EXPLORED = "ranked", "explored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCount:
    """One arm of one test, rows of one origin. ``people`` are the units: subjects, or decisions that have none;
    ``known`` are those with a subject. The squares and products are sums over people, for intervals that know that one
    person's impressions are alike. ``buyers`` and ``value`` are of the known: who did what is a commitment since they
    first came into the test, and what that was worth; ``value_squared`` sums the squares of each person's value.
    """

    test: str
    arm: str
    origin: str
    decisions: int
    people: int
    known: int
    impressions: int
    clicks: int
    conversions: int
    impressions_squared: float
    clicks_squared: float
    clicks_by_impressions: float
    conversions_squared: float
    conversions_by_impressions: float
    buyers: int
    value: float
    value_squared: float
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDay:
    """The part of an arm's decisions made on one day UTC (its first microsecond); of slots at one ``place`` (campaign
    and position), so that like is held against like; empty where the whole decision is in the arm."""

    test: str
    arm: str
    origin: str
    day: int
    place: str
    decisions: int
    impressions: int
    clicks: int
    conversions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """How many of the known people of a test were seen in more than one of its arms."""

    test: str
    origin: str
    people: int
    crossed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOutcomes:
    """Everything counted in one range."""

    arms: tuple[ArmCount, ...]
    days: tuple[ArmDay, ...]
    crossed: tuple[Crossed, ...]


_ROWS = """
CREATE TEMP TABLE made AS SELECT replica, log, seq, decision_id, "at", campaign, subject, surface, served_by, scorer,
  policy, version, bucket, arms, items, positions, propensity, propensity_kind, origin, join_window_s, assume_impression
FROM decisions WHERE "at" >= $start AND "at" < $end AND slots > 0 AND list_contains($origins, origin);
"""
_TOLD = """
CREATE TEMP TABLE told AS SELECT replica, log, seq, event_id, type, "at", item, decision_id, origin
FROM events WHERE decision_id IN (SELECT decision_id FROM made);
"""

_UNITS = f"""
CREATE TEMP TABLE acted AS
SELECT o.n, o.item, max((o.type = 'click')::INTEGER) AS clicked,
       max((o.type = coalesce(g.goal, 'click'))::INTEGER) AS converted
FROM outcomes o JOIN d USING (n) LEFT JOIN goals g USING (campaign) GROUP BY ALL;

CREATE TEMP TABLE seen AS
SELECT j.n, j.item, j.position, coalesce(a.clicked, 0) AS clicked, coalesce(a.converted, 0) AS converted
FROM joined j LEFT JOIN acted a ON a.n = j.n AND a.item = j.item;

CREATE TEMP TABLE drawn AS
WITH named AS (
  SELECT n, campaign, name, json_extract_string(arms, '$."' || name || '"') AS arm
  FROM (SELECT n, campaign, arms, unnest(json_keys(arms)) AS name FROM d WHERE arms IS NOT NULL)
), placed AS (
  SELECT n, unnest(items) AS item, unnest(propensity) AS chance, campaign FROM d
  WHERE propensity_kind = 'conditional' AND served_by = 'model' AND origin <> 'imported'
    AND NOT list_contains($sampling, coalesce(scorer, ''))
)
SELECT n, NULL::VARCHAR AS item, CASE WHEN name = '{HOLDOUT}' THEN '{HOLDOUT}/' || campaign ELSE name END AS test, arm,
       '' AS place
FROM named WHERE name = '{HOLDOUT}' OR starts_with(name, '{RULE}/')
UNION ALL
SELECT n, NULL, '{ROLLOUT}/' || policy, 'v' || version, '' FROM d
WHERE bucket IS NOT NULL AND policy IS NOT NULL AND version IS NOT NULL
UNION ALL
SELECT n, NULL, '{LOG}/' || campaign, policy, '' FROM d
WHERE origin = 'imported' AND policy IS NOT NULL AND version IS NULL
UNION ALL
SELECT p.n, p.item, '{EXPLORATION}/' || d.surface, CASE WHEN chance < 0.5 THEN '{EXPLORED}' ELSE '{RANKED}' END,
       d.campaign || '#' || s.position
FROM placed p JOIN d USING (n) JOIN slots s ON s.n = p.n AND s.item = p.item WHERE chance < 1.0;

CREATE TEMP TABLE units AS
SELECT w.test, w.arm, w.place, d.origin, d."at", coalesce(d.subject, d.decision_id) AS person, d.subject,
       count(s.item) AS i, coalesce(sum(s.clicked), 0) AS c, coalesce(sum(s.converted), 0) AS v
FROM drawn w JOIN d USING (n) LEFT JOIN seen s ON s.n = w.n AND (w.item IS NULL OR s.item = w.item)
GROUP BY w.n, w.item, w.test, w.arm, w.place, d.origin, d."at", d.decision_id, d.subject;

CREATE TEMP TABLE persons AS
SELECT test, arm, origin, person, subject, count(*) AS decisions, sum(i) AS i, sum(c) AS c, sum(v) AS v,
       min("at") AS first_at, max("at") AS last_at
FROM units GROUP BY ALL;
"""  # noqa: S608  # own constants, bound values

_ARMS = f"""
WITH bought AS (
  SELECT p.test, p.arm, p.origin, p.person, sum(coalesce(e.value, 0.0)) AS value
  FROM persons p JOIN (
    SELECT DISTINCT ON (event_id) event_id, subject, value, "at", origin FROM events
    WHERE "at" >= $start AND "at" < $end AND stored = 'full' AND list_contains($commitments, type)
  ) e ON e.subject = p.subject AND e.origin = p.origin AND e."at" >= p.first_at
  WHERE NOT starts_with(p.test, '{EXPLORATION}/') GROUP BY ALL
)
SELECT test, arm, origin, sum(decisions)::BIGINT, count(*)::BIGINT, count(subject)::BIGINT, sum(i)::BIGINT,
       sum(c)::BIGINT, sum(v)::BIGINT, sum(i * i)::DOUBLE, sum(c * c)::DOUBLE, sum(c * i)::DOUBLE, sum(v * v)::DOUBLE,
       sum(v * i)::DOUBLE, count(b.person)::BIGINT, coalesce(sum(b.value), 0.0)::DOUBLE,
       coalesce(sum(b.value * b.value), 0.0)::DOUBLE, min(first_at), max(last_at)
FROM persons LEFT JOIN bought b USING (test, arm, origin, person) GROUP BY ALL ORDER BY test, arm, origin
"""  # noqa: S608  # own constants, bound values
_DAYS = f"""
SELECT test, arm, origin, "at" // {DAY} * {DAY}, place, count(*)::BIGINT, sum(i)::BIGINT, sum(c)::BIGINT, sum(v)::BIGINT
FROM units GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # own constants, bound values
_CROSSED = f"""
SELECT test, origin, count(*)::BIGINT, count(*) FILTER (arms > 1)::BIGINT FROM (
  SELECT test, origin, subject, count(DISTINCT arm) AS arms FROM persons
  WHERE subject IS NOT NULL AND NOT starts_with(test, '{EXPLORATION}/') GROUP BY ALL)
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # own constants, bound values


def counted(
    lake: Lake,
    read: Read,
    *,
    start: int,
    end: int,
    origins: Sequence[str],
    goals: Mapping[str, str],
    commitments: Sequence[str],
    sampling: Sequence[str] = (),
) -> ArmOutcomes:
    """Count the decisions made from ``start`` to ``end`` (microseconds UTC) by test and arm.

    Tests are the holdouts of campaigns, the arms of rules, both versions of a rollout among whom it concerns, the
    policies of an imported log, and at each slot what was ranked there against what exploration put there by chance.
    Impressions and outcomes follow the rule of ``storage.impressions``; a conversion is the event type that ``goals``
    names for the campaign; ``commitments`` are the types that mean that somebody bought. Scorers in ``sampling`` draw
    their own order, so that their slots are no draw between two arms.
    """
    named = pa.table({"campaign": pa.array(list(goals), pa.string()), "goal": pa.array(goals.values(), pa.string())})
    range_ = {"start": start, "end": end}
    with lake.connect(read, start=start) as connection:
        connection.register("goals", named)
        connection.execute(_ROWS, {**range_, "origins": list(origins)})
        connection.execute(_TOLD)
        connection.execute(TABLES)
        for statement in _UNITS.split(";\n"):
            if statement.strip():
                asked = {"sampling": list(sampling)} if "$sampling" in statement else {}
                connection.execute(statement, asked)
        return ArmOutcomes(
            arms=_rows(connection, _ARMS, ArmCount, {**range_, "commitments": list(commitments)}),
            days=_rows(connection, _DAYS, ArmDay),
            crossed=_rows(connection, _CROSSED, Crossed),
        )


def _rows(
    connection: duckdb.DuckDBPyConnection, statement: str, record: type[T], asked: Mapping[str, object] | None = None
) -> tuple[T, ...]:
    names = list(record.__dataclass_fields__)  # type: ignore[attr-defined]  # only dataclasses of this file are asked
    rows = connection.execute(statement, dict(asked) if asked else None).fetchall()
    return tuple(record(**dict(zip(names, row, strict=True))) for row in rows)
