"""Policies: rolled out by levels of danger, taken back, drafted, one for each surface."""

from collections.abc import Callable

import pytest

from governance.control import Control
from storage import policies
from storage.database import Database
from storage.errors import Conflict, Invalid
from storage.records.document import dump

from .conftest import policy, warrant


def test_ladder_levels_in_a_solo_installation(solo: Control) -> None:
    with pytest.raises(Invalid, match="confirm"):
        solo.do("policy.rollout", "home", {"version": 2, "percent": 1}, warrant())
    first = solo.do("policy.rollout", "home", {"version": 2, "percent": 1}, warrant(confirm="home"))
    levels = {}
    for percent, confirm in ((5, ""), (10, ""), (25, "home"), (50, "home"), (100, "home")):
        outcome = solo.do("policy.rollout", "home", {"version": 2, "percent": percent}, warrant(confirm=confirm))
        levels[percent] = outcome.level
    assert first.level == "D2"
    assert levels == {5: "D1", 10: "D1", 25: "D2", 50: "D2", 100: "D2"}
    assert outcome.after["stable"] == 2 and outcome.after["previous"] == 1 and outcome.after["rollout"] is None
    snapshot = solo.snapshot()
    assert snapshot is not None and snapshot.policies["home"].stable == 2
    assert set(snapshot.policies["home"].versions) == {2}


def test_a_ramp_keeps_its_seed_and_start(solo: Control, clock: Callable[[], int]) -> None:
    first = solo.do("policy.rollout", "home", {"version": 2, "percent": 1}, warrant(confirm="home")).after["rollout"]
    clock.at += 1_000_000  # type: ignore[attr-defined]  # the test's clock
    later = solo.do("policy.rollout", "home", {"version": 2, "percent": 50}, warrant(confirm="home")).after["rollout"]
    assert (later["seed"], later["started_at"], later["hash_version"]) == (first["seed"], first["started_at"], 2)


def test_lowering_exposure_is_safe_and_needs_no_confirmation(solo: Control) -> None:
    solo.do("policy.rollout", "home", {"version": 2, "percent": 50}, warrant(confirm="home"))
    assert solo.do("policy.rollout", "home", {"version": 2, "percent": 5}, warrant()).level == "safe"
    gone = solo.do("policy.rollout", "home", {"version": 2, "percent": 0}, warrant())
    assert gone.level == "safe" and gone.after["rollout"] is None


def test_a_segment_at_100_percent_does_not_become_stable(solo: Control) -> None:
    plan = {"version": 2, "percent": 100, "segment": {"user_feature_0": "a"}}
    outcome = solo.do("policy.rollout", "home", plan, warrant(confirm="home"))
    assert outcome.after["stable"] == 1 and outcome.after["rollout"]["percent"] == 100


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"version": 2, "percent": 7}, "percent"),
        ({"version": 2}, "percent"),
        ({"version": 2, "percent": 5, "steps": [5]}, "percent"),
        ({"version": 2, "steps": [5, 1]}, "steps"),
        ({"version": 9, "percent": 5}, "version"),
        ({"version": 2, "percent": 5, "segment": {"nobody": "x"}}, "segment.nobody"),
        ({"version": 2, "percent": 5, "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_plan_names_its_field(solo: Control, plan: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        solo.do("policy.rollout", "home", plan, warrant(confirm="home"))
    assert field in [problem.field for problem in refusal.value.problems]


def test_rollback_takes_back_the_rollout_then_the_version(solo: Control) -> None:
    solo.do("policy.rollout", "home", {"version": 2, "percent": 100}, warrant(confirm="home"))
    solo.do("policy.rollout", "home", {"version": 3, "percent": 5}, warrant(confirm="home"))
    first = solo.do("policy.rollback", "home", {}, warrant("olga", "ops", etag="of another time"))
    assert first.level == "safe" and first.after["stable"] == 2 and first.after["rollout"] is None
    second = solo.do("policy.rollback", "home", {}, warrant())
    assert second.after["stable"] == 1 and second.after["previous"] is None
    with pytest.raises(Conflict):
        solo.do("policy.rollback", "home", {}, warrant())


def test_versions_are_restated(solo: Control, sqlite_database: Database) -> None:
    solo.do("policy.rollout", "home", {"version": 2, "percent": 100}, warrant(confirm="home"))
    solo.do("policy.rollout", "home", {"version": 3, "percent": 100}, warrant(confirm="home"))
    with sqlite_database.read() as read:
        states = {version.version: version.state for version in policies.versions(read, "home")}
    assert states == {1: "retired", 2: "previous", 3: "stable"}


def test_drafts_are_numbered_and_not_published(control: Control) -> None:
    outcome = control.do("policy.draft", "home", {"document": {"surface": "home"}}, warrant("mary", "marketer"))
    assert outcome.after["version"] == 4 and outcome.revision is None
    with pytest.raises(Invalid) as refusal:
        document = {"surface": "home", "rules": [{"key": "r", "action": "boost", "when": {"age": {"$gt": "old"}}}]}
        control.do("policy.draft", "home", {"document": document}, warrant())
    assert refusal.value.problems[0].field.startswith("rules.0.when.age")


def test_a_policy_is_for_one_surface_that_has_none(control: Control) -> None:
    assert control.do("policy.create", "cart", {"surface": "cart"}, warrant()).after["stable"] is None
    with pytest.raises(Conflict):
        control.do("policy.create", "cart2", {"surface": "cart"}, warrant())
    with pytest.raises(Invalid):
        control.do("policy.create", "other", {"surface": "nowhere"}, warrant())
    with pytest.raises(Invalid):
        control.do("policy.create", "../etc", {"surface": "cart"}, warrant())


def test_policy_documents_survive_as_they_are(control: Control, sqlite_database: Database) -> None:
    hostile = policy(reasons={"popular": "[alert](javascript:1) '; DROP TABLE policies; --"})
    outcome = control.do("policy.draft", "home", {"document": dump(hostile), "note": "[x](javascript:1)"}, warrant())
    with sqlite_database.read() as read:
        stored = policies.version(read, "home", outcome.after["version"])
    assert stored is not None and stored.document == hostile and stored.note == "[x](javascript:1)"
