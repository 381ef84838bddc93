"""Simulated visitors: logged contexts, clicks by their own model, only through the public API."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from fairlead.browsing import DEVICES, Wandering
from fairlead.clicks import ClickModel, Logged, Shown
from fairlead.traffic import VISITORS, Visits
from storage.records.items import Item

ITEMS = {f"men-{n}": Item(item_id=f"men-{n}", attributes={"campaign": "men", "price": float(n)}) for n in range(5)}
CONTEXTS = [("men", {"user_feature_0": "a"}), ("men", {"user_feature_0": "b"})]


def shown(item: str = "men-1", *, position: int = 1, feature: str = "a") -> Shown:
    return Shown(campaign="men", position=position, context={"user_feature_0": feature}, item=ITEMS[item])


class Engine:
    """An engine that answers every visit with three items and keeps what it was sent."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[tuple[str, str, dict[str, Any], str]] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append((request.url.host, request.url.path, body, request.headers["authorization"]))
        if request.url.path == "/v1/events":
            return httpx.Response(202, json={})
        items = [{"item": f"men-{n}", "rank": n + 1} for n in range(3)]
        return httpx.Response(self.status, json={"decision_id": f"d-{len(self.asked)}", "items": items})


def visits(
    engine: Engine, model: ClickModel, *, engines: Sequence[str] = ("http://a",), wanders: float = 0.0
) -> Visits:
    logged = Logged(contexts=CONTEXTS, model=model, impressions=10, clicks=1)
    return Visits(
        logged,
        items=ITEMS,
        engines=engines,
        token="fl_traffic",
        rng=random.Random(1),
        wanders=wanders,
        transport=httpx.MockTransport(engine),
    )


ALWAYS = ClickModel.fit([shown(), shown()], [True, True])
NEVER = ClickModel.fit([shown(), shown()], [False, False])


def test_the_click_model_learns_what_the_log_shows() -> None:
    rows = [shown(position=1, feature="a"), shown(position=3, feature="b")] * 200
    clicked = [index % 2 == 0 and index % 8 < 4 for index in range(400)]
    model = ClickModel.fit(rows, clicked)
    first, last = model.probabilities([shown(position=1, feature="a"), shown(position=3, feature="b")])
    assert 0.3 < first < 0.6
    assert last < 0.05


def test_clicks_of_one_kind_only_give_their_share() -> None:
    assert ALWAYS.probabilities([shown()]) == [1.0]
    assert NEVER.probabilities([shown(), shown("men-2")]) == [0.0, 0.0]
    assert NEVER.probabilities([]) == []


def test_an_item_that_the_log_does_not_know_has_a_probability_too() -> None:
    model = ClickModel.fit([shown(), shown("men-2")] * 10, [True, False] * 10)
    assert 0.0 < model.probabilities([Shown(campaign="men", position=9, context={}, item=None)])[0] < 1.0


@pytest.mark.parametrize(("model", "clicks"), [(ALWAYS, 3), (NEVER, 0)])
def test_a_visit_asks_then_reports_what_was_seen_and_clicked(model: ClickModel, clicks: int) -> None:
    engine = Engine()
    asyncio.run(visits(engine, model).visit())
    (_, path, request, token), (_, events_path, report, _) = engine.asked
    assert (path, events_path) == ("/v1/personalize", "/v1/events")
    assert token == "Bearer fl_traffic"
    assert request["context"] in [context for _, context in CONTEXTS]
    assert (request["surface"], request["campaign"], request["slots"]) == ("home", "men", 3)
    events = report["events"]
    assert [event["type"] for event in events] == ["impression"] * 3 + ["click"] * clicks
    assert {event["decision_id"] for event in events} == {"d-1"}
    assert len({event["event_id"] for event in events}) == len(events)
    assert {event.get("subject") for event in events} == {request.get("subject")}


def test_visits_go_to_the_engines_in_turn() -> None:
    engine = Engine()
    people = visits(engine, NEVER, engines=("http://a", "http://b"))

    async def some() -> None:
        for _ in range(4):
            await people.visit()

    asyncio.run(some())
    assert [host for host, path, _, _ in engine.asked if path == "/v1/personalize"] == ["a", "b", "a", "b"]


def test_a_visitor_keeps_campaign_and_context() -> None:
    people = visits(Engine(), NEVER)
    seen = {visitor.subject: visitor for visitor in people._visitors}
    assert len(seen) == VISITORS
    for _ in range(2_000):
        visitor = people._next()
        if visitor.subject is not None:
            assert visitor is seen[visitor.subject]


def test_who_is_known_looks_around_before_looking_at_what_is_recommended() -> None:
    engine = Engine()
    people = visits(engine, NEVER, wanders=1.0)

    async def some() -> None:
        for _ in range(60):
            await people.visit()

    asyncio.run(some())
    walks = [body["events"] for _, path, body, _ in engine.asked if path == "/v1/events"]
    deeds = [event for events in walks for event in events if "decision_id" not in event]
    assert {"view", "add_to_cart", "wishlist"} <= {event["type"] for event in deeds}
    assert all(event["subject"] and event["properties"]["device"] in DEVICES for event in deeds)
    assert all(event["value"] > 0 for event in deeds if event["type"] == "purchase")
    known = sum(1 for _, path, body, _ in engine.asked if path == "/v1/personalize" and "subject" in body)
    assert sum(1 for events in walks if "decision_id" not in events[0]) == known


def test_a_visitor_looks_more_at_what_he_likes() -> None:
    kinds = {f"i-{n}": Item(item_id=f"i-{n}", attributes={"campaign": "men", "kind": f"k{n % 4}"}) for n in range(12)}
    wandering, rng = Wandering(kinds, attribute="kind"), random.Random(3)
    looked = Counter(
        kinds[deed.item].attributes["kind"]
        for _ in range(400)
        for deed in wandering.deeds("visitor-1", "men", rng)
        if deed.type == "view"
    )
    (_, most), (_, next_most) = looked.most_common(2)
    assert most > 2 * next_most
    assert wandering.deeds("visitor-1", "nowhere", rng) == []


def test_a_refusal_is_counted_and_nothing_is_reported() -> None:
    engine = Engine(status=503)
    people = visits(engine, ALWAYS)
    asyncio.run(people.visit())
    assert people.counts["status 503"] == 1
    assert people.counts["answered"] == 0
    assert len(engine.asked) == 1


def test_driving_is_paced_and_stops_when_told() -> None:
    engine = Engine()
    people = visits(engine, NEVER)

    async def drive() -> None:
        stop = asyncio.Event()
        driving = asyncio.create_task(people.drive(500.0, stop))
        while people.counts["visits"] < 20:
            await asyncio.sleep(0.01)
        stop.set()
        await driving

    asyncio.run(drive())
    assert people.counts["visits"] >= 20
