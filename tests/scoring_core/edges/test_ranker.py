"""A real trained ranker behind the routes: it serves, it falls back, it is explained exactly, it replays exactly."""

from collections.abc import Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from scoring_core.scorers.gbdt import digest, member_file
from storage import registry
from storage.records import clock
from storage.records.models import ModelVersion
from storage.records.policies import ConfidenceRule, Exploration, Policy, PolicyState, ScorerChoice
from tests.scoring_core.edges.running import SNAPSHOT, Installed, Running, install, running

FEATURES = ("item.price", "item.colour", "context.age", "context.mood", "user.affinity", "user.3", "stat.ctr")
CATEGORIES = {"item.colour": ("red", "blue"), "context.mood": ("calm", "wild")}


def add_model(installed: Installed, version: str, *, seed: int, members: int = 4) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(2_000, len(FEATURES)))
    table[:, [1, 3]] = rng.integers(0, 2, (2_000, 2))
    table[:, 0] = rng.integers(0, 12, 2_000)
    table[rng.random(2_000) < 0.3, 4:6] = np.nan
    clicked = (rng.random(2_000) < 1 / (1 + np.exp(-(table[:, 0] - 6) / 3))).astype(int)
    texts = []
    for member in range(members):
        rows = rng.integers(0, 2_000, 2_000)
        data = lightgbm.Dataset(table[rows], clicked[rows], free_raw_data=False)
        parameters = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1, "seed": member}
        texts.append(lightgbm.train(parameters, data, 8).model_to_string())
    folder = Path("models") / "ranker" / version
    (installed.home / folder).mkdir(parents=True)
    for member, text in enumerate(texts):
        (installed.home / folder / member_file(member)).write_text(text)
    model = ModelVersion(
        name="ranker",
        version=version,
        created_at=clock.now(),
        path=str(folder),
        digest=digest(texts),
        features=FEATURES,
        categories=CATEGORIES,
        members=members,
        trees=8 * members,
    )
    with installed.database.write() as write:
        registry.register(write, model)
        registry.promote(write, "ranker", version)


def policy(version: int, **changes: object) -> PolicyState:
    made = Policy(
        surface="home",
        scorer=ScorerChoice(name="gbdt", parameters={"model": "ranker"}),
        exploration=Exploration(epsilon=0.2),
        **changes,  # type: ignore[arg-type]  # fields of a policy
    )
    return PolicyState(key="home", surface="home", stable=version, versions={version: made})


SERVING = {"home": policy(1, confidence=ConfidenceRule(when_uncalibrated="model"))}


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = install(tmp_path_factory.mktemp("ranked"))
    add_model(made, "1", seed=1)
    made.publish(SNAPSHOT, policies=SERVING, models={"ranker": "1"})
    with running(made) as engine:
        yield engine
    made.database.close()


def ask(engine: Running, **more: object) -> dict:
    return engine.decide(subject="u-1", slots=5, context={"age": 30, "mood": "wild"}, **more)


def test_the_ranker_serves_and_is_explained_exactly(ranked: Running) -> None:
    ranked.client.post("/v1/events", json={"type": "click", "item": "item-3", "subject": "u-1"})
    answer = ask(ranked)
    assert (answer["served_by"], answer["model"]) == ("model", {"name": "ranker", "version": "1"})
    explained = ranked.client.get(f"/v1/decisions/{answer['decision_id']}/explanation").json()
    assert explained["attributions"] == "exact"
    assert [item["item"] for item in explained["items"]] == [item["item"] for item in answer["items"]]
    for told, shown in zip(explained["items"], answer["items"], strict=True):
        assert told["score"] == shown["score"]
        assert told["sum"] == pytest.approx(told["score"], abs=1e-9)
        parts = sum(each["contribution"] for each in told["contributions"])
        assert told["base"] + parts + told["other_features"] == pytest.approx(told["score"], abs=1e-9)
        assert {each["feature"] for each in told["contributions"]} <= set(FEATURES)
        assert told["sentences"]


def test_every_decision_replays_exactly_while_items_move(ranked: Running) -> None:
    decisions = []
    for n in range(40):
        ranked.client.post("/v1/events", json={"type": "click", "item": f"item-{n % 12}", "subject": "u-1"})
        decisions.append(ask(ranked, candidates=[f"item-{(n + k) % 14}" for k in range(9)])["decision_id"])
        if n == 20:
            ranked.until(lambda: not ranked.replica.popularity.waiting())
    for decision_id in decisions:
        verdict = ranked.client.get(f"/v1/decisions/{decision_id}/replay").json()
        assert verdict["verdict"] == "exact", verdict


def test_a_new_model_and_a_new_policy_take_over_and_old_decisions_still_replay(ranked: Running) -> None:
    installed = ranked.installed
    before = ask(ranked)
    add_model(installed, "2", seed=2)
    installed.publish(SNAPSHOT, policies=SERVING, models={"ranker": "2"})
    ranked.until(lambda: (ask(ranked)["model"] or {}).get("version") == "2")
    fallback = {"home": policy(2)}
    installed.publish(SNAPSHOT, policies=fallback, models={"ranker": "2"})
    ranked.until(lambda: ask(ranked)["served_by"] == "fallback")
    after = ask(ranked)
    assert (after["reason"], after["confidence"]) == ("uncalibrated", None)
    for decision in (before, after):
        verdict = ranked.client.get(f"/v1/decisions/{decision['decision_id']}/replay").json()
        assert verdict["verdict"] == "exact", verdict
    explained = ranked.client.get(f"/v1/decisions/{before['decision_id']}/explanation").json()
    assert explained["model"]["version"] == "1"
    assert explained["attributions"] == "exact"
    installed.publish(SNAPSHOT, policies=SERVING, models={"ranker": "2"})
    ranked.until(lambda: ask(ranked)["served_by"] == "model")


def test_a_record_that_was_changed_does_not_replay(ranked: Running) -> None:
    answer = ask(ranked)
    record = ranked.replica.history.decision(answer["decision_id"])
    assert record is not None
    recalled = ranked.replica.history.recall(record)
    assert recalled.model is not None
    assert recalled.items is not None
    from msgspec.structs import replace as altered

    from scoring_core.replay import replay

    parts = {"snapshot": recalled.snapshot, "model": recalled.model, "shelf": recalled.shelf, "items": recalled.items}
    assert replay(record, **parts).verdict == "exact"
    assert replay(altered(record, rng_seed=record.rng_seed ^ 1), **parts).verdict == "mismatch"
    assert replay(record, **{**parts, "model": None}).verdict == "unavailable"
