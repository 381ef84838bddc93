"""The fairness audit over a lake whose truth is known."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from governance.checks.fairness import _said
from governance.checks.protocol import AUDITS, audit_runner
from governance.checks.shown import _scores
from storage import findings, profiles, sensitive
from storage.errors import Conflict, Invalid
from storage.records.clock import DAY
from storage.sensitive import SensitiveAttribute
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


def test_intersections_find_what_neither_attribute_shows(sqlite_database, home):
    rng = np.random.default_rng(5)
    rows = 12_000
    one, two = rng.integers(0, 2, rows), rng.integers(0, 2, rows)
    world = people(rows, {"a": 0.1}, seed=6)
    contexts = [{"sex": "fm"[s], "age": "oy"[a]} for s, a in zip(one.tolist(), two.tolist(), strict=True)]
    clicked = rng.random(rows) < np.where(one == two, 0.05, 0.15)
    fill(sqlite_database, lake_at(home), replace(world, contexts=contexts, clicked=clicked))
    audit = audited(sqlite_database, home, attributes=["sex", "age"], metrics=["click_rate"])
    alone = [attribute["metrics"][0]["outcome"] for attribute in audit.result["attributes"]]
    assert "shown" not in alone
    (crossed,) = audit.result["intersections"]
    assert crossed["by"] == ["sex", "age"]
    assert crossed["levels"] == [["f", "o"], ["f", "y"], ["m", "o"], ["m", "y"]]
    assert crossed["metrics"][0]["outcome"] == "shown"
    assert {group["group"] for group in crossed["metrics"][0]["groups"] if group["named"]} == {"f × o", "m × y"}
    apart = audited(sqlite_database, home, job="j2", attributes=["sex", "age"], intersections=False)
    assert apart.result["intersections"] == []


def test_a_control_feature_bounds_the_comparison_and_equals_fairlearns(sqlite_database, home):
    from fairlearn.metrics import MetricFrame, selection_rate

    rng = np.random.default_rng(7)
    rows = 8_000
    busy = rng.random(rows) < 0.5
    young = rng.random(rows) < np.where(busy, 0.9, 0.1)
    clicked = rng.random(rows) < np.where(busy, 0.05, 0.2)
    contexts = [
        {"age": "young" if y else "old", "place": "a" if b else "b"}
        for y, b in zip(young.tolist(), busy.tolist(), strict=True)
    ]
    fill(sqlite_database, lake_at(home), replace(people(rows, {"a": 0.1}), contexts=contexts, clicked=clicked))
    order = {"attributes": ["age"], "metrics": ["click_rate"]}
    assert metric(audited(sqlite_database, home, **order), "click_rate")["outcome"] == "shown"
    held = metric(audited(sqlite_database, home, job="j2", control="place", **order), "click_rate")
    assert held["outcome"] != "shown"
    assert held["strata"]
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=clicked.astype(int),
        y_pred=clicked.astype(int),
        sensitive_features=[each["age"] for each in contexts],
        control_features=[each["place"] for each in contexts],
    )
    for level in held["by_control"]:
        for group in level["groups"]:
            assert group["value"] == pytest.approx(frame.by_group[level["level"], group["group"]], abs=1e-9)
        assert level["ratio"] == pytest.approx(frame.ratio()[level["level"]], abs=1e-9)
        assert level["difference"] == pytest.approx(frame.difference()[level["level"]], abs=1e-9)


def test_over_time_each_period_has_its_ratio_and_the_policy_that_served(sqlite_database, home):
    rng = np.random.default_rng(8)
    rows = 7_000
    group = rng.integers(0, 2, rows)
    late = np.arange(rows) >= rows // 2
    clicked = rng.random(rows) < np.where((group == 0) & late, 0.05, 0.2)
    contexts = [{"user_feature_0": "ab"[each]} for each in group.tolist()]
    fill(sqlite_database, lake_at(home), replace(people(rows, {"a": 0.1}), contexts=contexts, clicked=clicked))
    audit = audited(sqlite_database, home)
    trend = metric(audit, "click_rate")["trend"]
    assert (audit.result["period"], len(trend)) == ("day", 8)
    assert sum(period["n"] for period in trend) == rows
    first, last = (next(g for g in trend[at]["groups"] if g["group"] == "a") for at in (1, -2))
    assert first["low"] < 1.0 < first["high"]
    assert last["high"] < 0.6
    assert [flip["version"] for flip in audit.result["flips"]] == ["random"]


def test_items_have_a_side_of_their_own(sqlite_database, home):
    """Items of kind k0 stand low; there are three items of each kind, so rows of one item are no news of its kind."""
    world = people(6_000, {"a": 0.1})
    position = np.where(world.item % 4 == 0, 3, 1)
    fill(sqlite_database, lake_at(home), replace(world, position=position))
    audit = audited(sqlite_database, home, attributes=["item.kind"], metrics=["exposure"])
    (kinds,) = audit.result["attributes"]
    assert (kinds["side"], kinds["known"]) == ("item", 6_000)
    found = kinds["metrics"][0]
    low = next(group for group in found["groups"] if group["group"] == "k0")
    assert low["value"] == pytest.approx(0.5)
    assert low["ratio"] == pytest.approx(0.5)
    shelf = audit.result["providers"][0]
    assert sum(group["exposure_share"] for group in shelf["groups"]) == pytest.approx(1.0)
    assert sum(group["catalogue_share"] for group in shelf["groups"]) == pytest.approx(1.0)
    first = next(group for group in shelf["groups"] if group["group"] == "k0")
    assert first["items"] == 3
    assert first["exposure_share"] < first["catalogue_share"]
    assert first["exposure_to_merit"] == pytest.approx(first["exposure_share"] / first["click_share"])


def test_sensitive_attributes_are_joined_by_pseudonym_and_no_group_is_named_in_public(sqlite_database, home):
    rng = np.random.default_rng(9)
    rows = 8_000
    woman = rng.random(rows) < 0.5
    world = people(rows, {"a": 0.1})
    subjects = [f"p{number}" if number % 4 else None for number in range(rows)]
    clicked = rng.random(rows) < np.where(woman, 0.05, 0.2)
    fill(sqlite_database, lake_at(home), replace(world, clicked=clicked), subjects=subjects)
    told = [
        SensitiveAttribute(subject=subject, attribute="gender", value="woman" if w else "man", source="s", at=1)
        for subject, w in zip(subjects, woman.tolist(), strict=True)
        if subject
    ]
    with sqlite_database.write() as write:
        sensitive.put(write, told)
    audit = audited(sqlite_database, home, attributes=["sensitive.gender"], metrics=["click_rate"])
    assert audit.verdict == "fail"
    assert "woman" not in audit.sentence
    (gender,) = audit.result["attributes"]
    assert (gender["known"], gender["unknown"]) == (6_000, 2_000)
    assert [group["group"] for group in gender["metrics"][0]["groups"] if group["named"]] == ["woman"]


def test_a_visitor_says_what_the_account_says(sqlite_database):
    with sqlite_database.write() as write:
        sensitive.put(
            write, [SensitiveAttribute(subject="account", attribute="gender", value="woman", source="s", at=1)]
        )
        profiles.merge(write, "visitor", "account", at=2)
        profiles.merge(write, "other", "nobody", at=3)
        assert _said(write, "gender") == {"account": "woman", "visitor": "woman"}


def test_many_impressions_of_few_people_are_no_proof(sqlite_database, home):
    """Forty people whose own clicks differ: their groups' rates differ by chance, and rows alone would not know."""
    rng = np.random.default_rng(10)
    rows, owners = 8_000, 40
    person = rng.integers(0, owners, rows)
    own = np.where(np.arange(owners) % 2 == 0, 0.3, 0.02)
    own[:20] = np.sort(own[:20])[::-1]
    clicked = rng.random(rows) < own[person]
    contexts = [{"user_feature_0": "ab"[int(each < 18)]} for each in person.tolist()]
    world = replace(people(rows, {"a": 0.1}), clicked=clicked, contexts=contexts)
    fill(sqlite_database, lake_at(home), world, subjects=[f"p{each}" for each in person.tolist()])
    found = metric(audited(sqlite_database, home, metrics=["click_rate"]), "click_rate")
    assert all(group["alike"] > 5 for group in found["groups"])
    assert found["outcome"] == "inconclusive"


