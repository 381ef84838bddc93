"""The rule of impressions and outcomes (ADR 0008), in DuckDB: one relation for cells, training, audits and traffic.

A decision is not an impression: an impression is reported (or assumed by its policy), names a decision and an item
that it served, and the first report of a (decision, item) counts, at most seven days after the decision. An outcome
counts once per (decision, item, type) when it comes within the decision's join window from that impression on.
Everything that a simulated event touches is simulated.
"""

IMPRESSION_US = 7 * 86_400_000_000
"""How long after its decision a report of an impression may come."""


def _once(relation: str, key: str) -> str:
    """Return SQL for the rows of a relation, the first record where a key was written twice: few ever are, so only
    those are put in order."""
    twice = f"(SELECT {key} FROM {relation} GROUP BY {key} HAVING count(*) > 1)"  # noqa: S608  # own names
    return f"""
FROM {relation} ANTI JOIN {twice} USING ({key})
UNION ALL
FROM (FROM {relation} SEMI JOIN {twice} USING ({key})
  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY replica, log, seq) = 1)
"""


RULE = {
    "e": _once("told", "event_id"),
    "d": f"""
SELECT * REPLACE (
    coalesce(campaign, '') AS campaign,
    CASE WHEN decision_id IN (SELECT decision_id FROM e WHERE origin = 'simulated') THEN 'simulated'
         ELSE origin END AS origin),
  join_window_s::BIGINT * 1000000 AS join_us, row_number() OVER () AS n
FROM ({_once("made", "decision_id")})
""",  # noqa: S608  # own names
    "slots": """
SELECT n, item, min(slot) AS slot, min(coalesce(positions[slot], slot)) AS position
FROM (SELECT n, positions, unnest(items) AS item, unnest(range(1, len(items) + 1)) AS slot FROM d)
GROUP BY n, item
""",
    "reported": f"""
SELECT n, item, min(e.at) AS "at" FROM e JOIN d USING (decision_id)
WHERE e.type = 'impression' AND e.at <= d.at + {IMPRESSION_US}
GROUP BY n, item
""",  # noqa: S608  # an own constant
    "joined": """
SELECT n, decision_id, item, slot, position, least(reported.at, CASE WHEN assume_impression THEN d.at END) AS "at",
  campaign, join_us, subject, origin
FROM slots JOIN d USING (n) LEFT JOIN reported USING (n, item)
WHERE reported.at IS NOT NULL OR assume_impression
""",
    "outcomes": """
SELECT n, decision_id, item, e.type, min(e.at) AS "at"
FROM e JOIN joined USING (decision_id, item)
WHERE e.type <> 'impression' AND e.at BETWEEN joined.at AND joined.at + join_us
GROUP BY ALL
""",
}
"""What follows from ``made`` (rows of the lake's ``decisions``) and ``told`` (rows of its ``events``: all that name one
of them, and others), which whoever asks provides: every event and every decision once (``e``, ``d``), what was served
where (``slots``), what of it was ``reported``, what was seen and when (``joined``), and what came of it in time
(``outcomes``). ``n`` numbers the decisions within one question."""

JOINED = ", ".join(f"{name} AS MATERIALIZED ({relation})" for name, relation in RULE.items())
"""The rule as common table expressions, to stand after those of ``made`` and ``told``."""

TABLES = "".join(f"CREATE OR REPLACE TEMP TABLE {name} AS {relation};" for name, relation in RULE.items())
"""The rule as temporary tables, for who asks more than once."""
