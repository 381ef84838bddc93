"""Bandits that learn on a running engine: from events as they come, and through hourly retraining from the lake."""

from dataclasses import replace

import numpy as np
import pytest

from collectors.client import Client
from collectors.journal import poll_journal
from collectors.targets import targets
from scoring_core.learning.retrain import STEPS, Retraining, retrain
from storage import registry
from storage.lake import Lake
from storage.records import clock
from storage.records.clock import DAY
from storage.records.policies import Exploration, Policy, PolicyState, ScorerChoice, Source
from tests.scoring_core.edges.running import POLICY, SNAPSHOT, Running, install, running

pytestmark = pytest.mark.e2e

ARMS = 4
RATES = (0.1, 0.15, 0.6, 0.05)
MOODS = {"calm": 0, "wild": 3}
"""The mood's own best item; it is clicked six times as often as the others."""


def policy(scorer: str, *, epsilon: float = 0.0, **parameters: object) -> Policy:
    return replace(
        POLICY,
        scorer=ScorerChoice(name=scorer, parameters=parameters),
        sources=(Source(name="catalogue"),),
        exploration=Exploration(epsilon=epsilon),
        join_window_s=60,
    )


def states(document: Policy) -> dict[str, PolicyState]:
    return {"home": PolicyState(key="home", surface="home", stable=1, versions={1: document})}


def live(engine: Running, rng: np.random.Generator, rounds: int, rate) -> list[tuple[str, str, float]]:
    """Let people come: each is shown one item and clicks it or not; return mood, item and propensity of each."""
    seen, events = [], []
    for turn in range(rounds):
        mood = str(rng.choice(list(MOODS)))
        answer = engine.decide(subject=f"u-{turn}", slots=1, context={"mood": mood})
        shown = answer["items"][0]
        seen.append((mood, shown["item"], shown["propensity"]))
        about = {"decision_id": answer["decision_id"], "item": shown["item"], "subject": f"u-{turn}"}
        events.append({"type": "impression", **about})
        if rng.random() < rate(mood, int(shown["item"].removeprefix("item-"))):
            events.append({"type": "click", **about})
        if turn % 25 == 24 or turn == rounds - 1:
            assert engine.client.post("/v1/events", json=events).status_code == 202
            events = []
    return seen


def published(engine: Running) -> None:
    engine.until(lambda: not engine.replica.popularity.waiting())


@pytest.mark.parametrize("scorer", ["thompson", "epsilon_greedy"])
def test_item_bandits_move_to_the_better_arm_from_events_alone(home, scorer) -> None:
    installed = install(home, count=ARMS, snapshot=replace(SNAPSHOT, policies=states(policy(scorer))))
    rng = np.random.Generator(np.random.PCG64(8))
    with running(installed) as engine:
        first = live(engine, rng, 60, lambda _mood, arm: RATES[arm])
        for _ in range(5):
            published(engine)
            last = live(engine, rng, 60, lambda _mood, arm: RATES[arm])
        published(engine)
        answers = [engine.decide(subject="u-1", slots=1) for _ in range(10)]
        for answer in answers:
            verdict = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
            assert verdict["verdict"] == "exact", verdict
            assert 0.0 < answer["items"][0]["propensity"] <= 1.0
    best = [sum(item == "item-2" for _, item, _ in seen) / len(seen) for seen in (first, last)]
    assert best[1] > max(best[0], 0.7), best
    installed.database.close()


def matched(mood: str, arm: int) -> float:
    return 0.6 if MOODS[mood] == arm else 0.1


def test_a_linear_bandit_is_retrained_by_the_hour_and_learns_for_whom(home) -> None:
    """The engine lives two days ago, so that every window has closed when the hour strikes."""
    installed = install(home, count=ARMS, snapshot=replace(SNAPSHOT, policies=states(policy("null", epsilon=1.0))))
    rng = np.random.Generator(np.random.PCG64(9))
    lake = Lake(home / "lake")
    with running(installed, now=lambda: clock.now() - 2 * DAY, lease_s=60.0) as engine:
        before = live(engine, rng, 1_300, matched)
        with installed.database.read() as read:
            (target,) = targets(read, now=clock.now() - 2 * DAY)
        engine.written()
        while poll_journal(installed.database, lake, target, Client(engine.token), now=clock.now).more:
            pass

        def adopt(model, _verdict) -> int:
            with installed.database.write() as write:
                registry.promote(write, model.name, model.version)
            serving = states(policy("linear_thompson", model="bandit"))
            return installed.publish(SNAPSHOT, policies=serving, models={"bandit": model.version}).revision

        run = Retraining(
            database=installed.database,
            lake=lake,
            home=home,
            now=clock.now(),
            seed=1,
            origins=("live",),
            adopt=adopt,
        )
        steps = tuple(step for step in STEPS if step.name == "bandit")
        (step,) = retrain(run, cadence="minor", steps=steps)["steps"]
        assert (step["state"], step["promotion"]["promoted"]) == ("trained", True), step
        engine.until(lambda: (engine.decide(subject="u-1", context={"mood": "calm"})["model"] or {}).get("version"))
        after = live(engine, rng, 200, matched)
        answer = engine.decide(subject="u-1", slots=4, context={"mood": "wild"})
        assert answer["served_by"] == "model"
        verdict = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
        assert verdict["verdict"] == "exact", verdict
        record = engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()
        assert record["propensity_kind"] == "conditional"
    hits = [sum(item == f"item-{MOODS[mood]}" for mood, item, _ in seen) / len(seen) for seen in (before, after)]
    assert hits[0] == pytest.approx(0.25, abs=0.05)
    assert hits[1] > 0.75, hits
    installed.database.close()
