"""Models trained on their own by a job: put in service by control, and at work in an engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fairlead import jobs as work
from fairlead.settings import Settings
from storage import documents, policies, revisions
from storage.lake import Lake
from storage.policies import PolicyHead
from storage.records.policies import Attribute, ConfidenceRule, ScorerChoice, Source
from tests.scoring_core.edges.running import INSTALLATION, POLICY, SNAPSHOT, Running, install, running
from tests.scoring_core.learning.test_stream import put, slates
from tests.tastes import EVENTS, START, item, tell

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TRAINED = ("factors", "hybrid", "lambdarank")
HOME = INSTALLATION.surfaces["home"]
SURFACES = {"home": replace(HOME, context={**HOME.context, "taste": Attribute(type="string")})}
ORDERED = replace(
    POLICY,
    sources=(Source(name="hybrid", quota=10), Source(name="factors", quota=10), Source(name="catalogue", quota=40)),
    scorer=ScorerChoice(name="gbdt", parameters={"model": "lambdarank"}),
    confidence=ConfidenceRule(when_uncalibrated="model", threshold=0.0),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, dict[str, Any]]]:
    home: Path = tmp_path_factory.mktemp("trained")
    installation = replace(INSTALLATION, events=EVENTS, surfaces=SURFACES)
    installed = install(home, count=0, snapshot=replace(SNAPSHOT, installation=installation, policies={}))
    with installed.database.write() as write:
        documents.save(write, "installation", installation)
        policies.add_version(write, "home", document=ORDERED, author="test", note="", at=START)
        policies.save(write, PolicyHead(key="home", surface="home", stable=1))
    lake = Lake(home / "lake")
    tell(installed.database, lake)
    put(installed.database, lake, *slates(1_500))
    settings = Settings(home=home, job_seconds=300)
    results = {name: work.run_now(settings, "train", {"model": name, "origins": ["imported"]}) for name in TRAINED}
    with running(installed, lease_s=30.0) as engine:
        yield engine, results
    installed.database.close()


def test_each_is_judged_and_put_in_service_by_control(trained: tuple[Running, dict[str, Any]]) -> None:
    engine, results = trained
    with engine.installed.database.read() as read:
        snapshot = revisions.load(read)
    assert snapshot is not None
    for name in TRAINED:
        assert results[name]["promoted"], results[name]
        assert results[name]["evaluation"].startswith("Better than popularity")
        assert snapshot.models[name] == results[name]["version"]


def test_lambdarank_orders_what_factors_and_hybrid_bring(trained: tuple[Running, dict[str, Any]]) -> None:
    engine, results = trained
    told = [{"type": "click", "item": item(number).item_id, "subject": "emma"} for number in (0, 4, 8)]
    assert engine.client.post("/v1/events", json=told).status_code in (200, 202)
    answer = engine.decide(subject="emma", slots=6, context={"taste": "t2"})
    assert answer["served_by"] == "model"
    assert answer["model"] == {"name": "lambdarank", "version": results["lambdarank"]["version"]}
    record = engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert record["sources"]["hybrid"] > 0
    assert {name: results[name]["version"] for name in ("factors", "hybrid")} == record["retrievers"]
    explained = engine.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").json()
    assert explained["attributions"] == "exact"
    verdict = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert verdict["verdict"] == "exact", verdict
