"""The figures of Live, Consent and Policies, recomputed from raw windows, /metrics, the journal and consent rows."""

from itertools import pairwise
from typing import Any

import pytest

from dashboard.queries.deciders import counted
from storage.quantiles import Quantile
from tests.e2e.lived import WINDOW, Lived
from tests.e2e.test_figures import about, is_rate

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

LEAST = {0.5: 20, 0.95: 200, 0.99: 1_000}
NOW, THEN = "start >= $s AND start < $e", "start >= 2 * $s - $e AND start < $s"
DECISIONS = "fairlead_decision_requests_total"
SECONDS = "fairlead_decision_duration_seconds"


def rank(gained: dict[str, float], q: float) -> float | None:
    """The quantile of cumulative buckets, as a Prometheus user computes it; None where there are too few."""
    edges = sorted((float(edge), count) for edge, count in gained.items())
    n = edges[-1][1] if edges else 0.0
    if n < LEAST[q]:
        return None
    for (low, below), (high, up_to) in pairwise([(0.0, 0.0), *edges]):
        if up_to >= q * n:
            return low + (high - low) * (q * n - below) / (up_to - below)
    raise AssertionError("the last bucket holds all")


def same(found: Quantile, gained: dict[str, float], q: float) -> bool:
    """Tell whether a quantile is that of these buckets."""
    expected = rank(gained, q)
    return (found.value, found.n) == (None if expected is None else about(expected), max(gained.values(), default=0))


def shares(lived: Lived, name: str, hit: str, among: str = "true") -> tuple[float | None, float | None, int]:
    """What part of a counter's gain met a condition: in the range, before it, and of how many."""
    sql = f"SELECT sum(gained) FILTER ({hit}), sum(gained) FROM counter WHERE name = $name AND ({among}) AND "
    ((hits, n),), ((past, past_n),) = (lived.rows(sql + span, name=name) for span in (NOW, THEN))
    return (hits or 0.0) / n if n else None, (past or 0.0) / past_n if past_n else None, int(n or 0)


def told(track: Any) -> tuple[Any, Any, int]:
    return (
        None if track.value is None else about(track.value),
        None if track.before is None else about(track.before),
        track.n,
    )


def test_decisions_a_second_are_those_of_the_journal(lived: Lived) -> None:
    ((n,),) = lived.rows("SELECT count(*) FROM decision WHERE made BETWEEN $f AND $t")
    ((seconds, replicas, missing),) = lived.rows(
        f"""SELECT sum(covered) / 1e6, count(DISTINCT replica), max(seq) - min(seq) + 1 - count(*)
            FROM observed WHERE {NOW}"""
    )
    found = lived.said["pulse"].per_second
    assert (found.n, replicas, missing) == (n, 1, 0)
    assert found.value == about(n / seconds)
    assert lived.said["pulse"].coverage == about(min(1.0, seconds * 1e6 / lived.minutes.width))
    assert lived.said["pulse"].as_of == lived.minutes.end
    assert lived.gained(DECISIONS) == {"": n}


STEPS = f"""
WITH bucket AS (
  SELECT $s + (start - $s) // {WINDOW} * {WINDOW} AS since, sum(covered) / 1e6 AS seconds FROM observed WHERE {NOW}
  GROUP BY since
), gain AS (
  SELECT $s + (start - $s) // {WINDOW} * {WINDOW} AS since, labels ->> 'outcome' AS outcome, sum(gained) AS n
  FROM counter WHERE name = '{DECISIONS}' AND {NOW} GROUP BY ALL
), outcome AS (SELECT DISTINCT outcome FROM gain)
SELECT outcome, since, coalesce(n, 0) / seconds FROM bucket CROSS JOIN outcome LEFT JOIN gain USING (since, outcome)
"""


def test_decisions_by_what_served_them(lived: Lived) -> None:
    by_outcome = {
        name: {at: value for at, value in points if value is not None}
        for name, points in lived.said["outcomes"].items()
    }
    expected: dict[str, dict[int, Any]] = {}
    for outcome, at, value in lived.rows(STEPS):
        expected.setdefault(outcome, {})[at] = about(value)
    assert by_outcome == expected
    journal = dict(
        lived.rows("SELECT served_by, count(*) FROM decision WHERE made BETWEEN $f AND $t GROUP BY served_by")
    )
    assert {name: lived.gained(DECISIONS, outcome=name)[""] for name in journal} == journal
    assert journal.keys() == expected.keys() >= {"model", "default"}
    ((others, n),) = lived.rows(
        "SELECT count(*) FILTER (served_by <> 'model'), count(*) FROM decision WHERE made BETWEEN $f AND $t"
    )
    fallback = lived.said["pulse"].fallback
    assert (fallback.value, fallback.n) == (about(others / n), n)


