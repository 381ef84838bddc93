"""What came of decisions where a rule held, by arm, counted over the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.database import Read
from storage.impressions import JOINED
from storage.lake import Lake

EVERY = ""
"""The rule of rows that count all decisions."""
UNTESTED = ""
"""The arm of a rule that is not tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """Decisions where a rule held, of one arm, surface, campaign and origin. ``people`` are the subjects (a decision
    without one counts by itself); the squares are sums over people of what each had, for intervals that know that one
    person's impressions are alike. ``applied`` counts the decisions where it did something."""

    rule: str
    arm: str
    surface: str
    campaign: str
    origin: str
    decisions: int
    applied: int
    people: int
    impressions: int
    clicks: int
    conversions: int
    impressions_squared: float
    clicks_squared: float
    clicks_by_impressions: float


_COUNTED = f"""
WITH made AS (SELECT * FROM decisions WHERE "at" >= ? AND "at" < ? AND slots > 0
  AND list_contains(?, origin)),
told AS (SELECT * FROM events WHERE decision_id IN (SELECT decision_id FROM made)),
{JOINED},
acted AS (
  SELECT o.decision_id, o.item, max((o.type = 'click')::INTEGER) AS clicked,
         max((o.type = coalesce(g.goal, 'click'))::INTEGER) AS converted
  FROM outcomes o JOIN d USING (decision_id) LEFT JOIN goals g USING (campaign)
  GROUP BY ALL
),
seen AS (
  SELECT j.decision_id, count(*) AS impressions, coalesce(sum(a.clicked), 0) AS clicks,
         coalesce(sum(a.converted), 0) AS conversions
  FROM joined j LEFT JOIN acted a ON a.decision_id = j.decision_id AND a.item = j.item
  GROUP BY j.decision_id
),
done AS (
  SELECT decision_id, split_part(entry, ':', 1) AS rule
  FROM (SELECT decision_id, unnest(rules) AS entry FROM d)
  WHERE split_part(entry, ':', 3) = ''
),
tested AS (
  SELECT decision_id, substr(name, 6) AS rule, json_extract_string(arms, '$."' || name || '"') AS arm
  FROM (SELECT decision_id, arms, unnest(json_keys(arms)) AS name FROM d WHERE arms IS NOT NULL)
  WHERE starts_with(name, 'rule/')
),
held AS (
  SELECT coalesce(t.decision_id, a.decision_id) AS decision_id, coalesce(t.rule, a.rule) AS rule,
         coalesce(t.arm, '{UNTESTED}') AS arm, max((a.rule IS NOT NULL)::INTEGER) AS applied
  FROM tested t FULL JOIN done a ON a.decision_id = t.decision_id AND a.rule = t.rule
  GROUP BY ALL
  UNION ALL
  SELECT decision_id, '{EVERY}', '{UNTESTED}', 0 FROM d
),
people AS (
  SELECT h.rule, h.arm, d.surface, d.campaign, d.origin, coalesce(d.subject, d.decision_id) AS person,
         count(*) AS decisions, sum(h.applied) AS applied,
         sum(coalesce(s.impressions, 0)) AS i, sum(coalesce(s.clicks, 0)) AS c, sum(coalesce(s.conversions, 0)) AS v
  FROM held h JOIN d USING (decision_id) LEFT JOIN seen s USING (decision_id)
  GROUP BY ALL
)
SELECT rule, arm, surface, campaign, origin, sum(decisions)::BIGINT, sum(applied)::BIGINT, count(*)::BIGINT,
       sum(i)::BIGINT, sum(c)::BIGINT, sum(v)::BIGINT, sum(i * i)::DOUBLE, sum(c * c)::DOUBLE, sum(c * i)::DOUBLE
FROM people GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # own constants, bound values


def counted(
    lake: Lake, read: Read, *, start: int, end: int, origins: Sequence[str], goals: Mapping[str, str]
) -> Sequence[RuleCount]:
    """Count the decisions made from ``start`` to ``end`` (microseconds UTC) by rule and arm, and all of them under the
    rule ``EVERY``. Impressions and outcomes follow the rule of ``storage.impressions``; a conversion is the event type
    that ``goals`` names for the campaign, a click where none is named."""
    import pyarrow as pa

    named = pa.table({"campaign": pa.array(list(goals), pa.string()), "goal": pa.array(goals.values(), pa.string())})
    with lake.connect(read, start=start) as connection:
        connection.register("goals", named)
        rows = connection.execute(_COUNTED, [start, end, list(origins)]).fetchall()
    return [RuleCount(**dict(zip(RuleCount.__dataclass_fields__, row, strict=True))) for row in rows]
