"""Segments by those who run campaigns: written with a ledger entry, shown with sizes, blurred for marketers; a person
told of with factors, and only who agreed."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.audience import audience
from governance.insights import insights
from governance.installation import INSTALLATION
from governance.segments import etag_of
from scoring_core.learning.churn import train_churn
from scoring_core.learning.creators import train_creators
from scoring_core.learning.next_action import train_next_action
from storage import catalogue, consent, documents, ledger, registry, segments
from storage.errors import Conflict, Forbidden, Invalid, Stale
from storage.lake import Lake
from storage.pseudonyms import Salts
from storage.records.clock import DAY, MINUTE
from storage.records.consent import Purpose
from storage.records.events import Event
from storage.records.items import Item
from storage.records.segments import Census, SegmentCount
from storage.records.standard_events import standard_events
from tests.scoring_core.learning.crowds import DAYS, START, crowd

from .conftest import NOW, REASON, installation, warrant
from .served import People, serving

FANS = {"rule": {"when": {"user.clicks": {"$gte": 10}}, "title": "Ten clicks and more."}}
WHY = {"reason": REASON}


@pytest.fixture
def context(control, sqlite_database, keys, home) -> ControlContext:
    return ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=Lake(home / "lake"),
    )


@pytest.fixture
def people(control, context) -> Iterator[People]:
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False, timeout=60.0) as client:
        yield People(control, client)


def counted(*sizes: tuple[str, int], everyone: int = 1000) -> Census:
    return Census(
        at=NOW,
        people=everyone,
        segments=tuple(SegmentCount(segment=name, people=size, confidence=0.9) for name, size in sizes),
        origins=("live",),
    )


def test_an_own_segment_is_written_edited_and_deleted(control, sqlite_database):
    made = control.do("segment.create", "fans", FANS, warrant())
    assert made.revision is not None
    assert control.snapshot().installation.segments["fans"].title == "Ten clicks and more."
    with pytest.raises(Conflict, match="edit it"):
        control.do("segment.create", "fans", FANS, warrant())
    with pytest.raises(Conflict, match="like this already"):
        control.do("segment.edit", "fans", FANS, warrant(etag=made.etag))
    changed = {"rule": FANS["rule"] | {"title": "Fans."}}
    with pytest.raises(Invalid, match="If-Match"):
        control.do("segment.edit", "fans", changed, warrant())
    edited = control.do("segment.edit", "fans", changed, warrant(etag=made.etag))
    with pytest.raises(Stale):
        control.do("segment.delete", "fans", {}, warrant(etag=made.etag))
    control.do("segment.delete", "fans", {}, warrant(etag=edited.etag))
    assert "fans" not in control.snapshot().installation.segments
    with sqlite_database.read() as read:
        assert [entry.action for entry in ledger.entries(read, limit=50) if entry.result == "applied"][:3] == [
            "segment.delete",
            "segment.edit",
            "segment.create",
        ]


@pytest.mark.parametrize(
    ("key", "rule", "field"),
    [
        ("cohort.mine", {"when": {"user.clicks": {"$gte": 1}}}, ""),
        ("a b", {"when": {"user.clicks": {"$gte": 1}}}, "key"),
        ("empty", {}, "when"),
        ("unknown", {"when": {"user.mood": "good"}}, "when"),
        ("half", {"measure": "share", "of": ["clicks"], "among": ["views"], "above": 2.0}, "above"),
        ("what", {"measure": "weekly", "of": ["dreams"], "above": 2.0}, "of"),
    ],
)
def test_what_is_wrong_with_a_segment_is_named(control, key, rule, field):
    with pytest.raises(Invalid) as caught:
        control.do("segment.create", key, {"rule": rule}, warrant())
    assert any(field in problem.field for problem in caught.value.problems)
    assert control.snapshot().installation.segments == {}


def test_a_segment_that_is_asked_for_stays(control, sqlite_database):
    control.do("segment.create", "fans", FANS, warrant())
    rule = {"key": "lift", "action": "boost", "factor": 2.0, "when": {"user.segments": {"$elemMatch": {"$eq": "fans"}}}}
    control.do("rule.create", "lift", {"rule": rule}, warrant())
    with sqlite_database.read() as read:
        tag = etag_of(read, "fans")
    with pytest.raises(Conflict, match="rule lift"):
        control.do("segment.delete", "fans", {}, warrant(etag=tag))


def test_a_standard_segment_is_changed_and_put_back(control, sqlite_database):
    with sqlite_database.read() as read:
        tag = etag_of(read, "new")
    with pytest.raises(Conflict, match="enabled false"):
        control.do("segment.delete", "new", {}, warrant(etag=tag))
    younger = {"rule": {"measure": "age_days", "below": 3.0, "title": "Three days."}}
    made = control.do("segment.edit", "new", younger, warrant(etag=tag))
    control.do("segment.delete", "new", {}, warrant(etag=made.etag))
    with sqlite_database.read() as read:
        assert etag_of(read, "new") == tag


def test_small_groups_are_blurred_for_marketers_and_no_whole_gives_them_away(sqlite_database, control):
    sizes = [("new", 49), ("casual", 50), ("cohort.2025-09", 30), ("cohort.2025-10", 60), ("cohort.2025-11", 900)]
    with sqlite_database.write() as write:
        segments.save(write, counted(*sizes))
    with sqlite_database.read() as read:
        exact = {view.key: view for view in audience(read, exact=True).segments}
        blurred = {view.key: view for view in audience(read, exact=False).segments}
    assert {key: exact[key].people for key, _ in sizes} == dict(sizes)
    assert blurred["new"].people is None
    assert blurred["new"].confidence is None
    assert "Fewer than 50" in blurred["new"].sentence
    assert blurred["casual"].people == 50
    assert [blurred[f"cohort.2025-{month}"].people for month in ("09", "10", "11")] == [None, None, 900]
    assert exact["cohort.2025-09"].title == "First seen in September 2025."


def test_routes_tell_the_same_under_every_name(people, sqlite_database):
    with sqlite_database.write() as write:
        segments.save(write, counted(("new", 49), ("power", 700)))
    mary, olga = people("mary", "marketer"), people("olga", "ops")
    for path in ("/segments", "/personalization/segments", "/analytics/segment-performance"):
        told = {view["key"]: view["people"] for view in mary.get(path).json()["segments"]}
        assert told["new"] is None
        assert told["power"] == 700
        assert {view["key"]: view["people"] for view in olga.get(path).json()["segments"]}["new"] == 49
    assert mary.get("/segments/history").json()["segments"]["new"][-1]["people"] is None
    assert mary.post("/segments", json={"key": "fans", **FANS, **WHY}).status_code == 201
    shown = mary.get("/segments/fans")
    assert shown.json()["segment"]["sentence"] == "Not counted yet."
    assert shown.headers["etag"].strip('"') == shown.json()["etag"]
    assert mary.get("/segments/nothing").status_code == 404
    behaviour = mary.get("/analytics/user-behavior").json()
    assert behaviour["audience"]["people"] == 1000
    assert {one["name"] for one in behaviour["forecasts"]} >= {"churn", "value", "next_action"}
    assert all(one["verdict"] == "unknown" for one in behaviour["forecasts"])
    assert mary.post("/analytics/person", json={"subject": "u", **WHY}).status_code == 403


@pytest.fixture
def lived(control, context, sqlite_database, keys, clock):
    """A lake of a crowd whose people have raw ids u0, u1, …; models of churn and of the next action in service."""
    settings = installation(
        events=standard_events(),
        consent_default={"demo": {"tracking": "allow", "personalization": "allow", "profiling": "allow"}},
    )
    with sqlite_database.write() as write:
        documents.save(write, INSTALLATION, settings)
    control.do("kill.on", "kill_switch", {}, warrant())
    acts = crowd(300, seed=5)
    names = Salts(sqlite_database, keys.lookup).resolve([f"u{person}" for person in range(300)])
    events = [
        Event(
            event_id=f"e{row}",
            type=acts.types[acts.type[row]],
            at=int(acts.at[row]),
            received_at=int(acts.at[row]),
            subject=names[f"u{acts.person[row]}"],
            item=f"i{acts.item[row]}",
            value=float(acts.value[row]) or None,
        )
        for row in range(len(acts))
    ]
    with sqlite_database.write() as write:
        staged = context.lake.stage(
            "events", replica="r", log="l", from_seq=1, to_seq=len(events), origin="live", records=events
        )
        context.lake.register(write, staged, now=START)
    items = [Item(item_id=f"i{number}", attributes={"creator": f"c{number % 4}"}) for number in range(40)]
    with sqlite_database.write() as write:
        catalogue.upsert(write, items, now=START)
    clock.at = START + DAYS * DAY
    for train in (train_churn, train_next_action, train_creators):
        model = train(sqlite_database, context.lake, context.home, now=clock.at, seed=1, origins=("live",))
        with sqlite_database.write() as write:
            registry.promote(write, model.name, model.version)
    return names


def test_one_person_is_told_of_with_factors_and_the_look_up_is_in_the_ledger(lived, people, sqlite_database, clock):
    dora = people("dora", "data_scientist")
    told = dora.post("/analytics/person", json={"subject": "u7", **WHY}).json()
    assert 0.0 <= told["forecasts"]["churn"]["value"] <= 1.0
    assert told["forecasts"]["churn"]["factors"][0]["words"]
    assert told["forecasts"]["churn"]["proof"]
    assert sum(told["forecasts"]["next_action"]["chances"].values()) == pytest.approx(1.0)
    assert told["forecasts"]["next_action"]["value"] in told["forecasts"]["next_action"]["chances"]
    viewed = told["forecasts"]["creators"]["creators"]
    assert [one["chance"] for one in viewed] == sorted((one["chance"] for one in viewed), reverse=True)
    assert {one["creator"] for one in viewed} <= {"c0", "c1", "c2", "c3"}
    assert any(one["key"].startswith("cohort.") for one in told["segments"])
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert entry.action == "subject.look_up"
    assert "u7" not in entry.object_key
    assert lived["u7"] not in entry.object_key
    assert dora.get("/personalization/insights/u7").json()["forecasts"] == told["forecasts"]
    assert dora.post("/analytics/person", json={"subject": "nobody", **WHY}).status_code == 404


def test_who_takes_profiling_back_is_told_of_no_more(lived, people, context, sqlite_database, clock):
    with sqlite_database.write() as write:
        consent.append(
            write,
            subject=lived["u7"],
            purpose=Purpose.PROFILING,
            state="denied",
            reason="",
            source="",
            actor="",
            at=clock.at,
        )
    answer = people("dora", "data_scientist").post("/analytics/person", json={"subject": "u7", **WHY})
    assert answer.status_code == 404
    assert "did not agree" in answer.json()["detail"]
    found = insights(sqlite_database, context.lake, context.home, subject=lived["u8"], now=clock.at + MINUTE)
    assert found is not None
    assert np.isfinite(found["forecasts"]["churn"]["value"])


def test_an_unknown_person_is_not_made(control, sqlite_database, keys):
    assert control.look_up("stranger", warrant()) is None
    assert Salts(sqlite_database, keys.lookup).find("stranger") is None
    with pytest.raises(Forbidden):
        control.look_up("stranger", warrant("mary", "marketer"))
    with pytest.raises(Invalid):
        control.look_up("", warrant())
