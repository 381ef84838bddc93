"""More figures of pages, recomputed from raw rows: what stands above and behind a heatmap, caps, who came back, arms of
experiments, groups of a fairness audit, and an industry's figures beside our own."""

import csv
import io
import zipfile
from typing import Any

import pytest

from dashboard.queries.rates import Rate
from storage.cells import CELL_US
from tests.e2e.installation import Copy
from tests.e2e.lived import ROWS, Lived
from tests.e2e.test_figures import HITS, MARKS, RANGE, about, is_rate
from tests.e2e.visitors import CAMPAIGNS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

REFUSED = ("no_consent", "gpc", "consent_stale", "anonymous")
CAPS = """
SELECT labels ->> 'cap', sum(gained), coalesce(sum(gained) FILTER (labels ->> 'result' = 'capped'), 0),
       coalesce(sum(gained) FILTER (labels ->> 'result' = 'degraded'), 0)
FROM counter WHERE name = 'fairlead_cap_checks_total' AND start >= $s AND start < $e GROUP BY ALL HAVING sum(gained) > 0
"""


def test_eligible_after_consent_and_the_holdout(lived: Lived) -> None:
    for key in CAMPAIGNS:
        ((n, refused),) = lived.rows(
            "SELECT count(*), count(*) FILTER (list_contains($refused, reason)) FROM decision "
            "WHERE campaign = $key AND made BETWEEN $f AND $t",
            key=key,
            refused=list(REFUSED),
        )
        found = lived.said["strips"][key]
        assert refused > 0
        assert is_rate(found.admitted, lived, n - refused, n)
        assert found.holdout == lived.campaigns[key]["holdout"]


def test_what_caps_held_back(lived: Lived) -> None:
    looked = {name: (int(n), int(capped), int(blind)) for name, n, capped, blind in lived.rows(CAPS)}
    assert looked
    told = {one.name: (one.checked, one.held_back, one.uncounted) for one in lived.said["caps"].values()}
    assert told == looked
    over = lived.rows(
        "SELECT coalesce(sum(gained), 0) FROM counter WHERE name = 'fairlead_cap_overserves_total' "
        "AND start >= $s AND start < $e"
    )
    assert [(sum(one.overserved for one in lived.said["caps"].values()),)] == over
    for key in CAMPAIGNS:
        holding = [
            view["name"]
            for view in lived.caps
            if view["level"] != "policy" and view["cap"]["campaigns"] in ([], [key]) and not view["cap"]["surfaces"]
        ]
        n, capped = (sum(looked[name][place] for name in holding if name in looked) for place in (0, 1))
        assert is_rate(lived.said["strips"][key].capped, lived, capped, n)


def test_the_marketers_table(lived: Lived) -> None:
    told = {desk.line.key: desk for desk in lived.said["desks"]}
    assert set(CAMPAIGNS) <= told.keys()
    for key in CAMPAIGNS:
        strip, desk = lived.said["strips"][key], told[key]
        assert (desk.reach, desk.holdout, desk.experiment) == (strip.admitted, 0.0, None)
        limited = {name.partition(":")[0] for name in desk.limited}
        assert ("consent" in limited) == (strip.admitted.value < 0.9)
        assert ("caps" in limited) == (strip.capped.value > 0.05)


LATE = """
WITH judged AS (
  SELECT e.*, coalesce(d.campaign, e.campaign) AS place, i.seen IS NOT NULL AND CASE
           WHEN e.type = 'impression' THEN happened <= d.made + 604800000000
           ELSE happened BETWEEN i.seen AND i.seen + i.patience END AS joined,
         coalesce(CASE WHEN e.type = 'impression' AND happened > d.made + 604800000000 THEN true
                       ELSE happened > i.seen + i.patience END, false) AS late
  FROM event e LEFT JOIN decision d ON d.id = e.decision LEFT JOIN impression i ON i.id = e.decision AND i.item = e.item
), loose AS (
  SELECT late FROM judged WHERE NOT joined AND quarter(happened) >= $a AND quarter(happened) < $b
  AND list_contains($marks, origin) AND ($campaign IS NULL OR place = $campaign)
  AND NOT (stored = 'aggregate' AND decision IS NULL AND late)
)
SELECT (SELECT count(*) FILTER (late) FROM loose), (SELECT count(*) FROM loose)
       + (SELECT count(*) + count(clicked) FROM impression WHERE %s
          AND list_contains($marks, mark) AND ($campaign IS NULL OR campaign = $campaign))
"""


@pytest.mark.parametrize("campaign", [None, "men"])
@pytest.mark.parametrize("rows", ROWS)
def test_events_that_came_too_late(lived: Lived, rows: str, campaign: str | None) -> None:
    ((late, n),) = lived.rows(LATE % RANGE, marks=list(MARKS[rows]), campaign=campaign)
    assert late > 0
    assert is_rate(lived.said["late"][rows, campaign], lived, late, n)


