"""What trends among people who share a context or a stated attribute: computed from the lake, published to engines."""

from collections.abc import Mapping
from dataclasses import field

from governance.actions import Action, Ground, Step, always, untagged
from governance.installation import installation
from storage import documents, policies
from storage.database import Read, Write
from storage.errors import Conflict
from storage.lake import Lake
from storage.records.access import Scope
from storage.records.clock import DAY, HOUR
from storage.records.document import document, dump

TRENDS = "trends"
WINDOW = 2 * DAY
FEWEST_PEOPLE = 20
"""A cohort of fewer people (or sessions, where people are unknown) has no trend: it would tell of single persons."""
MOST_COHORTS, MOST_ITEMS = 200, 100
STEADY = 10.0
ORIGINS = ("live", "imported")
"""Simulated outcomes never decide what people are shown."""

_TRENDING = """
WITH asked AS (SELECT unnest($attributes) AS attribute),
made AS (
    SELECT DISTINCT ON (decision_id) decision_id, coalesce(subject, session) AS person, context, user_attributes
    FROM decisions WHERE list_contains($origins, origin)
),
told AS (
    SELECT DISTINCT ON (event_id) decision_id, item, type, "at" FROM events
    WHERE decision_id IS NOT NULL AND item IS NOT NULL AND "at" <= $now AND list_contains($origins, origin)
),
placed AS (
    SELECT attribute || '=' || coalesce(
               json_extract_string(context, '$."' || attribute || '"'),
               json_extract_string(user_attributes, '$."' || attribute || '"')
           ) AS cohort, person, item, weight * pow(2.0, -($now - "at") / $day) AS slow,
           weight * pow(2.0, -($now - "at") / $hour) * 24.0 AS fast
    FROM told JOIN made USING (decision_id) JOIN weights USING (type), asked
),
large AS (SELECT cohort FROM placed WHERE cohort IS NOT NULL GROUP BY cohort HAVING count(DISTINCT person) >= $fewest
          ORDER BY count(DISTINCT person) DESC, cohort LIMIT $cohorts)
SELECT cohort, item FROM placed JOIN large USING (cohort) GROUP BY cohort, item HAVING sum(slow) > 0
QUALIFY row_number() OVER (PARTITION BY cohort ORDER BY (sum(fast) + $steady) / (sum(slow) + $steady) DESC,
                           sum(slow) DESC, item) <= $items
ORDER BY cohort, (sum(fast) + $steady) / (sum(slow) + $steady) DESC, sum(slow) DESC, item
"""


@document
class Trends:
    """``attribute=value`` → item ids, those whose popularity grows fastest first."""

    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def trends(read: Read) -> Mapping[str, tuple[str, ...]]:
    """Return what was last computed."""
    stored = documents.load(read, TRENDS, Trends)
    return stored.items if stored else {}


def compute(read: Read, lake: Lake, *, now: int) -> Trends:
    """Return what trends in each cohort that a policy in service asks for: popularity of the last hour over that of the
    last day, shrunk towards 1 where little was seen, as ``scoring_core.candidates.trending`` has it for everyone."""
    attributes = sorted(_asked(read))
    weights = {name: kind.weight for name, kind in installation(read).events.items() if kind.weight > 0.0}
    if not attributes or not weights:
        return Trends()
    with lake.connect(read, start=now - WINDOW) as duck:
        duck.execute(
            "CREATE TEMP TABLE weights AS SELECT unnest($types) AS type, unnest($weights) AS weight",
            {"types": list(weights), "weights": list(weights.values())},
        )
        rows = duck.execute(
            _TRENDING,
            {
                "attributes": attributes,
                "origins": list(ORIGINS),
                "now": now,
                "day": float(DAY),
                "hour": float(HOUR),
                "fewest": FEWEST_PEOPLE,
                "cohorts": MOST_COHORTS,
                "steady": STEADY,
                "items": MOST_ITEMS,
            },
        ).fetchall()
    found: dict[str, tuple[str, ...]] = {}
    for cohort, item in rows:
        found[cohort] = (*found.get(cohort, ()), item)
    return Trends(items=found)


def _asked(read: Read) -> set[str]:
    """Return the attributes by which policies in service tell cohorts."""
    return {
        source.model
        for head in policies.heads(read)
        for policy in policies.documents(read, head.key, head.in_service).values()
        for source in policy.sources
        if source.name == "trending" and source.model
    }


def _update(write: Write, _key: str, payload: Trends, _ground: Ground) -> Step:
    before = dict(trends(write))
    if before == dict(payload.items):
        raise Conflict("these trends are published already")
    documents.save(write, TRENDS, payload)
    return Step(before={"cohorts": len(before)}, after={"cohorts": len(payload.items), "items": dump(payload)["items"]})


ACTIONS = (
    Action(
        kind="trends.update",
        object_kind="trends",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        payload=Trends,
        level=always("D1"),
        perform=_update,
        etag=untagged,
    ),
)
