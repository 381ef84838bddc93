"""Plugins that misbehave: slow, raising, of the wrong shape, broken; they are skipped, counted and shown, and what they
gave nothing to replays exactly."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest

from scoring_core.edges.circuits import Circuit
from scoring_core.edges.lanes import Lane
from scoring_core.edges.plugins import ids, outputs
from storage.errors import Invalid, Unavailable
from storage.records.policies import Policy, PolicyState, ScorerChoice, Source
from tests.scoring_core.edges.packages import install_trouble, on_path
from tests.scoring_core.edges.running import POLICY, SNAPSHOT, Running, install, running

LIMIT_S = 0.1


def policy(**changes: object) -> Policy:
    return replace(POLICY, sources=(Source(name="caller"), Source(name="catalogue")), **changes)  # type: ignore[arg-type]  # fields of a policy


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with on_path(install_trouble(tmp_path_factory.mktemp("trouble"))):
        made = install(tmp_path_factory.mktemp("home"))
        with running(made, plugin_s=LIMIT_S) as engine:
            yield engine
        made.database.close()


def serve(engine: Running, document: Policy) -> None:
    states = {"home": PolicyState(key="home", surface="home", stable=1, versions={1: document})}
    wanted = engine.installed.publish(SNAPSHOT, policies=states).revision
    engine.until(lambda: engine.client.get("/readyz").json()["revision"] == wanted)


def recorded(engine: Running, answer: dict) -> dict:
    found: dict = engine.client.get(f"/v1/decisions/{answer['decision_id']}").json()
    verdict = engine.client.get(f"/v1/decisions/{answer['decision_id']}/replay").json()
    assert verdict["verdict"] == "exact", verdict
    return found


ENRICHERS = {
    "slow": "timeout",
    "slow-async": "timeout",
    "blocking": "timeout",
    "raising": "error",
    "exiting": "error",
    "shapeless": "error",
}


def test_enrichers_that_fail_say_nothing_and_the_others_are_heard(engine: Running) -> None:
    serve(engine, policy(enrichers=(*ENRICHERS, "fine", "not-installed")))
    answer = engine.decide(subject="u-1")
    assert (answer["served_by"], answer["reason"]) == ("model", "ok")
    assert recorded(engine, answer)["plugins"] == {"fine.x": 2.0}
    shown = engine.replica.plugins.shown()
    assert {name: shown[f"enricher.{name}"][result] for name, result in ENRICHERS.items()} == dict.fromkeys(
        ENRICHERS, 1
    )
    assert shown["enricher.fine"]["ok"] == 1
    assert "secret" not in str(shown)


def test_after_five_failures_in_a_row_nothing_is_asked(engine: Running) -> None:
    serve(engine, policy(enrichers=("raising", "fine")))
    before = engine.replica.plugins.shown()["enricher.raising"]["error"]
    for _ in range(8):
        engine.decide(subject="u-1")
    shown = engine.replica.plugins.shown()["enricher.raising"]
    assert (shown["error"], shown["state"]) == (5, "open")
    assert shown["open_circuit"] == 8 - (5 - before)
    assert engine.client.get("/readyz").json()["plugins"]["enricher.raising"] == "open"
    text = engine.client.get("/metrics").text
    assert 'fairlead_circuit_state{dependency="enricher.raising"} 2.0' in text
    assert 'fairlead_dependency_requests_total{dependency="enricher.raising",result="open_circuit"}' in text


def test_sources_that_fail_bring_nothing(engine: Running) -> None:
    told = (Source(name="plugin", model="numbers"), Source(name="plugin", model="torn"), Source(name="catalogue"))
    serve(engine, replace(POLICY, sources=told))
    answer = engine.decide(subject="u-1")
    record = recorded(engine, answer)
    assert record["brought"] == {}
    assert record["sources"] == {"plugin.numbers": 0, "plugin.torn": 0, "catalogue": 12}
    shown = engine.replica.plugins.shown()
    assert (shown["source.numbers"]["error"], shown["source.torn"]["error"]) == (1, 1)


@pytest.mark.parametrize("how", ["raise", "short", "text", "nan", "slow"])
def test_a_scorer_that_fails_leaves_it_to_the_fallback(engine: Running, how: str) -> None:
    engine.replica.plugins._attached["scorer.moody"].circuit.worked()
    settings = {"plugin": "moody", "settings": {"how": how}}
    serve(engine, policy(scorer=ScorerChoice(name="plugin", parameters=settings)))
    answer = engine.decide(subject="u-1")
    assert (answer["served_by"], answer["reason"]) == ("fallback", "scorer_failed")
    assert len(answer["items"]) > 0
    recorded(engine, answer)
    expected = "timeout" if how == "slow" else "error"
    assert engine.replica.plugins.shown()["scorer.moody"][expected] >= 1
    if how == "slow":  # let the thread come back before the next test asks it
        engine.until(lambda: engine.replica.plugins._attached["scorer.moody"].lane._under_way == 0)


def test_a_scorers_circuit_opens_and_closes_again(engine: Running) -> None:
    attached = engine.replica.plugins._attached["scorer.moody"]
    attached.circuit.worked()
    broken = {"plugin": "moody", "settings": {"how": "raise"}}
    serve(engine, policy(scorer=ScorerChoice(name="plugin", parameters=broken)))
    for _ in range(7):
        assert engine.decide(subject="u-1")["served_by"] == "fallback"
    assert attached.shown()["state"] == "open"
    assert attached.shown()["open_circuit"] == 2
    good = {"plugin": "moody", "settings": {"how": "well"}}
    serve(engine, policy(scorer=ScorerChoice(name="plugin", parameters=good)))
    assert engine.decide(subject="u-1")["reason"] == "scorer_failed"
    attached.circuit._rest_s = 0.0
    answer = engine.decide(subject="u-1")
    assert (answer["served_by"], answer["items"][0]["item"]) == ("model", "item-11")
    assert attached.shown()["state"] == "closed"
    recorded(engine, answer)


def test_settings_that_a_plugin_refuses_leave_the_policy_without_a_model(engine: Running) -> None:
    serve(engine, policy(scorer=ScorerChoice(name="plugin", parameters={"plugin": "moody"})))
    assert engine.decide(subject="u-1")["reason"] == "model_missing"


def test_those_that_break_the_contract_are_shown_with_the_reason(engine: Running) -> None:
    shown = engine.replica.details()["plugins"]
    assert shown["scorer.newer"] == {
        "version": "",
        "state": "broken",
        "trouble": "it is written for another protocol than 1",
    }
    assert (shown["scorer.gone"]["state"], shown["scorer.gone"]["trouble"]) == ("broken", "AttributeError")


def test_a_circuit_opens_rests_and_tries_once() -> None:
    clock = [0.0]
    circuit = Circuit(lambda: clock[0], failures=2, rest_s=10.0)
    circuit.failed()
    circuit.worked()
    circuit.failed()
    assert (circuit.state(), circuit.allows()) == ("closed", True)
    circuit.failed()
    assert (circuit.state(), circuit.allows()) == ("open", False)
    clock[0] = 10.0
    assert circuit.state() == "half"
    assert [circuit.allows(), circuit.allows()] == [True, False]
    circuit.failed()
    clock[0] = 19.0
    assert not circuit.allows()
    clock[0] = 20.0
    assert circuit.allows()
    circuit.worked()
    assert (circuit.state(), circuit.allows()) == ("closed", True)


def test_a_lane_refuses_what_it_has_no_thread_for() -> None:
    lane, gate = Lane("narrow", width=1), threading.Event()
    first: Future[object] = lane.submit(gate.wait)
    with pytest.raises(Unavailable):
        lane.submit(lambda: 1)
    gate.set()
    assert first.result(5)
    assert lane.submit(lambda: 2).result(5) == 2
    lane.close()


@pytest.mark.parametrize(
    "said",
    [None, [], {"y": 1.0}, {"x": "1"}, {"x": float("nan")}, {"t": "x" * 2_000}, {"n": True}, {"n": 1 << 60}, {1: 2}],
)
def test_outputs_are_what_was_declared(said: object) -> None:
    with pytest.raises(Invalid):
        outputs(said, {"x": float, "t": str, "n": int})


def test_whole_numbers_may_stand_for_numbers() -> None:
    said = outputs({"x": 2, "n": 3}, {"x": float, "n": int, "t": str})
    assert said == {"x": 2.0, "n": 3}
    assert type(said["x"]) is float


@pytest.mark.parametrize("found", [None, "item-1", [1], [""], [["a"]], ["x" * 300], {"a": 1}])
def test_what_is_no_list_of_ids_is_refused(found: object) -> None:
    with pytest.raises(Invalid):
        ids(found, 5)


def test_ids_count_once_up_to_the_quota() -> None:
    assert ids(["b", "a", "b", "c"], 3) == ("b", "a")
