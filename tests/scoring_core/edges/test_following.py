"""What control says reaches the engine: revisions, kill switch, consent, GPC, catalogue."""

from dataclasses import replace
from pathlib import Path

import pytest

from scoring_core.edges.engine import EngineConfig
from storage import catalogue, consent, ledger, receipts, revisions
from storage.database import Database
from storage.keys import Keys
from storage.records import clock
from storage.records.consent import Purpose
from storage.records.items import Item
from storage.records.policies import PolicyState
from storage.tables.control import RevisionRow
from tests.scoring_core.edges.running import POLICY, SNAPSHOT, Installed, items, running


def test_a_revision_is_in_force_and_receipted(installed: Installed) -> None:
    with running(installed) as engine:
        assert engine.decide(subject="u-1")["policy"]["version"] == 1
        second = PolicyState(key="home", surface="home", stable=2, versions={1: POLICY, 2: POLICY})
        published = installed.publish(policies={"home": second})
        engine.until(lambda: (engine.decide(subject="u-1")["policy"] or {})["version"] == 2)

        def receipted() -> bool:
            with installed.database.read() as read:
                (receipt,) = receipts.receipts(read)
            return (
                receipt.revision == published.revision and receipt.ready and receipt.boot_id == engine.replica.boot_id
            )

        engine.until(receipted)
        installed.kill()
        engine.until(lambda: engine.decide(subject="u-1")["reason"] == "kill_switch")
        installed.kill(on=False)
        engine.until(lambda: engine.decide(subject="u-1")["served_by"] == "model")
    with installed.database.read() as read:
        assert receipts.receipts(read) == []
        kinds = {each.kind: sum(each.counts) for each in receipts.propagation(read)}
    assert kinds["policy"] >= 2


def test_an_opt_out_is_enforced_and_an_opt_in_too(installed: Installed) -> None:
    with running(installed) as engine:
        assert engine.decide(subject="u-1")["served_by"] == "model"
        epoch = installed.say("u-1", "denied")
        engine.until(lambda: engine.replica.follower.consent.epoch >= epoch)
        refused = engine.decide(subject="u-1")
        assert (refused["served_by"], refused["reason"]) == ("default", "no_consent")
        record = engine.client.get(f"/v1/decisions/{refused['decision_id']}").json()
        assert (record["subject"], record["user_vector"], record["consent_epoch"]) == (None, None, epoch)
        assert engine.decide(subject="u-2")["served_by"] == "model"
        epoch = installed.say("u-1", "granted")
        engine.until(lambda: engine.replica.follower.consent.epoch >= epoch)
        assert engine.decide(subject="u-1")["served_by"] == "model"


def test_consent_is_loaded_whole_before_the_first_decision(installed: Installed) -> None:
    for n in range(30):
        installed.say(f"u-{n}", "denied")
    with running(installed) as engine:
        assert [engine.decide(subject=f"u-{n}")["reason"] for n in range(30)] == ["no_consent"] * 30


def test_gpc_is_honoured_at_once_and_stored_for_the_profile(installed: Installed) -> None:
    with running(installed) as engine:
        body = {"surface": "home", "subject": "u-gpc"}
        answer = engine.client.post("/v1/personalize", json=body, headers={"sec-gpc": "1"}).json()
        assert (answer["served_by"], answer["reason"]) == ("default", "gpc")
        assert engine.decide(subject="u-gpc")["reason"] == "no_consent"
        for _ in range(3):
            engine.client.post(
                "/v1/personalize", json={"surface": "home", "subject": "u-gpc"}, headers={"sec-gpc": "1"}
            )

        def stored() -> bool:
            with installed.database.read() as read:
                return consent.epoch(read) == 1

        engine.until(stored)
        engine.until(lambda: engine.replica.follower.consent.epoch == 1)
        with installed.database.read() as read:
            (change,) = consent.after(read, 0, 10)
            (entry,) = ledger.entries(read, action="consent.opt_out")
        assert (change.purpose, change.state, change.source) == (Purpose.PERSONALIZATION, "denied", "gpc")
        assert entry.object_key == ledger.commitment(Keys.open(installed.home), change.subject)
        assert "u-gpc" not in str(entry)
        metrics = engine.client.get("/metrics").text
        assert 'fairlead_gpc_requests_total{honoured="true"} 4.0' in metrics


