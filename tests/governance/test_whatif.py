"""What-if: logged decisions come out again, a draft changes what it says it changes, and rewards are estimated."""

from pathlib import Path

import pytest

from governance.control import Control
from governance.scenario import difference, merged, resolved
from governance.whatif import run_offpolicy, run_whatif
from governance.whatif_arguments import WhatIfArguments
from storage import findings, revisions
from storage.database import Database
from storage.errors import Invalid, NotFound
from storage.records.document import dump, parse
from tests.governance.conftest import NOW, warrant
from tests.governance.logged import chance, log, stock, version

SHOES = {"category": "shoe"}


@pytest.fixture
def shop(solo: Control, sqlite_database: Database, home: Path) -> Control:
    """A control desk with items, whose policy explores a lot."""
    stock(sqlite_database)
    number = version(solo, {"surface": "home", "exploration": {"epsilon": 0.6}}, warrant())
    solo.do("policy.rollout", "home", {"version": number, "percent": 100}, warrant(confirm="home"))
    return solo


def tried(database: Database, home: Path, lake, run=run_whatif, **arguments):
    with database.read() as read:
        number = len(findings.audits(read))
    audit = run(database, lake, job_id=f"j{number}", arguments={"limit": 1_000, **arguments}, now=NOW, home=home)
    with database.read() as read:
        assert findings.audit(read, audit.audit_id) is not None
    return audit


def test_nothing_changes_where_the_draft_says_what_is(shop, sqlite_database, home) -> None:
    lake, made = log(sqlite_database, home, decisions=150)
    edits = {"policies": {"home": {"exploration": {"epsilon": 0.6}}}}
    found = tried(sqlite_database, home, lake, edits=edits).result
    assert found["rehearsed"] == {"asked": 150, "again": 150, "exact": 150, "left_out": {}, "unknown": []}
    assert found["exact"]["changed"] == 0
    assert found["exact"]["now"] == found["exact"]["draft"]
    assert found["estimated"]["mean_weight"] == pytest.approx(1.0)
    assert found["estimated"]["ess"] == pytest.approx(sum(len(each.items) for each in made))


def test_a_filter_changes_exactly_what_it_filters(shop, sqlite_database, home) -> None:
    lake, made = log(sqlite_database, home, decisions=200)
    audit = tried(sqlite_database, home, lake, edits={"policies": {"home": {"filters": SHOES}}})
    found = audit.result["exact"]
    assert (audit.kind, audit.verdict) == ("whatif", "pass")
    assert found["exposure"]["category"]["groups"][0] == {
        "group": "shoe",
        "now": pytest.approx(0.5, abs=0.2),
        "draft": 1.0,
    }
    assert found["draft"]["items_shown"] == 4
    books = sum(any(int(item[1:]) % 2 == 0 for item in each.items) for each in made)
    assert found["changed"] >= books
    assert {row["group"] for row in found["groups"]["user_feature_0"]["groups"]} == {"a", "b"}
    assert found["examples"][0]["now"]["items"] != found["examples"][0]["draft"]["items"]


def test_a_cap_that_is_lower_holds_back_and_one_without_is_told(shop, sqlite_database, home) -> None:
    cap = {"key": "day", "limit": 3, "unit": "day", "per": "item"}
    shop.do("cap.create", "day", {"cap": cap}, warrant())
    lake, _ = log(sqlite_database, home, decisions=120, counts=lambda number: {"day:i0": 2 if number % 2 else 0})
    lower = tried(sqlite_database, home, lake, edits={"caps": {"day": {"limit": 2}}}).result
    assert lower["exact"]["now"]["caps"] == {}
    assert lower["exact"]["draft"]["caps"] == {"day": 60}
    assert lower["rehearsed"]["unknown"] == []
    without = tried(sqlite_database, home, lake, edits={"caps": {"day": None}}).result
    assert without["exact"]["changed"] == 0


def test_a_threshold_a_rule_and_a_whole_version_can_be_tried(shop, sqlite_database, home) -> None:
    lake, _ = log(sqlite_database, home, decisions=120)
    number = version(shop, {"surface": "home", "filters": SHOES, "exploration": {"epsilon": 0.6}}, warrant())
    by_version = tried(sqlite_database, home, lake, policy="home", version=number).result
    by_edit = tried(sqlite_database, home, lake, edits={"policies": {"home": {"filters": SHOES}}}).result
    assert by_version["exact"]["draft"] == by_edit["exact"]["draft"]
    pin = {"action": "pin", "items": {"price": 7.0}, "slot": 1}
    pinned = tried(sqlite_database, home, lake, edits={"rules": {"star": pin}}).result["exact"]
    assert pinned["draft"]["rules"] == {"star:pin": 120}


