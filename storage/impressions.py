"""The rule of impressions and outcomes (ADR 0008), in DuckDB: one relation for cells, training, audits and traffic.

A decision is not an impression: an impression is reported (or assumed by its policy), names a decision and an item
that it served, and the first report of a (decision, item) counts, at most seven days after the decision. An outcome
counts once per (decision, item, type) when it comes within the decision's join window from that impression on.
Everything that a simulated event touches is simulated.
"""

IMPRESSION_US = 7 * 86_400_000_000
"""How long after its decision a report of an impression may come."""

RULE = {
    "e": """
SELECT * FROM told QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY replica, log, seq) = 1
""",
    "d": """
SELECT * REPLACE (
    coalesce(campaign, '') AS campaign,
    CASE WHEN decision_id IN (SELECT decision_id FROM e WHERE origin = 'simulated') THEN 'simulated'
         ELSE origin END AS origin),
  join_window_s::BIGINT * 1000000 AS join_us
FROM made QUALIFY row_number() OVER (PARTITION BY decision_id ORDER BY replica, log, seq) = 1
""",
    "slots": """
SELECT decision_id, item, min(slot) AS slot, min(coalesce(positions[slot], slot)) AS position
FROM (SELECT decision_id, positions, unnest(items) AS item, unnest(range(1, len(items) + 1)) AS slot FROM d)
GROUP BY decision_id, item
""",
    "joined": f"""
SELECT decision_id, item, any_value(slot) AS slot, any_value(position) AS position, min(reported.at) AS "at",
  any_value(d.campaign) AS campaign, any_value(d.join_us) AS join_us, any_value(d.subject) AS subject,
  any_value(d.origin) AS origin
FROM (
  SELECT e.decision_id, e.item, e.at FROM e JOIN d USING (decision_id)
  WHERE e.type = 'impression' AND e.at <= d.at + {IMPRESSION_US}
  UNION ALL
  SELECT decision_id, item, d.at FROM slots JOIN d USING (decision_id) WHERE assume_impression
) AS reported JOIN slots USING (decision_id, item) JOIN d USING (decision_id)
GROUP BY decision_id, item
""",  # noqa: S608  # an own constant
    "outcomes": """
SELECT e.decision_id, e.item, e.type, min(e.at) AS "at"
FROM e JOIN joined j ON e.decision_id = j.decision_id AND e.item = j.item
WHERE e.type <> 'impression' AND e.at BETWEEN j.at AND j.at + j.join_us
GROUP BY ALL
""",
}
"""What follows from ``made`` (rows of the lake's ``decisions``) and ``told`` (rows of its ``events``: all that name one
of them, and others), which whoever asks provides: every event and every decision once (``e``, ``d``), what was served
where (``slots``), what was seen and when (``joined``), and what came of it in time (``outcomes``)."""

JOINED = ", ".join(f"{name} AS ({relation})" for name, relation in RULE.items())
"""The rule as common table expressions, to stand after those of ``made`` and ``told``."""

TABLES = "".join(f"CREATE OR REPLACE TEMP TABLE {name} AS {relation};" for name, relation in RULE.items())
"""The rule as temporary tables, for who asks more than once."""