def test_what_cannot_be_measured_is_left_out_with_its_reason(sqlite_database, home):
    fill(sqlite_database, lake_at(home), people(600, {"a": 0.1, "b": 0.1}))
    audit = audited(sqlite_database, home)
    assert set(audit.result["left_out"]) == {"benefit", "selection_rate", "calibration"}
    assert {each["metric"] for each in audit.result["attributes"][0]["metrics"]} == {"exposure", "click_rate", "tpr"}


def test_scores_are_read_where_the_item_stood(sqlite_database, home):
    scores, ranking = np.array([[0.1, 0.9, 0.5], [0.2, 0.3, 0.4]]), np.array([[1, 2], [2, 0]])
    found = _scores(
        pa.array([row.astype("<f8").tobytes() for row in scores] + [b"", None]),
        pa.array([row.astype("<u2").tobytes() for row in ranking] + [b"", None]),
        np.array([2, 1, 1, 1]),
    )
    assert found.tolist()[:2] == [0.5, 0.4]
    assert np.isnan(found[2:]).all()


def test_every_kind_of_audit_has_a_runner():
    assert {kind: audit_runner(kind).__name__ for kind in AUDITS} == {kind: f"run_{kind}" for kind in AUDITS}
    assert {"fairness", "drift", "rules"} <= AUDITS.keys()
    with pytest.raises(KeyError):
        audit_runner("astrology")
