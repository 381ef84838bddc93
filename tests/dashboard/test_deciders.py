"""Who decides, what flips are drawn, and that a popularity list is never called a model."""

from dashboard.panels.deciders import proof
from dashboard.panels.decisions import server
from dashboard.queries.deciders import counted, of
from dashboard.queries.turns import between
from storage.records.models import Calibration
from storage.records.policies import KillSwitch, Policy, PolicyState, Rollout, ScorerChoice, Snapshot

POPULAR = Policy(surface="home")
RANKED = Policy(surface="home", scorer=ScorerChoice(name="gbdt", parameters={"model": "ranker"}))


def snapshot(*, percent: float | None = None, stable: int = 1, segment=None, kill: bool = False) -> Snapshot:
    rollout = None if percent is None else Rollout(version=2, percent=percent, seed="s", segment=segment or {})
    state = PolicyState(key="home", surface="home", stable=stable, rollout=rollout, versions={1: POPULAR, 2: RANKED})
    return Snapshot(revision=1, at=7, policies={"home": state}, kill_switch=KillSwitch(on=kill))


def test_both_versions_of_a_rollout_decide_and_only_one_has_a_model():
    found = of(snapshot(percent=50.0))
    assert [(one.version, one.percent, one.scorer, one.model) for one in found] == [
        (2, 50.0, "gbdt", "ranker"),
        (1, 50.0, "popular", None),
    ]


def test_a_segment_takes_nothing_from_the_share_of_the_rest():
    found = of(snapshot(percent=10.0, segment={"age": "young"}))
    assert [(one.version, one.percent, one.segmented) for one in found] == [(2, 10.0, True), (1, 100.0, False)]


def test_nobody_decides_before_the_first_revision():
    assert of(None) == ()


def test_decisions_are_counted_by_version_and_the_default_is_of_none():
    sample = [
        {"policy": "home", "version": 2, "served_by": "model"},
        {"policy": "home", "version": 2, "served_by": "fallback"},
        {"policy": "home", "version": 1, "served_by": "model"},
        {"policy": None, "version": None, "served_by": "default"},
    ]
    assert counted(sample) == {("home", 2): (2, 1), ("home", 1): (1, 1)}


def test_a_list_of_popular_items_is_not_called_a_model():
    one = {"served_by": "model", "scorer": "popular", "model": None}
    assert "model" not in server(one)


def test_a_flip_of_any_kind_is_a_mark_and_nothing_else_is():
    start = snapshot(percent=50.0)
    assert [mark.text for mark in between(start, snapshot(percent=100.0))] == ["home v2 at 100 %"]
    assert [mark.text for mark in between(start, snapshot(stable=1))] == ["home v1 to everyone"]
    assert [mark.text for mark in between(start, snapshot(percent=50.0, kill=True))] == ["kill switch on"]
    assert [mark.text for mark in between(snapshot(percent=50.0, kill=True), start)] == ["kill switch off"]
    assert [mark.text for mark in between(Snapshot(revision=0, at=0), start)] == ["home v2 at 50 %"]
    assert between(start, snapshot(percent=50.0)) == ()


def test_the_proof_of_a_model_says_what_is_missing_and_how_wrong_it_is():
    said = proof(
        Calibration(
            status="unproven",
            error=0.06,
            error_low=0.03,
            error_high=0.09,
            clicked_impressions=1200,
            outcomes_missing=500,
        )
    )
    assert said == (
        "Confidence is unproven: calibration error 0.0600 (95 % 0.0300–0.0900), 1,200 clicked impressions held out; "
        "about 500 more outcomes are needed"
    )
