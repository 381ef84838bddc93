"""What control writes, and what it refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from governance.control import Control
from governance.preset import Preset
from storage import ledger, policies, revisions
from storage.anchors import Anchors
from storage.database import Database
from storage.errors import Conflict, Forbidden, Invalid, NeedsApproval, NotFound, Stale
from storage.keys import Keys, read_token
from storage.records.changes import LedgerEntry
from storage.records.document import digest, dump

from .conftest import REASON, installation, policy, preset, warrant


def entries(database: Database, **filters: str) -> list[LedgerEntry]:
    with database.read() as read:
        return ledger.entries(read, **filters, limit=1000)


def test_bootstrap_happens_once(control: Control, sqlite_database: Database, home: Path) -> None:
    before = entries(sqlite_database)
    token = read_token(home, "admin")
    again = control.bootstrap(home, preset())
    assert again.tokens == () and not again.preset
    assert entries(sqlite_database) == before and read_token(home, "admin") == token
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.revision == again.revision == 1
    assert snapshot.policies["home"].stable == 1 and set(snapshot.campaigns) == {"men", "prices"}
    assert all(not entry.four_eyes for entry in before)


def test_instances_that_start_together_set_up_once(database: Database, keys: Keys, home: Path) -> None:
    def start(chosen: Preset | None) -> None:
        Control(database, keys, environment="test", solo=False).bootstrap(home, chosen)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, [preset(), None, preset(), None, preset(), None]))
    start(preset())
    with database.read() as read:
        snapshot = revisions.load(read)
        installed = ledger.entries(read, action="installation.preset", result="applied")
    assert snapshot is not None and snapshot.installation == preset().installation
    assert set(snapshot.policies) == {"home"} and 1 <= len(installed) <= 2


def test_a_lost_token_file_is_replaced(control: Control, home: Path) -> None:
    (home / "keys" / "admin.token").unlink()
    assert control.bootstrap(home).tokens == ("admin",)
    assert read_token(home, "admin")


def test_each_change_is_one_entry_and_one_revision(database: Database, build: Callable[..., Control]) -> None:
    control = build(database)
    with database.read() as read:
        revision, count = revisions.number(read), len(ledger.entries(read, limit=1000))
    outcome = control.do("campaign.pause", "men", {}, warrant("mary", "marketer"))
    assert outcome.revision == revision + 1 and outcome.level == "safe"
    found = entries(database)
    assert len(found) == count + 1
    assert (found[0].actor, found[0].action, found[0].object_key) == ("mary", "campaign.pause", "men")
    assert found[0].before["status"] == "running" and found[0].after["status"] == "paused"
    assert found[0].reason == REASON and found[0].revision == outcome.revision and found[0].four_eyes
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.campaigns["men"].status == "paused"


def test_a_refusal_changes_nothing_and_is_entered(control: Control, sqlite_database: Database) -> None:
    with pytest.raises(NeedsApproval):
        control.do("policy.rollout", "home", {"version": 2, "percent": 50}, warrant("olga", "ops", confirm="home"))
    with pytest.raises(Forbidden):
        control.do("policy.rollout", "home", {"version": 2, "percent": 1}, warrant("mary", "marketer"))
    with pytest.raises(Conflict):
        control.do("campaign.resume", "men", {}, warrant())
    denied = entries(sqlite_database, result="denied")
    assert [(entry.actor, entry.action, entry.after["code"]) for entry in denied] == [
        ("alice", "campaign.resume", "FL-1409"),
        ("mary", "policy.rollout", "FL-1403"),
        ("olga", "policy.rollout", "FL-1407"),
    ]
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.revision == 1


@pytest.mark.parametrize("reason", ["", "too short", "         x          "])
def test_a_reason_is_needed_even_for_the_safe_direction(control: Control, reason: str) -> None:
    with pytest.raises(Invalid) as refusal:
        control.do("campaign.pause", "men", {}, warrant(reason=reason))
    assert [problem.field for problem in refusal.value.problems] == ["reason"]


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


def test_kill_is_one_step_and_lifting_it_names_the_environment(control: Control, sqlite_database: Database) -> None:
    on = control.do("kill.on", "kill_switch", {}, warrant("olga", "ops"))
    assert on.level == "safe" and on.after["on"] and on.after["reason"] == REASON
    with pytest.raises(Conflict):
        control.do("kill.on", "kill_switch", {}, warrant())
    with pytest.raises(Invalid):
        control.do("kill.off", "kill_switch", {}, warrant(confirm="kill_switch"))
    assert not control.do("kill.off", "kill_switch", {}, warrant(confirm="test")).after["on"]


def test_campaigns_live_and_end(control: Control) -> None:
    campaign = {"key": "sale", "name": "<script>alert(1)</script> ![x](http://e.vil/x.png)", "surfaces": ["home"]}
    created = control.do("campaign.create", "sale", {"campaign": campaign}, warrant())
    assert created.after["name"] == campaign["name"] and created.after["status"] == "draft"
    assert control.do("campaign.start", "sale", {}, warrant()).after["status"] == "running"
    with pytest.raises(Conflict):
        control.do("campaign.start", "sale", {}, warrant())
    with pytest.raises(Conflict):
        control.do("campaign.create", "sale", {"campaign": campaign}, warrant())
    assert control.do("campaign.end", "sale", {}, warrant()).after["status"] == "ended"
    with pytest.raises(Conflict):
        control.do("campaign.resume", "sale", {}, warrant())
    with pytest.raises(NotFound):
        control.do("campaign.pause", "nothing", {}, warrant())


def test_a_price_campaign_needs_a_second_person_to_run(control: Control) -> None:
    with pytest.raises(NeedsApproval):
        control.do("campaign.resume", "prices", {}, warrant(confirm="prices"))
    change = control.propose("campaign.resume", "prices", {}, warrant("mary", "marketer"))
    control.submit(change.change_id, warrant("mary", "marketer"))
    control.approve(change.change_id, warrant("olga", "ops"))
    outcome = control.apply(change.change_id, warrant("olga", "ops", confirm="prices"))
    assert outcome.after["status"] == "running"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"surfaces": []}, "surfaces"),
        ({"surfaces": ["nowhere"]}, "surfaces.0"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"holdout": 2.0}, "holdout"),
        ({"goal": "dance"}, "goal"),
        ({"name": " "}, "name"),
        ({"starts_at": 2, "ends_at": 1}, "ends_at"),
        ({"status": "running"}, "campaign.status"),
        ({"key": "other"}, "campaign.key"),
        ({"eligibility": {"nobody": 1}}, "eligibility.nobody"),
        ({"item_filter": {"x": {"$nope": 1}}}, "item_filter.x.$nope"),
    ],
)
def test_a_wrong_campaign_names_its_field(control: Control, more: dict[str, object], field: str) -> None:
    campaign = {"key": "new", "name": "New", "surfaces": ["home"], **more}
    with pytest.raises(Invalid) as refusal:
        control.do("campaign.create", "new", {"campaign": campaign}, warrant())
    assert field in [problem.field for problem in refusal.value.problems]


def test_an_edit_must_know_what_it_edits(control: Control) -> None:
    created = control.do(
        "campaign.create", "a", {"campaign": {"key": "a", "name": "A", "surfaces": ["home"]}}, warrant()
    )
    edit = {"campaign": {"key": "a", "name": "B", "surfaces": ["home"]}}
    with pytest.raises(Invalid, match="If-Match"):
        control.do("campaign.edit", "a", edit, warrant())
    control.do("campaign.edit", "a", edit, warrant(etag=created.etag))
    with pytest.raises(Stale):
        control.do("campaign.edit", "a", edit, warrant(etag=created.etag))


def test_loosening_consent_needs_two_people_and_a_pause(control: Control, clock: Callable[[], int]) -> None:
    looser = installation(consent_default={"demo": {"personalization": "allow", "profiling": "allow"}})
    payload = {"installation": {**_plain(looser)}}
    change = control.propose("settings.edit", "installation", payload, warrant("alice"))
    assert change.level == "D3"
    control.submit(change.change_id, warrant("alice"))
    control.approve(change.change_id, warrant("bob"))
    with pytest.raises(NeedsApproval):
        control.apply(change.change_id, warrant("alice", confirm="installation"))
    with pytest.raises(Forbidden):
        control.approve(change.change_id, warrant("olga", "ops"))
    control.approve(change.change_id, warrant("carol"))
    with pytest.raises(Conflict, match="minutes"):
        control.apply(change.change_id, warrant("alice", confirm="installation"))
    clock.at += 15 * 60 * 1_000_000  # type: ignore[attr-defined]  # the test's clock
    control.apply(change.change_id, warrant("alice", confirm="installation"))
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.installation == looser


def test_one_person_loosens_consent_alone_but_not_at_once(solo: Control, clock: Callable[[], int]) -> None:
    payload = {"installation": _plain(installation(consent_default={"demo": {"tracking": "allow"}}))}
    with pytest.raises(NeedsApproval):
        solo.do("settings.edit", "installation", payload, warrant(confirm="installation", etag=tag_of_settings(solo)))
    change = solo.propose("settings.edit", "installation", payload, warrant())
    solo.submit(change.change_id, warrant())
    solo.approve(change.change_id, warrant())
    with pytest.raises(Conflict, match="minutes"):
        solo.apply(change.change_id, warrant(confirm="installation"))
    clock.at += 15 * 60 * 1_000_000  # type: ignore[attr-defined]  # the test's clock
    assert solo.apply(change.change_id, warrant(confirm="installation")).level == "D3"


def test_tightening_consent_is_broad_not_grave(solo: Control) -> None:
    payload = {"installation": _plain(installation(consent_default={"demo": {}}))}
    order = warrant(confirm="installation", etag=tag_of_settings(solo))
    outcome = solo.do("settings.edit", "installation", payload, order)
    assert outcome.level == "D2"


def tag_of_settings(control: Control) -> str:
    snapshot = control.snapshot()
    assert snapshot is not None
    return digest(snapshot.installation)


def _plain(record: object) -> dict[str, object]:
    return dump(record)


def test_the_ledger_stays_whole(control: Control, sqlite_database: Database, keys: Keys, home: Path) -> None:
    control.do("campaign.pause", "men", {}, warrant())
    anchors = Anchors(home / "anchors" / "anchors.jsonl", keys.signing)
    with sqlite_database.read() as read:
        anchors.anchor(read, 1)
        assert ledger.verify(read, keys=keys, anchors=anchors).ok


def test_policy_documents_survive_as_they_are(control: Control, sqlite_database: Database) -> None:
    hostile = policy(reasons={"popular": "[alert](javascript:1) '; DROP TABLE policies; --"})
    outcome = control.do("policy.draft", "home", {"document": _plain(hostile), "note": "[x](javascript:1)"}, warrant())
    with sqlite_database.read() as read:
        stored = policies.version(read, "home", outcome.after["version"])
    assert stored is not None and stored.document == hostile and stored.note == "[x](javascript:1)"
