"""Caps written through control: checked with words, in the ledger, with tags and danger, and the way back."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import cap_effects
from governance.cap_validity import behind, covers, loosens, sentence
from governance.control import Control
from governance.validity import campaign_problems, policy_problems
from scoring_core.cap_windows import UNIT_S
from storage import caps, ledger, revisions
from storage.database import Database
from storage.errors import Conflict, Invalid, NeedsApproval
from storage.records.campaigns import Campaign
from storage.records.caps import Cap, Fatigue
from storage.records.policies import Rerank

from .conftest import REASON, installation, policy, warrant
from .served import People

WHY = {"reason": REASON}
CAP: dict[str, Any] = {"key": "daily", "limit": 3}


def test_a_cap_lives_by_control_alone(people: People, sqlite_database: Database) -> None:
    mary = people("mary", "marketer")
    made = mary.post("/caps", json={"cap": CAP, **WHY})
    assert made.status_code == 201 and made.json()["level"] == "D1", made.text
    with sqlite_database.read() as read:
        snapshot = revisions.load(read)
    assert snapshot is not None and snapshot.caps["daily"] == Cap(key="daily", limit=3)
    tag = mary.get("/caps/daily").headers["etag"]
    edit = {"cap": {**CAP, "limit": 2}, **WHY}
    assert mary.put("/caps/daily", json=edit).status_code == 422
    assert mary.put("/caps/daily", json=edit, headers={"if-match": tag}).json()["level"] == "D1"
    assert mary.put("/caps/daily", json=edit, headers={"if-match": tag}).status_code == 412
    back = mary.post("/caps/daily/rollback", json=WHY).json()
    assert (back["level"], back["after"]["limit"]) == ("safe", 3)
    with sqlite_database.read() as read:
        told = ledger.entries(read, object_kind="cap", object_key="daily", result="applied")
    assert [entry.action for entry in reversed(told)] == ["cap.create", "cap.edit", "cap.rollback"]


def test_raising_and_deleting_need_a_second_person(people: People, sqlite_database: Database) -> None:
    mary, paul = people("mary", "marketer"), people("paul")
    mary.post("/caps", json={"cap": CAP, **WHY})
    tag = {"if-match": mary.get("/caps/daily").headers["etag"]}
    for raised in ({"limit": 4}, {"limit": 3, "unit": "hour"}, {"limit": 3, "surfaces": ["home"]}):
        answer = mary.put("/caps/daily", json={"cap": {"key": "daily", **raised}, **WHY}, headers=tag)
        assert (answer.status_code, answer.json()["code"]) == (409, "FL-1407"), raised
    assert mary.delete("/caps/daily", json={**WHY, "confirm": "daily"}, headers=tag).json()["code"] == "FL-1407"
    change = paul.post("/changes", json={"kind": "cap.delete", "key": "daily", "payload": {}, **WHY}).json()[
        "change_id"
    ]
    paul.post(f"/changes/{change}/submit", json=WHY)
    assert people("rita").post(f"/changes/{change}/approve", json=WHY).is_success
    assert paul.post(f"/changes/{change}/apply", json={**WHY, "confirm": "daily"}).is_success
    assert mary.get("/caps/daily").status_code == 404
    with sqlite_database.read() as read:
        snapshot = revisions.load(read)
    assert snapshot is not None and snapshot.caps == {}


def test_a_cap_that_would_empty_every_surface_needs_a_second_person(control: Control) -> None:
    with pytest.raises(NeedsApproval):
        control.do("cap.create", "never", {"cap": {"key": "never", "limit": 0}}, warrant())
    here = {"key": "never", "limit": 0, "surfaces": ["home"]}
    assert control.do("cap.create", "never", {"cap": here}, warrant()).level == "D1"


def test_an_edit_that_changes_nothing_and_a_way_back_that_is_none_are_refused(control: Control) -> None:
    control.do("cap.create", "daily", {"cap": CAP}, warrant())
    with pytest.raises(Conflict, match="already"):
        control.do("cap.create", "daily", {"cap": CAP}, warrant())
    with pytest.raises(Conflict, match="never edited"):
        control.do("cap.rollback", "daily", {}, warrant())


def test_the_way_back_is_open_to_what_would_not_be_written_today(control: Control, sqlite_database: Database) -> None:
    control.do("cap.create", "daily", {"cap": CAP}, warrant())
    with sqlite_database.write() as write:
        caps.save(write, Cap(key="daily", limit=3), previous=Cap(key="daily", limit=3, campaigns=("gone",)), at=1)
    assert control.do("cap.rollback", "daily", {}, warrant()).after["campaigns"] == ["gone"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("key", {"key": "effect"}),
        ("attribute", {"per": "attribute"}),
        ("attribute", {"attribute": "brand"}),
        ("zone", {"zone": "Berlin", "window": "calendar"}),
        ("zone", {"zone": "Europe/Berlin"}),
        ("window", {"window": "calendar", "unit": "lifetime"}),
        ("surfaces.0", {"surfaces": ["attic"]}),
        ("campaigns.0", {"campaigns": ["nobody"]}),
        ("cap.limit", {"limit": -1}),
        ("cap.count", {"count": 0}),
    ],
)
def test_what_is_wrong_is_said_by_field(people: People, control: Control, field: str, changes: dict[str, Any]) -> None:
    cap = {"key": "a", "limit": 1, **changes}
    with pytest.raises(Invalid) as refused:
        control.do("cap.create", cap["key"], {"cap": cap}, warrant())
    assert [problem.field for problem in refused.value.problems] == [field]
    told = people("mary", "marketer").post("/caps/validate", json={"cap": cap}).json()
    assert [problem["field"] for problem in told["problems"]] == [field.removeprefix("cap.")]


def test_caps_of_policies_and_campaigns_are_checked_where_they_stand() -> None:
    bad = Cap(key="a", limit=1, per="attribute", surfaces=("cart",))
    found = policy_problems(policy(caps=(bad, bad), fatigue_tolerance=2.0, rerank=Rerank(attribute="")), installation())
    assert {each.field for each in found} == {
        "caps", "caps.0.attribute", "caps.0.surfaces.0", "caps.1.attribute", "caps.1.surfaces.0",
        "fatigue_tolerance", "rerank.attribute",
    }  # fmt: skip
    fine = policy(caps=(Cap(key="a", limit=1),), fatigue_tolerance=2.0, rerank=Rerank(attribute="brand"))
    assert policy_problems(fine, installation(fatigue=Fatigue())) == ()
    campaign = Campaign(key="men", name="Men", surfaces=("home",), goal="click")
    wrong = replace(campaign, caps=(Cap(key="a", limit=1, campaigns=("women",)),))
    assert [each.field for each in campaign_problems(wrong, installation())] == ["caps.0.campaigns.0"]
    assert campaign_problems(replace(campaign, caps=(Cap(key="a", limit=1),)), installation()) == ()


def test_a_cap_behind_a_stricter_one_is_named(people: People) -> None:
    mary = people("mary", "marketer")
    mary.post("/caps", json={"cap": CAP, **WHY})
    mary.post("/caps", json={"cap": {"key": "weekly", "limit": 2, "unit": "week"}, **WHY})
    shown = {each["name"]: each for each in mary.get("/caps").json()["caps"]}
    assert {name: each["behind"] for name, each in shown.items()} == {"daily": "weekly", "weekly": None}
    assert shown["weekly"]["sentence"] == "each item at most 2 times within a week"
    told = mary.post("/caps/validate", json={"cap": {"key": "hourly", "limit": 5, "unit": "hour"}}).json()
    assert (told["problems"], told["behind"]) == ([], "daily")


CAPS = st.builds(
    Cap,
    key=st.just("a"),
    limit=st.integers(0, 5),
    unit=st.sampled_from(sorted(UNIT_S)),
    count=st.integers(1, 5),
    per=st.sampled_from(["item", "campaign", "any"]),
    window=st.sampled_from(["rolling", "calendar"]),
    surfaces=st.sampled_from([(), ("home",), ("home", "cart")]),
)


@given(CAPS, CAPS, CAPS)
def test_stricter_is_an_order(one: Cap, two: Cap, three: Cap) -> None:
    assert covers(one, one) and not loosens(one, one)
    if covers(one, two) and covers(two, three):
        assert covers(one, three)
    if covers(one, two):
        assert not covers(two, replace(one, limit=one.limit - 1)) or one.limit == 0


@given(st.dictionaries(st.sampled_from("abcdef"), CAPS))
def test_of_caps_that_say_the_same_one_stays_in_force(caps: dict[str, Cap]) -> None:
    idle = behind(caps)
    for name, other in idle.items():
        assert covers(caps[other], caps[name])
    for start in caps:
        seen = [start]
        while seen[-1] in idle:
            seen.append(idle[seen[-1]])
            assert len(seen) <= len(caps), "no circle"
        assert sentence(caps[seen[-1]])


def test_what_each_cap_did_is_read_from_the_series(control: Control, sqlite_database: Database) -> None:
    control.do("cap.create", "daily", {"cap": CAP}, warrant())
    with sqlite_database.read() as read:
        assert cap_effects.effects(read, start=0, end=10) == []
        assert cap_effects.elsewhere(read) == []
        assert [view.name for view in cap_effects.own(read)] == ["daily"]
