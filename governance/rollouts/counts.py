"""What a rollout's gates look at, counted from the lake: aggregates only, nobody by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from governance.experiments.sequential import Stratum, contrast
from storage.database import Read
from storage.impressions import TABLES
from storage.lake import Lake
from storage.records.rollouts import Arms, Cells, Evidence, GatedRollout, StepCounts

FAILED = ("scorer_failed", "model_missing", "no_candidates")
"""The reasons of a decision that its version could not make."""
MOST_LEVELS = 20
FEWEST_CLUSTERS = 30
"""With fewer buckets of the treated, people's decisions are taken to be wholly alike."""
SERVED_BY, CONFIDENCE = "served by", "confidence"
_BUCKETS = 10_000

_MADE = """
CREATE TEMP TABLE marks AS
SELECT unnest($numbers) AS k, unnest($revisions) AS revision, unnest($percents) AS upto, unnest($befores) AS since;

CREATE TEMP TABLE made AS
SELECT replica, log, seq, decision_id, "at", campaign, subject, items, positions, origin, join_window_s,
  assume_impression, version = $version AS treated, revision, round(bucket * $buckets)::BIGINT AS bucket,
  list_contains($failed, reason) AS failed,
  list_sum(json_extract(stage_us, '$.*')::BIGINT[]) > $slow_us AS late, context, served_by, confidence
FROM decisions
WHERE policy = $policy AND version IN ($version, $stable) AND bucket IS NOT NULL AND subject IS NOT NULL AND slots > 0
  AND revision >= $first;

CREATE TEMP TABLE told AS SELECT * FROM events SEMI JOIN made USING (decision_id);
"""

_UNITS = """
CREATE TEMP TABLE units AS
SELECT k, treated, subject, bucket, d."at", failed, coalesce(late, FALSE) AS late, context, served_by, confidence,
  bucket < upto AS drawn, bucket >= since AS fresh, shown IS NOT NULL AS shown, hit IS NOT NULL AS hit, origin
FROM d ASOF JOIN marks ON d.revision >= marks.revision
LEFT JOIN (SELECT DISTINCT n, TRUE AS shown FROM joined) USING (n)
LEFT JOIN (SELECT DISTINCT n, TRUE AS hit FROM outcomes WHERE type = $outcome) USING (n);

CREATE TEMP TABLE people AS
SELECT k, subject, any_value(drawn) AS drawn, any_value(fresh) AS fresh, bool_or(failed) AS failed,
  bool_or(late) AS late, count(DISTINCT treated) > 1 AS crossed, arg_min(context, "at") AS context,
  arg_min(served_by, "at") AS served_by, arg_min(confidence, "at") AS confidence
FROM units GROUP BY k, subject;
"""

_TOTALS = """
SELECT k, treated, count(*), count(*) FILTER (failed), count(*) FILTER (late), count(*) FILTER (shown),
  count(*) FILTER (shown AND hit)
FROM units GROUP BY k, treated
"""
_PEOPLE = """
SELECT k, drawn, count(*), count(*) FILTER (failed), count(*) FILTER (late), count(*) FILTER (crossed)
FROM people WHERE fresh GROUP BY k, drawn
"""
_FEATURE = """
WITH valued AS (SELECT k, drawn, {value} AS level FROM people WHERE fresh),
common AS (SELECT level FROM valued GROUP BY level ORDER BY count(*) DESC, level LIMIT {most})
SELECT k, drawn, CASE WHEN level IN (FROM common) THEN level ELSE '(other)' END AS level, count(*)
FROM valued GROUP BY ALL
"""
_GROUPS = """
WITH valued AS (SELECT k, treated, hit, json_extract_string(context, $path) AS level FROM units WHERE shown),
common AS (SELECT level FROM valued WHERE level IS NOT NULL GROUP BY level ORDER BY count(*) DESC, level LIMIT {most})
SELECT k, treated, level, count(*), count(*) FILTER (hit) FROM valued WHERE level IN (FROM common) GROUP BY ALL
"""
_CLUSTERS = (
    "SELECT k, treated, bucket, count(*), count(*) FILTER (hit) FROM units WHERE shown GROUP BY k, treated, bucket"
)
_ALIKE = """
SELECT coalesce(sum(n * n) / sum(n), 1) FROM (SELECT count(*) AS n FROM units WHERE shown GROUP BY subject)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to count for a rollout: the version that it is compared with, attributes of the context, and whether the
    versions' own figures (what served, how sure) may be compared."""

    rollout: GatedRollout
    stable: int
    features: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    outputs: bool = False


@dataclass(slots=True)
class _Step:
    counts: StepCounts
    features: dict[str, dict[str, Arms]] = field(default_factory=dict)
    groups: dict[str, Cells] = field(default_factory=dict)


def count(read: Read, lake: Lake, asked: Question) -> Evidence:
    """Count everything since a rollout began."""
    rollout = asked.rollout
    with lake.connect(read, start=rollout.marks[0].at) as duck:
        for statement in _MADE.split(";\n\n"):
            duck.execute(statement, _used(statement, asked))
        duck.execute(TABLES)
        for statement in _UNITS.split(";\n\n"):
            duck.execute(statement, _used(statement, asked))
        steps = _steps(duck, asked)
        until = duck.execute('SELECT coalesce(max("at"), 0) FROM units').fetchone()
        origins = duck.execute("SELECT DISTINCT origin FROM units ORDER BY origin").fetchall()
        spread = _spread(duck, steps)
    return Evidence(
        steps=steps, spread=spread, until=int(until[0]) if until else 0, origins=tuple(origin for (origin,) in origins)
    )


