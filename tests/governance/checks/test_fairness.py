"""The fairness audit over a lake whose truth is known."""

import numpy as np
import pytest

from governance.checks.protocol import AUDITS, audit_runner
from storage import findings
from storage.errors import Conflict, Invalid
from storage.records.clock import DAY
from tests.worlds import ITEMS, START, World, fill, lake_at, moments

NOW = START + 30 * DAY


def people(rows: int, rates: dict[str, float], seed: int = 1, **changes) -> World:
    """Impressions of groups with their own click rates; positions say nothing of the group."""
    rng = np.random.default_rng(seed)
    names = list(rates)
    group = rng.integers(0, len(names), rows)
    values = {
        "item": rng.integers(0, ITEMS, rows),
        "clicked": rng.random(rows) < np.array(list(rates.values()))[group],
        "position": rng.integers(1, 4, rows),
        "contexts": [{"user_feature_0": names[each]} for each in group.tolist()],
        "propensity": np.full(rows, 1 / ITEMS),
        "at": moments(rows),
    }
    return World(**(values | changes))


def audited(database, home, *, job="j1", **arguments):
    return audit_runner("fairness")(
        database,
        lake_at(home),
        job_id=job,
        arguments={"attributes": ["user_feature_0"], **arguments},
        now=NOW,
        home=home,
    )


def metric(audit, name, attribute=0):
    return next(each for each in audit.result["attributes"][attribute]["metrics"] if each["metric"] == name)


def test_a_disparity_is_shown_named_stored_and_kept(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(6_000, {"young": 0.05, "old": 0.15, "other": 0.15}))
    audit = audited(sqlite_database, home)
    assert audit.verdict == "fail"
    assert audit.sentence.startswith("Disparity shown in click rate by user_feature_0")
    assert "young gets 0." in audit.sentence
    assert metric(audit, "exposure")["verdict"] == "pass"
    with sqlite_database.read() as read:
        stored = findings.audit(read, "fairness-j1")
    assert stored.result["attributes"][0]["metrics"][1]["p"] == metric(audit, "click_rate")["p"]
    assert (home / audit.artifacts["fairness.json"]).read_bytes().startswith(b"{")


def test_counts_and_values_are_those_of_the_rows(sqlite_database, home):
    world = people(900, {"a": 0.1, "b": 0.2})
    fill(sqlite_database, lake_at(home), world)
    audit = audited(sqlite_database, home)
    mine = np.array([each["user_feature_0"] == "a" for each in world.contexts])
    clicks, exposure = metric(audit, "click_rate"), metric(audit, "exposure")
    assert clicks["groups"][0]["n"] == mine.sum()
    assert clicks["groups"][0]["value"] == pytest.approx(world.clicked[mine].mean(), abs=1e-12)
    seen = 1 / np.log2(1 + world.position[mine])
    assert exposure["groups"][0]["value"] == pytest.approx(seen.mean(), abs=1e-12)
    assert set(clicks["groups"][0]) >= {"group", "n", "value", "low", "high", "ratio", "ratio_low", "ratio_high"}


def test_too_little_data_is_inconclusive_and_says_how_much_more(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(500, {"a": 0.02, "b": 0.02}))
    audit = audited(sqlite_database, home)
    assert audit.verdict == "unknown"
    assert "more impressions needed in group" in audit.sentence
    assert metric(audit, "click_rate")["needed"] > 0


def test_without_the_attribute_fairness_cannot_be_assessed(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(300, {"a": 0.1}))
    audit = audited(sqlite_database, home, attributes=["age"])
    assert (audit.verdict, audit.sentence) == (
        "unknown",
        "No sensitive attribute available: fairness cannot be assessed.",
    )
    assert audit.result["attributes"][0]["unknown"] == 300
    assert audited(sqlite_database, home, job="j2", attributes=[]).verdict == "unknown"


def test_an_empty_lake_gives_no_comfort(sqlite_database, home):
    assert audited(sqlite_database, home).verdict == "unknown"


def test_campaign_and_window_bound_the_population(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(700, {"a": 0.1, "b": 0.1}))
    assert audited(sqlite_database, home, campaign="women").population["rows"] == 0
    half = START + 7 * DAY // 2
    assert audited(sqlite_database, home, job="j2", campaign="men", end=half).population["rows"] == 350
    assert audited(sqlite_database, home, job="j3", policy="random", start=half).population["rows"] == 350


@pytest.mark.parametrize(
    "wrong",
    [{"attribute": "x"}, {"attributes": ['x"; DROP']}, {"min_group": 1}, {"start": 5, "end": 5}, {"start": "now"}],
)
def test_arguments_that_make_no_sense_are_refused(sqlite_database, home, wrong):
    with pytest.raises(Invalid):
        audited(sqlite_database, home, **wrong)


def test_an_audit_is_never_overwritten_and_the_same_job_draws_the_same(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(600, {"a": 0.1, "b": 0.2}))
    first = audited(sqlite_database, home)
    with pytest.raises(Conflict):
        audited(sqlite_database, home)
    other = audited(sqlite_database, home, job="j2")
    assert metric(other, "click_rate")["groups"][0]["value"] == metric(first, "click_rate")["groups"][0]["value"]


def test_every_kind_of_audit_has_a_runner():
    assert {kind: audit_runner(kind).__name__ for kind in AUDITS} == {
        "fairness": "run_fairness",
        "drift": "run_drift",
        "rules": "run_rules",
    }
    with pytest.raises(KeyError):
        audit_runner("astrology")