def test_shares_now_and_before(lived: Lived) -> None:
    pulse = lived.said["pulse"]
    probes = "labels ->> 'route' NOT IN ('/healthz', '/readyz')"
    errors = shares(lived, "fairlead_http_requests_total", "labels ->> 'status_class' = '5xx'", probes)
    assert told(pulse.errors) == errors
    assert told(pulse.fallback) == shares(lived, DECISIONS, "labels ->> 'outcome' <> 'model'")
    hits = shares(lived, "fairlead_cache_requests_total", "labels ->> 'result' = 'hit'")
    assert told(pulse.cache_hits) == hits
    caches = lived.rows(
        f"""SELECT labels ->> 'cache', coalesce(sum(gained) FILTER (labels ->> 'result' = 'hit'), 0)::BIGINT,
                   sum(gained)::BIGINT
            FROM counter WHERE name = 'fairlead_cache_requests_total' AND {NOW} GROUP BY ALL ORDER BY ALL"""
    )
    assert [name for name, _, _ in caches] == [name for name, _ in lived.said["caches"]]
    for (_, found), (_, hit, n) in zip(lived.said["caches"], caches, strict=True):
        assert is_rate(found, lived, hit, n)


def test_latency_follows_from_the_buckets_of_metrics(lived: Lived) -> None:
    gained = lived.gained("fairlead_decision_duration_seconds_bucket")
    pulse = lived.said["pulse"]
    assert same(pulse.p50, gained, 0.5)
    assert same(pulse.p95, gained, 0.95)
    assert same(pulse.p99, gained, 0.99)
    assert (pulse.p95.value is None, pulse.p99.reason) == (False, "few")


def test_latency_over_time_follows_from_the_windows(lived: Lived) -> None:
    pulse = lived.said["pulse"]
    starts = [at for at, _ in pulse.latency["p50"]]
    for place, (at, end) in enumerate(pairwise([*starts, lived.minutes.end])):
        buckets = lived.rows(
            """SELECT coalesce(edges[i.i]::VARCHAR, 'inf'), sum(counts[i.i]) FROM spread, range(1, 100) i(i)
               WHERE name = 'fairlead_decision_duration_seconds' AND start >= $at AND start < $until
               AND i.i <= len(counts) GROUP BY ALL ORDER BY min(i.i)""",
            at=at,
            until=end,
        )
        cumulative, sums = 0.0, {}
        for edge, count in buckets:
            cumulative += count
            sums[edge] = cumulative
        assert pulse.latency_n[place] == cumulative
        for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            expected = rank(sums, q)
            assert pulse.latency[name][place] == (at, None if expected is None else about(1_000 * expected))


def test_how_long_decisions_took_by_bucket(lived: Lived) -> None:
    found = lived.said["buckets"]
    whole: list[int] = [sum(column) for column in zip(*(one for one in found.counts if one is not None), strict=True)]
    cumulative = sorted((float(edge), n) for edge, n in lived.gained(f"{SECONDS}_bucket").items())
    assert [edge for edge, _ in cumulative[:-1]] == list(found.edges)
    assert whole == [n - below for (_, below), (_, n) in pairwise([(0.0, 0.0), *cumulative])]
    for start, counts in zip(found.starts, found.counts, strict=True):
        rows = lived.rows(
            f"SELECT coalesce(sum(list_sum(counts)), 0) FROM spread WHERE name = '{SECONDS}' AND start >= $at "
            f"AND start < $at + {WINDOW}",
            at=start,
        )
        assert [(sum(counts or ()),)] == rows


def test_where_the_time_goes(lived: Lived) -> None:
    name = "fairlead_decision_stage_duration_seconds"
    spent = {stage: lived.gained(f"{name}_sum", stage=stage)[""] for stage, _, _ in lived.said["stages"]}
    assert len(spent) > 3
    assert sum(spent.values()) == about(sum(lived.gained(f"{name}_sum").values()))
    for stage, p95, share in lived.said["stages"]:
        assert share == pytest.approx(spent[stage] / sum(spent.values()), rel=1e-6, abs=1e-9)
        assert same(p95, lived.gained(f"{name}_bucket", stage=stage), 0.95)


def test_confidence_is_that_of_the_journal(lived: Lived) -> None:
    ((n,),) = lived.rows("SELECT count(confidence) FROM decision WHERE made BETWEEN $f AND $t")
    _, now, _ = lived.said["confidence"]
    assert sum(now) == lived.said["pulse"].confidence.n == n


