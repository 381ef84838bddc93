"""The drift audit over a lake whose truth is known, and Evidently's report."""

import json
import warnings

import numpy as np
import pytest

from governance.checks.columns import load_shown
from governance.checks.protocol import audit_runner
from scoring_core.learning.outcomes import parameters
from storage.errors import Invalid
from storage.records.clock import DAY
from tests.worlds import ITEMS, START, World, fill, lake_at, moments

NOW = START + 60 * DAY
WEEK = 7 * DAY


def week(rows: int, *, moved: bool, seed: int = 1, days: float = 7.0, offset: int = 0) -> World:
    """Impressions; in the second half, if ``moved``, another audience comes."""
    rng = np.random.default_rng(seed)
    late = np.arange(rows) >= rows // 2
    person = np.where(late & moved, rng.integers(2, 6, rows), rng.integers(0, 4, rows))
    return World(
        item=rng.integers(0, ITEMS, rows),
        clicked=rng.random(rows) < 0.1,
        position=rng.integers(1, 4, rows),
        contexts=[{"user_feature_0": f"u{each}"} for each in person.tolist()],
        propensity=np.full(rows, 1 / ITEMS),
        at=moments(rows, days) + offset,
    )


def audited(database, home, *, job="j1", **arguments):
    return audit_runner("drift")(
        database, lake_at(home), job_id=job, arguments={"report": False, **arguments}, now=NOW, home=home
    )


def row(audit, feature):
    return next(each for each in audit.result["features"] if each["feature"] == feature)


def test_a_calm_week_passes(sqlite_database, home):
    fill(sqlite_database, lake_at(home), week(2_000, moved=False))
    audit = audited(sqlite_database, home)
    assert audit.verdict == "pass"
    assert {each["feature"] for each in audit.result["features"]} == {
        "context.user_feature_0",
        "served_by",
        "slots",
        "item.appeal",
        "item.kind",
        "item",
        "position",
        "policy",
        "campaign",
        "click",
    }
    assert audit.population["reference"]["rows"] == audit.population["current"]["rows"] == 1_000
    appeal = row(audit, "item.appeal")
    assert sum(appeal["reference"]) == appeal["n_reference"] == 1_000
    assert len(appeal["bins"]) == len(appeal["reference"]) == len(appeal["current"])


def test_another_audience_warns_first_and_fails_when_a_second_window_confirms(sqlite_database, home):
    lake = lake_at(home)
    fill(sqlite_database, lake, week(2_000, moved=True))
    first = audited(sqlite_database, home)
    assert first.verdict == "warn"
    assert first.result["features"][0]["feature"] == "context.user_feature_0"
    assert first.result["features"][0]["new_categories"] == 2
    assert "not yet confirmed" in first.sentence
    again = audited(sqlite_database, home, job="j2")
    assert again.verdict == "warn", "the same window is no second witness"
    fill(sqlite_database, lake, week(2_000, moved=True, seed=2, offset=WEEK), log="later")
    second = audited(sqlite_database, home, job="j3", start=START + WEEK, end=START + 2 * WEEK)
    moved = row(second, "context.user_feature_0")
    assert (moved["verdict"], moved["windows_red"], moved["windows"]) == ("fail", 2, 2)
    assert second.sentence.startswith("Changed, and confirmed by a second window: context.user_feature_0")
    other = audited(sqlite_database, home, job="j4", campaign="women")
    assert other.verdict == "unknown"


def test_too_few_rows_are_not_judged(sqlite_database, home):
    fill(sqlite_database, lake_at(home), week(600, moved=True))
    audit = audited(sqlite_database, home)
    assert audit.verdict == "unknown"
    assert "Too few rows" in audit.sentence


def test_an_empty_lake_is_unknown_with_and_without_report(sqlite_database, home):
    assert audited(sqlite_database, home).verdict == "unknown"
    assert audited(sqlite_database, home, job="j2", report=True).artifacts == {}


def test_features_may_be_chosen_and_unknown_ones_are_refused(sqlite_database, home):
    fill(sqlite_database, lake_at(home), week(1_200, moved=False))
    audit = audited(sqlite_database, home, features=["position"])
    assert [each["feature"] for each in audit.result["features"]] == ["position"]
    with pytest.raises(Invalid, match="at least one of the names"):
        audited(sqlite_database, home, job="j2", features=["shoe size"])


@pytest.mark.parametrize("wrong", [{"window": 1}, {"split": START - 1, "start": START}, {"report": "perhaps"}])
def test_arguments_that_make_no_sense_are_refused(sqlite_database, home, wrong):
    with pytest.raises(Invalid):
        audited(sqlite_database, home, **wrong)


def test_evidentlys_report_is_kept_and_holds_every_feature(sqlite_database, home):
    fill(sqlite_database, lake_at(home), week(1_200, moved=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own dependencies warn at import
        audit = audited(sqlite_database, home, report=True)
    html = (home / audit.artifacts["evidently.html"]).read_text()
    assert html.lstrip().startswith("<")
    report = json.loads((home / audit.artifacts["evidently.json"]).read_text())
    drifted = {
        metric["config"]["column"]: metric["value"] for metric in report["metrics"] if metric["config"].get("column")
    }
    assert set(drifted) == {each["feature"] for each in audit.result["features"]}
    assert drifted["context.user_feature_0"] > 0.1
    assert drifted["position"] < 0.1
    assert audit.result["report"]["rows_per_window"] == 600


def test_columns_and_report_read_the_same_values(sqlite_database, home):
    world = week(800, moved=False)
    fill(sqlite_database, lake_at(home), world)
    rows = load_shown(sqlite_database, lake_at(home), bound=parameters(now=NOW, origins=("imported",)))
    named = {column.feature: column for column in rows.columns}
    assert rows.at.tolist() == world.at.tolist()
    assert named["item"].plain().tolist() == [f"i{each}" for each in world.item]
    np.testing.assert_array_equal(named["item.appeal"].plain(), world.item / ITEMS)
    assert named["click"].plain().tolist() == world.clicked.tolist()