def test_a_proposed_change_is_tried_as_if_it_were_applied_and_leaves_no_trace(shop, sqlite_database, home) -> None:
    lake, _ = log(sqlite_database, home, decisions=120)
    payload = {"rule": {"key": "only", "action": "exclude", "items": {"category": "book"}}}
    change = shop.propose("rule.create", "only", payload, warrant())
    with sqlite_database.read() as read:
        before = revisions.number(read)
    found = tried(sqlite_database, home, lake, change=change.change_id).result
    assert found["exact"]["exposure"]["category"]["groups"][0]["draft"] == 1.0
    with sqlite_database.read() as read:
        assert revisions.number(read) == before
        loaded = revisions.load(read)
    assert loaded is not None
    assert not loaded.rules
    number = version(shop, {"surface": "home", "filters": SHOES, "exploration": {"epsilon": 0.6}}, warrant())
    rollout = shop.propose("policy.rollout", "home", {"version": number, "steps": [1, 100]}, warrant())
    everyone = tried(sqlite_database, home, lake, change=rollout.change_id).result
    assert everyone["exact"]["exposure"]["category"]["groups"][0]["draft"] == 1.0


def test_what_a_draft_would_earn_is_estimated_from_what_was_explored(shop, sqlite_database, home) -> None:
    lake, _ = log(sqlite_database, home, decisions=900)
    dear = {"price": {"$gte": 4.0}}
    edits = {"policies": {"home": {"filters": dear, "exploration": {"epsilon": 1.0}}}}
    audit = tried(sqlite_database, home, lake, run_offpolicy, edits=edits)
    told = audit.result["estimated"]
    truth = sum(chance(f"i{number}") for number in range(4, 8)) / 4
    assert (audit.kind, audit.verdict, told["verdict"]) == ("offpolicy", "pass", "supported")
    assert told["intervals"]["snips"][0] <= truth <= told["intervals"]["snips"][1]
    assert told["lift"]["snips"]["low"] > 0
    assert "more" in audit.sentence
    assert told["open_windows"] == told["n"]


def test_a_draft_that_the_log_never_did_gets_no_verdict(shop, sqlite_database, home) -> None:
    number = version(shop, {"surface": "home", "exploration": {"epsilon": 0.0}}, warrant())
    shop.do("policy.rollout", "home", {"version": number, "percent": 100}, warrant(confirm="home"))
    lake, _ = log(sqlite_database, home, decisions=200)
    edits = {"policies": {"home": {"filters": {"price": {"$gte": 4.0}}}}}
    audit = tried(sqlite_database, home, lake, run_offpolicy, edits=edits)
    assert audit.verdict == "unknown"
    assert audit.sentence.startswith("No verdict on the draft.")
    assert audit.result["estimated"]["verdict"] == "worthless"


def test_decisions_that_do_not_come_out_again_are_left_out_and_counted(shop, sqlite_database, home) -> None:
    from msgspec.structs import replace

    lake, made = log(sqlite_database, home, decisions=110)
    wrong = [replace(each, decision_id=f"x{place}", items=each.items[::-1]) for place, each in enumerate(made[:7])]
    gone = [replace(each, decision_id=f"y{place}", revision=999) for place, each in enumerate(made[:5])]
    with sqlite_database.write() as write:
        staged = lake.stage(
            "decisions", replica="engine-1", log="bad", from_seq=1, to_seq=12, origin="live", records=[*wrong, *gone]
        )
        lake.register(write, staged, now=NOW)
    found = tried(sqlite_database, home, lake, edits={"policies": {"home": {"filters": SHOES}}}).result["rehearsed"]
    assert (found["asked"], found["again"]) == (122, 110)
    assert found["left_out"] == {"does not come out as recorded": 7, "what it was made from is no longer kept": 5}


def test_a_sample_is_drawn_where_there_are_too_many(shop, sqlite_database, home) -> None:
    lake, _ = log(sqlite_database, home, decisions=260)
    edits = {"policies": {"home": {"filters": SHOES}}}
    one = tried(sqlite_database, home, lake, edits=edits, limit=100)
    assert (one.population["rows"], one.population["of"]) == (100, 260)


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({}, Invalid, "changes something"),
        ({"policy": "home"}, Invalid, "both policy and version"),
        ({"policy": "home", "version": 77}, NotFound, "version"),
        ({"change": "nowhere"}, NotFound, "change"),
        ({"edits": {"rules": {"nope": None}}}, Invalid, "no such entry"),
        ({"edits": {"policies": {"nope": {"filters": {}}}}}, Invalid, "no such entry"),
        ({"edits": {"policies": {"home": {"exploration": {"epsilon": 7}}}}}, Invalid, "epsilon"),
        ({"edits": {"secrets": {}}}, Invalid, "edits"),
    ],
)
def test_a_mistake_in_a_scenario_is_told_before_anything_runs(shop, sqlite_database, arguments, error, word) -> None:
    with pytest.raises(error, match=word):
        resolved(sqlite_database, parse(WhatIfArguments, arguments), now=NOW)


def test_a_difference_is_the_patch_that_makes_it(shop, sqlite_database) -> None:
    with sqlite_database.read() as read:
        snapshot = revisions.load(read)
    assert snapshot is not None
    plain = dump(snapshot)
    other = merged(plain, {"rules": {"a": {"action": "pin"}}, "caps": {"b": {"limit": 1}}, "kill_switch": {"on": True}})
    assert merged(plain, difference(plain, other)) == other
    assert merged(other, difference(other, plain)) == plain
