"""Search, filters, facets and re-ranking over HTTP; catalogues that change under decisions."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage import catalogue
from storage.records import clock
from storage.records.items import Item
from storage.records.policies import PolicyState, Source
from tests.scoring_core.edges.running import POLICY, SNAPSHOT, Running, install, running

SEARCHING = replace(POLICY, sources=(Source(name="caller"), Source(name="search"), Source(name="popular")))
GOODS = [
    Item(item_id="item-0", title="Red running shoe", attributes={"colour": "red", "price": 80.0}, tags=("sport",)),
    Item(item_id="item-1", title="Blue shoes", attributes={"colour": "blue", "price": 40.0}, tags=("sport", "sale")),
    Item(item_id="item-2", title="Red hat", attributes={"colour": "red", "price": 15.0}, text="goes with shoes"),
    Item(item_id="item-3", title="Red boot", attributes={"colour": "red"}, hidden=True),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home: Path = tmp_path_factory.mktemp("shop")
    states = {"home": PolicyState(key="home", surface="home", stable=1, versions={1: SEARCHING})}
    installed = install(home, count=6, snapshot=replace(SNAPSHOT, policies=states))
    with installed.database.write() as write:
        catalogue.upsert(write, GOODS, now=clock.now())
    with running(installed) as started:
        yield started


def test_a_search_finds_words_in_any_form_and_counts_facets(shop: Running) -> None:
    answer = shop.decide(subject="u-1", query="shoe", slots=10, facets=["colour", "tags", "nothing"])
    found = [item["item"] for item in answer["items"]]
    assert {"item-0", "item-1", "item-2"} <= set(found)
    assert "item-3" not in found
    assert answer["facets"] == {
        "colour": [{"value": "red", "count": 2}, {"value": "blue", "count": 1}],
        "tags": [{"value": "sport", "count": 2}, {"value": "sale", "count": 1}],
        "nothing": [],
    }
    record = shop.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert record["query"] == "shoe"
    assert record["sources"] == {"search": 3, "popular": 2}
    assert shop.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()["verdict"] == "exact"


def test_filters_hold_for_everyone_also_who_refused(shop: Running) -> None:
    cheap = {"price": {"$lt": 50}, "colour": {"$in": ["red", "blue"]}}
    for subject in ("u-1", None):
        answer = shop.decide(subject=subject, query="shoe", filters=cheap, slots=10)
        assert {"item-1", "item-2"} <= {item["item"] for item in answer["items"]}
        assert "item-0" not in {item["item"] for item in answer["items"]}
        assert shop.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()["verdict"] == "exact"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": {"price": {"$about": 3}}}, "filters.price.$about"),
        ({"filters": {"title": {"$regex": "a"}}}, "filters"),
        ({"filters": {"$or": [{f"a{n}": 1} for n in range(60)]}}, "filters"),
        ({"filters": {"price": 2**70}}, "filters"),
        ({"facets": ["item_id"]}, "facets"),
        ({"query": ""}, "query"),
        ({"query": "x" * 201}, "query"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_by_field(shop: Running, body: dict[str, object], field: str) -> None:
    refused = shop.client.post("/v1/personalize", json={"surface": "home", **body})
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["field"] == field


@pytest.mark.parametrize("query", ['"', "shoe OR", 'NEAR("a" "b")', "title:shoe", "*", "-", "ä–\u0000", "a" * 200])
def test_nothing_typed_is_an_operator(shop: Running, query: str) -> None:
    assert shop.decide(subject="u-1", query=query)["items"]


def test_every_item_of_a_callers_list_comes_back_once(shop: Running) -> None:
    named = ["item-3", "item-1", "unheard", "item-2", "item-1", "item-0"]
    for subject in ("u-1", None):
        body = {"surface": "home", "subject": subject, "candidates": named}
        answer = shop.client.post("/v1/rerank", json=body).json()
        ranked, rest = [item["item"] for item in answer["items"]], answer["rest"]
        assert sorted([*ranked, *(each["item"] for each in rest)]) == sorted(set(named))
        assert rest == [{"item": "item-3", "reason": "hidden"}, {"item": "unheard", "reason": "unknown"}]
    long = [f"item-{n % 6}" if n < 6 else f"gone-{n}" for n in range(60)]
    answer = shop.client.post("/v1/rerank", json={"surface": "home", "candidates": long, "slots": 2}).json()
    assert len(answer["items"]) == 2
    assert len(answer["rest"]) == 58
    assert {each["reason"] for each in answer["rest"]} == {"unknown", "not_chosen", "hidden"}


def test_lists_are_remembered_and_what_sources_brought_is_counted(shop: Running) -> None:
    for _ in range(3):
        shop.decide(subject="u-1", query="hat", slots=1)
    exposed = dict(line.rsplit(" ", 1) for line in shop.client.get("/metrics").text.splitlines() if line[0] != "#")
    assert float(exposed['fairlead_cache_requests_total{cache="candidate",result="hit"}']) >= 2
    assert float(exposed['fairlead_cache_entries{cache="candidate"}']) >= 1
    brought, shown = (
        float(exposed[f'fairlead_candidates_total{{source="search",step="{step}"}}']) for step in ("brought", "shown")
    )
    assert brought >= shown >= 3


def test_a_decision_replays_exactly_after_the_catalogue_changed(shop: Running) -> None:
    """Items are added, hidden and repriced; the decision's own catalogue is rebuilt from its version."""
    before = shop.decide(subject="u-9", query="shoe", slots=5)
    with shop.installed.database.write() as write:
        catalogue.upsert(
            write,
            [
                replace(GOODS[0], hidden=True),
                replace(GOODS[1], attributes={"colour": "green"}, title="Slippers"),
                Item(item_id="brand-new", title="Shoe of the year"),
            ],
            now=clock.now(),
        )
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        after = shop.decide(subject="u-9", query="shoe", slots=5)
        if "brand-new" in {item["item"] for item in after["items"]}:
            break
        time.sleep(0.05)
    served = {item["item"] for item in after["items"]}
    assert "brand-new" in served, "a new item is servable within seconds"
    assert "item-0" not in served
    for answer in (before, after):
        replayed = shop.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
        assert replayed["verdict"] == "exact", replayed
    with shop.installed.database.write() as write:
        from storage.past_items import forget

        assert forget(write, now=clock.now(), keep_us=0) > 0
    with shop.installed.database.read() as read:
        from storage.past_items import oldest, past

        assert past(read, 1) is None
        assert oldest(read) == catalogue.version(read)
