"""Caps over HTTP: counted on impressions, reserved for a while, shared by replicas, said when nobody can count."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scoring_core.edges.caps import RESERVED_S
from storage.hot.caps_redis import RedisCaps
from storage.records import clock
from storage.records.caps import Cap, Fatigue
from storage.records.clock import SECOND
from storage.records.consent import Purpose
from storage.records.events import EventType
from storage.records.policies import Policy, PolicyState, ScorerChoice, Snapshot
from tests.scoring_core.edges import running as plain
from tests.scoring_core.edges.running import INSTALLATION, SNAPSHOT, Installed, Running, install, running

EVENTS = {"impression": EventType(weight=0.0, role="shown"), "click": EventType(weight=1.0, role="interest")}
TWICE = Cap(key="twice", limit=2)
POLICY = replace(plain.POLICY, scorer=ScorerChoice(name="null"))
"""In the caller's order, whatever other tests made popular."""


def snapshot(*caps: Cap, policy: Policy = POLICY, fatigue: Fatigue | None = None) -> Snapshot:
    return replace(
        SNAPSHOT,
        installation=replace(INSTALLATION, events=EVENTS, fatigue=fatigue),
        policies={"home": PolicyState(key="home", surface="home", stable=1, versions={1: policy})},
        caps={cap.key: cap for cap in caps},
    )


def show(engine: Running, decision: dict[str, Any], who: dict[str, str], **more: Any) -> None:
    """Report every item of a decision as seen."""
    for item in decision["items"]:
        event = {"type": "impression", "item": item["item"], "surface": "home"}
        answer = engine.client.post("/v1/events", json=event | {"decision_id": decision["decision_id"]} | who | more)
        assert answer.status_code == 202, answer.text


def items(decision: dict[str, Any]) -> list[str]:
    return [item["item"] for item in decision["items"]]