def _used(statement: str, asked: Question) -> dict[str, Any]:
    rollout = asked.rollout
    befores = (0.0, *(mark.percent for mark in rollout.marks))
    known = {
        "numbers": list(range(len(rollout.marks))),
        "revisions": [mark.revision for mark in rollout.marks],
        "percents": [mark.percent * _BUCKETS / 100.0 for mark in rollout.marks],
        "befores": [before * _BUCKETS / 100.0 for before in befores[: len(rollout.marks)]],
        "version": rollout.plan.version,
        "stable": asked.stable,
        "policy": rollout.policy,
        "first": rollout.marks[0].revision,
        "slow_us": rollout.plan.slow_ms * 1_000.0,
        "failed": list(FAILED),
        "buckets": _BUCKETS,
        "outcome": rollout.plan.outcome,
    }
    return {name: value for name, value in known.items() if f"${name}" in statement}


def _arms(rows: Mapping[tuple[int, bool], Sequence[int]], step: int, place: int) -> Arms:
    return (rows.get((step, True), (0,) * 9)[place], rows.get((step, False), (0,) * 9)[place])


def _steps(duck: duckdb.DuckDBPyConnection, asked: Question) -> tuple[StepCounts, ...]:
    totals = {(k, bool(treated)): rest for k, treated, *rest in duck.execute(_TOTALS).fetchall()}
    people = {(k, bool(drawn)): rest for k, drawn, *rest in duck.execute(_PEOPLE).fetchall()}
    marks, before = asked.rollout.marks, 0.0
    steps = []
    for k, mark in enumerate(marks):
        shown, hits = _arms(totals, k, 3), _arms(totals, k, 4)
        steps.append(
            _Step(
                StepCounts(
                    percent=mark.percent,
                    share=(mark.percent - before) / (100.0 - before) if before < 100.0 else 1.0,
                    decisions=_arms(totals, k, 0),
                    failed=_arms(totals, k, 1),
                    late=_arms(totals, k, 2),
                    outcomes=(shown[0], hits[0], shown[1], hits[1]),
                    people=_arms(people, k, 0),
                    failing=_arms(people, k, 1),
                    waiting=_arms(people, k, 2),
                    crossed=sum(_arms(people, k, 3)),
                )
            )
        )
        before = mark.percent
    for name, value, bound in _features(asked):
        for k, drawn, level, number in duck.execute(_FEATURE.format(value=value, most=MOST_LEVELS), bound).fetchall():
            bins = steps[k].features.setdefault(name, {})
            joined, stayed = bins.get(level, (0, 0))
            bins[level] = (joined + number, stayed) if drawn else (joined, stayed + number)
    for name in asked.groups:
        rows = duck.execute(_GROUPS.format(most=MOST_LEVELS), {"path": f'$."{name}"'}).fetchall()
        for k, treated, level, shown_n, hit_n in rows:
            cells = steps[k].groups.get(f"{name}={level}", (0, 0, 0, 0))
            own = (shown_n, hit_n, *cells[2:]) if treated else (*cells[:2], shown_n, hit_n)
            steps[k].groups[f"{name}={level}"] = own
    return tuple(replace(step.counts, features=step.features, groups=step.groups) for step in steps)


def _features(asked: Question) -> list[tuple[str, str, dict[str, str]]]:
    stated = [
        (name, "coalesce(json_extract_string(context, $path), '(missing)')", {"path": f'$."{name}"'})
        for name in asked.features
    ]
    if not asked.outputs:
        return stated
    return [
        *stated,
        (SERVED_BY, "served_by", {}),
        (CONFIDENCE, "coalesce(floor(confidence * 10)::INTEGER::VARCHAR, '(missing)')", {}),
    ]


def _spread(duck: duckdb.DuckDBPyConnection, steps: Sequence[StepCounts]) -> float:
    """Return the design effect of the outcome's difference: its variance where buckets of people are independent, over
    that where decisions are (Kish, 1965; the linearized variance of a ratio by clusters)."""
    rows = duck.execute(_CLUSTERS).fetchall()
    strata = [
        Stratum(treated=cells[0], treated_hits=cells[1], control=cells[2], control_hits=cells[3])
        for cells in (step.outcomes for step in steps)
    ]
    alone = contrast(strata)
    if alone is None or alone.expected <= 0.0:
        return 1.0
    if len({bucket for _, treated, bucket, *_ in rows if treated}) < FEWEST_CLUSTERS:
        alike = duck.execute(_ALIKE).fetchone()
        return max(1.0, float(alike[0])) if alike else 1.0
    total = sum(stratum.weight for stratum in strata)
    influence: NDArray[np.float64] = np.zeros(_BUCKETS + 1)
    for k, treated, bucket, trials, hits in rows:
        stratum = strata[k]
        size, had = (stratum.treated, stratum.treated_hits) if treated else (-stratum.control, -stratum.control_hits)
        if stratum.weight > 0.0:
            influence[bucket] += stratum.weight / total * (hits - had / size * trials) / size
    return max(1.0, float((influence**2).sum()) / alone.error**2)
