"""What control shows of decisions, models and audits."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.api.hours import within
from governance.control import Control
from governance.diff import diff
from storage import catalogue, findings, receipts, registry
from storage.database import Database
from storage.errors import Conflict, Invalid
from storage.keys import Keys
from storage.lake import Lake
from storage.records import clock as wall
from storage.records.changes import Receipt
from storage.records.clock import DAY, HOUR, MINUTE
from storage.records.decisions import Decision
from storage.records.findings import Audit
from storage.records.items import Item
from storage.records.models import ModelVersion
from storage.records.policies import Exploration
from storage.records.rules import Rule

from .conftest import REASON, policy, warrant
from .served import People, serving

MONDAY = 1_573_430_400_000_000  # 2019-11-11 00:00 UTC


@pytest.fixture
def people(control: Control, sqlite_database: Database, keys: Keys, home: Path, lake: Lake) -> Iterator[People]:
    context = ControlContext(
        control=control,
        database=sqlite_database,
        keys=keys,
        home=home,
        environment="test",
        solo=False,
        lake=lake,
        engine_token="fl_engine",
    )
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield People(control, client)


def decision(number: int, at: int, **more: object) -> Decision:
    return Decision(
        **{
            "decision_id": f"d-{number}", "at": at, "replica": "engine-0", "subject": None, "session": None,
            "sequence": 0, "surface": "home", "campaign": "men", "slots": 2, "revision": 1, "consent_epoch": 0,
            "policy": "home", "version": 1, "bucket": 0.5, "served_by": "model", "reason": "model",
            "context": {"user_feature_0": "a", "od/d~": "x"}, "items": ("shoe", "hat"), "propensity": (0.9, 0.1),
            "candidates": np.array([1, 0], "<u4").tobytes(), "scores": np.array([0.5, np.nan], "<f8").tobytes(),
            "ranking": np.array([0, 1], "<u2").tobytes(), "rng_seed": 2**63 + 1, "input_digest": b"\x01",
            **more,
        }
    )  # fmt: skip


@pytest.fixture
def decided(sqlite_database: Database, lake: Lake) -> list[Decision]:
    """A day of decisions, one an hour, in the lake."""
    made = [decision(hour, MONDAY + hour * HOUR + MINUTE) for hour in range(24)]
    made.append(decision(99, MONDAY + 5 * HOUR, campaign="women", items=("hat", "shoe"), context={}))
    made.append(decision(100, MONDAY + 6 * HOUR, items=("sock",), positions=(3,), origin="imported"))
    staged = lake.stage(
        "decisions", replica="engine-0", log="l", from_seq=1, to_seq=len(made), origin="live", records=made
    )
    with sqlite_database.write() as write:
        lake.register(write, staged, now=wall.now())
        catalogue.upsert(write, [Item(item_id="hat"), Item(item_id="shoe")], now=wall.now())
    return made


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"campaign": "men", "hour": 5}, ["d-5"]),
        ({"hour": 5}, ["d-5", "d-99"]),
        ({"hour": 6, "zone": "Europe/Berlin"}, ["d-5", "d-99"]),
        ({"weekday": 1}, []),
        ({"weekday": 0, "hour": 23}, ["d-23"]),
        ({"item": "hat", "position": 1}, ["d-99"]),
        ({"item": "sock", "position": 3}, ["d-100"]),
        ({"item": "sock"}, ["d-100"]),
        ({"position": 3}, ["d-100"]),
        ({"origin": "imported"}, ["d-100"]),
        ({"attribute": "od/d~", "value": "x", "limit": 1}, ["d-23"]),
        ({"attribute": "user_feature_0", "value": "b"}, []),
    ],
)
def test_decisions_behind_a_cell(
    people: People, decided: list[Decision], query: dict[str, object], ids: list[str]
) -> None:
    asked = {"start": MONDAY, "end": MONDAY + DAY, **query}
    answer = people("dora", "data_scientist").get("/decisions", params=asked)
    assert answer.status_code == 200, answer.text
    assert [one["decision_id"] for one in answer.json()["decisions"]] == ids


def test_one_decision_from_the_lake(people: People, decided: list[Decision]) -> None:
    answer = people("dora", "data_scientist").get("/decisions/d-5").json()
    shown = answer["decision"]
    assert answer["from"] == "lake"
    assert shown["candidates"] == ["shoe", "hat"] and shown["scores"] == [0.5, None] and shown["ranking"] == [0, 1]
    assert shown["rng_seed"] == str(2**63 + 1) and shown["context"]["user_feature_0"] == "a"
    assert shown["personal_features"] is False and "user_vector" not in shown


def test_what_the_lake_does_not_hold_is_asked_of_engines(people: People, sqlite_database: Database) -> None:
    asked: list[tuple[str, str]] = []

    async def engine(request: Request) -> Response:
        asked.append((request.url.path, request.headers["authorization"]))
        known = request.path_params["id"] == "young"
        return JSONResponse({"said": request.url.path, "user_vector": [1.0]}, status_code=200 if known else 404)

    app = Starlette(routes=[Route("/v1/decisions/{id}", engine), Route("/v1/decisions/{id}/{what}", engine)])
    with serving(app) as url:
        for name, address in (("dead", "http://127.0.0.1:1"), ("alive", url)):
            at = wall.now()
            receipt = Receipt(replica=name, boot_id="b", url=address, revision=1, consent_epoch=0, at=at, started_at=at)
            with sqlite_database.write() as write:
                receipts.report(write, receipt)
        dora = people("dora", "data_scientist")
        assert dora.get("/decisions/young").json() == {
            "decision": {"said": "/v1/decisions/young", "personal_features": True},
            "from": "engine",
        }
        assert dora.get("/decisions/young/explanation").json()["said"] == "/v1/decisions/young/explanation"
        assert dora.get("/decisions/young/replay").json()["said"] == "/v1/decisions/young/replay"
        assert dora.get("/decisions/unknown").status_code == 404
        assert dora.get("/decisions/unknown/replay").status_code == 404
    assert {token for _path, token in asked} == {"Bearer fl_engine"}
    assert dora.get("/decisions/young/replay").status_code == 503
    assert dora.get("/decisions/..%2f..%2fmetrics").status_code in {404, 422}


def test_hours_follow_the_clock_of_their_zone() -> None:
    spring = 1_774_738_800_000_000  # 2026-03-28 23:00 UTC, midnight in Berlin, the night that lacks an hour
    assert within(spring, spring + DAY, zone="Europe/Berlin", hour=2) == ()
    assert within(spring, spring + DAY, zone="Europe/Berlin", hour=3) == ((spring + 2 * HOUR, spring + 3 * HOUR),)
    assert within(spring, spring + DAY, zone="Asia/Kathmandu", hour=5)[0][0] % HOUR == 15 * MINUTE
    with pytest.raises(Invalid):
        within(0, 401 * DAY, zone="UTC")
    with pytest.raises(Invalid):
        within(5, 5, zone="UTC")


def model(version: str, created_at: int) -> ModelVersion:
    return ModelVersion(
        name="ranker", version=version, created_at=created_at, path=f"models/ranker/{version}", digest="d",
        features=("context.a",), members=1, trees=1,
    )  # fmt: skip


def test_models_reach_the_snapshot(people: People, control: Control, sqlite_database: Database) -> None:
    with sqlite_database.write() as write:
        for number in (1, 2):
            registry.register(write, model(f"v{number}", number))
    olga, bert = people("olga", "ops"), people("bert", "ops")
    first = olga.post("/models/ranker/promote", json={"version": "v1", "reason": REASON})
    assert first.status_code == 200 and first.json()["level"] == "D1"
    assert olga.get("/models").json()["in_service"] == {"ranker": "v1"}
    snapshot = control.snapshot()
    assert snapshot is not None and dict(snapshot.models) == {"ranker": "v1"}
    second = olga.post("/models/ranker/promote", json={"version": "v2", "reason": REASON, "confirm": "ranker"})
    assert second.status_code == 409 and second.json()["code"] == "FL-1407"
    assert olga.post("/models/ranker/promote", json={"version": "v9", "reason": REASON}).status_code == 409
    proposal = {"kind": "model.promote", "key": "ranker", "payload": {"version": "v2"}, "reason": REASON}
    path = f"/changes/{olga.post('/changes', json=proposal).json()['change_id']}"
    olga.post(f"{path}/submit", json={"reason": REASON})
    bert.post(f"{path}/approve", json={"reason": REASON})
    assert olga.post(f"{path}/apply", json={"reason": REASON, "confirm": "ranker"}).status_code == 200
    snapshot = control.snapshot()
    assert snapshot is not None and dict(snapshot.models) == {"ranker": "v2"}


def test_what_training_put_in_service_is_published_once(control: Control, sqlite_database: Database) -> None:
    with sqlite_database.write() as write:
        registry.register(write, model("v1", 1))
        registry.promote(write, "ranker", "v1")
    revision = control.publish_models(warrant("trainer"))
    snapshot = control.snapshot()
    assert snapshot is not None and dict(snapshot.models) == {"ranker": "v1"} and snapshot.revision == revision
    assert control.publish_models(warrant("trainer")) == revision


def test_a_model_is_rolled_back_in_one_step_by_one_person(
    people: People, control: Control, sqlite_database: Database
) -> None:
    with sqlite_database.write() as write:
        for number in (1, 2, 3):
            registry.register(write, model(f"v{number}", number))
        registry.promote(write, "ranker", "v1")
    control.publish_models(warrant("trainer"), judged={"ranker": "v2"})
    olga = people("olga", "ops")
    assert olga.post("/models/ranker/rollback", json={"reason": "short"}).status_code == 422
    answer = olga.post("/models/ranker/rollback", json={"reason": REASON})
    assert answer.status_code == 200 and answer.json()["level"] == "safe"
    assert answer.json()["after"] == {"version": "v1", "withdrawn": "v2"}
    snapshot = control.snapshot()
    assert snapshot is not None and dict(snapshot.models) == {"ranker": "v1"}
    standings = {one["version"]: one for one in olga.get("/models").json()["standings"]}
    assert standings["v1"]["in_service"] and standings["v2"]["withdrawn_at"] is not None
    with pytest.raises(Conflict, match="rolled back"):
        control.publish_models(warrant("trainer"), judged={"ranker": "v3"})
    assert olga.post("/models/ranker/rollback", json={"reason": REASON}).status_code == 409
    assert people("mary", "marketer").post("/models/ranker/rollback", json={"reason": REASON}).status_code == 403


def test_audits_and_their_files(people: People, sqlite_database: Database, home: Path) -> None:
    (home / "audits" / "a-1").mkdir(parents=True)
    (home / "audits" / "a-1" / "report.html").write_text("<script>alert(1)</script>")
    audit = Audit(
        audit_id="a-1", kind="drift", job_id="j", at=5, verdict="warn", sentence="audience changed", population={},
        result={"rows": []},
        artifacts={
            "report": "audits/a-1/report.html", "gone": "audits/a-1/gone.html", "keys": "keys/admin.token",
            "up": "audits/../keys/admin.token", "absolute": "/etc/passwd",
        },
    )  # fmt: skip
    with sqlite_database.write() as write:
        findings.save(write, audit)
    mary, dora = people("mary", "marketer"), people("dora", "data_scientist")
    assert mary.get("/audits", params={"kind": "drift"}).json()["audits"] == [
        {"audit_id": "a-1", "kind": "drift", "at": 5, "verdict": "warn", "sentence": "audience changed"}
    ]
    assert mary.get("/audits/a-1").status_code == 403
    assert dora.get("/audits/a-1").json()["result"] == {"rows": []}
    report = dora.get("/audits/a-1/artifacts/report")
    assert report.status_code == 200 and report.headers["content-disposition"].startswith("attachment")
    assert report.headers["content-security-policy"] == "sandbox"
    for name in ("gone", "keys", "up", "absolute", "nothing"):
        assert dora.get(f"/audits/a-1/artifacts/{name}").status_code == 404, name


def test_differences_in_words() -> None:
    rule = Rule(key="new", action="boost", factor=2.0)
    found = diff(policy(), policy(exploration=Exploration(epsilon=0.2), rules=(rule,), filters={"x": 1}))
    assert {one.path for one in found} >= {"exploration.epsilon", "filters", "rules[new].factor"}
    sentences = {one.path: one.sentence for one in found}
    assert sentences["exploration.epsilon"] == "The share of slots given to exploration goes from 0.05 to 0.2"
    assert sentences["rules[new].factor"] == "rules[new].factor is new: 2.0"
    assert diff(policy(), policy()) == ()
    assert diff(policy(rules=(rule,)), policy())[0].after is None


def test_a_change_tells_what_it_needs(people: People, build: Callable[..., Control]) -> None:
    anna = people("anna")
    body = {"kind": "policy.rollout", "key": "home", "payload": {"version": 2, "percent": 50}, "reason": REASON}
    change = anna.post("/changes", json=body).json()
    assert change["needs"] == 1 and change["ready_at"] is None and change["payload"]["percent"] == 50
    assert anna.get("/changes", params={"state": "draft"}).json()["changes"] == [change]
    assert anna.post("/changes", json={**body, "kind": "best"}).status_code == 422
    assert anna.post("/changes", json={**body, "key": "nothing"}).status_code == 404