def record(engine: Running, decision: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = engine.client.get(f"/v1/decisions/{decision['decision_id']}").json()
    return found


def replayed(engine: Running, decision: dict[str, Any]) -> str:
    return str(engine.client.get(f"/v1/decisions/{decision['decision_id']}/replay").json()["verdict"])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("caps")
    made = install(home, snapshot=snapshot(TWICE))
    with running(made) as engine:
        yield engine
    made.database.close()


def test_what_was_shown_twice_gives_way_and_the_decision_replays(engine: Running) -> None:
    who = {"subject": "u-1"}
    first = engine.decide(slots=3, **who)
    show(engine, first, who)
    second = engine.decide(slots=3, **who)
    assert items(second) == items(first)
    show(engine, second, who)
    third = engine.decide(slots=3, **who)
    assert not set(items(third)) & set(items(first))
    kept = record(engine, third)
    assert kept["caps"] == ["twice"]
    assert kept["cap_counts"] == {f"twice:{item}": 2 for item in items(first)}
    assert [replayed(engine, each) for each in (first, second, third)] == ["exact"] * 3


def test_an_impression_that_is_reported_twice_counts_once(engine: Running) -> None:
    who = {"subject": "u-2"}
    first = engine.decide(slots=1, candidates=["item-3", "item-4"], **who)
    for n in range(5):
        show(engine, first, who, event_id=f"again-{n}")
    assert items(engine.decide(slots=1, candidates=["item-3", "item-4"], **who)) == ["item-3"]
    assert items(engine.decide(slots=1, candidates=["item-3", "item-4"], **who)) == ["item-4"]


def test_a_slot_is_reserved_until_its_impression_comes(engine: Running) -> None:
    asked: dict[str, Any] = {"subject": "u-3", "slots": 1, "candidates": ["item-5", "item-6"]}
    shown = [items(engine.decide(**asked)) for _ in range(5)]
    assert shown == [["item-5"], ["item-5"], ["item-6"], ["item-6"], []]
    last = engine.decide(**asked)
    assert (last["reason"], last["items"]) == ("capped", [])
    assert replayed(engine, last) == "exact"


def test_who_opted_out_has_caps_of_the_session_alone(engine: Running) -> None:
    engine.installed.say("u-4", "denied")
    engine.installed.say("u-4", "denied", Purpose.TRACKING)
    asked: dict[str, Any] = {"subject": "u-4", "session": "s-4", "slots": 1, "candidates": ["item-1", "item-2"]}
    engine.until(lambda: engine.decide(subject="u-4")["reason"] == "no_consent")
    for _ in range(2):
        show(engine, engine.decide(**asked), {"subject": "u-4", "session": "s-4"})
    third = engine.decide(**asked)
    assert (items(third), third["served_by"]) == (["item-2"], "default")
    assert record(engine, third)["session"] is None
    assert replayed(engine, third) == "exact"
    assert items(engine.decide(**asked | {"session": "s-5"})) == ["item-1"], "another session begins anew"
    without = {key: value for key, value in asked.items() if key != "session"}
    assert [items(engine.decide(**without)) for _ in range(4)] == [["item-1"]] * 4, "a stranger is nobody twice"


def test_how_often_a_cap_held_back_is_counted(engine: Running) -> None:
    who = {"subject": "u-6", "slots": 1, "candidates": ["item-7"]}
    before = _checks(engine)
    for _ in range(5):
        engine.decide(**who)
    after = _checks(engine)
    assert [after[each] - before.get(each, 0.0) for each in ("allow", "capped")] == [2.0, 3.0]


def _checks(engine: Running) -> dict[str, float]:
    family = engine.replica.telemetry.cap_checks
    return {result: count.value for (cap, result), count in family.children.items() if cap == "twice"}


def test_the_strictest_level_wins_and_a_reservation_runs_out(home: Path) -> None:
    now = [clock.now()]
    document = replace(POLICY, caps=(Cap(key="once", limit=1, unit="hour"),))
    made = install(home, snapshot=snapshot(TWICE, policy=document))
    asked: dict[str, Any] = {"subject": "u", "slots": 1, "candidates": ["item-1", "item-2"]}
    with running(made, now=lambda: now[0]) as engine:
        first = engine.decide(**asked)
        assert [items(first), items(engine.decide(**asked))] == [["item-1"], ["item-2"]]
        assert record(engine, engine.decide(**asked))["caps"] == ["policy/home/once"]
        now[0] += (RESERVED_S + 2) * SECOND
        show(engine, first, {"subject": "u"})
        assert items(engine.decide(**asked)) == ["item-2"], "late, and counted all the same"
        now[0] += 3_700 * SECOND
        again = engine.decide(**asked)
        assert items(again) == ["item-1"]
        show(engine, again, {"subject": "u"})
        now[0] += 3_700 * SECOND
        third = engine.decide(**asked)
        assert (items(third), record(engine, third)["caps"]) == (["item-2"], ["twice"])
    made.database.close()


def test_an_engine_in_memory_counts_again_what_its_log_holds(home: Path) -> None:
    made = install(home, snapshot=snapshot(TWICE))
    asked: dict[str, Any] = {"subject": "u", "slots": 1, "candidates": ["item-1", "item-2"]}
    with running(made) as engine:
        for _ in range(2):
            show(engine, engine.decide(**asked), {"subject": "u"})
    with running(made) as engine:
        engine.until(lambda: items(engine.decide(**asked)) == ["item-2"])
    made.database.close()


def test_what_tires_sinks_until_it_is_answered(home: Path) -> None:
    document = replace(POLICY, scorer=ScorerChoice(name="popular"), fatigue_tolerance=1.0)
    made = install(home, snapshot=snapshot(policy=document, fatigue=Fatigue()))
    asked: dict[str, Any] = {"slots": 2, "candidates": ["item-1", "item-2"]}
    with running(made) as engine:
        for n in range(5):  # item-1 is the more popular one by far
            engine.client.post("/v1/events", json={"type": "click", "item": "item-1", "subject": f"u-{n}"})
        engine.client.post("/v1/events", json={"type": "click", "item": "item-2", "subject": "u-9"})
        engine.until(lambda: all(record(engine, engine.decide(**asked, subject="fresh"))["scores"]))
        for n in range(6):
            event = {"type": "impression", "item": "item-1", "subject": "u", "surface": "home", "event_id": f"seen-{n}"}
            assert engine.client.post("/v1/events", json=event).status_code == 202
        tired = engine.decide(**asked, subject="u")
        assert items(tired) == ["item-2", "item-1"]
        assert record(engine, tired)["fatigue"] == pytest.approx([6.0, 0.0, 6.0, 0.0], rel=1e-3)
        assert replayed(engine, tired) == "exact"
        engine.client.post("/v1/events", json={"type": "click", "item": "item-1", "subject": "u"})
        rested = engine.decide(**asked, subject="u")
        assert items(rested) == ["item-1", "item-2"]
        assert record(engine, rested)["fatigue"] == [0.0] * 4
        assert replayed(engine, rested) == "exact"
    made.database.close()


def test_replicas_that_share_a_store_never_pass_a_cap_together(home: Path, redis_url: str) -> None:
    made = install(home, snapshot=snapshot(TWICE))
    asked: dict[str, Any] = {"subject": "u", "slots": 1, "candidates": [f"item-{n}" for n in range(5)]}
    with running(made, redis_url=redis_url) as one, running(made, redis_url=redis_url, replica="engine-1") as two:
        both = [one, two]
        for each in both:  # a machine that tests many things at once is slower than the deadline of a decision
            each.replica.rationing._store = RedisCaps(redis_url, timeout_s=20.0)
        with ThreadPoolExecutor(8) as threads:
            decisions = list(threads.map(lambda n: both[n % 2].decide(**asked), range(30)))
        shown = [item for decision in decisions for item in items(decision)]
        assert sorted(shown) == sorted(f"item-{n}" for n in range(5) for _ in range(2)), "each one twice, and no more"
        for n, decision in enumerate(decisions):
            show(both[n % 2], decision, {"subject": "u"})
            show(both[1 - n % 2], decision, {"subject": "u"}, event_id=f"again-{n}")
        assert [items(each.decide(**asked)) for each in both] == [[], []]
        assert [_over(each) for each in both] == [0.0, 0.0]
        assert {replayed(both[n % 2], decision) for n, decision in enumerate(decisions)} == {"exact"}
    made.database.close()


def _over(engine: Running) -> float:
    return sum(count.value for count in engine.replica.telemetry.cap_overserves.children.values())


@pytest.mark.parametrize(("when_uncounted", "served"), [("serve", ["item-1"]), ("hold", [])])
def test_while_the_store_is_away_the_policy_says_what_is_served(
    home: Path, when_uncounted: str, served: list[str]
) -> None:
    document = replace(POLICY, when_uncounted=when_uncounted)
    made = install(home, snapshot=snapshot(TWICE, policy=document))
    with running(made, redis_url="redis://127.0.0.1:1/0") as engine:
        decision = engine.decide(subject="u", slots=1, candidates=["item-1"])
        assert items(decision) == served
        kept = record(engine, decision)
        assert kept["cap_counts"] is None
        assert replayed(engine, decision) == "exact"
        assert _checks(engine) == {"degraded": 1.0}
        assert "redis" in engine.replica.details()["degraded"]
    made.database.close()


class _Lost:
    """A store that answers reads and loses reservations: what a server does that goes away in between."""

    def __init__(self, engine: Running) -> None:
        self._held = engine.replica.rationing._store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)

    async def reserve(self, *_: Any, **__: Any) -> Any:
        from storage.errors import Unavailable

        await asyncio.sleep(0)
        raise Unavailable("gone")


@pytest.mark.parametrize(("when_uncounted", "served"), [("serve", ["item-1"]), ("hold", [])])
def test_what_cannot_be_reserved_is_held_back_where_the_policy_asks_it(
    home: Path, when_uncounted: str, served: list[str]
) -> None:
    made = install(home, snapshot=snapshot(TWICE, policy=replace(POLICY, when_uncounted=when_uncounted)))
    with running(made) as engine:
        engine.replica.rationing._store = _Lost(engine)  # type: ignore[assignment]
        decision = engine.decide(subject="u", slots=1, candidates=["item-1"])
        assert items(decision) == served
        assert replayed(engine, decision) == "exact"
    made.database.close()


def test_installed_is_used(installed: Installed) -> None:
    """The engine of other tests has no caps, and counts nothing."""
    with running(installed) as engine:
        engine.decide(subject="u")
        assert not engine.replica.telemetry.cap_checks.children