def test_what_changed_most(lived: Lived) -> None:
    found = {(one.dimension, one.value): one for one in lived.said["differences"] if one.unit == "decisions"}
    for dimension in ("campaign", "outcome", "reason", "replica"):
        carried = "replica" if dimension == "replica" else f"labels ->> '{dimension}'"
        rows = lived.rows(
            f"""SELECT {carried}, coalesce(sum(gained) FILTER ({NOW}), 0), coalesce(sum(gained) FILTER ({THEN}), 0)
                FROM counter WHERE name = '{DECISIONS}' AND ({NOW} OR {THEN}) GROUP BY ALL"""
        )
        n, past = sum(row[1] for row in rows), sum(row[2] for row in rows)
        for value, now, before in rows:
            if n and past and (now or before):
                one = found.pop((dimension, value))
                assert (one.here.hits, one.rest.hits, one.here.n, one.rest.n) == (now, before, n, past)
                assert (one.here.value, one.rest.value) == (about(now / n), about(before / past))
    assert not found


def test_who_decides_in_the_newest_decisions(lived: Lived) -> None:
    expected = {
        ("home", version): (n, own)
        for version, n, own in lived.rows(
            """SELECT version, count(*), count(*) FILTER (served_by = 'model') FROM (
                 FROM decision WHERE made >= $f AND made < $t ORDER BY made DESC, id DESC LIMIT 200)
               WHERE version IS NOT NULL GROUP BY version"""
        )
    }
    assert len(lived.said["newest"]) == 200
    assert counted(lived.said["newest"]) == expected


def test_what_people_said_last_is_what_the_record_says(lived: Lived) -> None:
    found = lived.said["consent"]
    rows = lived.rows(
        "SELECT purpose, state, count(*) FROM (SELECT purpose, arg_max(state, epoch) AS state FROM consent "
        "WHERE source <> 'probe' GROUP BY subject, purpose) GROUP BY ALL"
    )
    assert {(purpose, state): n for purpose, states in found.summary.items() for state, n in states.items()} == {
        (purpose, state): n for purpose, state, n in rows
    }
    ((epoch,),) = lived.rows("SELECT max(epoch) FROM consent")
    assert (found.epoch, found.oldest_epoch) == (epoch, epoch)
    assert found.summary["personalization"]["denied"] >= 4 + len(lived.visitors.objected - {"figures-2", "figures-3"})
    silent = lived.rows(
        """SELECT DISTINCT consent FROM decision WHERE subject IS NOT NULL AND consent IS NOT NULL
           AND subject NOT IN (SELECT subject FROM consent)"""
    )
    purposes = ("tracking", "personalization", "profiling")
    said = ",".join(f'"{name}":{"true" if found.defaults[name] == "allow" else "false"}' for name in purposes)
    assert silent == [("{" + said + "}",)]


CHECKS = """
SELECT CASE WHEN reason = 'anonymous' THEN 'unknown' WHEN reason = 'consent_stale' THEN 'stale'
            WHEN reason IN ('no_consent', 'gpc') THEN 'denied' ELSE 'granted' END AS result, count(*)
FROM decision WHERE made BETWEEN $f AND $t GROUP BY result
"""


def test_consent_checks_that_refused(lived: Lived) -> None:
    expected = {result: n for result, n in lived.rows(CHECKS) if result != "granted"}
    assert expected.keys() == {"unknown", "denied"}
    assert {result: n for result, n in lived.said["consent"].checks.items() if n and result != "granted"} == expected


def test_consent_checks_that_agreed(lived: Lived) -> None:
    assert lived.said["consent"].checks["granted"] == dict(lived.rows(CHECKS))["granted"]


def test_no_violation_and_how_fast_consent_holds(lived: Lived) -> None:
    found = lived.said["consent"]
    ((violations,),) = lived.rows(
        "SELECT count(*) FROM decision WHERE served_by <> 'default' AND (consent ->> 'personalization') <> 'true'"
    )
    assert found.violations == violations == 0
    gained = lived.gained("fairlead_gpc_requests_total")
    assert sum(found.gpc.values()) == gained[""] > 0
    cumulative = sorted(
        (float(edge), n) for edge, n in lived.gained("fairlead_consent_propagation_seconds_bucket").items()
    )
    counts = [n - below for (_, below), (_, n) in pairwise([(0.0, 0.0), *cumulative])]
    before = lived.said["spread before"].counts
    assert [now - then for now, then in zip(found.spread.counts, before, strict=True)] == counts
    assert sum(counts) > 0


def test_the_rollout_on_the_page_is_the_one_that_people_got(lived: Lived) -> None:
    out, stable = lived.policy["rollout"], lived.policy["stable"]
    assert lived.said["liveness"].revision == lived.ready["revision"]
    assert (lived.said["liveness"].live, lived.said["liveness"].n) == (1, 1)
    fell = lived.rows(
        """SELECT version, min(bucket), max(bucket), count(*) FROM decision
           WHERE made BETWEEN $f AND $t AND revision = $now AND version IS NOT NULL GROUP BY version""",
        now=lived.ready["revision"],
    )
    places = {version: (low, high) for version, low, high, _ in fell}
    assert places.keys() == {out["version"], stable}
    assert places[out["version"]][1] < out["percent"] / 100 <= places[stable][0]