def test_new_items_are_served_without_a_restart(installed: Installed) -> None:
    with running(installed) as engine:
        assert engine.decide(subject="u-1", candidates=["item-new"])["items"] == []
        with installed.database.write() as write:
            catalogue.upsert(write, [Item(item_id="item-new")], now=clock.now())
        engine.until(lambda: engine.decide(subject="u-1", candidates=["item-new"])["items"] != [])
        engine.client.post("/v1/events", json={"type": "click", "item": "item-new", "subject": "u-1"})
        engine.until(lambda: engine.decide(subject="u-1")["items"][0]["item"] == "item-new")
        with installed.database.write() as write:
            catalogue.upsert(write, [replace(items()[0], hidden=True)], now=clock.now())
        engine.until(lambda: engine.decide(subject="u-1", candidates=["item-0"])["items"] == [])


def test_a_model_that_cannot_be_loaded_leaves_the_engine_deciding(installed: Installed) -> None:
    with running(installed) as engine:
        published = installed.publish(models={"ranker": "nowhere"})
        engine.until(lambda: engine.replica.follower.revision == published.revision)
        assert engine.decide(subject="u-1")["served_by"] == "model"
        assert engine.replica.details()["models_failed"] == {"ranker": "nowhere"}


def test_a_revision_that_cannot_be_read_leaves_the_one_before_and_is_told(installed: Installed) -> None:
    with running(installed, policy_stale_s=0.5) as engine:
        first = engine.replica.follower.revision
        with installed.database.write() as write:
            published = revisions.publish(write, replace(SNAPSHOT, at=clock.now()))
            row = write.get(RevisionRow, published.revision)
            assert row is not None
            row.digest = "wrong"
            write.add(row)
        engine.until(lambda: engine.client.get("/readyz").status_code == 503)
        assert engine.client.get("/readyz").json()["degraded"] == ["policy_stale"]
        decided = engine.decide(subject="u-1")
        assert (decided["served_by"], decided["revision"]) == ("model", first)
        installed.publish()
        engine.until(lambda: engine.client.get("/readyz").status_code == 200)


def test_a_consent_record_that_went_back_is_loaded_anew(installed: Installed) -> None:
    installed.say("u-1", "denied")
    with running(installed) as engine:
        follower = engine.replica.follower
        follower.consent.epoch = 99
        engine.until(lambda: follower.consent.epoch == 1)
        assert engine.decide(subject="u-1")["reason"] == "no_consent"


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wall_clock_that_is_wrong_changes_no_decision(installed: Installed, minutes: int) -> None:
    with running(installed, now=lambda: clock.now() + minutes * clock.MINUTE) as engine:
        assert engine.decide(subject="u-1")["served_by"] == "model"
        epoch = installed.say("u-1", "denied")
        engine.until(lambda: engine.replica.follower.consent.epoch >= epoch)
        assert engine.decide(subject="u-1")["reason"] == "no_consent"
        windows = engine.until(lambda: engine.client.get("/v1/metrics/windows").json()["windows"])
        assert all(0 < window["monotonic_us"] < 5 * clock.SECOND for window in windows)
        spreads = [each for window in windows for each in window["histograms"]]
        assert all(min(each["counts"]) >= 0 and each["sum"] >= 0.0 for each in spreads)


def test_a_config_knows_its_own_address(home: Path) -> None:
    assert EngineConfig(home=home).own_url == "http://127.0.0.1:8010"
    assert Database(EngineConfig(home=home).control_url).url.database == str(home / "fairlead.db")
