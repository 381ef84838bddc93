"""Impressions as the lake tells them: rows in order of time, the decisions they came of, and the strata they lie in."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scoring_core.learning.outcomes import SHOWN, parameters
from storage.database import Database
from storage.lake import Lake
from storage.records.clock import DAY

STATES = ("vector", "events", "counts", "recent", "interests", "first_at", "attributes")
"""What a decision records of a person, without ``user_``."""

_ROWS = f"""
CREATE OR REPLACE TEMP TABLE example AS
{SHOWN} SELECT n, decision_id, "at", slot, item, clicked, propensity, surface, campaign, position
FROM shown WHERE propensity_kind != 'none'
"""  # noqa: S608  # own relations
_ORDERED = f"""
CREATE OR REPLACE TEMP TABLE ranked AS
SELECT n, decision_id, "at", row_number() OVER (ORDER BY "at", decision_id) - 1 AS made
FROM (SELECT n, any_value(decision_id) AS decision_id, any_value("at") AS "at" FROM example GROUP BY n);
CREATE OR REPLACE TEMP TABLE strata AS
SELECT *, row_number() OVER (ORDER BY surface, campaign, position, day) - 1 AS stratum
FROM (SELECT DISTINCT surface, campaign, position, "at" // {DAY} AS day FROM example)
"""  # noqa: S608  # an own constant
_COLUMNS = f"""
SELECT made, slot, item, clicked, propensity, stratum
FROM example JOIN ranked USING (n) JOIN strata ON example.surface IS NOT DISTINCT FROM strata.surface
  AND example.campaign = strata.campaign AND example.position = strata.position AND example."at" // {DAY} = strata.day
ORDER BY made, slot
"""  # noqa: S608  # an own constant
_INPUTS = f"""
SELECT made, decision_id, ranked."at", subject, context, plugins, retrievers,
    {", ".join(f"user_{name}" for name in STATES)}
FROM decisions JOIN ranked USING (decision_id) WHERE decisions."at" >= $start AND decisions."at" < $end
ORDER BY made, replica, log, seq
"""  # noqa: S608  # own names


class Told(NamedTuple):
    """One row per impression, which names its decision by its place in ``made`` and its stratum by the place in
    ``campaigns``; one row per decision; the campaign of each stratum."""

    rows: Any
    made: Any
    campaigns: Any


def told_rows(database: Database, lake: Lake, *, now: int, origins: Sequence[str], start: int, end: int) -> Told:
    """Read every impression that was decided from ``start`` until before ``end``, as Arrow tables."""
    with database.read() as read, lake.connect(read) as duck:
        duck.execute(_ROWS, parameters(now=now, origins=origins, start=start, end=end))
        duck.execute(_ORDERED)
        rows = duck.sql(_COLUMNS).to_arrow_table()
        campaigns = duck.sql("SELECT campaign FROM strata ORDER BY stratum").to_arrow_table().column(0).to_numpy()
        made = duck.sql(_INPUTS, params={"start": start, "end": end}).to_arrow_table()
    once = np.flatnonzero(np.diff(made.column("made").to_numpy(), prepend=-1))  # the first record of a decision
    return Told(rows, made if len(once) == made.num_rows else made.take(once), campaigns)
