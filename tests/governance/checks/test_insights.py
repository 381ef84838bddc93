"""Creators and their audiences over a lake whose truth is known: preferences, masks, who comes back."""

from collections import Counter
from pathlib import Path
from typing import Any

from governance.checks.protocol import audit_runner
from governance.creators import creator_views
from storage import catalogue, documents, revisions
from storage.audience_outcomes import AudienceCount
from storage.database import Database
from storage.lake import Lake
from storage.records.findings import Audit
from storage.records.items import Item
from storage.records.policies import Attribute, Installation, Snapshot, Surface
from tests.drawn_log import NOW, DrawnLog

ITEMS = [Item(item_id="i1", attributes={"maker": "Ada"}), Item(item_id="i2", attributes={"maker": "Bo <b>"})]


def told(database: Database, home: Path, log: DrawnLog, *, sensitive: bool = False, **settings: Any) -> Audit:
    log.write(database, Lake(home / "lake"))
    surface = Surface(key="home", context={"device": Attribute(type="string", sensitive=sensitive)})
    with database.write() as write:
        catalogue.upsert(write, ITEMS, now=NOW)
        installation = Installation(surfaces={"home": surface}, **settings)
        revisions.publish(write, Snapshot(revision=0, at=NOW, installation=installation))
        documents.save(write, "installation", installation)
    return audit_runner("insights")(database, Lake(home / "lake"), job_id="j", arguments={}, now=NOW, home=home)


def part(**more: Any) -> AudienceCount:
    given = {
        "creator": "Ada", "kind": "", "value": "", "origin": "live", "people": 100, "strangers": 0, "units": 100,
        "impressions": 1000, "clicks": 100, "impressions_squared": 1e4, "clicks_squared": 200.0,
        "clicks_by_impressions": 1000.0,
    }  # fmt: skip
    return AudienceCount(**{**given, **more})


def test_each_creator_has_the_counts_of_the_rows(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.1}).holdout(120)
    audit = told(sqlite_database, home, log)
    assert audit.result["attribute"] == "maker"
    shown = Counter(event.item for event in log.told if event.type == "impression")
    clicks = Counter(event.item for event in log.told if event.type == "click")
    by_name = {one["creator"]: one for one in audit.result["creators"]}
    for item, name in (("i1", "Ada"), ("i2", "Bo <b>")):
        one = by_name[name]
        assert (one["impressions"], one["clicks"], one["people"], one["items"]) == (shown[item], clicks[item], 120, 1)
        devices = [each for each in one["prefers"] if each["kind"] == "context"]
        assert sum(each["impressions"] for each in devices) == shown[item]
        assert {each["value"] for each in devices} == {"device=phone", "device=desk"}


def test_a_sensitive_attribute_tells_nothing(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.1}).holdout(120)
    audit = told(sqlite_database, home, log, sensitive=True)
    assert not [each for one in audit.result["creators"] for each in one["prefers"] if each["kind"] == "context"]


def test_the_settings_name_who_made_an_item(sqlite_database: Database, home: Path) -> None:
    log = DrawnLog({"held_out": 0.1, "treated": 0.1}).holdout(60)
    audit = told(sqlite_database, home, log, creator="studio")
    assert (audit.result["attribute"], audit.result["creators"]) == ("studio", [])


def test_few_people_are_masked_and_a_second_part_with_them() -> None:
    (view,) = creator_views(
        [
            part(),
            part(kind="context", value="device=phone", people=20, impressions=200),
            part(kind="context", value="device=desk", people=60, impressions=500),
            part(kind="context", value="device=tv", people=70, impressions=300),
        ],
        {"Ada": 1},
    )
    masked = {one.value: (one.masked, one.impressions, one.people) for one in view.prefers}
    assert masked["device=phone"] == masked["device=tv"] == (True, None, None)
    assert masked["device=desk"] == (False, 500, 60)
    (whole,) = creator_views([part(people=49, impressions=900)], {"Ada": 1})
    assert (whole.impressions, whole.rate, whole.prefers) == (None, None, ())


def test_imported_rows_name_nobody_and_are_shown() -> None:
    (view,) = creator_views([part(origin="imported", people=0, strangers=1000, units=1000)], {})
    assert (view.rows, view.people, view.impressions) == ("imported", None, 1000)


def test_what_an_audience_prefers_is_held_against_what_it_makes_of_others() -> None:
    eager = [
        part(kind="segment", value="fans", impressions=4000, clicks=800),
        part(creator="Bo", kind="segment", value="fans", impressions=4000, clicks=800),
        part(impressions=8000, clicks=900),
        part(creator="Bo", impressions=8000, clicks=900),
    ]
    views = creator_views(eager, {})
    assert [each.apart is not None and each.apart.stands for view in views for each in view.prefers] == [False, False]


def test_who_comes_back_is_counted_by_week(sqlite_database: Database, home: Path) -> None:
    audit = told(sqlite_database, home, DrawnLog({"held_out": 0.1, "treated": 0.1}).holdout(200, each=3))
    weeks = audit.result["cohorts"]
    assert {one["rows"] for one in weeks} == {"live"}
    first = [one for one in weeks if one["weeks"] == 0 and one["people"]]
    assert sum(one["people"] for one in first) <= 200 and all(one["rate"] == 1.0 for one in first)
    later = [one for one in weeks if one["weeks"] == 1 and one["people"]]
    assert later and all(one["low"] <= one["rate"] <= one["high"] < 1.0 for one in later)