OPENED = f"""
WITH chosen AS (
  SELECT *, DATE '1970-01-01' + (seen // 3600000000 + 9)::INT // 24 AS day,
         mod(seen // 3600000000 + 9, 24) AS hour FROM impression
  WHERE {RANGE} AND list_contains($marks, mark) AND ($campaign IS NULL OR campaign = $campaign)
), ranked AS (
  SELECT item, row_number() OVER (ORDER BY count(*) DESC, item) AS rank FROM chosen GROUP BY item
), inside AS (
  SELECT chosen.* FROM chosen JOIN ranked USING (item)
  WHERE CASE $kind WHEN 'hours' THEN strftime(day, '%a') = $row AND printf('%02d', hour) = $column
             WHEN 'items' THEN place::VARCHAR = $row AND CASE WHEN rank <= 50 THEN item ELSE 'other' END = $column
             ELSE context ->> $attribute = $row AND campaign = $column END
)
"""


def in_cell(lived: Lived, key: tuple[str, str, Any], sql: str) -> list[tuple[Any, ...]]:
    """Ask the impressions of a heatmap's busiest cell."""
    kind, rows, which = key
    tile = lived.said["cells"][key][0]
    campaign = which if which in CAMPAIGNS else None
    asked = {"marks": list(MARKS[rows]), "campaign": campaign, "attribute": which or "", "kind": kind}
    return lived.rows(OPENED + sql, row=tile.row, column=tile.column, **asked)


def test_the_days_of_a_cell(lived: Lived) -> None:
    days = 0
    for key, (tile, found, _) in lived.said["cells"].items():
        expected = in_cell(
            lived,
            key,
            "SELECT day, count(*), count(clicked), count(DISTINCT quarter(seen)), min(quarter(seen)) FROM inside "
            "GROUP BY day ORDER BY day",
        )
        assert [one.name for one in found] == [f"{day:%a} {day.day} {day:%b %Y}" for day, *_ in expected], key
        for one, (_, n, clicks, quarters, first) in zip(found, expected, strict=True):
            assert is_rate(one.clicks, lived, clicks, n)
            assert sum(end - start for start, end in one.ranges) == quarters * CELL_US
            assert one.start == first
        assert sum(one.clicks.n for one in found) == tile.impressions
        days = max(days, len(found))
    assert days > 1


def test_the_items_shown_most_in_a_cell(lived: Lived) -> None:
    counted = 0
    for key, (_, _, items) in lived.said["cells"].items():
        if key[0] == "segments":
            assert items == ()
            continue
        expected = in_cell(
            lived,
            key,
            "SELECT item, count(*), count(clicked) FROM inside GROUP BY item ORDER BY count(*) DESC, item LIMIT 5",
        )
        assert [one.item for one in items] == [item for item, *_ in expected]
        assert all(is_rate(one.clicks, lived, k, n) for one, (_, n, k) in zip(items, expected, strict=True))
        counted += len(items)
    assert counted > 5


def test_opt_outs_of_the_last_day(lived: Lived) -> None:
    rows = lived.rows(
        "SELECT purpose, count(*) FROM consent WHERE state = 'denied' AND source <> 'probe' "
        "AND said >= $t - 86400000000 GROUP BY ALL"
    )
    assert lived.said["consent"].withdrawn == dict(rows) and sum(n for _, n in rows) > 5


def test_own_figures_beside_an_industry(lived: Lived) -> None:
    found: dict[str, Rate] = lived.said["beside"]
    assert found.keys() == {"click_rate", "conversion_rate", "hit_rate", "return_rate"}
    ((clicks, n),) = lived.rows(f"SELECT count(clicked), count(*) FROM impression WHERE mark = 'live' AND {RANGE}")
    assert is_rate(found["click_rate"], lived, clicks, n)
    assert is_rate(found["conversion_rate"], lived, clicks, n)  # of each campaign of the demo a click is the goal
    hits, shown = (sum(row[place] for row in lived.rows(HITS)) for place in (1, 2))
    assert is_rate(found["hit_rate"], lived, hits, shown)
    weeks = {(row["cohort"], row["weeks"]): row for row in returned(lived) if row["rows"] == "live"}
    whole = [row for (cohort, week), row in weeks.items() if week == 1 and (cohort, 2) in weeks and row["people"]]
    assert whole
    assert is_rate(found["return_rate"], lived, sum(row["back"] for row in whole), sum(row["people"] for row in whole))


