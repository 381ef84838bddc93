"""Segments in a decision: a condition over them holds for who belongs, and the record keeps what that took."""

import numpy as np

from scoring_core.circumstances import circumstances
from scoring_core.compile import compile_plan
from scoring_core.declared import declared
from storage.records.clock import DAY
from storage.records.policies import Installation, Policy, PolicyState, Snapshot
from storage.records.rules import Rule
from storage.records.segments import SegmentRule
from storage.records.subjects import COUNTERS, UserState
from tests.scoring_core import world


def snapshot(installation: Installation, when: dict) -> Snapshot:
    policy = Policy(surface="home", rules=(Rule(key="lift", action="pin", items={"item_id": "i9"}, when=when),))
    state = PolicyState(key="home", surface="home", stable=1, versions={1: policy})
    return Snapshot(revision=1, at=0, installation=installation, policies={"home": state})


def regular(sessions: float) -> UserState:
    counts = np.zeros(len(COUNTERS), dtype="<f4")
    counts[COUNTERS.index("sessions")] = sessions
    return UserState(
        vector=bytes(256), updated_at=world.NOW, events=9, counts=counts.tobytes(), first_at=world.NOW - 70 * DAY
    )


def test_a_condition_over_segments_holds_for_who_belongs() -> None:

    declared_segments = {"often": SegmentRule(when={"user.segments": {"$in": ["power"]}, "user.sessions": {"$gt": 5}})}
    when = {"user.segments": {"$in": ["often"]}}
    shelf = world.world().shelf
    plan = compile_plan(snapshot(Installation(segments=declared_segments), when), models={}, shelf=shelf)
    assert plan.reads >= {"counts", "recent", "first_at", "attributes"}
    rules = plan.surfaces["home"].stable.rules
    asked = [
        circumstances(world.request(), user, {}, world.NOW, plan=plan, shelf=shelf)
        for user in (regular(100), regular(1), None)
    ]
    found = [rules.holding(asking=each, subject="u", campaign=None, now=world.NOW) for each in asked]
    assert [len(rules.active(each)) for each in found] == [1, 0, 0]


def test_what_no_condition_asks_no_record_keeps() -> None:
    plan = compile_plan(snapshot(Installation(), {"mood": "calm"}), models={}, shelf=world.world().shelf)
    assert "counts" not in plan.reads


def test_authors_may_ask_for_segments() -> None:
    assert declared(Installation())["user.segments"].type == "list"
