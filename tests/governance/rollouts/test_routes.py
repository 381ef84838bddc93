"""Gated rollouts over the control API, as people of several roles call it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.api.app import create_app
from governance.api.context import ControlContext
from governance.control import Control
from storage import policies
from storage.database import Database
from storage.keys import Keys
from storage.lake import Lake
from tests.governance.conftest import REASON, Clock
from tests.governance.served import People, serving

from .begun import PLAN
from .traffic import Traffic

WHY = {"reason": REASON}


@pytest.fixture
def people(stand: Control, sqlite_database: Database, keys: Keys, home: Path, lake: Lake) -> Iterator[People]:
    context = ControlContext(
        control=stand, database=sqlite_database, keys=keys, home=home, environment="test", solo=False, lake=lake
    )
    with serving(create_app(context)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield People(stand, client)


def begun(people: People, plan: dict[str, Any]) -> str:
    anna, bert = people("anna"), people("bert")
    change = anna.post("/changes", json={"kind": "rollout.start", "key": "home", "payload": plan, **WHY}).json()
    key = change["change_id"]
    assert anna.post(f"/changes/{key}/submit", json=WHY).is_success
    assert bert.post(f"/changes/{key}/approve", json=WHY).is_success
    outcome = anna.post(f"/changes/{key}/apply", json={**WHY, "confirm": "home"})
    assert outcome.is_success, outcome.text
    return str(outcome.json()["after"]["rollout_id"])


def test_a_rollout_is_announced_refused_begun_watched_and_taken_back(
    people: People, traffic: Traffic, turn: Any, clock: Clock, sqlite_database: Database
) -> None:
    anna, ops, mia = people("anna"), people("olga", "ops"), people("mia", "marketer")
    told = mia.post("/rollouts/preview", json={"policy": "home", "plan": PLAN}).json()
    assert len(told["announced"]) == 2 and told["decisions"] == sum(told["announced"])
    assert (told["rate_from"], told["preflight"]["verdict"]) == ("plan", "unknown")
    at_once = anna.post("/rollouts", json={"policy": "home", "plan": PLAN, **WHY, "confirm": "home"})
    assert (at_once.status_code, at_once.json()["code"]) == (409, "FL-1407")
    wrong = mia.post("/rollouts/preview", json={"policy": "home", "plan": {**PLAN, "steps": [3, 100]}})
    assert (wrong.status_code, wrong.json()["problems"][0]["field"]) == (422, "steps")

    key = begun(people, PLAN)
    traffic.come(2_000, clock.at)
    turn()
    view = ops.get(f"/rollouts/{key}")
    assert view.headers["etag"] and view.json()["latest"]["findings"][0]["gate"] == "slo"
    by_group = anna.get(f"/rollouts/{key}").json()["latest"]
    assert by_group["evidence"]["steps"][0]["groups"]
    hidden = mia.get(f"/rollouts/{key}/looks").json()["looks"][0]
    assert not hidden["evidence"]["steps"][0]["groups"]
    fair = next(each for each in hidden["findings"] if each["gate"] == "fairness")
    assert not fair["figures"] and "user_feature_0" not in str(hidden["findings"][3])
    assert mia.get(f"/rollouts/{key}/looks/1/replay").json()["verdict"] == "exact"
    assert mia.get(f"/rollouts/{key}/looks/99/replay").status_code == 404
    assert mia.post(f"/rollouts/{key}/pause", json=WHY).status_code == 403
    assert ops.post(f"/rollouts/{key}/pause", json=WHY).json()["state"] == "paused"
    assert ops.post(f"/rollouts/{key}/pause", json=WHY).status_code == 409
    assert ops.post(f"/rollouts/{key}/resume", json=WHY).json()["state"] == "running"
    assert ops.post(f"/rollouts/{key}/let-go", json=WHY).status_code == 409
    assert ops.post(f"/rollouts/{key}/roll-back", json=WHY).json()["state"] == "rolled_back"
    assert [row["state"] for row in mia.get("/rollouts", params={"policy": "home"}).json()["rollouts"]] == [
        "rolled_back"
    ]
    assert mia.get("/rollouts", params={"state": "running"}).json()["rollouts"] == []
    assert mia.get("/rollouts/none").status_code == 404


def test_the_last_step_is_let_go_by_somebody_else(people: People, sqlite_database: Database, stand: Control) -> None:
    key = begun(people, {**PLAN, "last_step": "ask"})
    from storage import rollouts

    with sqlite_database.write() as write:
        known = rollouts.find(write, key)
        assert known is not None
        rollouts.save(write, replace(known, state="asking"))
    assert people("anna").post(f"/rollouts/{key}/let-go", json=WHY).status_code == 403
    assert people("bert").post(f"/rollouts/{key}/let-go", json=WHY).json()["percent"] == 50.0
    with sqlite_database.read() as read:
        head = policies.head(read, "home")
    assert head is not None and head.rollout is not None and head.rollout.percent == 50.0
