"""How often people see what a cap counts, recomputed from the rows that went in; of few people nothing is told."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.cap_spread import LEAST_PEOPLE, spread
from governance.control import Control
from storage import catalogue
from storage.database import Database
from storage.lake import Lake
from storage.records.caps import Cap
from storage.records.clock import DAY
from storage.records.items import Item
from tests.drawn_log import NOW, START, DrawnLog

from .served import People, serving

END = START + 10 * DAY
PER: dict[str, Callable[[str], str]] = {
    "item": lambda item: item,
    "any": lambda _item: "",
    "campaign": lambda _item: "men",
    "attribute": lambda _item: "bag",
}


@pytest.fixture
def log(sqlite_database: Database, home: Path) -> DrawnLog:
    drawn = DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(80, each=4)
    drawn.write(sqlite_database, Lake(home / "lake"))
    with sqlite_database.write() as write:
        items = [Item(item_id=item, attributes={"kind": "bag"}) for item in ("i1", "i2")]
        catalogue.upsert(write, items, now=NOW, source="shop")
    return drawn


def raw(log: DrawnLog, start: int, per: str) -> Counter[int]:
    seen = Counter(
        (event.subject, PER[per](str(event.item)))
        for event in log.told
        if event.type == "impression" and start <= event.at < END
    )
    return Counter(seen.values())


@pytest.mark.parametrize("per", ["item", "any", "campaign", "attribute"])
def test_the_spread_is_what_the_rows_say(per: str, log: DrawnLog, sqlite_database: Database, lake: Lake) -> None:
    cap = Cap(key="c", limit=3, unit="day", count=7, per=per, attribute="kind" if per == "attribute" else "")  # type: ignore[arg-type]  # of the four
    with sqlite_database.read() as read:
        found = spread(read, lake, cap, now=END)
    told = raw(log, END - 7 * DAY, per)
    assert found.start == END - 7 * DAY and dict(found.times or ()) == dict(told)
    assert found.impressions == sum(shown * n for shown, n in told.items())
    assert found.people == len(
        {event.subject for event in log.told if event.type == "impression" and END - 7 * DAY <= event.at < END}
    )
    assert found.over == sum((shown - 3) * n for shown, n in told.items() if shown > 3)
    for tried in found.curve:
        assert tried.given_up == sum(max(shown - tried.limit, 0) * n for shown, n in told.items())
        assert tried.touched == sum(n for shown, n in told.items() if shown > tried.limit)
        assert tried.known is (tried.limit <= 3)
    assert found.curve[0].share == 1.0 and found.origins == ("live",)


def test_surfaces_and_campaigns_restrict_what_is_counted(log: DrawnLog, sqlite_database: Database, lake: Lake) -> None:
    assert log.made
    with sqlite_database.read() as read:
        here = spread(read, lake, Cap(key="c", limit=3, unit="month", surfaces=("home",), campaigns=("men",)), now=END)
        elsewhere = spread(read, lake, Cap(key="c", limit=3, unit="month", surfaces=("cart",)), now=END)
    assert here.impressions == sum(event.type == "impression" for event in log.told)
    assert (elsewhere.people, elsewhere.times, elsewhere.curve) == (None, None, ())


def test_of_few_people_nothing_is_told(sqlite_database: Database, lake: Lake) -> None:
    DrawnLog({"held_out": 0.05, "treated": 0.1}).holdout(LEAST_PEOPLE - 1).write(sqlite_database, lake)
    with sqlite_database.read() as read:
        found = spread(read, lake, Cap(key="c", limit=3, unit="month"), now=END)
    assert (found.people, found.impressions, found.times, found.curve) == (None, 0, None, ())


@pytest.fixture
def people(control: Control, context: ControlContext, log: DrawnLog) -> Iterator[People]:
    assert log.made
    with (
        serving(create_app(replace(context))) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        yield People(control, client)


def test_the_api_answers_by_name_and_only_for_caps_that_are_there(people: People) -> None:
    mary = people("mary", "marketer")
    why = "nobody should see too much"
    made = mary.post("/caps", json={"cap": {"key": "daily", "limit": 3}, "reason": why})
    assert made.status_code == 201, made.text
    found = mary.get("/caps/exposures", params={"name": "daily"})
    assert found.status_code == 200, found.text
    assert found.json()["limit"] == 3 and found.json()["curve"] == []
    assert mary.get("/caps/exposures", params={"name": "other"}).status_code == 404
    assert mary.get("/caps/exposures").status_code == 422
    refused = mary.post("/caps", json={"cap": {"key": "exposures", "limit": 3}, "reason": why})
    assert refused.status_code == 422 and "choose another" in refused.text
