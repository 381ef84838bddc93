"""What conditions may ask: everything that is declared, worked out only where it is asked."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scoring_core.circumstances import Asked, asked, circumstances
from scoring_core.conditions import check, compile_condition, names
from scoring_core.declared import declared
from storage.records.campaigns import Campaign
from storage.records.clock import DAY, SECOND
from storage.records.policies import Attribute, Installation, Surface
from storage.records.rules import Rule
from storage.records.subjects import COUNTERS, RECENT_DTYPE, ROLES, UserState
from tests.scoring_core.world import NOW, request, user, world

SETTINGS = Installation(
    zone="Asia/Kolkata",
    attributes={"size": Attribute(type="string"), "styles": Attribute(type="list")},
    surfaces={
        "home": Surface(key="home", context={"mood": Attribute(type="string"), "age": Attribute(type="number")}),
        "cart": Surface(key="cart", context={"total": Attribute(type="number")}),
    },
)


def person() -> UserState:
    counts = np.arange(len(COUNTERS), dtype="<f4")
    recent = np.array(
        [(3, ROLES["shown"], 1), (5, ROLES["interest"], NOW // SECOND - 86_400), (900, ROLES["interest"], 2)],
        dtype=RECENT_DTYPE,
    )
    return replace(
        user(),
        counts=counts.tobytes(),
        recent=recent.tobytes(),
        first_at=NOW - 10 * DAY,
        attributes={"size": "M", "styles": "boho|plain"},
    )


def found(*conditions: Any, known: UserState | None = None, **asking: Any) -> Any:
    rules = {f"r{n}": Rule(key=f"r{n}", action="boost", when=each) for n, each in enumerate(conditions)}
    live = world(rules=rules, installation=SETTINGS, campaigns=asking.pop("campaigns", {}))
    return circumstances(
        request(**asking), known or person(), {"weather.sky": "grey"}, NOW, plan=live.plan, shelf=live.shelf
    )


def test_nothing_is_worked_out_that_nobody_asks() -> None:
    assert found({"mood": "calm"}) == request().context
    assert found().keys() == request().context.keys()


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"user.clicks": COUNTERS.index("clicks")}, True),
        ({"user.size": "M"}, True),
        ({"user.styles": {"$in": ["boho"]}}, True),
        ({"user.styles": {"$size": 2}}, True),
        ({"user.age_days": 10}, True),
        ({"user.recency_days": {"$lt": 1.001, "$gt": 0.999}}, True),
        ({"user.recent": {"$in": ["i5"]}}, True),
        ({"user.recent": {"$in": ["i3"]}}, False),
        ({"user.events": 6}, True),
        ({"session.sequence": 2, "session.known": True}, True),
        ({"time.hour": 3, "time.weekday": 2, "time.date": "2023-11-15"}, True),
        ({"plugin.weather.sky": "grey"}, True),
        ({"user.segment.power": {"$gt": 0}, "user.segments": {"$in": ["power"]}}, True),
        ({"user.segment.unheard": {"$exists": True}}, False),
        ({"user.unheard": {"$exists": False}}, True),
        ({"plugin.other.sky": {"$exists": False}}, True),
    ],
)
def test_a_condition_asks_of_the_person_the_session_the_time_and_the_plugins(condition: Any, holds: bool) -> None:
    assert compile_condition(condition)(found(condition)) is holds


def test_a_campaign_s_hours_are_those_of_its_zone() -> None:
    campaign = Campaign(key="c", name="C", surfaces=("home",), zone="America/New_York")
    asking = found({"time.hour": 1}, campaign="c", campaigns={"c": campaign})
    assert asking["time"] == {"hour": 17, "weekday": 1, "date": "2023-11-14"}


def test_of_whom_nothing_is_known_nothing_holds() -> None:
    live = world(rules={"r": Rule(key="r", action="boost", when={"user.clicks": {"$gte": 0}})})
    asking = circumstances(request(), None, {}, NOW, plan=live.plan, shelf=live.shelf)
    assert asking["user"] == {}
    assert compile_condition({"user.clicks": {"$exists": False}})(asking)


def test_a_plan_reads_what_its_conditions_ask_and_no_more() -> None:
    def reads(*conditions: Any) -> frozenset[str]:
        rules = {f"r{n}": Rule(key=f"r{n}", action="boost", when=each) for n, each in enumerate(conditions)}
        return world(rules=rules, installation=SETTINGS).plan.reads

    assert reads() == frozenset()
    assert reads({"user.clicks": 1}) == {"counts"}
    assert reads({"$or": [{"user.size": "M"}, {"$not": {"user.age_days": 3}}]}) == {"attributes", "first_at"}
    assert reads({"user.recent": {"$in": ["i1"]}}) == {"recent"}


def test_names_of_a_condition_that_makes_no_sense() -> None:
    assert names({"$or": 3, "$not": 4, "a": {"$bad": 1}}) == {"a"}
    assert names(3) == frozenset()
    assert asked(()) == Asked()


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ({"user.clicks": {"$gte": 3}, "user.size": "M", "mood": "calm", "plugin.a.b": 1, "time.hour": 3}, ""),
        ({"user.segment.power": {"$gte": 0.9}}, ""),
        ({"user.segment.power": "sure"}, "must be a number"),
        ({"user.styles": {"$in": ["boho"]}, "user.recent": {"$size": {"$gt": 2}}}, ""),
        ({"user.styles": "boho"}, "$in"),
        ({"user.styles": {"$gt": 3}}, "use $in"),
        ({"user.click": 3}, "did you mean user.clicks?"),
        ({"total": 3}, "is not a declared attribute"),
        ({"time.hour": "noon"}, "must be a number"),
        ({"plugin.": 1}, "is not a declared attribute"),
    ],
)
def test_an_author_sees_the_mistake(condition: Any, problem: str) -> None:
    problems = check(condition, declared(SETTINGS, "home"))
    assert [problem in each.message for each in problems] == ([True] if problem else [])


def test_without_a_surface_every_surface_s_context_is_declared() -> None:
    assert not check({"total": 3, "mood": "calm"}, declared(SETTINGS))