RETURNED = """
WITH act AS (
  SELECT subject, origin, date_trunc('week', make_timestamp(t)) AS week FROM (
    SELECT subject, origin, happened AS t FROM event WHERE stored = 'full' AND subject IS NOT NULL
    UNION ALL SELECT subject, origin, made FROM decision WHERE subject IS NOT NULL)
), newest AS (SELECT date_trunc('week', make_timestamp($t)) AS last), first AS (
  SELECT subject, origin, min(week) AS cohort FROM act GROUP BY ALL
)
SELECT f.origin AS rows, epoch_us(cohort) AS cohort, weeks, count(DISTINCT f.subject) AS people,
       count(DISTINCT a.subject) AS back
FROM first f, newest, unnest(range(0, 1 + date_diff('week', cohort, last))) w(weeks)
LEFT JOIN act a ON a.subject = f.subject AND a.origin = f.origin AND a.week = cohort + to_days(7 * weeks::INT)
GROUP BY ALL
"""


def returned(lived: Lived) -> list[dict[str, Any]]:
    """Who came back, counted anew; cohorts of fewer than fifty people are not told."""
    told = []
    for origin, cohort, week, people, back in lived.rows(RETURNED):
        known = (people, back) if people >= 50 else (None, None)
        told.append({"rows": origin, "cohort": cohort, "weeks": week, "people": known[0], "back": known[1]})
    return told


def test_who_came_back(lived: Lived) -> None:
    expected = {(row["rows"], row["cohort"], row["weeks"]): (row["people"], row["back"]) for row in returned(lived)}
    told = lived.said["insights"].result["cohorts"]
    assert {(row["rows"], row["cohort"], row["weeks"]): (row["people"], row["back"]) for row in told} == expected
    assert any(people and 0 < back < people for people, back in expected.values())
    for row in told:
        if row["people"]:
            rate = Rate(hits=row["back"], n=row["people"], value=row["rate"], low=row["low"], high=row["high"])
            assert is_rate(rate, lived, row["back"], row["people"])


ARMS = """
SELECT CASE d.mark WHEN 'live' THEN 'real' ELSE d.mark END AS origin, 'v' || version AS arm, count(*) AS decisions,
       count(DISTINCT coalesce(subject, id)) AS people, count(DISTINCT subject) AS known, sum(shown)::BIGINT,
       sum(clicks)::BIGINT
FROM marked d
LEFT JOIN (SELECT id, count(*) AS shown, count(clicked) AS clicks FROM impression GROUP BY id) i USING (id)
WHERE bucket IS NOT NULL AND policy = 'home' AND version IS NOT NULL AND slots > 0 GROUP BY ALL
"""


def arm_of(arm: dict[str, Any]) -> tuple[int, ...]:
    return tuple(arm[name] for name in ("decisions", "people", "known", "impressions", "clicks"))


def test_the_arms_of_a_rollout(lived: Lived) -> None:
    expected = {(origin, arm): tuple(counts) for origin, arm, *counts in lived.rows(ARMS)}
    told = {
        (one["origin"], arm["arm"]): arm
        for one in lived.said["experiments"].result["experiments"]
        if one["key"] == "rollout/home"
        for arm in one["arms"]
    }
    assert {key: arm_of(arm) for key, arm in told.items()} == expected
    assert {"real", "simulated"} == {origin for origin, _ in expected}
    for arm in told.values():
        rate = Rate(hits=arm["clicks"], n=arm["impressions"], value=arm["rate"], low=arm["low"], high=arm["high"])
        assert is_rate(rate, lived, arm["clicks"], arm["impressions"])


def test_the_arms_of_the_imported_log_are_those_of_its_files(copy: Copy, lived: Lived) -> None:
    (wheel,) = (copy.home / "downloads").glob("obp-*.whl")
    told = {
        (one["key"].removeprefix("log/"), arm["arm"]): (arm["decisions"], arm["impressions"], arm["clicks"])
        for one in lived.said["experiments"].result["experiments"]
        if one["origin"] == "imported"
        for arm in one["arms"]
    }
    assert told.keys() == {(campaign, policy) for campaign in CAMPAIGNS for policy in ("bts", "random")}
    with zipfile.ZipFile(wheel) as archive:
        for (campaign, policy), counted in told.items():
            file = archive.open(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
            clicks = [int(row["click"]) for row in csv.DictReader(io.TextIOWrapper(file, "utf-8"))]
            assert counted == (len(clicks), len(clicks), sum(clicks))


def test_the_groups_of_a_fairness_audit(lived: Lived) -> None:
    (part,) = lived.said["fairness"].result["attributes"]
    (metric,) = part["metrics"]
    assert (part["attribute"], metric["metric"]) == ("user_feature_0", "click_rate")
    rows = lived.rows(
        "SELECT context ->> 'user_feature_0', count(*), count(clicked) FROM impression "
        "WHERE mark = 'live' AND seen + patience + 600000000 < $t GROUP BY ALL"  # windows that are closed
    )
    expected = {str(group): (n, about(clicks / n)) for group, n, clicks in rows if group is not None}
    assert {group["group"]: (group["n"], group["value"]) for group in metric["groups"]} == expected
    assert len(expected) >= 4
