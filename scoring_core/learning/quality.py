"""How far each person's feedback is trusted: abusive and contradictory feedback weighs less, with the reasons told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

import pyarrow as pa

from storage import revisions
from storage.database import Database, Read
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.standard_events import standard_events

Z95 = 1.959963984540054
LOOK_BACK = 90 * DAY
NOTICED = 0.95
"""A person whose trust is below it counts as weighted down."""


class Signal(NamedTuple):
    """One habit of feedback that tells nothing of taste.

    ``counted`` is SQL that gives, per ``subject``, ``k`` suspicious of ``n`` looked at; up to ``tolerated`` of them are
    taken as honest.
    """

    name: str
    sentence: str
    tolerated: float
    counted: str


SIGNALS = (
    Signal(
        "too_fast",
        "answers to different items within half a second of each other",
        0.2,
        """SELECT subject, count(*) FILTER (gap < 500000 AND item IS DISTINCT FROM before) AS k, count(gap) AS n
        FROM (SELECT subject, item, "at" - lag("at") OVER w AS gap, lag(item) OVER w AS before FROM feedback
              WINDOW w AS (PARTITION BY subject ORDER BY "at", event_id)) GROUP BY subject""",
    ),
    Signal(
        "repeated",
        "the same answer to the same item again within ten minutes",
        0.3,
        """SELECT subject, count(*) FILTER (gap < 600000000) AS k, count(*) AS n
        FROM (SELECT subject, "at" - lag("at") OVER w AS gap FROM feedback WINDOW w AS (
              PARTITION BY subject, item, type, value, decision_id ORDER BY "at", event_id)) GROUP BY subject""",
    ),
    Signal(
        "contradictory",
        "praised and rejected, or rated low and bought, the same item within a day",
        0.1,
        """SELECT subject, count(*) FILTER (opposed) AS k, count(*) AS n FROM (
            SELECT subject, item, "at" // 86400000000 AS day, bool_or(against) AND bool_or(favour) AS opposed
            FROM judged GROUP BY ALL HAVING bool_or(stated)) GROUP BY subject""",
    ),
    Signal(
        "always_the_same",
        "the same rating whatever the item",
        0.8,
        """SELECT subject, max(times) AS k, sum(times) AS n FROM (
            SELECT subject, value, count(*) AS times FROM feedback WHERE rating AND value IS NOT NULL GROUP BY ALL)
        GROUP BY subject""",
    ),
    Signal(
        "clicks_unseen",
        "clicks on what a decision served but nobody reported as seen",
        0.3,
        """SELECT subject, count(*) FILTER (NOT seen) AS k, count(*) AS n FROM (
            SELECT c.subject, EXISTS (FROM told i WHERE i.type = 'impression' AND i.decision_id = c.decision_id
                AND i.item = c.item AND i."at" <= c."at") AS seen
            FROM feedback c WHERE c.type = 'click' AND c.decision_id IS NOT NULL) GROUP BY subject""",
    ),
    Signal(
        "clicks_everything",
        "clicks on nearly everything that was shown",
        0.5,
        """SELECT i.subject, count(c.item) AS k, count(*) AS n
        FROM (SELECT DISTINCT subject, decision_id, item FROM told WHERE type = 'impression') i
        LEFT JOIN (SELECT DISTINCT subject, decision_id, item FROM told WHERE type = 'click') c
        USING (subject, decision_id, item) GROUP BY i.subject""",
    ),
)
"""What is looked for; the person's trust is the product of what each leaves."""

_TOLD = """
CREATE TEMP TABLE told AS
SELECT DISTINCT ON (event_id) event_id, subject, item, type, "at", value, decision_id, kinds.role, kinds.rating
FROM events JOIN kinds USING (type)
WHERE stored = 'full' AND subject IS NOT NULL AND item IS NOT NULL AND "at" >= $start AND "at" < $end
  AND list_contains($origins, origin)
ORDER BY event_id, "at";
"""
_FEEDBACK = """
CREATE TEMP VIEW feedback AS FROM told WHERE type <> 'impression';
CREATE TEMP VIEW judged AS
SELECT *, rating OR role = 'rejection' AS stated,
    CASE WHEN rating THEN coalesce(value <= 2, FALSE) ELSE role = 'rejection' END AS against,
    CASE WHEN rating THEN coalesce(value >= 4, FALSE) ELSE role = 'commitment' OR type = 'like' END AS favour
FROM feedback;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """``trust`` is how far the feedback of a subject counts, 0 to 1, for those below 1; ``reasons`` how many people
    each signal weighs down, ``people`` how many gave feedback."""

    trust: Mapping[str, float]
    reasons: Mapping[str, int]
    people: int

    @property
    def weighted_down(self) -> int:
        """How many people count for less than they would."""
        return sum(value < NOTICED for value in self.trust.values())

    def document(self) -> Mapping[str, Any]:
        """Return what pages show: counts, no person."""
        return {
            "people": self.people,
            "weighted_down": self.weighted_down,
            "reasons": dict(self.reasons),
            "signals": {signal.name: signal.sentence for signal in SIGNALS},
        }


def penalty(k: int, n: int, tolerated: float) -> float:
    """Return what share of a person's weight ``k`` suspicious of ``n`` answers cost: nothing as long as the lower end
    of Wilson's 95 % interval of the share is within what is tolerated, so few answers condemn nobody.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    >>> penalty(3, 3, 0.3) < 0.25, penalty(200, 200, 0.3) > 0.95, penalty(30, 100, 0.3)
    (True, True, 0.0)
    """
    if n == 0:
        return 0.0
    share, spread = k / n, Z95 * Z95 / n
    low = (share + spread / 2.0 - Z95 * sqrt(share * (1.0 - share) / n + spread / n / 4.0)) / (1.0 + spread)
    return min(1.0, max(0.0, (low - tolerated) / (1.0 - tolerated)))


def feedback_quality(database: Database, lake: Lake, *, now: int, origins: Sequence[str]) -> Quality:
    """Judge the feedback of the last 90 days, person by person."""
    with database.read() as read, lake.connect(read, start=now - LOOK_BACK) as duck:
        duck.register("kinds", _kinds(read))
        duck.execute(_TOLD, {"start": now - LOOK_BACK, "end": now + 1, "origins": list(origins)})
        duck.execute(_FEEDBACK)
        people: int = duck.execute("SELECT count(DISTINCT subject) FROM feedback").fetchall()[0][0]
        counted = {signal: duck.execute(signal.counted).fetchall() for signal in SIGNALS}
    trust: dict[str, float] = {}
    reasons = dict.fromkeys((signal.name for signal in SIGNALS), 0)
    for signal, rows in counted.items():
        for subject, k, n in rows:
            cost = penalty(int(k), int(n), signal.tolerated)
            if cost > 0.0:
                trust[subject] = trust.get(subject, 1.0) * (1.0 - cost)
                reasons[signal.name] += cost > 1.0 - NOTICED
    return Quality(trust=trust, reasons=reasons, people=people)


def _kinds(read: Read) -> pa.Table:
    snapshot = revisions.load(read)
    kinds = standard_events(**(snapshot.installation.events if snapshot else {}))
    return pa.table(
        {
            "type": list(kinds),
            "role": [kind.role for kind in kinds.values()],
            "rating": [kind.counter == "ratings" for kind in kinds.values()],
        }
    )
